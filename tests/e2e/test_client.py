"""`fairlead connect` and `fairlead passwd`, as people and scripts use them."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import certs
import fakes
import messages
import programs
from programs import LIMIT, Lines, die_with_parent, program, run
from studio import System
from wire import Talk

STAGES = ["initialise", "authenticate", "get resources", "allocate and prepare the host",
          "establish the session", "validate the licence"]


class Client:
    """Runs `fairlead connect` in a folder of its own."""

    def __init__(self, folder, studio, log_folders):
        self.folder, self.studio = folder, studio
        self.log = folder / "client.log"
        self.environment = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1",
                            "LC_ALL": "C.UTF-8"}
        log_folders.append(folder)

    def password_file(self, password):
        file = self.folder / "password"
        file.write_text(messages.secret(password) + "\n")
        file.chmod(0o600)
        return file

    def command(self, address, *options, person=None, password=None, ca=None, hold="0"):
        person = person or self.studio.alice
        made = [program("fairlead"), "connect", "--user", person.name, "--domain", person.domain or "studio",
                "--password-file", str(self.password_file(password or person.password)),
                "--ca", str(ca or self.studio.ca), "--log", str(self.log)]
        if "--list" not in options:
            made += ["--hold", hold]
        return [*made, *[str(option) for option in options], address]

    def __call__(self, address, *options, **how):
        return run(*self.command(address, *options, **how), env=self.environment)

    def json(self, address, *options, **how):
        """(exit status, document)"""
        done = self(address, "--json", *options, **how)
        assert done.stdout, done.stderr
        found = json.loads(done.stdout)
        assert found["exit_status"] == done.returncode
        assert found["ok"] == (done.returncode == 0)
        return done.returncode, found


@pytest.fixture
def client(tmp_path, studio, log_folders):
    return Client(tmp_path, studio, log_folders)


def failed_in(document, stage):
    """The stage failed, those before it passed, those after were not reached; and people are told what to do."""
    results = [one["result"] for one in document["stages"]]
    assert results == ["passed"] * (stage - 1) + ["failed"] + ["not reached"] * (6 - stage)
    error = document["error"]
    assert (error["stage"], error["stage_name"]) == (stage, STAGES[stage - 1])
    assert error["meaning"] and error["next"] and error["who"]
    return error


# --- success ---


@pytest.mark.parametrize("through, path", [("manager", "brokered"), ("broker", "brokered"), ("direct", "direct")])
def test_six_stages(client, system, through, path):
    status, document = client.json(getattr(system, f"{through}_address"))
    assert status == 0
    assert document["path"] == path
    assert [one["name"] for one in document["stages"]] == STAGES
    assert [one["number"] for one in document["stages"]] == [1, 2, 3, 4, 5, 6]
    assert {one["result"] for one in document["stages"]} == {"passed"}
    assert all(0 <= one["seconds"] < 5 * programs.SLOW for one in document["stages"])
    assert all(one["learned"] for one in document["stages"])
    assert document["certificate"]["troubles"] == []
    assert document["session_certificate"]["troubles"] == []
    assert document["cause"]["code"] == "0x301"
    assert document["error"] is None
    assert re.fullmatch(r"[0-9a-f-]{36}", document["log_id"])


def test_plain_lines(client, system):
    done = client(system.manager_address, "--resource", "edit SUITE 1")
    assert done.returncode == 0, done.stderr
    for number, name in enumerate(STAGES, 1):
        assert re.search(rf"^stage {number} {name} +passed in \d+\.\d+ s", done.stdout, re.M), done.stdout
    assert "\033" not in done.stdout


def test_hold_measures(client, system):
    """Round-trip time and loss of the keep-alives."""
    status, document = client.json(system.manager_address, hold="2")
    assert status == 0
    quality = document["quality"]
    assert quality["answered"] >= 1 and quality["sent"] >= quality["answered"]
    assert 0 <= quality["rtt_mean_ms"] <= quality["rtt_max_ms"] < 5000
    assert quality["loss"] == 0


def test_list(client, system, studio):
    done = client(system.manager_address, "--list", person=studio.bob)
    assert done.returncode == 0
    assert "Edit suite 1" in done.stdout and "Farm desk" in done.stdout
    status, document = client.json(system.manager_address, "--list", person=studio.bob)
    assert status == 0
    assert [one["name"] for one in document["resources"]] == ["Edit suite 1", "Farm desk"]
    assert [one["session_type"] for one in document["resources"]] == ["VDI", "RDS"]
    assert [one["result"] for one in document["stages"]] == ["passed"] * 3 + ["not reached"] * 3


def test_user_with_domain_in_his_name(client, system, studio):
    for name in ("studio\\alice", "alice@studio"):
        done = run(program("fairlead"), "connect", "--user", name, "--password-file",
                   client.password_file(studio.alice.password), "--ca", studio.ca, "--list",
                   "--log", "none", system.manager_address, env=client.environment)
        assert done.returncode == 0, done.stderr


def test_probe_and_real_hello(client, start, studio):
    """First QueryBrokerClient under the all-zero id, then the real one on the same session."""
    broker = start.adopt(fakes.Fake(studio.ecdsa, fakes.broker_answers()))
    client(broker.address, "--list")
    probe, hello = broker.requests[:2]
    assert probe.message.text("client-info/product-name") == "QueryBrokerClient"
    assert probe.message.text("client-info/product-version") == "1.0"
    assert probe.message.text("client-info/platform") == "PCoIP"
    assert probe.message.message.find("caps") is None
    assert probe.message.message.find("server-address") is None
    assert probe.headers["Client-Log-Id"] == "00000000-0000-0000-0000-000000000000"
    assert hello.message.text("client-info/product-name") != "QueryBrokerClient"
    assert hello.message.text("client-info/hostname")
    assert hello.message.text("server-address/ip-address") == "127.0.0.1"
    assert hello.headers["Client-Log-Id"] != probe.headers["Client-Log-Id"]
    assert "f" * 32 in hello.headers["Cookie"]
    assert {one.message.root.tag for one in broker.requests[1:]} == {"pcoip-client"}
    assert [one.message.name for one in broker.requests[1:4]] == ["hello", "authenticate", "get-resource-list"]


def test_mac_address_is_never_blank_and_never_real(client, start, studio):
    broker = start.adopt(fakes.Fake(studio.ecdsa, fakes.broker_answers(
        allocate_resource=fakes.result("allocate-resource-resp", "ALLOC_FAILED_TO_ALLOCATE_BROKER"))))
    client(broker.address)
    asked = [one.message for one in broker.requests if one.message.name == "allocate-resource"]
    address = asked[0].text("client-info/mac-address")
    assert re.fullmatch("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", address)
    assert int(address[:2], 16) & 2, "locally administered"


# --- the agent's log of a whole session ---


def test_agent_log_of_a_whole_session(client, start, studio, tmp_path):
    """From hello to the end, in the vendor's lines and order; power saving held off meanwhile; the seat returned."""
    system = System(start, studio, tmp_path, **{"keep-awake": ["sleep", "infinity"]})
    status, document = client.json(system.manager_address, hold="1")
    assert status == 0
    system.agent.log.wait("monitor thread: exiting")
    wanted = [
        r"AGENT :Received hello command!$", r"AGENT :Received authenticate-password command\.$",
        r"AGENT :Received allocate-resource command\.$", r"AGENT :License acquired; ", r"AGENT :Agent type identified: ",
        r"AGENT :Starting session\.\.\.$", r"AGENT :Starting PCoIP session for m_sessionInfo = ",
        r"AGENT :transition from STARTED --\(CONFIGURE_DONE \[101\]\)--> CONNECTING$",
        r"AGENT :Connection RESPONSE: code=\(0\)$",
        r"SCNET :\(scnet_open_accepted_socket\): Server accepting connection from 127\.0\.0\.1:\d+\.$",
        r"SCNET :\(scnet_open_accepted_socket\): Server connecting on address 127\.0\.0\.1:\d+\.$",
        r"AGENT :Connection COMPLETE: code=\(0\)$",
        r"AGENT :transition from CONNECTING --\(CONNECTION_COMPLETE \[102\]\)--> CONNECTED$",
        r"SERVER :>>>>> Monitor power saving setting is changing$",
        r"SERVER :TERA_PCOIP: SESSION_EVENT=TERA_MGMT_SYS_SESS_EVENT_CLOSED, disconnect cause \(0x301\)$",
        r"SERVER :map_disconnect_cause_to_agent_close_code: PCOIP_DISCONNECT_CAUSE_DEVICE_GPIO_MANUAL_USER_DISCONNECT"
        r"\(0x301\) -> PCOIP_AGENT_CLOSE_CODE_PORTAL_INITIATED\(0\)$",
        r"AGENT :monitor thread: connection_closed: SOFT - ConnectionClosed due to PCOIP_AGENT_CLOSE_CODE_PORTAL_INITIATED\(0\):\(0\)$",
        r"AGENT :transition from STOPPING --\(SERVER_STOPPED \[202\]\)--> INVALID$",
        r"SERVER :server main: exiting$", r"AGENT :monitor thread: exiting$",
    ]
    lines = [line for line in system.agent.log.since() if document["log_id"] in line or "00000000-0000" in line]
    at = 0
    for pattern in wanted:
        while at < len(lines) and not re.search(pattern, lines[at]):
            at += 1
        assert at < len(lines), f"{pattern} is missing or too early in\n" + "\n".join(lines)
        at += 1
    system.license.log.wait("LICENSE :Feature standard returned by host ")
    system.agent.log.wait("License returned")
    # And the host is free for the next.
    status, document = client.json(system.direct_address, person=studio.carol)
    assert status == 0
    assert document["path"] == "direct"


def test_one_log_id_everywhere(client, own_system):
    _, document = client.json(own_system.manager_address)
    for one in own_system.programs:
        one.log.wait(f"Z {document['log_id']} > ")
    assert document["log_id"] in client.log.read_text()


def test_client_log_has_the_vendor_s_format(client, system):
    """Family B: as the agents', without " >"; XML one line each; the file is private."""
    _, document = client.json(system.manager_address)
    text = client.log.read_text()
    line = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [0-9a-f-]{36} LVL:\d RC:[ \d-]{3}\d [ A-Z_]{14}[A-Z] :")
    assert [one for one in text.splitlines() if not line.match(one)] == []
    for wanted in (r"BROKER :XML: +<result-id>AUTH_SUCCESSFUL_AND_COMPLETE</result-id>$",
                   r"BROKER :XML: +<result-id>ALLOC_SUCCESSFUL</result-id>$", r"BROKER :security mode: 2$",
                   r"CLIENT :Pre-session processing complete-+$", r"CLIENT :In-session processing begins -+$",
                   r"SCNET :\(scnet_client_open\): Connected to 127\.0\.0\.1:\d+", r"MGMT_SYS :SESSION ACTIVE$",
                   r"disconnect cause: 769$"):
        assert re.search(wanted, text, re.M), wanted
    assert client.log.stat().st_mode & 0o077 == 0


def test_default_log_file(client, system, studio):
    done = run(program("fairlead"), "connect", "--user", "alice", "--password-file",
               client.password_file(studio.alice.password), "--ca", studio.ca, "--list",
               system.manager_address, env=client.environment)
    assert done.returncode == 0, done.stderr
    assert (client.folder / "state" / "fairlead" / "client.log").exists()


# --- failures, stage by stage ---


def test_stage_1_nobody_there(client):
    status, document = client.json(f"127.0.0.1:{fakes.refusing_port()}")
    assert status == 11
    failed_in(document, 1)
    assert document["path"] is None


def test_stage_1_no_such_name(client):
    status, document = client.json("no-such-host.invalid:443")
    assert status == 11
    failed_in(document, 1)


def test_stage_1_not_a_broker(client, studio, start):
    """Something that answers HTTPS, but not this protocol."""
    web = start.adopt(fakes.Fake(studio.ecdsa, lambda request: "<?xml version='1.0'?><html/>"))
    status, document = client.json(web.address)
    assert status == 11
    failed_in(document, 1)


def test_stage_2_wrong_password(client, system):
    status, document = client.json(system.manager_address, password="wrong-password")
    assert status == 12
    error = failed_in(document, 2)
    assert error["result_id"] == "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD"
    assert error["text"] == "User authentication failed. Please re-enter username, password, and/or domain."


def test_failure_as_people_see_it(client, system):
    """Stage, result id, the server's text, what it means, what to do, and the log id to quote."""
    done = client(system.manager_address, password="wrong-password")
    assert done.returncode == 12
    said = done.stdout + done.stderr
    assert re.search(r"stage 2 authenticate +failed", said), said
    assert "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD" in said
    assert "User authentication failed." in said
    assert re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", said)
    assert "wrong-password" not in said


def test_stage_3_no_entitlement(client, system, studio):
    status, document = client.json(system.manager_address, person=studio.carol)
    assert status == 13
    assert failed_in(document, 3)["result_id"] == "LIST_FAILED_NO_ENTITLEMENT"


def test_stage_3_no_such_resource(client, system):
    status, document = client.json(system.manager_address, "--resource", "Edit suite 99")
    assert status == 13
    failed_in(document, 3)


def test_stage_3_several_and_none_named(client, system, studio):
    """Nobody to ask: they are listed, and which option to use is said."""
    done = client(system.manager_address, person=studio.bob)
    assert done.returncode == 13
    assert "Edit suite 1" in done.stderr and "Farm desk" in done.stderr
    assert "--resource" in done.stderr


def test_stage_4_agent_not_reached(client, start, studio):
    broker = start("fairlead-broker", studio.broker(fakes.refusing_port()))
    status, document = client.json(broker.address("broker"))
    assert status == 14
    assert failed_in(document, 4)["result_id"] == "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE"


def test_stage_4_no_license(client, start, studio, tmp_path):
    agent = start("fairlead-agent", studio.agent(tmp_path))
    status, document = client.json(agent.address("direct"))
    assert status == 14
    assert failed_in(document, 4)["result_id"] == "ALLOC_FAILED_NO_LICENSE"


def test_stage_4_host_is_taken(client, own_system, studio):
    with Talk(own_system.direct_address, studio.ca) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        assert talk.ask(messages.allocate("0")).result == "ALLOC_SUCCESSFUL"
    status, document = client.json(own_system.direct_address, person=studio.bob)
    assert status == 14
    assert "different user" in failed_in(document, 4)["text"]


def test_stage_5_session_port_closed(client, start, studio):
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: fakes.launched(fakes.refusing_port())))
    broker = start("fairlead-broker", studio.broker(agent.port))
    status, document = client.json(broker.address("broker"))
    assert status == 15
    failed_in(document, 5)


def test_stage_5_unknown_session(client, system, start, studio):
    """The target names a session that the agent does not know."""
    agent = start.adopt(fakes.fake_agent(
        studio.ecdsa, lambda request: fakes.launched(system.agent.port("session"))))
    broker = start("fairlead-broker", studio.broker(agent.port))
    status, document = client.json(broker.address("broker"))
    assert status == 15
    failed_in(document, 5)


@pytest.mark.parametrize("options", [[], ["a", "b"], ["--no-such", "h"], ["--verify", "maybe", "h"], ["--hold", "x", "h"],
                                     ["--ca", "/no/such/file", "h"], ["--list", "--resource", "r", "h"], ["h:99999"]])
def test_usage(client, options):
    done = run(program("fairlead"), "connect", "--user", "u", *options, env=client.environment)
    assert done.returncode == 2
    assert done.stderr and not done.stdout


def test_no_password_and_nobody_to_ask(client, system, studio):
    done = run(program("fairlead"), "connect", "--user", "alice", "--ca", studio.ca, "--log", "none",
               system.manager_address, env=client.environment)
    assert done.returncode in (1, 12)
    assert "password" in done.stderr.lower()


def test_password_file_that_others_can_read(client, system, studio):
    file = client.password_file(studio.alice.password)
    file.chmod(0o644)
    done = run(program("fairlead"), "connect", "--user", "alice", "--password-file", file, "--ca", studio.ca,
               "--list", "--log", "none", system.manager_address, env=client.environment)
    assert done.returncode == 0
    assert "warning" in done.stderr and str(file) in done.stderr


# --- certificates ---


def certificate_of(kind, studio, folder):
    if kind == "self-signed":
        return certs.self_signed(folder)
    if kind == "unknown-ca":
        return certs.Authority(folder, "Some other CA").issue("stranger")
    if kind == "wrong-name":
        return studio.authority.issue("misnamed", names="DNS:elsewhere.example")
    return studio.authority.issue("expired", expired=True)


TROUBLES = ["self-signed", "unknown-ca", "wrong-name", "expired"]


@pytest.mark.parametrize("kind", TROUBLES)
def test_certificate_troubles_are_told_apart(client, start, studio, tmp_path, kind):
    server = start.adopt(fakes.Fake(certificate_of(kind, studio, tmp_path / "odd"), fakes.broker_answers()))
    status, document = client.json(server.address)
    assert status == 11
    failed_in(document, 1)
    assert document["certificate"]["troubles"] == [kind]
    assert document["certificate"]["fingerprint"]
    assert server.requests == [], "something was said to a server that is not trusted"
    done = client(server.address)
    said = (done.stdout + done.stderr).lower()
    words = {"self-signed": "self.signed", "unknown-ca": "authority|unknown ca", "wrong-name": "elsewhere|name",
             "expired": "expired"}
    assert re.search(words[kind], said), said


@pytest.mark.parametrize("kind", TROUBLES)
def test_verify_warn_and_none(client, start, studio, tmp_path, kind):
    server = start.adopt(fakes.Fake(certificate_of(kind, studio, tmp_path / "odd"), fakes.broker_answers()))
    status, document = client.json(server.address, "--list", "--verify", "warn")
    assert status == 0
    assert document["certificate"]["troubles"] == [kind]
    assert document["warnings"]
    assert client(server.address, "--list", "--verify", "none").returncode == 0
    done = client(server.address, "--list", "--verify", "warn")
    assert "warning" in (done.stdout + done.stderr).lower()


def test_agent_s_certificate_counts_too(client, start, studio, tmp_path):
    """On 4172 the same policy; that failure is stage 5."""
    license_service = start("fairlead-license", studio.license(tmp_path))
    pair = certs.self_signed(tmp_path / "odd", names="DNS:ws-1.example,IP:127.0.0.1")
    agent = start("fairlead-agent", studio.agent(
        tmp_path, license_service.address("license"), certificates=[pair.config()]))
    broker = start("fairlead-broker", studio.broker(hosts=[
        studio.host(agent.port("launch"), trust={"fingerprint": certs.fingerprint(pair.certificate)}),
        studio.host(agent.port("launch"), "farm-01")]))
    status, document = client.json(broker.address("broker"))
    assert status == 15
    failed_in(document, 5)
    assert document["session_certificate"]["troubles"] == ["self-signed"]
    status, document = client.json(broker.address("broker"), "--verify", "warn")
    assert status == 0


# --- ends ---


def holding(client, address):
    """A client that holds its session until it is told otherwise."""
    child = subprocess.Popen(
        client.command(address, hold="600"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, **client.environment}, preexec_fn=die_with_parent)
    lines = Lines(child.stdout, client.folder / "holding.log")
    try:
        lines.wait("stage 6 validate the licence +passed")
    except AssertionError:
        child.kill()
        raise
    return child, lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_holding(client, own_system, number):
    child, lines = holding(client, own_system.manager_address)
    child.send_signal(number)
    assert child.wait(LIMIT) == 0
    lines.wait("cause 0x301")
    own_system.agent.log.wait(r"disconnect cause \(0x301\)")


def test_host_that_stops(client, own_system):
    """An agent that ends says so: the session ended, and not by the user."""
    child, lines = holding(client, own_system.manager_address)
    assert own_system.agent.stop() == 0
    assert child.wait(LIMIT) == 17
    lines.wait("cause 0x1")


def test_takeover_from_another_place(client, own_system, studio, tmp_path, log_folders):
    child, lines = holding(client, own_system.manager_address)
    second = Client(tmp_path / "second", studio, log_folders)
    second.folder.mkdir()
    status, _ = second.json(own_system.manager_address)
    assert status == 0
    assert child.wait(LIMIT) == 17
    lines.wait("cause 0x105")


def test_another_user_is_kept_out_while_the_session_stands(client, own_system, studio, tmp_path, log_folders):
    child, _ = holding(client, own_system.manager_address)
    try:
        second = Client(tmp_path / "second", studio, log_folders)
        second.folder.mkdir()
        status, document = second.json(own_system.manager_address, "--resource", "Edit suite 1", person=studio.bob)
        assert status == 14
        assert "the help desk, extension 4711" in document["error"]["text"]
    finally:
        child.send_signal(signal.SIGINT)
    assert child.wait(LIMIT) == 0
    own_system.agent.log.wait("monitor thread: exiting")
    status, _ = second.json(own_system.manager_address, "--resource", "Edit suite 1", person=studio.bob)
    assert status == 0, "the broker asks the agent, so the host is free at once"


def test_killed_client_leaves_the_host_to_its_user(client, own_system, studio):
    """TCP lost: the session may be resumed; the same user just connects anew."""
    child, _ = holding(client, own_system.manager_address)
    child.kill()
    child.wait()
    own_system.agent.log.wait("TCP connection lost, session may be resumed for 60 seconds")
    assert client.json(own_system.manager_address)[0] == 0


# --- the terminal ---


class Terminal:
    """A program on a pseudo terminal."""

    def __init__(self, command, environment, columns=80):
        try:
            self.master, slave = pty.openpty()
        except OSError as error:  # a bare chroot without /dev/pts
            pytest.skip(f"this machine gives no terminal: {error}")
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        def begin():
            die_with_parent()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=begin,
                                      env={**os.environ, **environment, "TERM": "xterm-256color"})
        self.settings = termios.tcgetattr(slave)
        self.slave = slave
        self.text = ""

    def expect(self, pattern):
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.text):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.master], [], [], left)[0], f"no {pattern!r} in {self.text!r}"
            self.text += os.read(self.master, 65536).decode("utf-8", "replace")

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        """Reads until the child has ended (one that waits for its output to be read would never)."""
        ended = os.pidfd_open(self.child.pid)
        while True:
            ready = select.select([self.master, ended], [], [], LIMIT)[0]
            assert ready, f"still running: {self.text!r}"
            if self.master in ready:
                self.text += os.read(self.master, 65536).decode("utf-8", "replace")
            else:
                break
        os.close(ended)
        status = self.child.wait()
        assert termios.tcgetattr(self.slave)[3] == self.settings[3], "the terminal was left in another state"
        os.close(self.slave)
        os.close(self.master)
        return status


def terminal_command(client, studio, address, *options, person=None):
    person = person or studio.alice
    return [program("fairlead"), "connect", "--user", person.name, "--ca", studio.ca, "--log", str(client.log),
            "--hold", "0", *options, address]


def test_password_from_the_terminal_without_echo(client, system, studio):
    terminal = Terminal(terminal_command(client, studio, system.manager_address), client.environment)
    terminal.expect("Password of alice")
    terminal.type("wrong-password\n")
    terminal.expect("Refused")
    terminal.type(studio.alice.password + "\n")
    assert terminal.end() == 0, terminal.text
    assert studio.alice.password not in terminal.text
    assert "wrong-password" not in terminal.text
    for name in STAGES:
        assert name in terminal.text


def test_choice_on_the_terminal(client, system, studio):
    terminal = Terminal(terminal_command(client, studio, system.manager_address, "--password-file",
                                         str(client.password_file(studio.bob.password)), person=studio.bob),
                        client.environment)
    terminal.expect("Farm desk")
    terminal.expect("Number: ")
    terminal.type("7\n")
    terminal.expect(r"A number from 1 to 2 is expected\.\s+Number: ")
    terminal.type("2\n")
    terminal.end()
    assert "\033[3" not in terminal.text, "colours although NO_COLOR is set"


def test_interrupt_at_the_password(client, system, studio):
    terminal = Terminal(terminal_command(client, studio, system.manager_address), client.environment)
    terminal.expect("Password of alice")
    terminal.type("\x03")
    assert terminal.end() == 130


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_timeline_fits_the_terminal(client, system, studio, columns):
    environment = {key: value for key, value in client.environment.items() if key != "NO_COLOR"}
    command = ["env", "-u", "NO_COLOR", *client.command(system.manager_address)]
    terminal = Terminal(command, environment, columns)
    assert terminal.end() == 0, terminal.text
    assert "\033[" in terminal.text
    plain = re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", terminal.text)
    for line in re.split(r"[\r\n]+", plain):
        assert len(line) <= columns, line


# --- the command itself ---


def test_passwd(start, studio):
    """What it prints is what the configurations want."""
    password = messages.secret("made-by-passwd ünd so")
    done = run(program("fairlead"), "passwd", "--cost", "1", input=password + "\n")
    assert done.returncode == 0
    assert re.fullmatch(r"\$y\$\S+\n", done.stdout)
    assert password not in done.stdout + done.stderr
    config = studio.broker()
    config["users"].append({"name": "erin", "password": done.stdout.strip()})
    broker = start("fairlead-broker", config)
    with Talk(broker.address("broker"), studio.ca) as talk:
        talk.log_on("erin", password)
    assert run(program("fairlead"), "passwd", "--cost", "1", input=password + "\n").stdout != done.stdout, "salted"


@pytest.mark.parametrize("options", [["--cost", "99"], ["word-as-argument"], ["--what"]])
def test_passwd_usage(options):
    done = run(program("fairlead"), "passwd", *options, input="x\n")
    assert done.returncode == 2
    assert not done.stdout


def test_help_and_version():
    for command in ("connect", "demo", "passwd"):
        assert command in run(program("fairlead"), "help").stdout
        assert "usage" in run(program("fairlead"), "help", command).stdout
        assert "usage" in run(program("fairlead"), command, "--help").stdout
    assert run(program("fairlead"), "version").stdout.startswith("fairlead ")
    assert run(program("fairlead")).returncode == 2
    assert run(program("fairlead"), "no-such-command").returncode == 2
