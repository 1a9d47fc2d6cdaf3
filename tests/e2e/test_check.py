"""`fairlead check` as people and scripts use it: options, formats, exit status."""

import json
import os
import pty
import stat
import subprocess

import pytest

import bundles
from programs import LIMIT, die_with_parent, program, run

UTF8 = {"LC_ALL": "C.UTF-8"}


def check(*options, **how):
    return run(program("fairlead"), "check", *options, env={**UTF8, **how.pop("env", {})}, **how)


def bundle(name):
    return bundles.FOLDER / name / "input"


def only_id(name):
    (found,) = bundles.expected(name)["sessions"]
    return found


@pytest.mark.parametrize("name, status", [
    ("good-brokered-session", 0), ("slow-network", 4), ("wrong-password", 3), ("bad-network", 3)])
def test_exit_status(name, status):
    assert check(bundle(name)).returncode == status


@pytest.mark.parametrize("make", ["missing", "empty folder", "empty file", "binary", "prose"])
def test_unusable_input(tmp_path, make):
    path = tmp_path / "input"
    if make == "empty folder":
        path.mkdir()
    elif make == "empty file":
        path.write_text("")
    elif make == "binary":
        path.write_bytes(bytes(range(256)) * 64)
    elif make == "prose":
        path.write_text("Nothing of this is a log.\n" * 20)
    done = check(path)
    assert done.returncode == 2
    assert "fairlead check: " in done.stderr
    document = json.loads(check("--format", "json", path).stdout)
    assert document["summary"]["fail"] == document["summary"]["pass"] == 0
    if make in ("missing", "binary"):
        assert any(one["skipped"] for one in document["inputs"])


def test_several_inputs_and_one_missing(tmp_path):
    done = check("--format", "json", tmp_path / "nowhere.log", bundle("good-brokered-session"))
    assert done.returncode == 0, "what could be read is judged"
    document = json.loads(done.stdout)
    assert any("nowhere.log" in one["path"] and one["skipped"] for one in document["inputs"])


def test_standard_input():
    log = next(bundle("wrong-password").iterdir()).read_text()
    done = check("--format", "json", "-", input=log)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [one["path"] for one in document["inputs"]] == ["-"]
    assert document["sessions"][0]["id"] == only_id("wrong-password")


def test_digest_is_that_of_sha256sum():
    file = next(bundle("wrong-password").iterdir())
    wanted = run("sha256sum", file).stdout.split()[0]
    document = json.loads(check("--format", "json", file).stdout)
    assert document["inputs"][0]["sha256"] == wanted


def test_evidence_is_where_it_says():
    """Every quoted line stands in its file at its number (sed, not we, looks it up)."""
    document = json.loads(check("--format", "json", bundle("hung-logon-beside-a-good-one")).stdout)
    seen = 0
    for session in document["sessions"]:
        for one in session["diagnostics"]:
            for line in one["evidence"]:
                assert run("sed", "-n", f"{line['line']}p", line["file"]).stdout.strip() == line["text"].strip()
                seen += 1
    assert seen > 15


def test_session_filter():
    name = "hung-logon-beside-a-good-one"
    everything = bundles.expected(name)["sessions"]
    hung = next(id for id, found in everything.items() if "accept-payload" not in found)
    good = next(id for id in everything if id != hung)
    done = check("--format", "json", "--session", good[:8], bundle(name))
    assert done.returncode == 0
    assert [one["id"] for one in json.loads(done.stdout)["sessions"]] == [good]
    assert check("--session", hung.upper(), bundle(name)).returncode == 3
    assert check("--session", "abcd0000", bundle(name)).returncode == 2


def test_since_and_until():
    name = "hung-logon-beside-a-good-one"
    day = "2023-05-09"
    assert check("--since", f"{day}T09:20:00Z", bundle(name)).returncode == 0
    assert check("--since", f"{day}T11:20:00+02:00", bundle(name)).returncode == 0
    assert check("--since", day, bundle(name)).returncode == 3
    assert check("--since", "2023-05-10", bundle(name)).returncode == 2
    assert check("--until", f"{day}T08:00:00Z", bundle(name)).returncode in (0, 2)


def test_output_file(tmp_path):
    out = tmp_path / "report.json"
    out.write_text("old")
    done = check("--format", "json", "--output", out, bundle("good-brokered-session"))
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(out.read_text())["tool"]["name"] == "fairlead"
    assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~os.umask(os.umask(0o022))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json"]


def test_output_never_replaces_what_is_read(tmp_path):
    log = tmp_path / "agent.log"
    text = next(bundle("wrong-password").iterdir()).read_text()
    log.write_text(text)
    (tmp_path / "other.log").symlink_to(log)
    for output in (log, tmp_path / "other.log"):
        done = check("--output", output, log)
        assert (done.returncode, log.read_text()) == (2, text)
        assert "is read" in done.stderr


def test_output_that_cannot_be_written(tmp_path):
    done = check("--output", tmp_path / "no" / "such" / "folder.txt", bundle("good-brokered-session"))
    assert done.returncode == 1
    assert "No such file" in done.stderr
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("fairlead"), "check", str(bundle("good-brokered-session"))], stdout=full,
                              stderr=subprocess.PIPE, timeout=LIMIT, preexec_fn=die_with_parent)
    assert done.returncode == 1
    assert check("--output", "/dev/null", bundle("good-brokered-session")).returncode == 0


@pytest.mark.parametrize("format", ["text", "json", "html"])
def test_mask(format):
    name = "tcp-4172-blocked-both-sides"
    plain, masked = (check(*options, "--format", format, bundle(name), bundle("wrong-password")).stdout
                     for options in ([], ["--mask"]))
    for secret in ["192.0.2.80", "192.0.2.31", "orla"]:
        assert secret not in masked
    assert "192.0.2.80" in plain and "orla" in plain


@pytest.mark.parametrize("options", [
    [], ["--format", "xml", "x"], ["--session", "ab", "x"], ["--session", "zzzzzz", "x"], ["--since", "yesterday", "x"],
    ["--since", "2023-05-09", "--until", "2023-05-08", "x"], ["--lint", "x"], ["--no-such", "x"], ["--output"]])
def test_usage(options):
    done = check(*options)
    assert done.returncode == 2
    assert "fairlead help check" in done.stderr
    assert done.stdout == ""


def test_lint_of_what_is_built_in():
    done = check("--lint")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no fault" in done.stdout


RULE = """id: door-open
title: Door of the machine room
phase: host
scope: host
order: 900
about: An administrator's own rule.
patterns:
  - id: open
    text: "door {number} of the machine room is open"
    samples: ["2023-05-09T07:00:00.000Z 00000000-0000-0000-0000-000000000000 > LVL:2 RC:   0 DOORS :door 4 of the machine room is open"]
tracks:
  - id: host
    outcomes:
      - {on: [open], result: fail, cause: open}
causes:
  - id: open
    text: Door {number} stands open.
    remedies: [{who: helpdesk, text: "Close door {number}."}]
"""


def test_a_rule_of_one_s_own(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "door-open.yaml").write_text(RULE)
    log = tmp_path / "doors.log"
    log.write_text("2023-05-09T07:00:00.000Z 00000000-0000-0000-0000-000000000000 > LVL:2 RC:   0           DOORS :"
                   "door 7 of the machine room is open\n")
    assert check("--lint", "--rules", tmp_path / "rules").returncode == 0
    done = check("--rules", tmp_path / "rules", log)
    assert done.returncode == 3
    assert "Door 7 stands open." in done.stdout and "Close door 7." in done.stdout
    assert check(log).returncode == 2, "nobody else knows that line"


@pytest.mark.parametrize("old, new, told", [
    ("remedies: [{who: helpdesk", "remedys: [{who: helpdesk", "door-open.yaml:18"),
    ("cause: open", "cause: shut", "door-open.yaml:14"),
    ("{number} of the machine room is open\"\n    s", "{number:colour} of the machine room is open\"\n    s",
     "door-open.yaml:9")])
def test_a_faulty_rule_is_fatal_and_says_where(tmp_path, old, new, told):
    assert old in RULE
    (tmp_path / "door-open.yaml").write_text(RULE.replace(old, new))
    for options in (["--lint"], [bundle("good-brokered-session")]):
        done = check("--rules", tmp_path, *options)
        assert done.returncode == 2
        assert told in done.stderr, done.stderr
        assert done.stdout == ""


def test_lint_finds_a_sample_that_does_not_match(tmp_path):
    (tmp_path / "door-open.yaml").write_text(RULE.replace("DOORS :door 4", "DOORS :gate 4"))
    done = check("--lint", "--rules", tmp_path)
    assert done.returncode == 2
    assert "door-open" in done.stderr and "open" in done.stderr


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_text_fits_the_terminal(columns):
    def on_terminal():
        die_with_parent()
        os.set_inheritable(1, True)

    master, slave = pty.openpty()
    run("stty", "cols", columns, "rows", "50", "-F", os.ttyname(slave))
    process = subprocess.Popen([program("fairlead"), "check", str(bundle("wrong-password")), str(bundle("bad-network"))],
                               stdout=slave, stderr=subprocess.DEVNULL, preexec_fn=on_terminal,
                               env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
    os.close(slave)
    text = b""
    try:
        while piece := os.read(master, 65536):
            text += piece
    except OSError:  # the terminal's other end is closed
        pass
    assert process.wait(LIMIT) == 3
    os.close(master)
    assert b"\033" not in text
    lines = text.decode().splitlines()
    assert len(lines) > 20
    too_long = [line for line in lines if len(line) > columns and "pcoip_agent" not in line]
    assert too_long == []


def test_colour_only_where_wanted():
    assert "\033" not in check(bundle("wrong-password")).stdout
