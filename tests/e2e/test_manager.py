"""The manager between client, broker and agent; the peers it meets here are made of Python."""

import re
import time

import pytest

import certs
import fakes
import messages
from messages import envelope
from programs import SLOW
from wire import Talk

#: More than the configured 300 ms, far less than a hang.
PROMPT = 4 * SLOW
# For tests in which somebody stays silent; all others have the default, so that a busy machine
# does not turn an answer into silence.
TIMEOUT = {"timeout-milliseconds": 1000, "authenticate-timeout-ms": 1000}


class Stage:
    """A manager between a fake broker and a fake agent."""

    def __init__(self, start, studio, broker=None, agent=None, pair=None, agent_port=None, **keys):
        self.studio = studio
        self.broker = start.adopt(fakes.Fake(studio.ecdsa, broker or fakes.broker_answers()))
        self.agent = start.adopt(
            fakes.fake_agent(pair or studio.ecdsa, agent or (lambda request: fakes.launched(4999))))
        self.manager = start("fairlead-manager", studio.manager(
            self.broker.address, agent_port or self.agent.port, **keys))

    def talk(self, **how):
        return Talk(self.manager.address("manager"), self.studio.ca, **how)

    def logged_on(self, **how):
        talk = self.talk(**how)
        return talk.log_on(self.studio.alice.name, self.studio.alice.password)


@pytest.fixture
def stage(start, studio):
    return Stage(start, studio)


# --- relaying ---


def test_hello_with_pcm_info(stage):
    """The broker is asked with its own root, the client's words, and who the manager is."""
    with stage.talk(log_id="49756700-6f13-1039-a32b-02c4a91e7d01") as talk:
        reply = talk.ask(messages.hello(extra=messages.CAPS))
    assert (reply.root.tag, reply.name) == ("pcoip-client", "hello-resp")
    for name in ("product-name", "product-version", "platform", "ip-address", "hostname"):
        assert reply.text(f"pcm-info/{name}")
    assert reply.text("brokers-info/broker-info/product-name") == "XYZ Broker"

    request = stage.broker.requests[-1]
    asked = request.message
    assert request.path == messages.BROKER_PATH
    assert (asked.root.tag, asked.version, asked.name) == ("pcoip-broker", "2.1", "hello")
    assert request.headers["Client-Log-Id"] == "49756700-6f13-1039-a32b-02c4a91e7d01"
    assert request.headers["X-Forwarded-For"] == "127.0.0.1"
    assert asked.text("client-info/product-name") == "Some PCoIP Client"
    assert asked.text("client-info/serial-number") == "123456"
    assert asked.texts("caps/cap") == ["CAP_DISCLAIMER_AUTHENTICATION", "CAP_DIALOG_AUTHENTICATION"]
    assert asked.text("server-address/hostname") == "broker.example"
    for name in ("product-name", "product-version", "platform", "ip-address", "hostname"):
        assert asked.text(f"pcm-info/{name}")


def test_version_asked_is_the_version_relayed(stage):
    with stage.talk(version="2.0") as talk:
        assert talk.hello().version == "2.0"
    assert stage.broker.requests[-1].message.version == "2.0"


def test_own_cookie_and_the_broker_s(stage):
    """The client gets the manager's cookie, the broker gets back its own."""
    with stage.talk() as talk:
        talk.hello()
        assert talk.cookie != "f" * 32
        talk.ask(messages.authenticate("alice", "a-long-password"))
        assert re.search("JSESSIONID=f{32}", stage.broker.requests[-1].headers["Cookie"])
        assert talk.cookie not in stage.broker.requests[-1].headers["Cookie"]


def test_credentials_are_relayed_as_they_are(stage):
    password = " p&<w>'\"ö "
    with stage.talk() as talk:
        talk.hello()
        talk.ask(messages.authenticate("STUDIO\\alice", password, ""))
    asked = stage.broker.requests[-1].message
    assert asked.message.get("method") == "password"
    assert asked.text("username") == "STUDIO\\alice"
    assert asked.message.find("password").text == password
    assert asked.text("domain") == ""


def test_result_of_the_broker_reaches_the_client_unchanged(start, studio):
    broker = fakes.broker_answers(
        authenticate=fakes.result("authenticate-resp", "AUTH_FAILED_EXPIRED_PASSWORD", "Abgelaufen, bitte ändern."),
    )
    with Stage(start, studio, broker).talk() as talk:
        talk.hello()
        reply = talk.ask(messages.authenticate("alice", "a-long-password"))
        assert (reply.result, reply.words) == ("AUTH_FAILED_EXPIRED_PASSWORD", "Abgelaufen, bitte ändern.")
        reply = talk.ask(messages.authenticate("alice", "a-long-password"))
        assert reply.name == "authenticate-resp", "a failed authenticate may be retried"


def test_error_of_the_broker_reaches_the_client(start, studio):
    error = ("<error-resp><result><result-id>ERR_INVALID_MSG_FORMAT</result-id><result-str>x</result-str></result>"
             "<detected-by>BROKER</detected-by><err-detail>of its own</err-detail></error-resp>")
    with Stage(start, studio, fakes.broker_answers(get_resource_list=error)).logged_on() as talk:
        reply = talk.ask(messages.GET_RESOURCE_LIST)
        assert (reply.root.tag, reply.name, reply.result) == ("pcoip-client", "error-resp", "ERR_INVALID_MSG_FORMAT")
        assert (reply.text("detected-by"), reply.detail) == ("BROKER", "of its own")
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "ERR_MESSAGE_NOT_ALLOWED"


EXTENSION = ('<x:options xmlns:x="urn:example:options" x:level="3"><x:item>some &amp; text</x:item>'
             "<x:empty/></x:options>")


def extension_of(reply):
    found = reply.message.find(".//{urn:example:options}options")
    assert found is not None, reply
    return (found.attrib, [(child.tag, child.text) for child in found])


def test_extensions_are_tunnelled_both_ways(start, studio):
    """Elements of a foreign name space go through unchanged, in every message."""
    expected = ({"{urn:example:options}level": "3"},
                [("{urn:example:options}item", "some & text"), ("{urn:example:options}empty", None)])
    usual = fakes.broker_answers()

    def answer(request):
        return usual(request).replace("</hello-resp>", EXTENSION + "</hello-resp>").replace(
            "</get-resource-list-resp>", EXTENSION + "</get-resource-list-resp>").replace(
            "</authenticate-resp>", EXTENSION + "</authenticate-resp>").replace(
            "</allocate-resource-resp>", EXTENSION + "</allocate-resource-resp>")

    stage = Stage(start, studio, answer)
    with stage.talk() as talk:
        for body in (messages.hello(extra=EXTENSION),
                     messages.authenticate("alice", "a-long-password").replace(
                         "</authenticate>", EXTENSION + "</authenticate>"),
                     f"<get-resource-list>{EXTENSION}</get-resource-list>",
                     messages.allocate("a", EXTENSION)):
            reply = talk.ask(body)
            assert extension_of(stage.broker.requests[-1].message) == expected
            assert extension_of(reply) == expected
        assert reply.result == "ALLOC_SUCCESSFUL" and reply.text("target/connect-tag")


def test_own_names_without_name_space_are_not_tunnelled(stage):
    """Unknown elements without a name space are nobody's extension: skipped."""
    with stage.talk() as talk:
        assert talk.ask(messages.hello(extra="<unknown-thing>x</unknown-thing>")).name == "hello-resp"
    assert stage.broker.requests[-1].message.message.find("unknown-thing") is None


# --- launching ---


def test_target_is_completed_by_the_agent(stage):
    log_id = "49756700-6f13-1039-a32b-02c4a91e7d01"
    with stage.logged_on(log_id=log_id) as talk:
        reply = talk.ask(messages.allocate("a"))
    assert reply.result == "ALLOC_SUCCESSFUL"
    assert {name: reply.text(f"target/{name}") for name in ("ip-address", "hostname", "sni", "port", "session-id", "connect-tag")} == {
        "ip-address": "127.0.0.1", "hostname": "ws-1.example", "sni": "ws-1.example", "port": "4999",
        "session-id": "2305843009213693961", "connect-tag": "T" * 60}
    assert (reply.text("resource-id"), reply.text("protocol")) == ("a", "PCOIP")
    asked = stage.agent.requests[-1].message
    assert asked.name == "launch-session"
    assert asked.text("logon/username") == "alice"
    assert asked.text("logon/password") == stage.studio.alice.password
    assert asked.text("session-log-id") == log_id
    assert asked.text("client-mac") == "00:67:a8:2d:84:7e"
    assert asked.text("client-name") == "client-7"


def test_blank_mac_address_is_not_handed_on_blank(stage):
    with stage.logged_on() as talk:
        talk.ask(messages.allocate("a").replace("00:67:a8:2d:84:7e", ""))
    assert stage.agent.requests[-1].message.text("client-mac")


def test_complete_target_of_a_broker_is_left_alone(start, studio):
    """A broker that is a manager itself has done it all."""
    target = fakes.result(
        "allocate-resource-resp", "ALLOC_SUCCESSFUL",
        extra="<target><ip-address>10.1.2.3</ip-address><hostname>h</hostname><sni>s</sni><port>4172</port>"
              "<session-id>7</session-id><connect-tag>far-away-tag</connect-tag></target>")
    stage = Stage(start, studio, fakes.broker_answers(allocate_resource=target))
    with stage.logged_on() as talk:
        reply = talk.ask(messages.allocate("a"))
        assert (reply.text("target/ip-address"), reply.text("target/connect-tag")) == ("10.1.2.3", "far-away-tag")
    assert stage.agent.requests == []


@pytest.mark.parametrize("result", ["ALLOC_FAILED_TO_ALLOCATE_BROKER", "ALLOC_PENDING_TRY_AGAIN", "ALLOC_FAILED_OF_TOMORROW"])
def test_refusal_of_the_broker(start, studio, result):
    stage = Stage(start, studio, fakes.broker_answers(
        allocate_resource=fakes.result("allocate-resource-resp", result, "Not now.")))
    with stage.logged_on() as talk:
        reply = talk.ask(messages.allocate("a"))
        assert (reply.result, reply.words) == (result, "Not now.")
        assert talk.ask(messages.allocate("a")).result == result, "it may be tried again"
    assert stage.agent.requests == []


# --- a broker that does not answer ---


def promptly(talk, body):
    begun = time.monotonic()
    reply = talk.ask(body)
    assert time.monotonic() - begun < PROMPT
    return reply


ANSWERS = [
    ("authenticate", messages.authenticate("alice", "a-long-password"), "authenticate-resp", "AUTH_FAILED_BROKER_UNREACHABLE"),
    ("get-resource-list", messages.GET_RESOURCE_LIST, "get-resource-list-resp", "LIST_FAILED_BROKER_UNREACHABLE"),
    ("allocate-resource", messages.allocate("a"), "allocate-resource-resp", "ALLOC_FAILED_TO_ALLOCATE_BROKER"),
]


@pytest.mark.parametrize("kind, body, name, result", ANSWERS, ids=[row[0] for row in ANSWERS])
def test_silent_broker(start, studio, kind, body, name, result):
    """The client is told within the limit, by an answer of the kind it waits for; and may try again."""
    stage = Stage(start, studio, fakes.broker_answers(**{kind: None}), **TIMEOUT)
    with (stage.talk() if kind == "authenticate" else stage.logged_on()) as talk:
        if kind == "authenticate":
            talk.hello()
        for _ in range(2):
            reply = promptly(talk, body)
            assert (reply.name, reply.result) == (name, result)
            assert reply.words


def test_silent_broker_at_hello(start, studio):
    stage = Stage(start, studio, fakes.broker_answers(hello=None), **TIMEOUT)
    with stage.talk() as talk:
        reply = promptly(talk, messages.hello())
        assert (reply.name, reply.result) == ("error-resp", "ERR_BROKER_UNREACHABLE")
        assert reply.text("detected-by") == "PCM"
        assert talk.cookie is None, "no session without a broker"


def test_silent_broker_at_bye(start, studio):
    """The client's session ends whether or not the broker hears of it."""
    stage = Stage(start, studio, fakes.broker_answers(bye=None), **TIMEOUT)
    with stage.logged_on() as talk:
        assert promptly(talk, messages.BYE).name == "bye-resp"
        assert talk.ask(messages.BYE).result == "ERR_UNKNOWN_SESSION"


@pytest.mark.parametrize("kind", ["refusing", "silent", "stranger", "wrong name", "http 500"])
def test_broker_that_is_none(start, studio, tmp_path, kind):
    """Nobody there, no handshake, not to be trusted: the same answer, the true cause in the log."""
    if kind == "refusing":
        address = f"127.0.0.1:{fakes.refusing_port()}"
    elif kind == "silent":
        address = start.adopt(fakes.Silent()).address
    elif kind == "stranger":
        address = start.adopt(fakes.Fake(certs.self_signed(tmp_path), fakes.broker_answers())).address
    elif kind == "wrong name":
        pair = studio.authority.issue("misnamed", names="DNS:elsewhere.example")
        address = start.adopt(fakes.Fake(pair, fakes.broker_answers())).address
    else:
        address = start.adopt(fakes.Fake(studio.ecdsa, lambda request: "<?xml broken")).address
    manager = start("fairlead-manager", studio.manager(address, **TIMEOUT))
    with Talk(manager.address("manager"), studio.ca) as talk:
        reply = promptly(talk, messages.hello())
        assert (reply.name, reply.result) == ("error-resp", "ERR_BROKER_UNREACHABLE")
    manager.log.wait(r"PCM :Stage 1: No response from PCoIP broker 127\.0\.0\.1:\d+ \(hello\): \S")


def test_broker_that_comes_back(start, studio):
    """A restart of the broker costs a session, not the manager."""
    broker = start("fairlead-broker", studio.broker())
    manager = start("fairlead-manager", studio.manager(broker.address("broker")))
    with Talk(manager.address("manager"), studio.ca) as talk:
        talk.hello()
        assert broker.stop() == 0
        assert talk.ask(messages.authenticate("alice", "a-long-password")).result == "AUTH_FAILED_BROKER_UNREACHABLE"
        start("fairlead-broker", studio.broker(listen=[{"address": broker.address("broker")}]))
        talk.cookie = None
        talk.log_on(studio.alice.name, studio.alice.password)


# --- an agent that does not answer, or is not to be trusted ---

UNREACHABLE = "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE"


def refused_allocation(stage, result=None):
    with stage.logged_on() as talk:
        reply = promptly(talk, messages.allocate("a"))
        assert reply.name == "allocate-resource-resp"
        assert reply.result.startswith("ALLOC_FAILED_")
        if result:
            assert reply.result == result
        assert reply.message.find("target") is None
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"
    return reply


def test_silent_agent(start, studio):
    refused_allocation(Stage(start, studio, agent=lambda request: None, **TIMEOUT), UNREACHABLE)


def test_agent_without_handshake(start, studio):
    refused_allocation(Stage(start, studio, agent_port=start.adopt(fakes.Silent()).port, **TIMEOUT), UNREACHABLE)


def test_refusing_agent(start, studio):
    port = fakes.refusing_port()
    reply = refused_allocation(Stage(start, studio, agent_port=port), UNREACHABLE)
    assert reply.words == f"Broker failed to reach resource on port {port}."


def test_unverifiable_agent(start, studio, tmp_path):
    """The password is not told to a stranger."""
    stage = Stage(start, studio, pair=certs.self_signed(tmp_path))
    refused_allocation(stage, "ALLOC_FAILED_TO_ALLOCATE_AGENT")
    assert stage.agent.requests == []
    stage.manager.log.wait(r"PCM :Stage 4: No response from PCoIP Agent \S+ \(launch-session\): .*(self.signed|certificate)")


def test_agent_of_another_name(start, studio):
    pair = studio.authority.issue("misnamed", names="DNS:elsewhere.example")
    stage = Stage(start, studio, pair=pair)
    refused_allocation(stage, "ALLOC_FAILED_TO_ALLOCATE_AGENT")
    assert stage.agent.requests == []


@pytest.mark.parametrize("key", ["ws-1.example", "127.0.0.1", "WS-1.EXAMPLE"])
def test_pinned_fingerprint(start, studio, tmp_path, key):
    pair = certs.self_signed(tmp_path, names="DNS:whatever.example")
    stage = Stage(start, studio, pair=pair, agents=[
        {"host": key, "trust": {"fingerprint": certs.fingerprint(pair.certificate)}}])
    with stage.logged_on() as talk:
        assert talk.ask(messages.allocate("a")).result == "ALLOC_SUCCESSFUL"


def test_wrong_fingerprint(start, studio, tmp_path):
    """Even a certificate of the right authority is not the pinned one."""
    other = certs.self_signed(tmp_path)
    stage = Stage(start, studio, agents=[
        {"host": "ws-1.example", "trust": {"fingerprint": certs.fingerprint(other.certificate)}}])
    refused_allocation(stage, "ALLOC_FAILED_TO_ALLOCATE_AGENT")
    assert stage.agent.requests == []


def test_unverified_only_when_the_configuration_says_so(start, studio, tmp_path):
    stage = Stage(start, studio, pair=certs.self_signed(tmp_path), agents=[
        {"host": "ws-1.example", "trust": {"verify": "warn"}}])
    with stage.logged_on() as talk:
        assert talk.ask(messages.allocate("a")).result == "ALLOC_SUCCESSFUL"
    stage.manager.log.wait(r"PCM :Certificate of \S+ is used although ")


def test_port_of_one_agent(start, studio):
    """agents: a host may listen elsewhere than the others."""
    stage = Stage(start, studio, agent_port=fakes.refusing_port())
    moved = start("fairlead-manager", studio.manager(
        stage.broker.address, fakes.refusing_port(),
        agents=[{"host": "ws-1.example", "port": stage.agent.port, "trust": {"ca": studio.ca}}]))
    with Talk(moved.address("manager"), studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        assert talk.ask(messages.allocate("a")).result == "ALLOC_SUCCESSFUL"


def test_allocation_may_be_tried_again(own_system, start, studio):
    """A launch that failed leaves the session as it was: with the real broker behind, too."""
    manager = start("fairlead-manager", studio.manager(
        own_system.broker_address, fakes.refusing_port()), tag="wrong-port")
    with Talk(manager.address("manager"), studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        for _ in range(2):
            assert talk.ask(messages.allocate("r-edit")).result == UNREACHABLE
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"


def test_password_is_wiped_after_allocation(stage):
    """Once allocated there is nothing left in the session to launch with."""
    with stage.logged_on() as talk:
        assert talk.ask(messages.allocate("a")).result == "ALLOC_SUCCESSFUL"
        assert talk.ask(messages.allocate("a")).result == "ERR_MESSAGE_NOT_ALLOWED"
    assert len(stage.agent.requests) == 1


def test_slow_peers_do_not_stop_others(start, studio):
    """While one client waits for a silent broker, another is served."""
    def answer(request):
        if request.message.text("client-info/hostname") == "the-slow-one":
            return None
        return fakes.broker_answers()(request)

    stage = Stage(start, studio, answer, workers=1, **{"timeout-milliseconds": 20000})
    with stage.talk() as slow, stage.talk() as quick:
        slow.begin(messages.hello(hostname="the-slow-one"))
        stage.broker.wait_asked()
        assert promptly(quick, messages.hello()).name == "hello-resp"
        stage.broker.close()
        assert slow.receive().reply.result == "ERR_BROKER_UNREACHABLE"


def test_log_of_the_manager(stage):
    """The stage, and the vendor's words for what goes to the broker and to the agent."""
    with stage.logged_on() as talk:
        talk.ask(messages.allocate("a"))
    log = stage.manager.log
    for number, message in ((1, "hello"), (2, "authenticate"), (4, "allocate-resource")):
        log.wait(rf"PCM :Stage {number}: Sending request to PCoIP broker \({message}\)$")
        log.wait(rf"PCM :Stage {number}: Received response from PCoIP broker \({message}\)")
    log.wait(r"PCM :Stage 4: Sending request to PCoIP Agent \S+ \(launch-session\)$")
    log.wait(r"PCM :Stage 4: Received response from PCoIP Agent \S+ \(launch-session\) SUCCESSFUL")


def test_envelope_of_the_answer_is_the_client_s(stage):
    """The broker may answer in the broker's root only; the client sees its own."""
    with stage.talk(root="pcoip-broker") as talk:
        assert talk.post(envelope(messages.hello(), "pcoip-broker")).reply.root.tag == "pcoip-broker"
    with stage.talk() as talk:
        assert talk.post(envelope(messages.hello())).reply.root.tag == "pcoip-client"
