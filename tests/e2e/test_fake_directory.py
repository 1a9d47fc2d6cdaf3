"""A directory that is slow, silent, half-hearted or mad: what users and administrators read, and who does not wait."""

import concurrent.futures
import re
import time

import pytest

import fake_directory
import messages
from fake_directory import FakeDirectory, late, once, says
from messages import secret
from programs import SLOW
from rigs import COMPLETE, DENIED, DIRECTORY_SILENT, UNKNOWN, WRONG, Door, broker_config

SILENT = "directory did not answer"
FAILED = "the directory answered with an error"
UNREACHABLE = "no directory server could be reached"
BUSY = ("AUTH_FAILED_SERVICE_BUSY",
        "Too many users are logging on at this moment. Please try again in a few seconds.")
PASSWORD = secret("Fake-User-Password")


@pytest.fixture
def directory(tmp_path, start):
    made = start.adopt(FakeDirectory(tmp_path))
    made.alice = made.add("alice", PASSWORD)
    return made


@pytest.fixture
def other(tmp_path, start):
    made = start.adopt(FakeDirectory(tmp_path))
    made.alice = made.add("alice", PASSWORD)
    made.bob = made.add("bob", PASSWORD)
    return made


@pytest.fixture
def door_to(start, studio):
    """A broker in front of one or two directories; what is said of the first goes for its entry."""

    def make(directory, second=None, **keys):
        directories = [directory.config(**keys)]
        logon = None
        domains = ["FAKE"]
        if second:
            directories.append(second.config("second", domains=["SECOND"]))
            logon = [{"domains": ["FAKE"], "source": "fake"}, {"domains": ["SECOND"], "source": "second"}]
            domains = ["FAKE", "SECOND"]
        config = broker_config(studio, *directories, domains=domains, logon=logon)
        return Door(start("fairlead-broker", config), studio.ca)

    return make


# --- time ---


def test_slow_answers(door_to, directory, other):
    """1.9 s is good, 2.1 and 4.9 s are warned about, 5.1 s is a failure: all at once, each by a connection of its
    own. Users of another directory get in while these wait."""
    door = door_to(directory, other)
    users = {seconds: directory.add(f"late{seconds}", PASSWORD) for seconds in (1.9, 2.1, 4.9, 5.1)}
    for seconds, user in users.items():
        directory.when("bind", user, late(seconds))

    def attempt(seconds):
        with door.talk() as talk:
            began = time.monotonic()
            reply = talk.ask(messages.authenticate(users[seconds].name, PASSWORD, "FAKE"))
            return reply, time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        running = {seconds: pool.submit(attempt, seconds) for seconds in users}
        for user in users.values():
            directory.wait(("bind", user.name))
        for _ in range(3):
            door.right("bob", PASSWORD, "SECOND").close()
        assert not running[4.9].done() and not running[5.1].done()
        told = {seconds: one.result() for seconds, one in running.items()}
    slow = [float(found.group(1)) for found in (
        re.search(r"Stage 2: \S+ answered after ([0-9.]+) s; more than 2.0 s is slow", line)
        for line in door.log.since()) if found]
    for seconds in (1.9, 2.1, 4.9):
        reply, took = told[seconds]
        assert took >= seconds - 0.01
        # On a machine so loaded that 0.1 s more went by, the broker may see it as the next case.
        if seconds < 4 or took < 5:
            assert reply.result == COMPLETE, reply
    if told[1.9][1] < 2:
        assert all(seconds >= 2.05 for seconds in slow), slow
    assert any(2.1 <= seconds < 4.5 for seconds in slow) or SLOW > 1, slow
    if told[4.9][1] < 5:
        assert any(seconds >= 4.89 for seconds in slow), slow
    reply, took = told[5.1]
    assert (reply.result, reply.words) == (DENIED, DIRECTORY_SILENT)
    assert 4.99 <= took < 5 + 2 * SLOW
    door.log.wait(rf"Stage 2: Logon failed: {SILENT} \(fake, ")


def test_waiting_users_hold_nobody_up(door_to, directory, other):
    """Many wait for a directory that says nothing; a user of another one does not."""
    door = door_to(directory, other, **{"answer-ms": 20000, "connections": 8})
    directory.when("bind", directory.alice, fake_directory.mute)
    talks = [door.talk() for _ in range(150)]
    for talk in talks:
        talk.begin(messages.authenticate("alice", PASSWORD, "FAKE"))
    directory.wait(("bind", "alice"), 8)
    for _ in range(5):
        door.right("bob", PASSWORD, "SECOND").close()
    assert directory.counts["bind", "alice"] == 8
    for talk in talks:
        talk.close()
    directory.close()


def test_too_many_wait(door_to, directory):
    """One is asked for, two wait; the next one is told so at once."""
    door = door_to(directory, **{"connections": 1, "waiting": 2, "answer-ms": 20000})
    directory.when("bind", directory.alice, fake_directory.mute)
    talks = [door.talk() for _ in range(6)]
    talks[0].begin(messages.authenticate("alice", PASSWORD, "FAKE"))
    directory.wait(("bind", "alice"))
    for talk in talks[1:]:
        talk.begin(messages.authenticate("alice", PASSWORD, "FAKE"))
    door.log.wait("Stage 2: Logon failed: too many logons wait for this directory")
    told = 0
    for talk in talks[1:]:
        talk.raw.socket.settimeout(0.5)
        try:
            reply = talk.receive().reply
        except TimeoutError:
            continue
        assert (reply.result, reply.words) == BUSY
        told += 1
    assert told == 3
    for talk in talks:
        talk.close()
    directory.close()


# --- madness ---


@pytest.mark.parametrize("operation", ["search", "bind"])
@pytest.mark.parametrize("way, phrases", [
    ("mute", [SILENT]), ("half", [SILENT]), ("wrong_number", [SILENT]), ("huge", [SILENT, FAILED, UNREACHABLE]),
    ("endless", [SILENT, FAILED, UNREACHABLE]), ("garbage", [FAILED, UNREACHABLE]),
    ("half_then_close", [FAILED, UNREACHABLE]), ("close", [FAILED, UNREACHABLE]), ("reset", [FAILED, UNREACHABLE]),
    ("wrong_kind", [FAILED, UNREACHABLE, SILENT]),
])
def test_mad_answers(door_to, directory, operation, way, phrases):
    """Never a success, never a hang; and once the directory is itself again, the user gets in."""
    door = door_to(directory, **{"answer-ms": 600, "connect-ms": 500, "hold-down-seconds": 1})
    directory.when(operation, directory.alice, getattr(fake_directory, way))
    reply = door.log_on("alice", PASSWORD, "FAKE")
    with reply.talk:
        assert (reply.result, reply.words) == (DENIED, DIRECTORY_SILENT), door.explain(reply)
        pattern = "|".join(map(re.escape, phrases))
        door.log.wait(rf"Stage 2: Logon failed: ({pattern}) \(fake, ", reply.talk.mark)
    # Whatever became of it, the password was not tried twice.
    assert directory.counts["bind", "alice"] <= 1
    directory.be_honest()
    door.right("alice", PASSWORD, "FAKE").close()
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", domain="FAKE")


@pytest.mark.parametrize("code, text, result, phrase", [
    (53, "Account disabled", "AUTH_FAILED_ACCESS_DENIED", "the account is disabled"),
    (53, "Account inactivated. Contact system administrator.", None, None),
    (19, "Exceed password retry limit. Account locked.", "AUTH_FAILED_ACCESS_DENIED", "the account is locked out"),
    (19, "password expired!", "AUTH_FAILED_EXPIRED_PASSWORD", "the password has expired"),
    (49, "80090308: LdapErr: DSID-0C090434, comment: AcceptSecurityContext error, data 52e, v4563",
     WRONG, "wrong password"),
    (32, "", WRONG, None),
    (10, "", "AUTH_FAILED_ACCESS_DENIED", FAILED),
    (1, "operations error", "AUTH_FAILED_ACCESS_DENIED", FAILED),
    (255, "\x1b[31m\x00\n\u202e", "AUTH_FAILED_ACCESS_DENIED", FAILED),
])
def test_results_of_a_bind(door_to, directory, code, text, result, phrase):
    door = door_to(directory)
    directory.when("bind", directory.alice, says(code, text, ["ldap://127.0.0.1:9/dc=elsewhere"] if code == 10 else []))
    reply = door.log_on("alice", PASSWORD, "FAKE")
    with reply.talk:
        assert reply.result != COMPLETE and (result is None or reply.result == result), door.explain(reply)
        line = door.log.wait(r"Stage 2: Logon failed: (.*)", reply.talk.mark).group(1)
        assert phrase is None or line.startswith(f"{phrase} (fake, "), line
        assert line.isprintable(), line
    assert directory.counts["bind", "alice"] == 1


@pytest.mark.parametrize("code", [51, 52, 80])
def test_server_that_says_it_cannot(start, studio, directory, other, code):
    """Then the next one is asked."""
    directory.when("search", None, says(code, "not now"))
    config = directory.config(servers=[directory.url, other.url])
    other.fairlead.dn, other.fairlead.password = directory.fairlead.dn, directory.fairlead.password
    door = Door(start("fairlead-broker", broker_config(studio, config, domains=["FAKE"])), studio.ca)
    door.right("alice", PASSWORD, "FAKE").close()
    assert door.log.wait(r"Stage 2: Server (\S+) passed over: ").group(1) == directory.url
    assert directory.counts["bind", "alice"] == 0 and other.counts["bind", "alice"] == 1


# --- connections ---


def test_connections_are_kept(door_to, directory):
    door = door_to(directory)
    for _ in range(6):
        door.right("alice", PASSWORD, "FAKE").close()
    # One to search, one to bind users; they go on being used.
    assert directory.counts["connect"] <= 2
    assert directory.counts["bind", "alice"] == 6
    assert directory.counts["bind", "fairlead"] == 1


def test_connections_that_were_closed(door_to, directory):
    """As a server does that is started anew, or a firewall after a while: noticed when used, nobody fails by it."""
    door = door_to(directory)
    door.right("alice", PASSWORD, "FAKE").close()
    for round_number in (2, 3):
        directory.drop()
        door.right("alice", PASSWORD, "FAKE").close()
        assert directory.counts["bind", "alice"] == round_number
    directory.drop()
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", domain="FAKE")
    assert directory.counts["bind", "alice"] == 4
    assert not [line for line in door.log.since() if "passed over" in line]


@pytest.mark.parametrize("operation", ["search", "bind"])
@pytest.mark.parametrize("way", ["close", "reset"])
def test_kept_connection_that_breaks_when_used(door_to, directory, operation, way):
    """It was idle before, so that nobody can say what the server saw of it: one more try on a new one, and no more."""
    door = door_to(directory)
    door.right("alice", PASSWORD, "FAKE").close()
    usual = directory.counts[operation, "alice"]
    directory.when(operation, directory.alice, once(getattr(fake_directory, way)))
    door.right("alice", PASSWORD, "FAKE").close()
    assert directory.counts[operation, "alice"] == 2 * usual + 1
    directory.when(operation, directory.alice, getattr(fake_directory, way))
    before = directory.counts[operation, "alice"]
    with door.log_on("alice", PASSWORD, "FAKE").talk:
        door.log.wait(r"Stage 2: Logon failed: (.*) \(fake, ")
    assert directory.counts[operation, "alice"] <= before + 2


def test_gone_and_back(door_to, directory):
    door = door_to(directory)
    door.right("alice", PASSWORD, "FAKE").close()
    directory.stop_listening()
    door.wrong("alice", PASSWORD, DENIED, DIRECTORY_SILENT, UNREACHABLE, domain="FAKE")
    directory.listen_again()
    door.right("alice", PASSWORD, "FAKE").close()


@pytest.mark.parametrize("operation, counts", [("search", False), ("bind", True)])
def test_outage_and_the_guard(start, studio, directory, operation, counts):
    """Nobody is shut out by an outage in which no password was tried; where it may have been counted, the guard counts."""
    config = broker_config(studio, directory.config(**{"answer-ms": 150, "connect-ms": 150}), domains=["FAKE"],
                           guard={"delay-ms": 10, "delay-most-ms": 10})
    door = Door(start("fairlead-broker", config), studio.ca)
    own = directory.alice if operation == "bind" else None
    directory.when(operation, own, fake_directory.mute)
    for _ in range(3):
        door.wrong("alice", PASSWORD, DENIED, DIRECTORY_SILENT, SILENT, domain="FAKE")
    assert not [line for line in door.log.since() if "Directory answered" in line or "is slow" in line]
    directory.be_honest()
    reply = door.log_on("alice", PASSWORD, "FAKE")
    if counts:
        assert reply.result == DENIED and "Please try again in" in reply.words, door.explain(reply)
    else:
        assert reply.result == COMPLETE, door.explain(reply)


def test_held_down_server_is_asked_last(start, studio, directory, other):
    other.fairlead.dn, other.fairlead.password = directory.fairlead.dn, directory.fairlead.password
    config = directory.config(servers=[directory.url, other.url], **{"answer-ms": 3000, "connect-ms": 300})
    directory.when("bind", None, fake_directory.close)
    door = Door(start("fairlead-broker", broker_config(studio, config, domains=["FAKE"])), studio.ca)
    door.right("alice", PASSWORD, "FAKE").close()
    asked = directory.counts["connect"]
    for _ in range(5):
        door.right("alice", PASSWORD, "FAKE").close()
    assert directory.counts["connect"] == asked
    # With nobody else left, it is asked all the same.
    other.stop_listening()
    directory.be_honest()
    door.right("alice", PASSWORD, "FAKE").close()
    assert directory.counts["bind", "alice"] == 1


def test_stop_while_somebody_waits(start, studio, directory):
    """The program ends cleanly, and soon, although the directory says nothing."""
    directory.when("bind", directory.alice, fake_directory.mute)
    config = directory.config(**{"answer-ms": 2000})
    door = Door(start("fairlead-broker", broker_config(studio, config, domains=["FAKE"])), studio.ca)
    with door.talk() as talk:
        talk.begin(messages.authenticate("alice", PASSWORD, "FAKE"))
        directory.wait(("bind", "alice"))
        assert door.program.stop() == 0


def test_reload_while_somebody_waits(start, studio, directory, other):
    """Who is being asked about stays with the old directory; the next one goes to the new."""
    directory.when("bind", directory.alice, fake_directory.mute)
    door = Door(start("fairlead-broker", broker_config(
        studio, directory.config(**{"answer-ms": 2000}), domains=["FAKE"])), studio.ca)
    with door.talk() as talk:
        talk.begin(messages.authenticate("alice", PASSWORD, "FAKE"))
        directory.wait(("bind", "alice"))
        door.program.configure(broker_config(studio, other.config(), domains=["FAKE"]))
        assert door.program.reload()
        door.right("alice", PASSWORD, "FAKE").close()
        assert talk.receive().reply.result == DENIED
    assert other.counts["bind", "alice"] == 1
