"""The states of a session: CREATED, AUTHENTICATED, ALLOCATED, ERRORED, and what each of them allows."""

import pytest

import fakes
import messages
from wire import Talk

#: A correct message of each kind.
MESSAGES = {
    "hello": messages.hello(),
    "authenticate": None,  # needs a person
    "get-resource-list": messages.GET_RESOURCE_LIST,
    "allocate-resource": messages.allocate("r-edit"),
    "bye": messages.BYE,
}

#: What the specification page and real clients want allowed; all else is refused.
ALLOWED = {
    "none": {"hello"},
    "CREATED": {"hello", "authenticate", "bye"},
    "AUTHENTICATED": {"get-resource-list", "allocate-resource", "bye"},
    "ALLOCATED": {"bye"},
    "ERRORED": {"bye"},
}


@pytest.fixture(params=["broker", "manager", "direct"])
def address(request, system):
    return getattr(system, f"{request.param}_address")


def message(kind, studio, address=None, system=None):
    if kind == "authenticate":
        return messages.authenticate(studio.alice.name, studio.alice.password)
    if kind == "allocate-resource" and system and address == system.direct_address:
        return messages.allocate("0")
    return MESSAGES[kind]


def bring_to(state, talk, studio, system):
    """Leads a conversation into a state by messages alone."""
    steps = {"none": [], "CREATED": ["hello"], "AUTHENTICATED": ["hello", "authenticate"],
             "ALLOCATED": ["hello", "authenticate", "allocate-resource"]}
    for kind in steps.get(state, ["hello"]):
        reply = talk.ask(message(kind, studio, talk.address, system))
        assert reply.name == f"{kind}-resp"
        assert reply.result is None or "SUCCESSFUL" in reply.result, reply
    if state == "ERRORED":
        assert talk.ask(messages.GET_RESOURCE_LIST).name == "error-resp"


def starts_over(talk, reply, cookie):
    """A client that says hello again later has begun anew: another session, and the old one is gone."""
    assert reply.name == "hello-resp"
    assert talk.cookie != cookie
    assert talk.ask(messages.GET_RESOURCE_LIST).result == "ERR_MESSAGE_NOT_ALLOWED"
    talk.cookie = cookie
    assert talk.ask(messages.BYE).result == "ERR_UNKNOWN_SESSION"


@pytest.mark.parametrize("kind", list(MESSAGES))
@pytest.mark.parametrize("state", list(ALLOWED))
def test_every_message_in_every_state(address, system, studio, state, kind):
    with Talk(address, studio.ca) as talk:
        bring_to(state, talk, studio, system)
        cookie = talk.cookie
        reply = talk.ask(message(kind, studio, address, system))
        if kind == "hello" and state in ("AUTHENTICATED", "ALLOCATED", "ERRORED"):
            return starts_over(talk, reply, cookie)
        if kind in ALLOWED[state]:
            assert reply.name == f"{kind}-resp", reply
            return
        assert reply.name == "error-resp"
        expected = "ERR_UNKNOWN_SESSION" if state == "none" else "ERR_MESSAGE_NOT_ALLOWED"
        assert reply.result == expected
        assert reply.text("detected-by") in ("BROKER", "PCM", "AGENT")
        if state != "none":
            assert kind in reply.detail
            after = talk.ask(messages.GET_RESOURCE_LIST)
            assert after.result == "ERR_MESSAGE_NOT_ALLOWED", "an error-resp makes the session ERRORED"


@pytest.mark.parametrize("state", ["CREATED", "AUTHENTICATED", "ALLOCATED", "ERRORED"])
def test_bye_ends_the_session(address, system, studio, state):
    with Talk(address, studio.ca) as talk:
        bring_to(state, talk, studio, system)
        assert talk.ask("<bye/>").name == "bye-resp"
        assert talk.ask("<bye/>").result == "ERR_UNKNOWN_SESSION"
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "ERR_UNKNOWN_SESSION"


@pytest.mark.parametrize("user, password, domain", [
    ("alice", "wrong-password", "studio"), ("nobody", "wrong-password", "studio"),
    ("dave", "wrong-password", "studio"), ("dave", "wrong-password", "grading"), ("", "wrong-password", ""),
    ("alice", "", "studio")])
def test_failed_authenticate_stays_created_and_may_be_retried(address, studio, user, password, domain):
    with Talk(address, studio.ca) as talk:
        talk.hello()
        reply = talk.ask(messages.authenticate(user, password, domain))
        if not password or not user:
            # An element that must be there and is empty may be read as missing.
            assert reply.result in ("AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD", "ERR_INVALID_MSG_FORMAT")
            return
        assert (reply.name, reply.result) == (
            "authenticate-resp", "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD")
        assert reply.words == "User authentication failed. Please re-enter username, password, and/or domain."
        assert talk.ask(messages.authenticate(studio.alice.name, studio.alice.password)).result == (
            "AUTH_SUCCESSFUL_AND_COMPLETE")


def test_unknown_user_and_wrong_password_look_the_same(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.hello()
        first = talk.ask(messages.authenticate("alice", "wrong-password"))
        second = talk.ask(messages.authenticate("nobody", "wrong-password"))
        assert repr(first) == repr(second)


def test_list_may_be_asked_again(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        assert len({repr(talk.ask(messages.GET_RESOURCE_LIST)) for _ in range(3)}) == 1


def test_list_is_not_needed_before_allocate(address, system, studio):
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        reply = talk.ask(message("allocate-resource", studio, address, system))
        assert reply.result == "ALLOC_SUCCESSFUL"


def test_failed_allocate_stays_authenticated(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        reply = talk.ask(messages.allocate("no-such-resource"))
        assert reply.name == "allocate-resource-resp"
        assert reply.result.startswith("ALLOC_FAILED_")
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"


def test_sessions_are_apart(address, studio):
    """An error in one session does not touch another of the same connection."""
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        good, talk.cookie = talk.cookie, None
        talk.hello()
        assert talk.ask(messages.allocate("x")).name == "error-resp"
        talk.cookie = good
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"


def test_session_of_the_broker_is_none_of_the_manager(system, studio):
    with Talk(system.broker_address, studio.ca) as broker:
        broker.hello()
        with Talk(system.manager_address, studio.ca, cookie=broker.cookie) as manager:
            assert manager.ask(messages.GET_RESOURCE_LIST).result == "ERR_UNKNOWN_SESSION"


def test_maximum_time(start, studio):
    """A session ends when its time is over, however busy it is."""
    broker = start("fairlead-broker", studio.broker(sessions={"maximum-seconds": 1, "idle-seconds": 600}))
    with Talk(broker.address("broker"), studio.ca) as talk:
        talk.hello()
        cookie = talk.cookie
        broker.log.wait("Session ended")
        talk.cookie = cookie
        assert talk.ask(messages.BYE).result == "ERR_UNKNOWN_SESSION"


def test_idle_time(start, studio):
    broker = start("fairlead-broker", studio.broker(sessions={"idle-seconds": 1}))
    with Talk(broker.address("broker"), studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        broker.log.wait("Session ended")
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "ERR_UNKNOWN_SESSION"


# --- one transaction at a time ---


def test_second_request_while_the_broker_waits_for_an_agent(start, studio):
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: fakes.launched()))
    broker = start("fairlead-broker", studio.broker(agent.port))
    with Talk(broker.address("broker"), studio.ca) as first:
        first.log_on(studio.alice.name, studio.alice.password)
        agent.hold()
        first.begin(messages.allocate("r-edit"))
        agent.wait_asked()
        with first.again() as second:
            for body in (messages.GET_RESOURCE_LIST, messages.allocate("r-edit"), messages.BYE):
                reply = second.ask(body)
                assert (reply.name, reply.result) == ("error-resp", "ERR_REQUEST_OUTSTANDING")
            agent.release()
            assert first.receive().reply.result == "ALLOC_SUCCESSFUL"


def test_second_request_while_the_manager_waits_for_the_broker(start, studio):
    broker = start.adopt(fakes.Fake(studio.ecdsa, fakes.broker_answers()))
    manager = start("fairlead-manager", studio.manager(broker.address))
    with Talk(manager.address("manager"), studio.ca) as first:
        first.hello()
        broker.wait_asked()
        broker.hold()
        first.begin(messages.authenticate("alice", "a-long-password"))
        broker.wait_asked()
        with first.again() as second:
            reply = second.ask(messages.GET_RESOURCE_LIST)
            assert (reply.name, reply.result) == ("error-resp", "ERR_REQUEST_OUTSTANDING")
        broker.release()
        assert first.receive().reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"


def test_pipelined_messages_of_one_session_are_taken_in_turn(address, studio):
    """On one connection the second waits for the first: that is no second transaction."""
    with Talk(address, studio.ca) as talk:
        talk.hello()
        talk.begin(messages.authenticate(studio.alice.name, studio.alice.password))
        talk.begin(messages.GET_RESOURCE_LIST)
        assert talk.receive().reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"
        assert talk.receive().reply.result == "LIST_SUCCESSFUL"


def test_many_sessions_at_once(system, studio):
    """Sessions do not wait for each other."""
    talks = [Talk(system.manager_address, studio.ca) for _ in range(20)]
    for talk in talks:
        talk.begin(messages.hello())
    for talk in talks:
        assert talk.receive().reply.name == "hello-resp"
        talk.begin(messages.authenticate(studio.alice.name, studio.alice.password))
    for talk in talks:
        assert talk.receive().reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"
    assert len({talk.cookie for talk in talks}) == len(talks)
    for talk in talks:
        talk.close()
