"""What `fairlead check` says when there is more than it keeps, and that filters come before limits."""

import datetime
import json
import re

import pytest

import bundles
from programs import program, run

KEPT = 16384
EXTRA = 116
START = datetime.datetime(2027, 3, 1, 6, 0, 0)


def check(*options):
    return run(program("fairlead"), "check", "--quiet", *options, env={"LC_ALL": "C.UTF-8"}, limit=60)


def session_id(at, node):
    """An id made at this time, as clients make them."""
    ticks = int(at.replace(tzinfo=datetime.timezone.utc).timestamp()) * 10 ** 7
    return f"{ticks & 0xffffffff:08x}-{ticks >> 32 & 0xffff:04x}-1{ticks >> 48:03x}-8000-{node:012x}"


def line(at, id, message):
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z {id} > LVL:2 RC:   0           AGENT :{message}\n"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """(log, id of the last session, its time): more sessions than are kept; only the last one failed."""
    path = tmp_path_factory.mktemp("many") / "agent.log"
    with open(path, "w") as log:
        for number in range(KEPT + EXTRA):
            at = START + datetime.timedelta(seconds=3 * number)
            id = session_id(at, number)
            log.write(line(at, id, "Received hello command!"))
            log.write(line(at, id, "Received authenticate-password command."))
            last = "Failed to authenticate user 'mira' with domain 'loft'" if number == KEPT + EXTRA - 1 else \
                "Received get-resource-list command."
            log.write(line(at + datetime.timedelta(seconds=1), id, last))
    return path, id, at


def failed(document):
    return [(session["id"], one["id"]) for session in document["sessions"] for one in session["diagnostics"]
            if one["result"] == "fail"]


def test_sessions_that_were_not_judged_are_counted(many):
    path, _, _ = many
    document = json.loads(check("--format", "json", path).stdout)
    assert document["incomplete"]
    assert any(re.match(rf"{EXTRA} sessions were not judged", note) for note in document["notes"]), document["notes"]
    assert any(f" {3 * EXTRA} lines" in note for note in document["notes"]), document["notes"]


def test_the_session_that_is_asked_for_is_judged_whatever_the_limits(many):
    path, last, _ = many
    done = check("--format", "json", "--session", last, path)
    assert done.returncode == 3, done.stderr
    assert failed(json.loads(done.stdout)) == [(last, "session-authentication")]


def test_lines_before_the_time_that_is_asked_for_use_up_nothing(many):
    path, last, at = many
    done = check("--format", "json", "--since", f"{at:%Y-%m-%dT%H:%M:%SZ}", path)
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert failed(document) == [(last, "session-authentication")]
    assert document["notes"] == []


def test_every_session_that_is_kept_is_listed(tmp_path):
    """Rules without evidence do not take the room of a late session that failed."""
    path = tmp_path / "agent.log"
    kept = KEPT - 1
    with open(path, "w") as log:
        for number in range(kept):
            at = START + datetime.timedelta(seconds=3 * number)
            id = session_id(at, number)
            log.write(line(at, id, "Received hello command!"))
            log.write(line(at, id, "Received authenticate-password command."))
            if number == kept - 10:
                last = id
                log.write(line(at, id, "Failed to authenticate user 'mira' with domain 'loft'"))
            else:
                for message in ("Received get-resource-list command.", "Received allocate-resource command.",
                                "3368 Starting session...", "5A34 Connection RESPONSE: code=(0)",
                                "1980 Connection COMPLETE: code=(0)"):
                    log.write(line(at, id, message))
    done = check("--format", "json", path)
    document = json.loads(done.stdout)
    assert (len(document["sessions"]), document["incomplete"]) == (kept, False), document["notes"]
    assert (last, "session-authentication") in failed(document)
    assert document["summary"]["fail"] == len(failed(document))
    assert done.returncode == 3
    assert any("without the diagnostics that have no evidence" in note for note in document["notes"])


@pytest.mark.parametrize("name", [
    name for name in bundles.names()
    if len(bundles.expected(name)["sessions"]) > 1 and "pack" not in bundles.expected(name)])
def test_a_session_is_judged_alone_as_among_others(name):
    """Lines with the all-zero id are given to the same session with and without --session."""
    path = bundles.FOLDER / name / "input"
    everything = json.loads(check("--format", "json", path).stdout)["sessions"]
    for one in everything:
        if one["id"] is None:
            continue
        (alone,) = json.loads(check("--format", "json", "--session", one["id"], path).stdout)["sessions"]
        assert alone["diagnostics"] == one["diagnostics"]


def test_times_without_zone_are_filtered_as_if_utc(tmp_path):
    path = tmp_path / "pcoip_server_2027_03_01_000a1b.txt"
    path.write_text("".join(f"03/01/2027, {clock}.000> LVL:2 RC:   0 {component:>15} :{text}\n" for clock, component, text in (
        ("06:00:00", "COMMON", "-- pcoip_server begins."),
        ("06:01:50", "MGMT_PCOIP_DATA", "Invite packet not received, aborting session"),
        ("06:05:20", "MGMT_PCOIP_DATA", "Tx thread info: round trip time (ms) = 300, variance =   3, rto = 114, "
                                        "last =  10, max =  17"))))
    whole = check("--format", "json", path).stdout
    late = check("--format", "json", "--since", "2027-03-01T06:04:00Z", path).stdout
    assert "Invite packet" in whole and "Invite packet" not in late
    assert "network-latency" in [one["id"] for session in json.loads(late)["sessions"] for one in session["diagnostics"]
                                 if one["result"] != "no-evidence"]
