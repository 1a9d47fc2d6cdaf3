"""What the whole run has left behind: every message is valid, and no secret is in any log. Runs last."""

import collections
import re
import subprocess

import pytest

import messages
from programs import LIMIT, TREE, BUILD
from wire import Talk

pytestmark = pytest.mark.last

SCHEMA = TREE / "docs" / "protocol.rng"


@pytest.fixture(scope="module", autouse=True)
def some_traffic(system, studio):
    """So that there is something to look at when this file runs alone."""
    for address, resource in ((system.manager_address, "r-edit"), (system.broker_address, "r-edit"),
                              (system.direct_address, "0")):
        with Talk(address, studio.ca) as talk:
            talk.log_on(studio.alice.name, studio.alice.password)
            talk.ask(messages.GET_RESOURCE_LIST)
            talk.ask(messages.allocate(resource))
            talk.ask(messages.GET_RESOURCE_LIST)
            talk.ask(messages.BYE)


def schema():
    built = BUILD / "docs" / "protocol.rng"
    return built if built.exists() else SCHEMA


def xmllint(files):
    return subprocess.run(["xmllint", "--noout", "--relaxng", str(schema()), *map(str, files)],
                          capture_output=True, text=True, timeout=10 * LIMIT)


def test_every_message_of_the_run_is_valid(capture):
    files = sorted(capture.glob("*.xml"))
    kinds = collections.Counter(re.sub(r"^.*-\d{6,}-(.*)\.xml$", r"\1", file.name) for file in files)
    for kind in ("hello", "authenticate", "get-resource-list", "allocate-resource", "bye", "launch-session",
                 "checkout-license"):
        assert kinds[kind] and kinds[f"{kind}-resp"], kinds
    assert kinds["error-resp"]
    for at in range(0, len(files), 500):
        done = xmllint(files[at:at + 500])
        bad = [line for line in done.stderr.splitlines() if not line.endswith(" validates")]
        assert done.returncode == 0, "\n".join(bad[:20])


@pytest.mark.parametrize("old, new", [
    ("<result-id>", "<result-idd>"), ("<bye-resp", "<good-bye-resp"), ('version="2.1"', ""),
    ("<hostname>my-client.teradici.local</hostname>", "")])
def test_schema_finds_what_is_wrong(tmp_path, old, new):
    """A copy of each kind of message, spoilt, is not valid any more."""
    samples = {"<result-id>": "authenticate-resp", "<bye-resp": "bye-resp"}
    text = (TREE / "tests" / "vectors" / "page" / f"{samples.get(old, 'hello')}.xml").read_text()
    file = tmp_path / "message.xml"
    file.write_text(text)
    assert xmllint([file]).returncode == 0
    spoilt = text.replace(old, new)
    if new.startswith("<result-idd"):
        spoilt = spoilt.replace("</result-id>", "</result-idd>")
    if new.startswith("<good-bye"):
        spoilt = spoilt.replace("</bye-resp>", "</good-bye-resp>")
    assert spoilt != text
    file.write_text(spoilt)
    assert xmllint([file]).returncode != 0


@pytest.fixture
def search(tmp_path):
    """search(folder, pattern of names): the lines with a secret of this run, by grep."""
    patterns = tmp_path / "patterns"
    patterns.write_text("\n".join(sorted(messages.SECRETS)) + "\n")

    def lines(folder, names):
        done = subprocess.run(["grep", "-rnaF", "-f", str(patterns), f"--include={names}", str(folder)],
                              capture_output=True, text=True, errors="replace", timeout=10 * LIMIT)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout.splitlines()

    return lines


def test_no_secret_in_any_log(log_folders, search):
    """No password, cookie or connect tag that was used in this run, in any log of any program."""
    assert [line for folder in set(log_folders) for line in search(folder, "*.log*")] == []


def test_no_secret_in_any_captured_message(capture, search):
    assert search(capture, "*.xml") == []


def test_secrets_would_be_found(log_folders, search, tmp_path):
    """The search knows each kind of secret, and finds one that is there; and there are logs to search."""
    for kind in ("[0-9a-f]{32}", "Pw-.*", ".{100,}"):
        known = [one for one in messages.SECRETS if re.fullmatch(kind, one)]
        assert known, kind
        (tmp_path / "leaky.log").write_text(f"a line\nand {known[0]} in it\n")
        assert len(search(tmp_path, "*.log*")) == 1
    logs = [file for folder in set(log_folders) for file in folder.rglob("*.log")]
    assert sum(file.stat().st_size for file in logs) > 10000
