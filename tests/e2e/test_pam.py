"""Users of PAM: a service of the tests' own, asked by the real helper process."""

import json
import os
import pathlib
import pwd
import stat

import pytest

import messages
from messages import secret
from programs import program, run
from rigs import (COMPLETE, DENIED, EXPIRED, EXPIRED_PASSWORD, PAM_SILENT, UNKNOWN, WRONG, Door, broker_config)

SERVICE = """auth [success=ignore default=1] pam_succeed_if.so quiet user = lp
auth [default=die] pam_debug.so auth=maxtries
auth [success=done default=ignore] pam_exec.so quiet expose_authtok {script}
auth required pam_deny.so
account [success=ignore default=1] pam_succeed_if.so quiet user = games
account required pam_debug.so acct=acct_expired
account [success=ignore default=1] pam_succeed_if.so quiet user = man
account required pam_debug.so acct=new_authtok_reqd
account [success=ignore default=1] pam_succeed_if.so quiet user = news
account required pam_debug.so acct=perm_denied
account required pam_permit.so
password required pam_deny.so
session required pam_permit.so
"""

#: The password of each is in a file of his name. mail waits for what never comes; uucp kills the process of its module.
SCRIPT = """#!/bin/sh
case "$PAM_USER" in
mail) read -r never < {folder}/fifo ;;
uucp) kill -KILL $PPID ;;
esac
typed=$(tr -d '\\000')
[ -f "{folder}/passwords/$PAM_USER" ] && [ "$typed" = "$(cat "{folder}/passwords/$PAM_USER")" ] &&
	[ "$PAM_SERVICE" = studio ] && echo "$PAM_RHOST" > "{folder}/host"
"""


class Pam:
    def __init__(self, folder):
        self.folder = folder
        self.password = secret("Pam-Pässwörd-" + os.urandom(6).hex())
        (folder / "pam.d").mkdir()
        (folder / "passwords").mkdir()
        os.mkfifo(folder / "fifo")
        for name in ("daemon", "bin", "games", "man", "news", "mail", "uucp", "lp"):
            (folder / "passwords" / name).write_text(self.password)
        script = folder / "check"
        script.write_text(SCRIPT.format(folder=folder))
        script.chmod(0o755)
        (folder / "pam.d" / "studio").write_text(SERVICE.format(script=script))

    @staticmethod
    def program():
        here = pathlib.Path(program("fairlead-pam"))
        assert here.exists() and here.stat().st_mode & stat.S_IXUSR, here
        return here

    def config(self, **keys):
        return {"service": "studio", "confdir": str(self.folder / "pam.d"), "helper": str(self.program()), **keys}


@pytest.fixture(scope="module")
def pam(tmp_path_factory):
    return Pam(tmp_path_factory.mktemp("pam"))


@pytest.fixture(scope="module")
def config(studio, pam):
    return broker_config(studio, pam=pam.config(), resources=[
        {"id": "r-daemon", "name": "For the group", "host": "edit-01", "groups": ["daemon"]},
        {"id": "r-bin", "name": "For the user", "host": "edit-01", "users": ["bin"]}])


@pytest.fixture(scope="module")
def door(start_once, studio, config):
    return Door(start_once("fairlead-broker", config), studio.ca)


@pytest.mark.parametrize("user, expected", [("daemon", {"r-daemon"}), ("bin", {"r-bin"})])
def test_right(door, pam, user, expected):
    """With the groups of this machine."""
    pwd.getpwnam(user)
    assert door.resources(user, pam.password) == expected


def test_client_s_address_is_told(start, studio, pam):
    door = Door(start("fairlead-broker", broker_config(
        studio, pam=pam.config(), **{"trusted-proxies": ["127.0.0.1"]})), studio.ca)
    door.right("daemon", pam.password, headers=["X-Forwarded-For: 192.0.2.77"]).close()
    assert (pam.folder / "host").read_text() == "192.0.2.77\n"


@pytest.mark.parametrize("user, right, result, words, phrase", [
    ("daemon", False, WRONG, UNKNOWN, "wrong password"),
    ("games", True, DENIED, UNKNOWN, "the account has expired"),
    ("man", True, EXPIRED_PASSWORD, EXPIRED, "the password has expired"),
    ("news", True, DENIED, UNKNOWN, "the user may not log on in this way"),
    ("lp", True, DENIED, UNKNOWN, "the account is locked out"),
    ("daemon", None, WRONG, UNKNOWN, "the password is empty"),
])
def test_wrong(door, pam, user, right, result, words, phrase):
    password = {True: pam.password, False: "not it", None: ""}[right]
    door.wrong(user, password, result, words, phrase)


def test_wrong_and_unknown_look_the_same(door, pam):
    one, other = door.log_on("daemon", "not it"), door.log_on("no-such-user", "not it")
    assert repr(one) == repr(other)
    assert (one.result, one.words) == (WRONG, UNKNOWN)
    one.talk.close()
    other.talk.close()


@pytest.mark.parametrize("name", ["../passwords/daemon", "-daemon", "daemon;id", "$(id)", "a" * 256, "d\u00e4mon"])
def test_hostile_names(door, pam, name):
    reply = door.log_on(name, pam.password)
    with reply.talk:
        assert (reply.result, reply.words) == (WRONG, UNKNOWN), door.explain(reply)


def test_module_that_hangs(start, studio, pam):
    """Its question ends in time, and others are answered meanwhile."""
    door = Door(start("fairlead-broker", broker_config(
        studio, pam=pam.config(**{"answer-ms": 1500}), resources=[
            {"id": "r-daemon", "name": "For the group", "host": "edit-01", "groups": ["daemon"]}])), studio.ca)
    with door.talk() as talk:
        talk.begin(messages.authenticate("mail", pam.password, "STUDIO"))
        # Opening the other end waits until the script reads: it hangs by then.
        with open(pam.folder / "fifo", "w", encoding="ascii"):
            assert door.resources("daemon", pam.password) == {"r-daemon"}
            reply = talk.receive().reply
    assert (reply.result, reply.words) == (DENIED, PAM_SILENT)
    door.log.wait(r"Stage 2: Logon failed: PAM did not answer \(pam")


def test_module_that_crashes(door, pam):
    """One question ends; the next one is answered."""
    reply = door.log_on("uucp", pam.password)
    with reply.talk:
        assert reply.result != COMPLETE, reply
        assert (reply.result, reply.words) == (DENIED, PAM_SILENT), door.explain(reply)
        door.log.wait(r"Stage 2: Logon failed: PAM did not answer \(pam, .*signal 9", reply.talk.mark)
    assert door.resources("daemon", pam.password) == {"r-daemon"}


def test_agent(start, studio, pam, tmp_path):
    """A stand-alone host: its own users, by direct connection."""
    config = studio.agent(tmp_path, domains=["STUDIO"], pam=pam.config(), guard={"off": True})
    del config["users"]
    door = Door(start("fairlead-agent", config), studio.ca, "direct")
    assert door.resources("daemon", pam.password) == {"0"}
    door.wrong("daemon", "not it", WRONG, UNKNOWN, "wrong password")


def test_no_helper(studio, pam, tmp_path):
    """Said at the start."""
    file = tmp_path / "broker.yaml"
    file.write_text(json.dumps(broker_config(studio, pam=pam.config(helper=str(tmp_path / "nothing")))))
    done = run(program("fairlead-broker"), "--config", file)
    assert done.returncode != 0 and "nothing" in done.stderr, done.stderr


def test_helper_ends_with_the_program(start, studio, pam, gone):
    broker = start("fairlead-broker", broker_config(studio, pam=pam.config()))
    children = [int(pid) for pid in pathlib.Path(
        f"/proc/{broker.process.pid}/task/{broker.process.pid}/children").read_text().split()]
    assert len(children) == 1
    assert broker.stop() == 0
    assert gone(children)


def test_kind_of_reload(start, studio, pam):
    """PAM that is new in the configuration needs a new start: the rights are gone by then."""
    broker = start("fairlead-broker", studio.broker())
    broker.configure(broker_config(studio, pam=pam.config()))
    assert not broker.reload()
    broker.log.wait("Configuration not reloaded.*'pam' is new")
