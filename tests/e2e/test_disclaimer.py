"""Terms that have to be accepted before a logon, where they are configured."""

import pytest

import messages
from rigs import COMPLETE, DENIED, INCOMPLETE, Door, broker_config
from wire import Talk

PARAGRAPHS = ["Authorised use only.", "What you do here is recorded: <all> of it & more. Größe, 日本."]
TERMS = "\n\n".join(PARAGRAPHS) + "\n"
NEEDED = "Please accept the terms before you log on."
OPEN = "the disclaimer was not accepted"


@pytest.fixture
def door_to(start, studio, tmp_path):
    def make(**keys):
        file = tmp_path / "terms.txt"
        file.write_text(TERMS)
        config = broker_config(studio, users=studio.users(), disclaimer={"text-file": str(file), **keys})
        return Door(start("fairlead-broker", config), studio.ca)

    return make


def hello(door):
    talk = Talk(door.program.address("broker"), door.ca)
    talk.mark = door.log.mark()
    return talk, talk.ask(messages.hello(extra=messages.CAPS))


def methods(reply):
    return reply.texts("next-authentication/authentication-methods/method")


def test_accepted(door_to, studio):
    door = door_to(title="House rules")
    talk, reply = hello(door)
    with talk:
        assert methods(reply)[0] == "AUTHENTICATE_VIA_DISCLAIMER"
        assert reply.text("next-authentication/disclaimer/title") == "House rules"
        assert [one for one in reply.texts("next-authentication/disclaimer/paragraph") if one] == PARAGRAPHS
        reply = talk.ask(messages.disclaimer())
        assert (reply.name, reply.result, reply.words) == ("authenticate-resp", INCOMPLETE, "Please log on.")
        assert reply.message.get("method") == "disclaimer"
        assert methods(reply) == ["AUTHENTICATE_VIA_PASSWORD"]
        assert reply.texts("next-authentication/domains/domain") == ["STUDIO"], reply
        reply = talk.ask(messages.authenticate("alice", studio.alice.password, "STUDIO"))
        assert reply.result == COMPLETE
        door.log.wait("Stage 2: The terms were accepted", talk.mark)


@pytest.mark.parametrize("required", [False, True])
def test_not_accepted(door_to, studio, required):
    door = door_to(required=required)
    talk, reply = hello(door)
    with talk:
        assert reply.text("next-authentication/disclaimer/title") == "Terms of use"
        reply = talk.ask(messages.disclaimer(False))
        assert (reply.result, reply.words) == (DENIED, NEEDED)
        door.log.wait(rf"Stage 2: Logon failed: {OPEN} ", talk.mark)
        # And then, all the same.
        assert talk.ask(messages.disclaimer()).result == INCOMPLETE
        assert talk.ask(messages.authenticate("alice", studio.alice.password, "STUDIO")).result == COMPLETE


def test_terms_alone_are_no_logon(door_to):
    talk, _ = hello(door_to())
    with talk:
        assert talk.ask(messages.disclaimer()).result == INCOMPLETE
        assert talk.ask(messages.GET_RESOURCE_LIST).name == "error-resp"


def test_required_and_skipped(door_to, studio):
    """Neither by a client that could have shown them, nor by one that cannot."""
    door = door_to(required=True)
    for caps in (True, False):
        reply = door.log_on("alice", studio.alice.password, caps=caps)
        with reply.talk:
            assert (reply.result, reply.words) == (DENIED, NEEDED), reply
            door.log.wait(rf"Stage 2: Logon failed: {OPEN} ", reply.talk.mark)


def test_client_without_disclaimers(door_to, studio):
    """Where they are not required, it is asked for the password as ever."""
    door = door_to()
    with Talk(door.program.address("broker"), studio.ca) as talk:
        reply = talk.ask(messages.hello())
        assert methods(reply) == ["AUTHENTICATE_VIA_PASSWORD"]
        assert reply.message.find("next-authentication/disclaimer") is None
    door.right("alice", studio.alice.password).close()
