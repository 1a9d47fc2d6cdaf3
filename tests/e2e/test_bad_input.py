"""What bad input gets: the table of the requirements, row by row, over plain TLS sockets."""

import os
import re
import select
import socket

import pytest

import messages
from messages import BROKER_PATH, DECLARATION, envelope
from programs import LIMIT, SLOW
from wire import Raw, Talk, context, request

INVALID = "ERR_INVALID_MSG_FORMAT"


@pytest.fixture(params=["broker", "manager", "direct"])
def address(request, system):
    return getattr(system, f"{request.param}_address")


@pytest.fixture
def broker(system):
    return system.broker_address


def refused(address, ca, xml, detail=None, position=True):
    """The answer to a message that is none: 200, error-resp, who found it, where; and no session."""
    with Raw(address, ca) as raw:
        raw.send(request(xml))
        answer = raw.answer()
    reply = answer.reply
    assert (reply.name, reply.result) == ("error-resp", INVALID), reply
    assert reply.words == "Invalid XML message format"
    assert reply.text("detected-by") in ("BROKER", "PCM", "AGENT")
    assert answer.spelt("Set-Cookie") == [], "no session is made"
    if detail is not None:
        assert re.search(detail, reply.detail), reply.detail
    if position:
        assert re.search(r"line \d+.*column \d+", reply.detail), reply.detail
    return reply


# --- XML that is not well-formed ---


def test_example_of_the_specification_page(address, studio):
    """The detail names the element, its line and column."""
    reply = refused(address, studio.ca, messages.MALFORMED, "client-info")
    assert re.search(r"line 5\b", reply.detail), reply.detail
    assert (reply.root.tag, reply.version) == ("pcoip-broker", "2.1")


def test_detected_by(system, studio):
    for address, name in ((system.broker_address, "BROKER"), (system.manager_address, "PCM"),
                          (system.direct_address, "AGENT")):
        assert refused(address, studio.ca, messages.MALFORMED).text("detected-by") == name


@pytest.mark.parametrize("text", [
    "", " \n", "hello", "{}", "\0", "<", '<pcoip-client version="2.1"', DECLARATION, "<a/><b/>", envelope("<hello>"),
    envelope("</hello>"), envelope("<hello a='1' a='2'/>"), envelope("<hello a=1/>"), envelope("&unknown;"),
    envelope("<hello>\x01</hello>"), envelope("<he llo/>") + "trailing", "\ufeff\ufeff<x/>"])
def test_not_well_formed(broker, studio, text):
    refused(broker, studio.ca, text, position=False)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"<pcoip-client version=\"2.1\"><hello>\xc3\x28</hello></pcoip-client>",
                                  bytes(range(256)), b"\x16\x03\x01" * 50])
def test_not_text(broker, studio, data):
    refused(broker, studio.ca, data, position=False)


def test_existing_session_becomes_errored(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        assert talk.post(messages.MALFORMED).reply.result == INVALID
        after = talk.ask(messages.GET_RESOURCE_LIST)
        assert (after.name, after.result) == ("error-resp", "ERR_MESSAGE_NOT_ALLOWED")
        assert "ERRORED" in after.detail
        assert talk.ask(messages.BYE).name == "bye-resp"


# --- XML that is well-formed and not ours ---

DEEP = "<a>" * 20 + "</a>" * 20


@pytest.mark.parametrize("xml, detail", [
    ('<!DOCTYPE x><pcoip-client version="2.1"><bye/></pcoip-client>', "(?i)doctype"),
    ('<!DOCTYPE x [<!ENTITY a "b">]><pcoip-client version="2.1"><bye>&a;</bye></pcoip-client>', "(?i)doctype"),
    ('<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', "(?i)doctype"),
    (envelope(messages.hello(extra=DEEP)), "(?i)deep"),
    (envelope("<hello><client-info><product-name>p</product-name><hostname>" + "h" * 300
              + "</hostname></client-info></hello>"), "hostname"),
    (envelope(f'<authenticate method="{"m" * 100}"><username>u</username><password>p</password></authenticate>'),
     "method"),
    (envelope("<hello/>", root="pcoip-something"), "pcoip-something"),
    (envelope("<launch-session/>", root="pcoip-agent", version="1.0"), "pcoip-agent"),
    (envelope("<dance/>"), "dance"),
    (envelope("<hello><client-info><product-name>p</product-name></client-info></hello>"), "hostname"),
    (envelope("<hello/>"), "client-info"),
    (envelope("<authenticate><username>u</username><password>p</password></authenticate>"), "method"),
    (envelope("<allocate-resource/>"), "resource-id"),
    (envelope(""), ""),
    (envelope("<bye/><bye/>"), "bye"),
    (envelope("<bye><reason>a</reason><reason>b</reason></bye>"), "reason"),
], ids=["doctype", "entity", "external", "depth", "long-text", "long-attribute", "wrong-root", "other-root",
        "unknown-message", "missing-element", "empty-hello", "missing-attribute", "missing-id", "no-message",
        "two-messages", "twice"])
def test_wrong_message(address, studio, xml, detail):
    refused(address, studio.ca, xml, detail, position=False)


def test_each_fault_has_its_own_detail(broker, studio):
    details = [
        refused(broker, studio.ca, xml, position=False).detail
        for xml in (envelope(messages.hello(extra=DEEP)), envelope("<dance/>"), envelope("<hello/>"), envelope("<hello/>", root="x"),
                    "<!DOCTYPE x><x/>", envelope("<bye/><bye/>"))
    ]
    assert len(set(details)) == len(details), details


def test_nothing_is_fetched(broker, studio):
    """An external entity and an external DTD name a port of ours: nobody comes."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        port = trap.getsockname()[1]
        for text in (
            f'<!DOCTYPE x SYSTEM "http://127.0.0.1:{port}/x.dtd"><x/>',
            f'<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:{port}/a">]><pcoip-client version="2.1">&a;</pcoip-client>',
        ):
            refused(broker, studio.ca, text, position=False)
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_local_files_are_not_read(broker, studio, tmp_path):
    (tmp_path / "secret").write_text("TOP-SECRET-CONTENT")
    text = (f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{tmp_path}/secret">]>'
            '<pcoip-client version="2.1"><bye><reason>&a;</reason></bye></pcoip-client>')
    assert "TOP-SECRET" not in repr(refused(broker, studio.ca, text, position=False))


def test_entity_bomb(start, studio):
    """Ten levels of ten: refused at the first character of it, and memory stays what it was."""
    broker = start("fairlead-broker", studio.broker())
    entities = '<!ENTITY a0 "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{i} "{("&a%d;" % (i - 1)) * 10}">' for i in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><pcoip-client version="2.1">&a9;</pcoip-client>'

    def memory():
        with open(f"/proc/{broker.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    refused(broker.address("broker"), studio.ca, bomb, position=False)
    before = memory()
    for _ in range(20):
        refused(broker.address("broker"), studio.ca, bomb, position=False)
    assert memory() - before < 32 * 1024 * 1024 * SLOW


def test_depth_of_16_is_enough_for_any_extension(broker, studio):
    extension = '<x:a xmlns:x="urn:other">' + "<x:b>" * 12 + "</x:b>" * 12 + "</x:a>"
    with Talk(broker, studio.ca) as talk:
        assert talk.ask(messages.hello(extra=extension)).name == "hello-resp"


def test_unknown_elements_are_skipped(address, studio):
    with Talk(address, studio.ca) as talk:
        reply = talk.ask(messages.hello(extra="<new-thing><with>parts</with></new-thing>"))
        assert reply.name == "hello-resp"


def test_answer_has_the_root_asked(broker, studio):
    for root in ("pcoip-client", "pcoip-broker"):
        assert refused(broker, studio.ca, envelope("<dance/>", root=root), position=False).root.tag == root


# --- states, cookies, transactions: more of them in test_states.py ---


def test_message_not_allowed_in_the_state(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.hello()
        reply = talk.ask(messages.allocate("r-edit"))
        assert (reply.name, reply.result) == ("error-resp", "ERR_MESSAGE_NOT_ALLOWED")


@pytest.mark.parametrize("message", ["hello-resp", "bye-resp", "error-resp"])
def test_an_answer_is_no_request(address, studio, message):
    with Talk(address, studio.ca) as talk:
        talk.hello()
        reply = talk.ask(f"<{message}/>")
        assert reply.name == "error-resp"
        assert reply.result in ("ERR_MESSAGE_NOT_ALLOWED", INVALID)


@pytest.mark.parametrize("cookie", [None, "0" * 32, "f" * 32, "short", "x" * 5000, "' OR 1=1", "%00"])
def test_unknown_cookie(address, studio, cookie):
    with Talk(address, studio.ca, cookie=cookie) as talk:
        answer = talk.send(messages.GET_RESOURCE_LIST)
        assert (answer.reply.name, answer.reply.result) == ("error-resp", "ERR_UNKNOWN_SESSION")
        assert answer.cookie is None


# --- HTTP ---


def test_slow_headers(start, studio):
    broker = start("fairlead-broker", studio.broker(limits={"head-seconds": 1}))
    with Raw(broker.address("broker"), studio.ca) as raw:
        raw.send(f"POST {BROKER_PATH} HTTP/1.1\r\nHost: h\r\nX-Slow: ")
        assert raw.answer().status == 408
        assert raw.closed()


def test_slow_body(start, studio):
    broker = start("fairlead-broker", studio.broker(limits={"head-seconds": 1}))
    with Raw(broker.address("broker"), studio.ca) as raw:
        raw.send(request(envelope(messages.hello()))[:-20])
        assert raw.answer().status == 408
        assert raw.closed()


def test_trickle_does_not_extend_the_time(start, studio):
    """A byte now and then is no progress: the limit is for the whole head."""
    broker = start("fairlead-broker", studio.broker(limits={"head-seconds": 1}))
    with Raw(broker.address("broker"), studio.ca) as raw:
        raw.send(f"POST {BROKER_PATH} HTTP/1.1\r\nX-Slow: ")
        raw.socket.settimeout(0.1)
        for _ in range(int(LIMIT * 10)):
            try:
                raw.send("x")
                if not raw._more():
                    break
            except TimeoutError:
                continue
            except OSError:
                break
            if b"\r\n\r\n" in raw._rest:
                break
        else:
            pytest.fail("never told to hurry")
        assert raw._rest == b"" or raw._rest.startswith(b"HTTP/1.1 408 ")


def test_silent_connection_is_closed(start, studio):
    """TCP only: not even a handshake."""
    broker = start("fairlead-broker", studio.broker(limits={"head-seconds": 1}))
    with socket.create_connection(("127.0.0.1", broker.port("broker")), timeout=LIMIT) as silent:
        assert silent.recv(100) == b""


def test_idle_connection_is_closed(start, studio):
    broker = start("fairlead-broker", studio.broker(limits={"idle-seconds": 1}))
    with Talk(broker.address("broker"), studio.ca) as talk:
        talk.hello()
        assert talk.raw.closed()


@pytest.mark.parametrize("data", [
    "HELO broker\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x00\x05hello", "POST /pcoip-broker/xml SIP/2.0\r\n\r\n",
    f"POST {BROKER_PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: minus\r\n\r\n",
    f"POST {BROKER_PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    f"POST {BROKER_PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    f"POST {BROKER_PATH} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nnot-a-size\r\n",
    f"POST {BROKER_PATH} HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n",
], ids=["smtp", "get-only", "tls-in-tls", "sip", "length", "two-lengths", "smuggle", "chunk", "header"])
def test_not_http(address, studio, data):
    with Raw(address, studio.ca) as raw:
        raw.send(data.encode("latin-1"))
        assert raw.answer().status == 400
        assert raw.closed()


def test_not_tls(system):
    """Plain HTTP on the TLS port: closed, logged, and the next client is served."""
    mark = system.broker.log.mark()
    with socket.create_connection(("127.0.0.1", system.broker.port("broker")), timeout=LIMIT) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        while plain.recv(1000):
            pass
    system.broker.log.wait(r"TLS handshake with 127\.0\.0\.1\S* failed", mark)


def test_refusals_are_logged(system, studio):
    mark = system.broker.log.mark()
    with Raw(system.broker_address, studio.ca) as raw:
        raw.send("nonsense\r\n\r\n")
        raw.answer()
    system.broker.log.wait(r"Request from 127\.0\.0\.1\S* refused: ", mark)


# --- floods ---


def test_half_open_connections_of_one_address_are_bounded(start, studio):
    """Those beyond the limit are closed at once; somebody at another address is served."""
    broker = start("fairlead-broker", studio.broker(
        limits={"connections": 100, "connections-per-address": 20, "head-seconds": 60}))
    there = ("127.0.0.1", broker.port("broker"))
    crowd = [socket.create_connection(there, timeout=LIMIT) for _ in range(60)]
    try:
        ended = set()
        while len(ended) < 40:
            readable = select.select([one for one in crowd if one not in ended], [], [], LIMIT)[0]
            assert readable, f"only {len(ended)} of 60 closed"
            ended.update(readable)
        assert len(ended) == 40
        with socket.create_connection(there, timeout=LIMIT, source_address=("127.0.0.2", 0)) as plain:
            tls = context(studio.ca).wrap_socket(plain, server_hostname="localhost")
            tls.sendall(request(envelope(messages.hello())))
            assert tls.recv(4096).startswith(b"HTTP/1.1 200 ")
        broker.log.wait("Connection from 127.0.0.1.* refused")
    finally:
        for one in crowd:
            one.close()


def test_idle_kept_alive_connections_give_way(start, studio):
    """Connections idle between requests are displaced, oldest first, by new ones."""
    broker = start("fairlead-broker", studio.broker(
        limits={"connections": 8, "connections-per-address": 8}, workers=1))
    talks = []
    for _ in range(20):
        talk = Talk(broker.address("broker"), studio.ca)
        talk.hello()
        talks.append(talk)
    assert talks[0].raw.closed()
    talks[-1].hello()
    for talk in talks:
        talk.close()


def test_a_manager_may_have_many_connections(start, studio):
    """Behind a trusted proxy are many people; others keep the limit."""
    broker = start("fairlead-broker", studio.broker(
        limits={"connections-per-address": 4}, workers=1, **{"trusted-proxies": ["127.7.7.0/24"]}))
    address = broker.address("broker")
    many = []
    for _ in range(12):
        talk = Talk(address, studio.ca, root="pcoip-broker", source="127.7.7.1")
        many.append(talk)
        talk.begin(messages.hello())
    for talk in many:
        assert talk.receive().reply.name == "hello-resp"
        talk.close()
    there = ("127.0.0.1", broker.port("broker"))
    crowd = [socket.create_connection(there, timeout=LIMIT, source_address=("127.8.8.1", 0)) for _ in range(6)]
    ended = set()
    while len(ended) < 2:
        readable = select.select([one for one in crowd if one not in ended], [], [], LIMIT)[0]
        assert readable, f"only {len(ended)} of 2 closed"
        ended.update(readable)
    assert len(ended) == 2
    broker.log.wait("Connection from 127.8.8.1.* refused")
    for one in crowd:
        one.close()


def test_sessions_are_bounded(start, studio):
    """A flood of hellos does not end the session of a user who has logged on."""
    broker = start("fairlead-broker", studio.broker(sessions={"maximum": 64}))
    with Talk(broker.address("broker"), studio.ca) as user:
        user.log_on(studio.alice.name, studio.alice.password)
        with Talk(broker.address("broker"), studio.ca) as flood:
            for _ in range(300):
                flood.cookie = None
                assert flood.send(messages.hello()).status == 200
        assert user.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"


def test_many_bad_messages_do_no_harm(address, studio):
    with Talk(address, studio.ca) as talk:
        for i in range(200):
            talk.post(messages.MALFORMED[: 7 * i % len(messages.MALFORMED)])
        talk.cookie = None
        talk.hello()
