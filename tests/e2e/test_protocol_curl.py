"""The protocol as a foreign peer sees it: curl over TLS, against the broker alone and through the manager."""

import re
import uuid

import pytest

import messages
from messages import BROKER_PATH, envelope
from wire import CurlTalk, Raw, Talk, curl, request

ROOTS = ["pcoip-client", "pcoip-broker"]
LOG_ID = "4208fb66-e22a-11d1-a7d7-00a0c982c00d"


@pytest.fixture(params=["broker", "manager"])
def address(request, system):
    return system.broker_address if request.param == "broker" else system.manager_address


def hello_by_curl(address, ca, **how):
    headers = how.pop("headers", ["Content-Type: application/xml charset=UTF-8"])
    body = how.pop("body", envelope(messages.hello()))
    return curl(address, data=body, headers=headers, ca=ca, **how)


# --- the complete way ---


@pytest.mark.parametrize("root", ROOTS)
def test_broker_from_hello_to_bye(system, studio, tmp_path, root):
    talk = CurlTalk(system.broker_address, studio.ca, tmp_path, root, log_id=LOG_ID)
    complete_logon(talk, studio.alice, root)


@pytest.mark.parametrize("root", ROOTS)
def test_manager_from_hello_to_bye(system, studio, tmp_path, root):
    talk = CurlTalk(system.manager_address, studio.ca, tmp_path, root, log_id=LOG_ID)
    hello = complete_logon(talk, studio.alice, root)
    if root == "pcoip-client":
        assert hello.text("pcm-info/product-name")


def complete_logon(talk, person, root):
    hello = talk.ask(messages.hello(extra=messages.CAPS if root == "pcoip-client" else messages.PCM_INFO))
    assert (hello.root.tag, hello.version, hello.name) == (root, "2.1", "hello-resp")
    assert "AUTHENTICATE_VIA_PASSWORD" in hello.texts(
        "next-authentication/authentication-methods/method")
    assert hello.texts("next-authentication/domains/domain") == ["studio", "grading"]
    assert hello.text("brokers-info/broker-info/product-name")

    reply = talk.ask(messages.authenticate(person.name, person.password))
    assert reply.root.tag == root
    assert (reply.name, reply.result) == ("authenticate-resp", "AUTH_SUCCESSFUL_AND_COMPLETE")
    assert reply.message.get("method") == "password"
    assert reply.words

    reply = talk.ask(messages.GET_RESOURCE_LIST)
    assert (reply.name, reply.result) == ("get-resource-list-resp", "LIST_SUCCESSFUL")
    assert reply.text("resource/resource-name") == "Edit suite 1"
    assert reply.text("resource/resource-type") == "DESKTOP"
    assert reply.message.find("resource/resource-type").get("session-type") == "VDI"
    assert reply.message.find("resource/protocols/protocol").get("is-default") == "true"
    resource = reply.text("resource/resource-id")

    reply = talk.ask(messages.allocate(resource))
    assert (reply.name, reply.result) == ("allocate-resource-resp", "ALLOC_SUCCESSFUL")
    assert reply.text("target/ip-address") == "127.0.0.1"
    assert reply.text("target/hostname") == "ws-1.example"
    assert reply.text("resource-id") == resource
    assert reply.text("protocol") == "PCOIP"

    end = talk.ask(messages.BYE)
    assert (end.root.tag, end.name, list(end.message)) == (root, "bye-resp", [])
    after = talk.ask(messages.GET_RESOURCE_LIST)
    assert (after.name, after.result) == ("error-resp", "ERR_UNKNOWN_SESSION")
    return hello


def allocate_for_client(address, studio, root):
    with Talk(address, studio.ca, root) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        return talk.ask(messages.allocate("r-edit"))


@pytest.mark.parametrize("through", ["broker", "manager", "direct"])
def test_client_gets_the_full_target(system, studio, through):
    """In the order real clients read it: address first, the tag last."""
    if through == "direct":
        with Talk(system.direct_address, studio.ca) as talk:
            talk.log_on(studio.alice.name, studio.alice.password)
            reply = talk.ask(messages.allocate("0"))
    else:
        reply = allocate_for_client(getattr(system, f"{through}_address"), studio, "pcoip-client")
    target = reply.message.find("target")
    assert [child.tag for child in target] == [
        "ip-address", "hostname", "sni", "port", "session-id", "connect-tag"]
    assert reply.text("target/sni") == "ws-1.example"
    assert int(reply.text("target/port")) == system.agent.port("session")
    assert 0 < int(reply.text("target/session-id")) < 2**64
    assert 20 <= len(reply.text("target/connect-tag")) <= 512
    assert [child.tag for child in reply.message.find("result")] == ["result-id", "result-str"]


def test_manager_is_told_only_where_the_host_is(system, studio):
    """A broker leaves the rest of the target to whoever asks with the broker root."""
    reply = allocate_for_client(system.broker_address, studio, "pcoip-broker")
    assert [child.tag for child in reply.message.find("target")] == ["ip-address", "hostname"]


def test_probe_then_real_hello_on_one_session(address, studio):
    with Talk(address, studio.ca) as talk:
        assert talk.ask(messages.QUERY).name == "hello-resp"
        cookie = talk.cookie
        assert talk.ask(messages.hello(extra=messages.CAPS)).name == "hello-resp"
        assert talk.cookie == cookie
        reply = talk.ask(messages.authenticate(studio.alice.name, studio.alice.password))
        assert reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"


def test_probe_then_authenticate(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.ask(messages.QUERY)
        reply = talk.ask(messages.authenticate(studio.alice.name, studio.alice.password))
        assert reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"


def test_list_with_the_filters_of_real_clients(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        assert talk.ask(messages.GET_RESOURCE_LIST_FILTERED).texts("resource/resource-id") == ["r-edit"]


def test_list_filtered_to_nothing(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        reply = talk.ask("<get-resource-list><protocols><protocol>RDP</protocol></protocols></get-resource-list>")
        assert reply.name == "get-resource-list-resp"
        assert reply.texts("resource") == []


# --- HTTP ---


def test_chunked_request(address, studio):
    answer = hello_by_curl(address, studio.ca, headers=[
        "Content-Type: application/xml charset=UTF-8", "Transfer-Encoding: chunked"])
    assert answer.reply.name == "hello-resp"


def test_chunked_request_in_many_chunks(address, studio):
    body = envelope(messages.hello()).encode()
    with Raw(address, studio.ca) as raw:
        raw.send(f"POST {BROKER_PATH} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(0, len(body), 7):
            piece = body[i:i + 7]
            raw.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        raw.send("0\r\n\r\n")
        assert raw.answer().reply.name == "hello-resp"


def test_http_1_0(address, studio):
    """Nothing chunked for who does not know it, and the connection ends with the answer."""
    answer = hello_by_curl(address, studio.ca, options=["--http1.0"])
    assert answer.reply.name == "hello-resp"
    assert answer.header("Transfer-Encoding") is None
    with Raw(address, studio.ca) as raw:
        raw.send(request(envelope(messages.hello()), protocol="HTTP/1.0"))
        assert raw.answer().reply.name == "hello-resp"
        assert raw.closed()


def test_answer_is_chunked(address, studio):
    """Real clients want it so."""
    answer = hello_by_curl(address, studio.ca)
    assert answer.header("Transfer-Encoding") == "chunked"
    assert answer.header("Content-Length") is None


def test_answer_type_and_date(address, studio):
    answer = hello_by_curl(address, studio.ca)
    assert re.fullmatch(r"application/xml;? ?charset=UTF-8", answer.header("Content-Type"))
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.header("Date"))


def test_get_is_answered_with_a_small_page(address, studio):
    """Load balancers ask so whether anybody is at home."""
    answer = curl(address, ca=studio.ca)
    assert answer.status == 200
    assert 0 < len(answer.body) < 1024
    assert answer.cookie is None


def test_head(address, studio):
    answer = curl(address, ca=studio.ca, options=["--head"])
    assert answer.status == 200
    assert answer.body == b"" or answer.body.startswith(b"HTTP/")
    with Raw(address, studio.ca) as raw:
        raw.send(f"HEAD {BROKER_PATH} HTTP/1.1\r\nHost: h\r\n\r\n")
        assert raw.answer(head_only=True).status == 200
        raw.send(f"GET {BROKER_PATH} HTTP/1.1\r\nHost: h\r\n\r\n")
        assert raw.answer().status == 200, "a body followed the answer to HEAD"


@pytest.mark.parametrize("path", ["/", "/pcoip-broker", "/pcoip-broker/xml/", "/pcoip-agent/xml", "/../etc/passwd"])
def test_other_path(address, studio, path):
    answer = curl(address, path, data=envelope(messages.hello()), ca=studio.ca, options=["--path-as-is"])
    assert answer.status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_method(address, studio, method):
    answer = curl(address, ca=studio.ca, options=["--request", method])
    assert answer.status == 405
    assert "POST" in answer.header("Allow")


def test_body_over_64_kib(address, studio):
    answer = curl(address, data=envelope(messages.hello()) + " " * (64 * 1024), ca=studio.ca)
    assert answer.status == 413


def test_chunked_body_over_64_kib(address, studio):
    answer = curl(address, data=envelope(messages.hello()) + " " * (64 * 1024), ca=studio.ca,
                  headers=["Transfer-Encoding: chunked", "Expect:"])
    assert answer.status == 413


def test_body_of_64_kib_is_taken(address, studio):
    text = envelope(messages.hello())
    answer = curl(address, data=text + "\n" * (64 * 1024 - len(text)), ca=studio.ca)
    assert answer.reply.name == "hello-resp"


def test_headers_over_16_kib(address, studio):
    answer = curl(address, data=envelope(messages.hello()), ca=studio.ca,
                  headers=[f"X-Long-{i}: {'x' * 1000}" for i in range(17)])
    assert answer.status == 431


@pytest.mark.parametrize("kind", [
    "application/xml charset=UTF-8", "application/xml; charset=UTF-8", "application/xml",
    "text/xml charset=UTF-8", "text/xml; charset=UTF-8", "text/xml;charset=utf-8", "text/xml"])
def test_content_types(address, studio, kind):
    assert hello_by_curl(address, studio.ca, headers=[f"Content-Type: {kind}"]).reply.name == "hello-resp"


@pytest.mark.parametrize("space", [" ", "\n", "\r\n\r\n", "\t  \n"])
def test_white_space_before_the_declaration(address, studio, space):
    assert hello_by_curl(address, studio.ca, body=space + envelope(messages.hello())).reply.name == "hello-resp"


def test_message_without_declaration(address, studio):
    body = envelope(messages.hello()).split("\n", 1)[1]
    assert hello_by_curl(address, studio.ca, body=body).reply.name == "hello-resp"


def test_user_agent_of_a_real_client(address, studio):
    answer = hello_by_curl(address, studio.ca, headers=[
        "Content-Type: text/xml; charset=UTF-8", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0)"])
    assert answer.reply.name == "hello-resp"


def test_keep_alive(address, studio):
    with Talk(address, studio.ca) as talk:
        for _ in range(3):
            assert talk.send(messages.hello()).status == 200
        talk.headers.append("Connection: close")
        assert talk.send(messages.hello()).header("Connection").lower() == "close"
        assert talk.raw.closed()


def test_pipelined_requests_are_answered_in_order(address, studio):
    with Raw(address, studio.ca) as raw:
        raw.send(request(envelope(messages.hello()), path="/nowhere") + request(envelope(messages.hello()))
                 + request("", method="PUT"))
        assert [raw.answer().status for _ in range(3)] == [404, 200, 405]


# --- cookie and log id ---


def test_set_cookie(address, studio):
    """Spelt exactly so, 128 bits in hexadecimal, HttpOnly and Secure as on the specification page."""
    answer = hello_by_curl(address, studio.ca)
    values = answer.spelt("Set-Cookie")
    assert len(values) == 1
    assert re.fullmatch(r"JSESSIONID=[0-9a-f]{32}; HttpOnly; Secure", values[0])


def test_cookies_differ(address, studio):
    assert len({hello_by_curl(address, studio.ca).cookie for _ in range(5)}) == 5


def test_cookie_is_good_on_a_new_connection(address, studio):
    with Talk(address, studio.ca) as first:
        first.hello()
        with first.again() as second:
            reply = second.ask(messages.authenticate(studio.alice.name, studio.alice.password))
            assert reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"
        assert first.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"


def test_cookie_is_good_with_another_log_id(address, studio):
    """A web portal may hand a session to a client: same cookie, other connection, other Client-Log-Id."""
    with Talk(address, studio.ca, log_id=str(uuid.uuid1())) as portal:
        portal.log_on(studio.alice.name, studio.alice.password)
        with portal.again() as client:
            client.log_id = str(uuid.uuid1())
            assert client.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"


@pytest.mark.parametrize("cookie", [
    "JSESSIONID={}", "a=b; JSESSIONID={}", "JSESSIONID={}; other=1", "x=JSESSIONID=0;JSESSIONID={}"])
def test_cookie_among_others(address, studio, cookie):
    with Talk(address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        answer = curl(address, data=envelope(messages.GET_RESOURCE_LIST), ca=studio.ca,
                      headers=[f"Cookie: {cookie.format(talk.cookie)}"])
        assert answer.reply.result == "LIST_SUCCESSFUL"


def test_client_log_id_is_echoed(address, studio):
    answer = hello_by_curl(address, studio.ca, headers=[f"Client-Log-Id: {LOG_ID}"])
    assert answer.header("Client-Log-Id").lower() == LOG_ID


@pytest.mark.parametrize("given", [None, "", "nonsense", "4208fb66-e22a-11d1-a7d7-00a0c982c00", "../../etc/passwd",
                                   "4208fb66-e22a-11d1-a7d7-00a0c982c00d-and-more"])
def test_client_log_id_is_made_if_absent_or_invalid(address, studio, given):
    headers = [] if given is None else [f"Client-Log-Id: {given}" if given else "Client-Log-Id;"]
    made = hello_by_curl(address, studio.ca, headers=headers).header("Client-Log-Id")
    assert made != given
    assert uuid.UUID(made).int != 0


def test_client_log_id_reaches_every_program(system, studio):
    log_id = str(uuid.uuid1())
    marks = {one: one.log.mark() for one in system.programs}
    with Talk(system.manager_address, studio.ca, log_id=log_id) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        assert talk.ask(messages.allocate("r-edit")).result == "ALLOC_SUCCESSFUL"
    for one, mark in marks.items():
        one.log.wait(f"Z {log_id} > LVL:", mark)


def test_secrets_are_not_in_the_page_or_errors(address, studio):
    password = messages.secret("Never-Echoed-1234")
    body = f'<authenticate method="password"><username>u</username><password>{password}</password><oops></authenticate>'
    answer = curl(address, data=envelope(body), ca=studio.ca)
    assert password.encode() not in answer.body


# --- who is asking ---


def test_forwarded_for_counts_only_from_trusted_proxies(start, studio):
    headers = ["X-Forwarded-For: 192.0.2.77"]
    plain = start("fairlead-broker", studio.broker(), tag="plain")
    trusting = start("fairlead-broker", studio.broker(**{"trusted-proxies": ["127.0.0.0/8"]}), tag="trusting")
    for broker, expected in ((plain, "127.0.0.1"), (trusting, "192.0.2.77")):
        with Talk(broker.address("broker"), studio.ca, headers=headers) as talk:
            talk.hello()
        assert broker.log.wait(r"Session created for .* from (\S+)").group(1) == expected
