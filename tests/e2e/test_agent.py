"""The agent: launch API, direct connect, who is let in on 4172, and its log in the vendor's format."""

import re
import signal
import time
import uuid

import pytest

import messages
from messages import AGENT_PATH, envelope
from programs import LIMIT
from session_wire import NAME, UNKNOWN, VERSION, WELCOME, SessionPort, refusal
from wire import Talk, curl

LINE = re.compile(
    r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r" > LVL:([0-3]) RC:([ \d-]{3}\d) ([ A-Z_]{14}[A-Z]) :(.*)$")
NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def host(start, studio, tmp_path):
    """An agent with a licence service of its own."""
    license_service = start("fairlead-license", studio.license(tmp_path))
    return start("fairlead-agent", studio.agent(tmp_path, license_service.address("license")))


def launch(agent, studio, person, password=None, log_id=None, body=None, **how):
    """By curl, as a manager would."""
    headers = ["Content-Type: application/xml charset=UTF-8"]
    if log_id:
        headers.append(f"Client-Log-Id: {log_id}")
    text = body or messages.launch(person.name, password or person.password, log_id=log_id or "", **how)
    return curl(agent.address("launch"), AGENT_PATH, data=envelope(text, "pcoip-agent", "1.0"),
                headers=headers, ca=studio.ca).reply


def texts(lines):
    """What the lines say, without their heads."""
    return [LINE.match(line).group(6) for line in lines if LINE.match(line)]


# --- launch API ---


def test_launch(host, studio):
    reply = launch(host, studio, studio.alice)
    assert (reply.root.tag, reply.version, reply.name) == ("pcoip-agent", "1.0", "launch-session-resp")
    assert reply.result == "SUCCESSFUL"
    info = reply.message.find("session-info")
    assert [child.tag for child in info] == ["ip-address", "sni", "port", "session-id", "session-tag"]
    assert reply.text("session-info/sni") == "ws-1.example"
    assert int(reply.text("session-info/port")) == host.port("session")
    assert 0 < int(reply.text("session-info/session-id")) < 2**64
    assert len(reply.text("session-info/session-tag")) > 100


def test_launch_from(start, studio, tmp_path):
    """Who may ask: factors that the broker has asked for must not be walked around."""
    license_service = start("fairlead-license", studio.license(tmp_path))
    config = studio.agent(tmp_path, license_service.address("license"))
    stranger = start("fairlead-agent", {**config, "launch-from": ["192.0.2.7", "2001:db8::/32"]})
    reply = launch(stranger, studio, studio.alice)
    assert reply.result == "FAILED_USER_AUTH"
    assert reply.text("fail-reason") == (
        "This host is prepared by its own connection managers only. Please tell your administrator.")
    stranger.log.wait(r"AGENT :Refused to launch a session for 127\.0\.0\.1: the address is not among launch-from$")
    stranger.stop()
    known = start("fairlead-agent", {**config, "launch-from": ["192.0.2.7", "127.0.0.0/8"]})
    assert launch(known, studio, studio.alice).result == "SUCCESSFUL"


@pytest.mark.parametrize("user, password, domain", [
    ("alice", "wrong-password", "studio"), ("nobody", "wrong-password", "studio"), ("dave", None, "studio")])
def test_wrong_password(host, studio, user, password, domain):
    word = password or studio.dave.password
    reply = launch(host, studio, None, body=messages.launch(user, word, domain))
    assert (reply.name, reply.result) == ("launch-session-resp", "FAILED_USER_AUTH")
    assert reply.text("fail-reason") == "Failed to start the session due to user authentication failing."
    assert reply.message.find("session-info") is None
    host.log.wait(rf"LVL:1 RC:1326           AGENT :LogonUser failed: username: {user}, domain: {domain}$")
    host.log.wait(rf"LVL:2 RC:   0           AGENT :Failed to authenticate user '{user}' with domain '{domain}'$")


def test_one_user_at_a_time(host, studio):
    assert launch(host, studio, studio.alice).result == "SUCCESSFUL"
    reply = launch(host, studio, studio.bob)
    assert reply.result == "FAILED_ANOTHER_SESSION_STARTED"
    assert reply.text("fail-reason") == (
        "Failed to start the session due to there being an existing session for a different user.")
    assert "alice" not in repr(reply)


def test_same_user_takes_over(host, studio):
    """The newer launch counts; the older tag is worth nothing any more."""
    first = launch(host, studio, studio.alice)
    second = launch(host, studio, studio.alice)
    assert (first.result, second.result) == ("SUCCESSFUL", "SUCCESSFUL")
    assert first.text("session-info/session-tag") != second.text("session-info/session-tag")
    for reply, let_in in ((first, False), (second, True)):
        with SessionPort(host.address("session"), studio.ca) as port:
            frame = port.hello(reply.text("session-info/session-id"), reply.text("session-info/session-tag"))
            assert frame[0] == WELCOME if let_in else refusal(frame) == UNKNOWN


def test_wrong_password_does_not_take_over(host, studio):
    good = launch(host, studio, studio.alice)
    assert launch(host, studio, studio.alice, "wrong-password").result == "FAILED_USER_AUTH"
    with SessionPort(host.address("session"), studio.ca) as port:
        assert port.hello(good.text("session-info/session-id"), good.text("session-info/session-tag"))[0] == WELCOME


def test_status(host, studio):
    """Whether the host is free, and not whose session it has."""
    body = "<session-status/>"
    assert launch(host, studio, None, body=body).text("session-state") == "FREE"
    launch(host, studio, studio.alice)
    reply = launch(host, studio, None, body=body)
    assert reply.text("session-state") == "PREPARED"
    assert "alice" not in repr(reply)


def test_each_listener_has_its_own_path(host, studio):
    body = envelope(messages.launch("alice", "wrong-password"), "pcoip-agent", "1.0")
    assert curl(host.address("direct"), AGENT_PATH, data=body, ca=studio.ca).status == 404
    assert curl(host.address("launch"), messages.BROKER_PATH, data=envelope(messages.hello()), ca=studio.ca).status == 404
    assert curl(host.address("launch"), AGENT_PATH, ca=studio.ca).status == 200


@pytest.mark.parametrize("body", ["<launch-session/>", "<launch-session><logon/></launch-session>", "<hello/>", "<x/>"])
def test_bad_launch(host, studio, body):
    reply = launch(host, studio, None, body=body)
    assert (reply.name, reply.result) == ("error-resp", "ERR_INVALID_MSG_FORMAT")
    assert reply.text("detected-by") == "AGENT"


# --- the session's port ---


def prepared(host, studio):
    reply = launch(host, studio, studio.alice)
    return reply.text("session-info/session-id"), reply.text("session-info/session-tag")


def test_tag_opens_once(host, studio):
    session, tag = prepared(host, studio)
    with SessionPort(host.address("session"), studio.ca) as first:
        assert first.hello(session, tag)[0] == WELCOME
        with SessionPort(host.address("session"), studio.ca) as second:
            assert refusal(second.hello(session, tag)) == UNKNOWN


def test_wrong_tag_burns_nothing(host, studio):
    session, tag = prepared(host, studio)
    for wrong in (tag[:-1] + ("A" if tag[-1] != "A" else "B"), "x", tag + "x"):
        with SessionPort(host.address("session"), studio.ca) as port:
            assert refusal(port.hello(session, wrong)) == UNKNOWN
    with SessionPort(host.address("session"), studio.ca) as port:
        assert refusal(port.hello(int(session) ^ 1, tag)) == UNKNOWN
    with SessionPort(host.address("session"), studio.ca) as port:
        assert port.hello(session, tag)[0] == WELCOME
    host.log.wait(r"SCNET :\(scnet_open_accepted_socket\): Connection from 127\.0\.0\.1:\d+ refused: ")


def test_five_wrong_tags_end_the_wait(host, studio):
    session, tag = prepared(host, studio)
    for _ in range(5):
        with SessionPort(host.address("session"), studio.ca) as port:
            assert refusal(port.hello(session, "guess")) == UNKNOWN
    with SessionPort(host.address("session"), studio.ca) as port:
        assert refusal(port.hello(session, tag)) == UNKNOWN
    host.log.wait(r"disconnect cause \(0x101\)")


def test_wrong_name_and_version(host, studio):
    session, tag = prepared(host, studio)
    with SessionPort(host.address("session"), studio.ca, "other.example") as port:
        assert refusal(port.hello(session, tag)) == NAME
    with SessionPort(host.address("session"), studio.ca) as port:
        assert refusal(port.hello(session, tag, version=9)) == VERSION


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\xff\xff" + b"x" * 100, b"\x09\x00\x00\x04\x00\x00\x03\x01",
                                  b"\x01\x01\x00\x0b" + b"\x00" * 11, b"\x00" * 64])
def test_nonsense_on_the_session_port(host, studio, data):
    session, tag = prepared(host, studio)
    with SessionPort(host.address("session"), studio.ca) as port:
        port.socket.sendall(data)
        assert port.frame() is None
    with SessionPort(host.address("session"), studio.ca) as port:
        assert port.hello(session, tag)[0] == WELCOME


def test_client_that_goes_before_udp_frees_the_host(host, studio):
    """TCP lost before the session stood: over at once (0x000), and the next user is served."""
    session, tag = prepared(host, studio)
    mark = host.log.mark()
    with SessionPort(host.address("session"), studio.ca) as port:
        assert port.hello(session, tag)[0] == WELCOME
    host.log.wait(r"SERVER :TERA_PCOIP: SESSION_EVENT=TERA_MGMT_SYS_SESS_EVENT_CLOSED, disconnect cause \(0x000\)$", mark)
    host.log.wait(r"AGENT :monitor thread: exiting", mark)
    assert launch(host, studio, studio.bob).result == "SUCCESSFUL"


# --- direct connect ---


def test_direct_hello(host, studio):
    """By this name real clients tell that they are not brokered."""
    with Talk(host.address("direct"), studio.ca) as talk:
        reply = talk.hello()
        assert "Direct-Connect Broker" in reply.text("brokers-info/broker-info/product-name")
        assert reply.message.find("pcm-info") is None
        assert reply.texts("next-authentication/domains/domain") == ["studio", "grading"]


def test_direct_list_is_the_host_itself(host, studio):
    with Talk(host.address("direct"), studio.ca) as talk:
        talk.log_on(studio.carol.name, studio.carol.password)
        reply = talk.ask(messages.GET_RESOURCE_LIST)
        assert reply.result == "LIST_SUCCESSFUL"
        assert reply.texts("resource/resource-name") == ["Edit suite 1"]
        resource = reply.text("resource/resource-id")
        assert talk.ask(messages.allocate(resource + "0")).result.startswith("ALLOC_FAILED_")
        assert talk.ask(messages.allocate(resource)).result == "ALLOC_SUCCESSFUL"


def test_direct_and_launched_users_exclude_each_other(host, studio):
    assert launch(host, studio, studio.alice).result == "SUCCESSFUL"
    with Talk(host.address("direct"), studio.ca) as talk:
        talk.log_on(studio.bob.name, studio.bob.password)
        reply = talk.ask(messages.allocate("0"))
        assert reply.result == "ALLOC_FAILED_TO_ALLOCATE_AGENT"
        assert "existing session for a different user" in reply.words


# --- the log ---


def test_every_line_has_the_vendor_s_format(host, studio):
    """Family A, and exactly the C format of real lines: LVL:%d RC:%4d %15s :%s."""
    launch(host, studio, studio.alice)
    launch(host, studio, studio.alice, "wrong-password")
    assert host.stop() == 0
    lines = host.log.since()
    assert len(lines) > 20
    assert [line for line in lines if not LINE.match(line)] == []
    stamps = [LINE.match(line).group(1) for line in lines]
    assert stamps == sorted(stamps)


def in_order(lines, *expected):
    """Each of the patterns matches a later line than the one before."""
    at = 0
    for pattern in expected:
        while at < len(lines) and not re.search(pattern, lines[at]):
            at += 1
        assert at < len(lines), f"{pattern!r} is missing, or too early, in\n" + "\n".join(lines)
        at += 1


def test_start_marks(host):
    host.log.wait("Web Server started")
    in_order(texts(host.log.since()), r"^-- pcoip_agent begins$", r"^Module name = .*Version Number = ",
             r"^Web Server started successfully!$")


def test_lines_of_a_brokered_session_in_order(host, studio):
    log_id = str(uuid.uuid1())
    mark = host.log.mark()
    launch(host, studio, studio.alice, log_id=log_id)
    host.log.wait("Connection RESPONSE", mark)
    lines = host.log.since(mark)
    in_order(
        [line for line in lines if log_id in line or NO_ID in line],
        rf"{log_id} > LVL:2 RC:   0           AGENT :Received hello command!$",
        rf"{log_id} > LVL:2 RC:   0           AGENT :Received authenticate-password command\.$",
        rf"{log_id} > LVL:2 RC:   0           AGENT :Received allocate-resource command\.$",
        rf"{NO_ID} > LVL:2 RC:   0           AGENT :License acquired; source: https?://\S+; time: \d+\.\d\d s; "
        r"origin: local-settings; remaining: (\d+ days|unlimited);$",
        rf"{log_id} > LVL:2 RC:   0           AGENT :Agent type identified: \S",
        rf"{log_id} > LVL:2 RC:   0           AGENT :Starting session\.\.\.$",
        rf"{log_id} > LVL:2 RC:   0           AGENT :Starting PCoIP session for m_sessionInfo = [0-9a-f]{{8}}\.\.\.$",
        rf"{NO_ID} > LVL:1 RC:   0           AGENT :-+$",
        rf"{NO_ID} > LVL:1 RC:   0           AGENT :transition from STARTED --\(CONFIGURE_DONE \[101\]\)--> CONNECTING$",
        rf"{NO_ID} > LVL:1 RC:   0           AGENT :-+$",
        rf"{log_id} > LVL:2 RC:   0           AGENT :Connection RESPONSE: code=\(0\)$",
    )
    assert "Received get-resource-list command." not in texts(lines), "a list means a direct connection"


def test_lines_of_a_direct_session_in_order(host, studio):
    log_id = str(uuid.uuid1())
    with Talk(host.address("direct"), studio.ca, log_id=log_id) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        talk.ask(messages.GET_RESOURCE_LIST)
        talk.ask(messages.allocate("0"))
    host.log.wait("Connection RESPONSE")
    in_order(
        texts(line for line in host.log.since() if log_id in line),
        r"^Received hello command!$", r"^Received authenticate-password command\.$",
        r"^Received get-resource-list command\.$", r"^Received allocate-resource command\.$",
        r"^Agent type identified: ", r"^Starting session\.\.\.$", r"^Starting PCoIP session for m_sessionInfo = ")


def test_probe_belongs_to_no_session(host, studio):
    """Real agents log the QueryBrokerClient hello under the all-zero id."""
    mark = host.log.mark()
    with Talk(host.address("direct"), studio.ca, log_id=NO_ID) as talk:
        talk.ask(messages.QUERY)
    assert NO_ID in host.log.wait("^.*Received hello command!", mark).group(0)


def test_log_id_of_the_message_counts_where_the_header_has_none(host, studio):
    """A vendor's manager names the session in the message."""
    log_id = str(uuid.uuid1())
    body = messages.launch("alice", studio.alice.password, log_id=log_id)
    launch(host, studio, None, body=body)
    host.log.wait(rf"{log_id} > .*Starting session\.\.\.")


def test_names_are_masked_unless_the_configuration_says_clear(start, studio, tmp_path):
    agent = start("fairlead-agent", studio.agent(tmp_path, log={"level": 3}))
    launch(agent, studio, None, body=messages.launch("alice", "wrong-password"))
    agent.log.wait(r"Failed to authenticate user 'a\*+e' with domain 's\*+o'")
    with Talk(agent.address("direct"), studio.ca) as talk:
        talk.hello(hostname="secret-machine-name")
    assert agent.stop() == 0
    text = "\n".join(agent.log.since())
    for name in ("alice", "secret-machine-name"):
        assert name not in text


def test_log_file(start, studio, tmp_path):
    """A file is private, appended to, and opened anew on SIGHUP (as logrotate wants it)."""
    file = tmp_path / "own.log"
    agent = start("fairlead-agent", studio.agent(tmp_path, log={"file": str(file), "level": 2}))
    assert file.stat().st_mode & 0o027 == 0
    assert curl(agent.address("launch"), AGENT_PATH, ca=studio.ca).status == 200  # by then it is written
    assert "Web Server started successfully!" in file.read_text()
    file.rename(tmp_path / "own.log.1")
    agent.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + LIMIT
    while not file.exists() and time.monotonic() < deadline:
        assert curl(agent.address("launch"), AGENT_PATH, ca=studio.ca).status == 200
    assert file.exists()
    assert agent.stop() == 0
    assert "stopped" in file.read_text()
