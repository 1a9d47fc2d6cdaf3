"""The second factor: FreeRADIUS behind the users of the configuration, dialogs, and servers that misbehave."""

import re
import threading

import pytest

import fakes
import messages
import radius_server
from messages import secret
from programs import LIMIT
from radius_server import ACCEPT, CHALLENGE, REJECT, FakeRadius, FreeRadius, attribute, attributes, signed
from rigs import (COMPLETE, DENIED, INCOMPLETE, INVALID_ENTRY, RADIUS_SILENT, UNKNOWN, WRONG, Door, answer,
                  broker_config, dialog_of)
from studio import Person, password_hash
from wire import Talk

REJECTED = "the RADIUS server rejected the user"
NO_RESPONSE = "Timeout: No Response from RADIUS Server."
WRONG_SECRET = "the answers of the RADIUS server do not fit the shared secret"
NO_DIALOG = "A second proof of your identity is needed, and this client cannot ask you for it."
NOT_SHOWN = "a challenge has to be answered and the client announces no dialogs"
QUICK = {"retry-ms": 100, "tries": 2, "wait-seconds": 1}


class People:
    """Users of the configuration whose names say how FreeRADIUS treats them."""

    def __init__(self):
        self.alice = Person("alice", "editors")
        self.zoe = Person("zoë", "editors")
        self.bob = Person("bob")
        self.challenged = Person("chal-one", "editors")
        self.twice = Person("chal-twice", "editors")
        self.mute = Person("mute-one", "editors")
        self.all = list(vars(self).values())

    def config(self):
        return [person.config() for person in self.all]


@pytest.fixture(scope="module")
def people():
    return People()


@pytest.fixture(scope="module")
def same(tmp_path_factory, people):
    """A FreeRADIUS that knows the users by their passwords, too."""
    server = FreeRadius(tmp_path_factory.mktemp("same"), codes={
        person.name: person.password for person in (people.alice, people.zoe)})
    yield server
    server.close()


@pytest.fixture
def door_to(start, studio, people):
    """A broker with one group of servers."""

    def make(*radius, **keys):
        config = broker_config(studio, users=people.config(), radius=list(radius), **keys)
        return Door(start("fairlead-broker", config), studio.ca)

    return make


@pytest.fixture(scope="module")
def door(start_once, studio, people, freeradius):
    config = broker_config(studio, users=people.config(), radius=[freeradius.config(**QUICK)])
    return Door(start_once("fairlead-broker", config), studio.ca)


def listed(talk):
    return set(talk.ask(messages.GET_RESOURCE_LIST).texts("resource/resource-id"))


# --- a code that a dialog asks for ---


@pytest.mark.parametrize("person", ["alice", "zoe"])
def test_code(door, people, freeradius, person):
    user = getattr(people, person)
    reply = door.log_on(user.name, user.password, caps=True)
    assert (reply.result, reply.words) == (INCOMPLETE, "Another answer is needed to log on.")
    assert reply.message.get("method") == "password"
    asked = dialog_of(reply)
    assert (asked["purpose"], asked["title"], asked["text"]) == (
        "second-factor", "Second factor", "Enter the code of your second factor.")
    assert asked["prompts"] == {"answer": ("Code", "true")}
    with reply.talk as talk:
        reply = answer(talk, asked, answer=freeradius.codes[user.name])
        assert reply.result == COMPLETE, door.explain(reply)
        assert reply.message.get("method") == "dialog"
        assert listed(talk) == {"r-edit"}
        door.log.wait(rf"Stage 2: Second factor token accepted by 127\.0\.0\.1:{freeradius.port} ", talk.mark)
        door.log.wait(rf"Stage 2: User '{user.name}' of domain '' authenticated", talk.mark)


def test_wrong_code(door, people, freeradius):
    reply = door.log_on("alice", people.alice.password, caps=True)
    with reply.talk as talk:
        asked = dialog_of(reply)
        reply = answer(talk, asked, answer="not-the-code")
        door.failed(reply, WRONG, UNKNOWN, REJECTED, f"127.0.0.1:{freeradius.port}")
        # The conversation is over: the right code comes too late, and the user begins with his password again.
        talk.mark = door.log.mark()
        reply = answer(talk, asked, answer=freeradius.codes["alice"])
        door.failed(reply, INVALID_ENTRY, "This question is no longer open. Please log on again.",
                    "the answer belongs to no open dialog")
        asked = dialog_of(talk.ask(messages.authenticate("alice", people.alice.password, "STUDIO")))
        assert answer(talk, asked, answer=freeradius.codes["alice"]).result == COMPLETE


def test_half_a_logon_is_none(door, people):
    """With the password alone nobody gets anything."""
    reply = door.log_on("alice", people.alice.password, caps=True)
    with reply.talk as talk:
        assert talk.ask(messages.GET_RESOURCE_LIST).name == "error-resp"


def test_wrong_password_asks_for_no_code(door, people, freeradius):
    mark = freeradius.server.log.mark()
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", caps=True)
    assert freeradius.asked(mark) == 0


def test_dialog_of_another_session(door, people, freeradius):
    """An id is worth something in its own session only."""
    first = door.log_on("alice", people.alice.password, caps=True)
    second = door.log_on("alice", people.alice.password, caps=True)
    with first.talk, second.talk:
        reply = answer(first.talk, dialog_of(second), answer=freeradius.codes["alice"])
        assert reply.result == INVALID_ENTRY, reply
        reply = answer(second.talk, dialog_of(second), answer=freeradius.codes["alice"])
        assert reply.result == COMPLETE, door.explain(reply)


def test_code_on_a_new_connection(door, people, freeradius):
    """Clients may close the connection while the user looks for his telephone."""
    reply = door.log_on("alice", people.alice.password, caps=True)
    reply.talk.close()
    with reply.talk.again() as talk:
        assert answer(talk, dialog_of(reply), answer=freeradius.codes["alice"]).result == COMPLETE


def test_empty_code(door, people, freeradius):
    reply = door.log_on("alice", people.alice.password, caps=True)
    with reply.talk as talk:
        reply = answer(talk, dialog_of(reply), answer="")
        assert reply.result not in (COMPLETE, INCOMPLETE), reply


def test_client_without_dialogs(door, people, freeradius):
    mark = freeradius.server.log.mark()
    door.wrong("alice", people.alice.password, DENIED, NO_DIALOG, NOT_SHOWN)
    assert freeradius.asked(mark) == 0


# --- the password again, or a fixed text ---


@pytest.mark.parametrize("method", ["pap", "chap"])
@pytest.mark.parametrize("person", ["alice", "zoe"])
def test_password_of_the_user(door_to, same, people, person, method):
    """Works with every client: nobody is asked anything."""
    door = door_to(same.config(first="password", method=method))
    user = getattr(people, person)
    assert door.resources(user.name, user.password) == {"r-edit"}
    door.wrong("bob", people.bob.password, WRONG, UNKNOWN, REJECTED)


def test_fixed_text(start, studio, people, tmp_path):
    server = start.adopt(FreeRadius(tmp_path / "push", codes={"alice": "push"}))
    config = broker_config(studio, users=people.config(), radius=[server.config(first="text", text="push")])
    door = Door(start("fairlead-broker", config), studio.ca)
    assert door.resources("alice", people.alice.password) == {"r-edit"}
    door.wrong("bob", people.bob.password, WRONG, UNKNOWN, REJECTED)


# --- challenges ---


@pytest.fixture(scope="module")
def challenging(start_once, studio, people, freeradius):
    config = broker_config(studio, users=people.config(), radius=[freeradius.config(first="password", **QUICK)])
    return Door(start_once("fairlead-broker", config, tag="challenging"), studio.ca)


def test_challenge(challenging, people, freeradius):
    """The server's own words are what the user reads."""
    reply = challenging.log_on("chal-one", people.challenged.password, caps=True)
    asked = dialog_of(reply)
    assert (asked["purpose"], asked["text"]) == ("second-factor", FreeRadius.question)
    with reply.talk as talk:
        reply = answer(talk, asked, answer=freeradius.code)
        assert reply.result == COMPLETE, challenging.explain(reply)
        assert listed(talk) == {"r-edit"}


def test_challenge_after_challenge(challenging, people, freeradius):
    reply = challenging.log_on("chal-twice", people.twice.password, caps=True)
    first = dialog_of(reply)
    with reply.talk as talk:
        reply = answer(talk, first, answer=freeradius.code)
        second = dialog_of(reply)
        assert second["text"] == FreeRadius.again and second["id"] != first["id"]
        reply = answer(talk, second, answer=freeradius.last)
        assert reply.result == COMPLETE, challenging.explain(reply)


def test_office_of_two_questions(start, studio, freeradius):
    """Many people behind one address, whose logons take two answers each: nobody of them has failed."""
    people = [Person(f"chal-{number}", "editors") for number in range(14)]
    config = broker_config(studio, users=[person.config() for person in people], radius=[freeradius.config(**QUICK)])
    door = Door(start("fairlead-broker", config), studio.ca)
    for person in people:
        reply = door.log_on(person.name, person.password, caps=True)
        with reply.talk as talk:
            reply = answer(talk, dialog_of(reply), answer="first")
            assert reply.result == INCOMPLETE, door.explain(reply)
            reply = answer(talk, dialog_of(reply), answer=freeradius.code)
            assert reply.result == COMPLETE, door.explain(reply)


def test_guesses_that_bring_another_question_count(start, studio, freeradius):
    """Some servers challenge anew where others reject: that is no way past the guard."""
    person = Person("chal-guessed", "editors")
    config = broker_config(studio, users=[person.config()], radius=[freeradius.config(**QUICK)],
                           guard={"delay-ms": 10, "delay-most-ms": 10})
    door = Door(start("fairlead-broker", config), studio.ca)
    guesses = 0
    reply = door.log_on(person.name, person.password, caps=True)
    with reply.talk as talk:
        while reply.result == INCOMPLETE and guesses < 30:
            reply = answer(talk, dialog_of(reply), answer="guess")
            guesses += 1
            if reply.result != INCOMPLETE:
                # Beginning anew ends the conversation that was open.
                reply = talk.ask(messages.authenticate(person.name, person.password, "STUDIO"))
        assert reply.result == DENIED and "Please try again in" in reply.words, reply
    assert guesses < 12


@pytest.mark.parametrize("caps", [False, True])
def test_password_too_long_for_radius(start, studio, freeradius, caps):
    person = Person("alice", "editors")
    person.password = secret("L" * 200)
    person.hash = password_hash(person.password)
    config = broker_config(studio, users=[person.config()], radius=[freeradius.config(first="password", **QUICK)])
    door = Door(start("fairlead-broker", config), studio.ca)
    reply = door.log_on(person.name, person.password, caps=caps)
    door.failed(reply, DENIED, RADIUS_SILENT, "the RADIUS server could not be asked",
                "name or password is longer than RADIUS allows")
    assert reply.message.find(".//dialog") is None


def test_challenge_answered_wrongly(challenging, people, freeradius):
    reply = challenging.log_on("chal-one", people.challenged.password, caps=True)
    with reply.talk as talk:
        reply = answer(talk, dialog_of(reply), answer="not-the-code")
        challenging.failed(reply, WRONG, UNKNOWN, REJECTED, re.escape(FreeRadius.refusal))


def test_challenge_that_cannot_be_shown(challenging, people):
    challenging.wrong("chal-one", people.challenged.password, DENIED, NO_DIALOG, NOT_SHOWN)


def test_challenge_through_a_manager(start, studio, people, freeradius, challenging):
    manager = start("fairlead-manager", studio.manager(challenging.program.address("broker")))
    with Talk(manager.address("manager"), studio.ca) as talk:
        talk.hello(extra=messages.CAPS)
        asked = dialog_of(talk.ask(messages.authenticate("chal-one", people.challenged.password, "STUDIO")))
        assert asked["text"] == FreeRadius.question
        assert answer(talk, asked, answer=freeradius.code).result == COMPLETE
        assert listed(talk) == {"r-edit"}


def test_challenge_of_an_agent(start, studio, people, freeradius, tmp_path):
    """Direct connection: the host is its own broker."""
    config = studio.agent(tmp_path, domains=["STUDIO"], users=people.config(), guard={"off": True},
                          radius=[freeradius.config(first="password", **QUICK)])
    door = Door(start("fairlead-agent", config), studio.ca, "direct")
    reply = door.log_on("chal-one", people.challenged.password, caps=True)
    with reply.talk as talk:
        assert answer(talk, dialog_of(reply), answer=freeradius.code).result == COMPLETE
        assert listed(talk) == {"0"}


@pytest.mark.parametrize("words, expected", [
    ("Enter <the> & \"code\"", "Enter <the> & \"code\""), ("", "Enter the code of your second factor."),
    ("Gib den Schlüssel ein", "Gib den Schlüssel ein"), (b"\xff\xfe broken \x00\x07 text", None),
    ("x" * 253, "x" * 253)], ids=["markup", "none", "umlaut", "no text", "long"])
def test_words_of_a_challenge(start, studio, people, tmp_path, words, expected):
    """Whatever a server writes arrives as text, or is replaced."""
    body = attribute(radius_server.STATE, b"s" * 253)
    if words:
        body = attribute(radius_server.REPLY_MESSAGE, words) + body

    def challenge(request, fake):
        code = CHALLENGE if radius_server.STATE not in dict(attributes(request)) else ACCEPT
        return signed(code, request, fake, body if code == CHALLENGE else b"")

    fake = start.adopt(FakeRadius(tmp_path, challenge))
    config = broker_config(studio, users=people.config(), radius=[fake.config(first="password")])
    door = Door(start("fairlead-broker", config), studio.ca)
    reply = door.log_on("alice", people.alice.password, caps=True)
    asked = dialog_of(reply)
    assert expected is None or asked["text"] == expected
    with reply.talk as talk:
        assert answer(talk, asked, answer="1").result == COMPLETE
    assert dict(attributes(fake.requests[-1]))[radius_server.STATE] == b"s" * 253


# --- servers that do not answer as they should ---


def test_silence(door_to, people, freeradius):
    door = door_to(freeradius.config(first="password", **QUICK))
    mark = freeradius.server.log.mark()
    door.wrong("mute-one", people.mute.password, DENIED, RADIUS_SILENT, NO_RESPONSE)
    assert freeradius.asked(mark) >= 1


def test_nobody_there(door_to, people, tmp_path, freeradius):
    dead = freeradius.entry(port=fakes.refusing_port())
    door = door_to({"name": "token", "servers": [dead], "first": "password", **QUICK})
    door.wrong("alice", people.alice.password, DENIED, RADIUS_SILENT, NO_RESPONSE)


def test_wrong_secret_at_the_real_server(start, studio, people, tmp_path, freeradius):
    """It keeps silent: to somebody with another secret it says nothing."""
    file = tmp_path / "other.secret"
    file.write_text(secret("another-secret") + "\n")
    file.chmod(0o600)
    config = broker_config(studio, users=people.config(), radius=[{
        "name": "token", "servers": [freeradius.entry(**{"secret-file": str(file)})], "first": "password", **QUICK}])
    door = Door(start("fairlead-broker", config), studio.ca)
    door.wrong("alice", people.alice.password, DENIED, RADIUS_SILENT, NO_RESPONSE)


def test_answers_with_another_secret(start, door_to, people, tmp_path):
    fake = start.adopt(FakeRadius(tmp_path, lambda request, fake: signed(
        ACCEPT, request, fake, shared="another-secret")))
    door = door_to(fake.config(first="password", **QUICK))
    door.wrong("alice", people.alice.password, DENIED, RADIUS_SILENT, WRONG_SECRET)


def test_answers_without_a_signature(start, studio, people, tmp_path):
    """FreeRADIUS as Debian has it; refused unless configured otherwise."""
    server = start.adopt(FreeRadius(tmp_path / "unsigned", sign=False, codes={"alice": people.alice.password}))

    def door_with(**keys):
        config = broker_config(studio, users=people.config(), radius=[server.config(first="password", **QUICK, **keys)])
        return Door(start("fairlead-broker", config), studio.ca)

    door_with().wrong("alice", people.alice.password, DENIED, RADIUS_SILENT,
                      "the answers of the RADIUS server lack a Message-Authenticator")
    assert door_with(unsigned=True).resources("alice", people.alice.password) == {"r-edit"}


def other_number(request, fake):
    made = bytearray(request)
    made[1] ^= 0x55
    return signed(ACCEPT, bytes(made), fake)


def other_authenticator(request, fake):
    return signed(ACCEPT, request[:4] + bytes(16) + request[20:], fake)


@pytest.mark.parametrize("forged", [
    other_number, other_authenticator, lambda request, fake: b"", lambda request, fake: b"\x02",
    lambda request, fake: signed(ACCEPT, request, fake)[:-1], lambda request, fake: signed(99, request, fake),
    lambda request, fake: request, lambda request, fake: signed(ACCEPT, request, fake, b"\x12\x00"),
    lambda request, fake: bytes([ACCEPT, request[1], 0xFF, 0xFF]) + bytes(16),
], ids=["number", "authenticator", "empty", "one byte", "cut short", "code 99", "echo", "length 0", "too long"])
def test_forged_answer_ends_nothing(start, door_to, people, tmp_path, forged):
    """It is ignored; the true answer, which comes to the repeated request, counts."""

    def way(request, fake):
        return forged(request, fake) if len(fake.requests) == 1 else signed(REJECT, request, fake)

    fake = start.adopt(FakeRadius(tmp_path, way))
    door = door_to(fake.config(first="password", **{"retry-ms": 100, "tries": 3, "wait-seconds": 10}))
    door.wrong("alice", people.alice.password, WRONG, UNKNOWN, REJECTED)
    assert len(fake.requests) == 2 and fake.requests[0] == fake.requests[1]


# --- several servers ---


def test_second_server(start, door_to, people, tmp_path, same):
    """A silent one is passed over, told to the administrator, and then held down."""
    silent = start.adopt(FakeRadius(tmp_path))
    door = door_to({"name": "token", "servers": [silent.entry(), same.entry()], "first": "password",
                    "retry-ms": 100, "tries": 2, "wait-seconds": 10})
    mark = door.log.mark()
    assert door.resources("alice", people.alice.password) == {"r-edit"}
    assert door.log.wait(r"Stage 2: RADIUS server (\S+) passed over: ", mark).group(1) == f"127.0.0.1:{silent.port}"
    assert len(silent.requests) == 2
    for _ in range(3):
        assert door.resources("alice", people.alice.password) == {"r-edit"}
    assert len(silent.requests) == 2


def test_server_that_refuses_is_passed_over_at_once(door_to, people, same):
    """The port is closed: nothing is waited for."""
    dead = same.entry(port=fakes.refusing_port())
    door = door_to({"name": "token", "servers": [dead, same.entry()], "first": "password",
                    "retry-ms": 30000, "tries": 1, "wait-seconds": 120})
    assert door.resources("alice", people.alice.password) == {"r-edit"}


def test_two_factors(start, studio, people, tmp_path, same, freeradius):
    """One after the other; both have to be given."""
    config = broker_config(
        studio, users=people.config(),
        radius=[same.config("first", first="password"), freeradius.config("second", **QUICK)],
        logon=[{"source": "users", "factors": ["first", "second"]}])
    door = Door(start("fairlead-broker", config), studio.ca)
    reply = door.log_on("alice", people.alice.password, caps=True)
    with reply.talk as talk:
        door.log.wait("Stage 2: Second factor first accepted", talk.mark)
        reply = answer(talk, dialog_of(reply), answer=freeradius.codes["alice"])
        assert reply.result == COMPLETE, door.explain(reply)
    door.wrong("bob", people.bob.password, WRONG, UNKNOWN, REJECTED, caps=True)


# --- on the wire ---


@pytest.mark.parametrize("method", ["pap", "chap"])
def test_what_a_request_says(start, studio, people, tmp_path, method):
    fake = start.adopt(FakeRadius(tmp_path, lambda request, fake: signed(ACCEPT, request, fake)))
    config = broker_config(studio, users=people.config(), **{"trusted-proxies": ["127.0.0.0/8"]}, radius=[
        fake.config(first="password", method=method, **{"nas-identifier": "broker.example"})])
    door = Door(start("fairlead-broker", config), studio.ca)
    door.right("ALICE", people.alice.password, headers=["X-Forwarded-For: 192.0.2.77"]).close()
    packet = fake.requests[0]
    said = dict(attributes(packet))
    assert packet[0] == 1
    assert attributes(packet)[0][0] == radius_server.MESSAGE_AUTHENTICATOR
    # As the source spells the name.
    assert said[radius_server.USER_NAME] == b"alice"
    assert said[radius_server.NAS_IDENTIFIER] == b"broker.example"
    assert said[radius_server.CALLING_STATION_ID] == b"192.0.2.77"
    assert (radius_server.CHAP_PASSWORD in said) == (method == "chap")
    assert (radius_server.USER_PASSWORD in said) == (method == "pap")
    assert people.alice.password.encode() not in packet


# --- approval on a telephone ---


def test_waiting_for_approval_holds_nobody_up(start, studio, people, tmp_path):
    """Many users wait for their telephones; a user of another chain does not, and then all of them get in."""
    waiting, go = [], threading.Event()

    def push(request, fake):
        if go.is_set():
            return signed(ACCEPT, request, fake)
        waiting.append(request)
        return None

    fake = start.adopt(FakeRadius(tmp_path, push))
    config = broker_config(
        studio, users=people.config(), domains=["STUDIO", "grading"],
        radius=[fake.config(first="text", text="push", **{"retry-ms": 1000, "tries": 10, "wait-seconds": 120})],
        logon=[{"domains": ["STUDIO"], "source": "users", "factors": ["token"]}, {"source": "users"}])
    door = Door(start("fairlead-broker", config), studio.ca)
    talks = [door.talk() for _ in range(200)]
    for talk in talks:
        talk.begin(messages.authenticate("alice", people.alice.password, "STUDIO"))
    for _ in talks:
        assert fake.asked.acquire(timeout=LIMIT)
    for _ in range(5):
        door.right("bob", people.bob.password, "grading").close()
    go.set()
    for talk in talks:
        assert talk.receive().reply.result == COMPLETE
        talk.close()


def test_stop_while_somebody_waits(start, studio, people, tmp_path):
    fake = start.adopt(FakeRadius(tmp_path))
    config = broker_config(studio, users=people.config(), radius=[
        fake.config(first="password", **{"wait-seconds": 2})])
    door = Door(start("fairlead-broker", config), studio.ca)
    with door.talk() as talk:
        talk.begin(messages.authenticate("alice", people.alice.password, "STUDIO"))
        assert fake.asked.acquire(timeout=LIMIT)
        assert door.program.stop() == 0
