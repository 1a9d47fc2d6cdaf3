"""The broker: who gets what, taken hosts, reload, and faults of the configuration."""

import json
import re
import signal
import socket

import pytest

import certs
import fakes
import messages
from programs import TREE, program, run
from studio import password_hash
from wire import Talk


def logged_on(broker, studio, person, root="pcoip-client", domain=None):
    talk = Talk(broker.address("broker"), studio.ca, root)
    return talk.log_on(person.name, person.password, domain or person.domain or "studio")


def listed(talk):
    reply = talk.ask(messages.GET_RESOURCE_LIST)
    assert reply.name == "get-resource-list-resp"
    return dict(zip(reply.texts("resource/resource-id"), reply.texts("resource/resource-name")))


@pytest.fixture
def broker(start, studio):
    return start("fairlead-broker", studio.broker())


# --- entitlement ---


def test_by_group(broker, studio):
    with logged_on(broker, studio, studio.alice) as talk:
        assert listed(talk) == {"r-edit": "Edit suite 1"}


def test_by_user_and_several(broker, studio):
    with logged_on(broker, studio, studio.bob) as talk:
        assert listed(talk) == {"r-edit": "Edit suite 1", "r-farm": "Farm desk"}
        reply = talk.ask(messages.GET_RESOURCE_LIST)
        assert [one.get("session-type") for one in reply.message.findall("resource/resource-type")] == ["VDI", "RDS"]
        assert set(reply.texts("resource/resource-type")) == {"DESKTOP"}
        assert set(reply.texts("resource/protocols/protocol")) == {"PCOIP"}
        assert all(reply.texts("resource/resource-state"))


def test_none(broker, studio):
    with logged_on(broker, studio, studio.carol) as talk:
        reply = talk.ask(messages.GET_RESOURCE_LIST)
        assert (reply.name, reply.result) == ("get-resource-list-resp", "LIST_FAILED_NO_ENTITLEMENT")
        assert reply.words == "User has not been assigned any remote workstations"
        assert reply.texts("resource") == []


def test_user_of_one_domain(broker, studio):
    """dave is in grading only; the same name in another domain is somebody else."""
    with logged_on(broker, studio, studio.dave, domain="GRADING") as talk:
        assert listed(talk) == {"r-edit": "Edit suite 1"}
    with Talk(broker.address("broker"), studio.ca) as talk:
        talk.hello()
        reply = talk.ask(messages.authenticate("dave", studio.dave.password, "studio"))
        assert reply.result == "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD"


@pytest.mark.parametrize("name", ["ALICE", "Alice", r"studio\alice", "alice@studio"])
def test_spellings_of_a_name(broker, studio, name):
    with Talk(broker.address("broker"), studio.ca) as talk:
        talk.hello()
        reply = talk.ask(messages.authenticate(name, studio.alice.password, "studio"))
        assert reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"
        assert listed(talk) == {"r-edit": "Edit suite 1"}


def test_entitlement_of_a_domain_s_user(start, studio):
    config = studio.broker()
    config["resources"][0].update(users=["grading\\dave"], groups=[])
    broker = start("fairlead-broker", config)
    with logged_on(broker, studio, studio.dave) as talk:
        assert "r-edit" in listed(talk)
    with logged_on(broker, studio, studio.alice) as talk:
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "LIST_FAILED_NO_ENTITLEMENT"


def test_password_is_taken_as_it_is(start, studio):
    """White space, markup and letters of any script are part of it."""
    password = " <ünï&'\"cødé> \t日本 "
    config = studio.broker()
    config["users"].append({"name": "erin", "password": password_hash(password)})
    broker = start("fairlead-broker", config)
    with Talk(broker.address("broker"), studio.ca) as talk:
        talk.hello()
        assert talk.ask(messages.authenticate("erin", password.strip())).result.startswith("AUTH_FAILED")
        assert talk.ask(messages.authenticate("erin", password)).result == "AUTH_SUCCESSFUL_AND_COMPLETE"


@pytest.mark.parametrize("root", ["pcoip-client", "pcoip-broker"])
@pytest.mark.parametrize("resource", ["r-farm", "no-such", "R-EDIT", "../r-edit", "Edit suite 1"])
def test_foreign_resource_is_refused(broker, studio, root, resource):
    """Neither another's resource nor one that does not exist; nobody can tell them apart."""
    with logged_on(broker, studio, studio.alice, root) as talk:
        reply = talk.ask(messages.allocate(resource))
        assert reply.name == "allocate-resource-resp"
        assert reply.result.startswith("ALLOC_FAILED_")
        assert reply.message.find("target") is None
        assert reply.words == talk.ask(messages.allocate("no-such-either")).words


# --- taken hosts ---


def hold_for_alice(broker, studio):
    with logged_on(broker, studio, studio.alice, "pcoip-broker") as talk:
        assert talk.ask(messages.allocate("r-edit")).result == "ALLOC_SUCCESSFUL"


def status_resp(state):
    return f"<session-status-resp><result-id>SUCCESSFUL</result-id><session-state>{state}</session-state></session-status-resp>"


def test_taken_host_is_refused_truthfully(start, studio):
    """The text says since when, when it gets free at the latest, and who may free it; not who has it."""
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: status_resp("ACTIVE")))
    broker = start("fairlead-broker", studio.broker(agent.port, **{"hold-minutes": 90}))
    hold_for_alice(broker, studio)
    with logged_on(broker, studio, studio.bob, "pcoip-broker") as talk:
        reply = talk.ask(messages.allocate("r-edit"))
        assert reply.result.startswith("ALLOC_FAILED_")
        assert "Edit suite 1" in reply.words and "in use" in reply.words
        assert "the help desk, extension 4711" in reply.words
        assert "alice" not in reply.words
        since, until = re.findall(r"\d{4}-\d\d-\d\d (\d\d):(\d\d) UTC", reply.words)
        minutes = (int(until[0]) - int(since[0])) * 60 + int(until[1]) - int(since[1])
        assert minutes % (24 * 60) == 90
        assert talk.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL", "another may be chosen"
        assert talk.ask(messages.allocate("r-farm")).result == "ALLOC_SUCCESSFUL"


def test_host_that_is_free_after_all(start, studio):
    """The hold is a guess; the agent knows. When its session has ended, the next user gets the host."""
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: status_resp("FREE")))
    broker = start("fairlead-broker", studio.broker(agent.port))
    hold_for_alice(broker, studio)
    with logged_on(broker, studio, studio.bob, "pcoip-broker") as talk:
        assert talk.ask(messages.allocate("r-edit")).result == "ALLOC_SUCCESSFUL"
    assert agent.wait_asked().message.name == "session-status"


def test_taken_host_when_its_agent_cannot_be_asked(start, studio):
    broker = start("fairlead-broker", studio.broker(fakes.refusing_port()))
    hold_for_alice(broker, studio)
    with logged_on(broker, studio, studio.bob, "pcoip-broker") as talk:
        reply = talk.ask(messages.allocate("r-edit"))
        assert reply.result.startswith("ALLOC_FAILED_")
        # Nobody knows whether alice is there: only that the host was given to her.
        assert "does not answer and is reserved for another user" in reply.words


def test_same_user_gets_his_host_again(broker, studio):
    hold_for_alice(broker, studio)
    hold_for_alice(broker, studio)


def test_shared_host_is_not_reserved(start, studio):
    """RDS: several users at a time."""
    config = studio.broker()
    config["resources"][1]["users"] = ["alice", "bob"]
    broker = start("fairlead-broker", config)
    for person in (studio.alice, studio.bob):
        with logged_on(broker, studio, person, "pcoip-broker") as talk:
            assert talk.ask(messages.allocate("r-farm")).result == "ALLOC_SUCCESSFUL"


def test_launch_that_failed_frees_the_host(start, studio):
    broker = start("fairlead-broker", studio.broker(fakes.refusing_port()))
    for person in (studio.alice, studio.bob):
        with logged_on(broker, studio, person) as talk:
            reply = talk.ask(messages.allocate("r-edit"))
            assert reply.result == "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE"


# --- the broker as its own manager ---


def test_broker_prepares_the_agent(start, studio):
    """What it asks of the agent is what the launch API wants, with the user's password."""
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: fakes.launched(4999)))
    broker = start("fairlead-broker", studio.broker(agent.port, **{"license-path": "7070@license.example"}))
    log_id = "49756700-6f13-1039-a32b-02c4a91e7d01"
    with Talk(broker.address("broker"), studio.ca, log_id=log_id) as talk:
        talk.log_on(studio.alice.name, studio.alice.password)
        reply = talk.ask(messages.allocate("r-edit"))
    assert reply.result == "ALLOC_SUCCESSFUL"
    assert reply.text("target/port") == "4999"
    assert reply.text("target/session-id") == "2305843009213693961"
    assert reply.text("target/connect-tag") == "T" * 60
    request = agent.requests[-1]
    assert request.path == messages.AGENT_PATH
    assert request.headers["Client-Log-Id"] == log_id
    asked = request.message
    assert (asked.root.tag, asked.version, asked.name) == ("pcoip-agent", "1.0", "launch-session")
    assert [child.tag for child in asked.message] == [
        "session-type", "ip-address", "hostname", "logon", "client-mac", "client-ip", "client-name",
        "license-path", "session-log-id", "time-zone-windows"]
    assert asked.message.find("logon").get("method") == "windows-password"
    assert asked.text("logon/username") == "alice"
    assert asked.text("logon/password") == studio.alice.password
    assert asked.text("logon/domain") == "studio"
    assert asked.text("client-mac") == "00:67:a8:2d:84:7e"
    assert asked.text("client-ip") == "127.0.0.1"
    assert asked.text("client-name") == "client-7"
    assert asked.text("license-path") == "7070@license.example"
    assert asked.text("session-log-id") == log_id
    assert asked.text("time-zone-windows") == "Pacific Standard Time"


@pytest.mark.parametrize("agent_says, client_gets", [
    ("FAILED_USER_AUTH", "ALLOC_FAILED_TO_ALLOCATE_AGENT"),
    ("FAILED_ANOTHER_SESSION_STARTED", "ALLOC_FAILED_TO_ALLOCATE_AGENT"),
    ("FAILED_ANOTHER_SESION_STARTED", "ALLOC_FAILED_TO_ALLOCATE_AGENT"),
    ("Failed_User_Auth", "ALLOC_FAILED_TO_ALLOCATE_AGENT"),
    ("SOMETHING_NEW", "ALLOC_FAILED_TO_ALLOCATE_AGENT"),
])
def test_what_an_agent_says(start, studio, agent_says, client_gets):
    answer = f"<launch-session-resp><result-id>{agent_says}</result-id><fail-reason>Because.</fail-reason></launch-session-resp>"
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: answer))
    broker = start("fairlead-broker", studio.broker(agent.port))
    with logged_on(broker, studio, studio.alice) as talk:
        assert talk.ask(messages.allocate("r-edit")).result == client_gets


@pytest.mark.parametrize("answer", [
    "<launch-session-resp><result-id>SUCCESSFUL</result-id></launch-session-resp>", "not xml at all <", "<bye-resp/>",
    "<launch-session-resp/>"])
def test_agent_that_answers_nonsense(start, studio, answer):
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: answer))
    broker = start("fairlead-broker", studio.broker(agent.port))
    with logged_on(broker, studio, studio.alice) as talk:
        reply = talk.ask(messages.allocate("r-edit"))
        assert (reply.name, reply.result) == ("allocate-resource-resp", "ALLOC_FAILED_TO_ALLOCATE_AGENT")
        assert reply.message.find("target") is None


def test_agent_of_an_unknown_authority(start, studio, tmp_path):
    stranger = certs.Authority(tmp_path / "other").issue("stranger")
    agent = start.adopt(fakes.fake_agent(stranger, lambda request: fakes.launched()))
    broker = start("fairlead-broker", studio.broker(agent.port))
    with logged_on(broker, studio, studio.alice) as talk:
        assert talk.ask(messages.allocate("r-edit")).result == "ALLOC_FAILED_TO_ALLOCATE_AGENT"
    assert agent.requests == [], "the password went to a stranger"


# --- reload ---


def test_reload_of_users_and_inventory(start, studio):
    """No session is dropped; the next request sees the new inventory."""
    broker = start("fairlead-broker", studio.broker())
    with logged_on(broker, studio, studio.alice) as old:
        config = studio.broker()
        config["users"].append({**studio.carol.config(), "name": "frank"})
        config["resources"].append({"id": "r-new", "name": "New one", "host": "edit-01", "users": ["alice", "frank"]})
        config["domains"] = ["studio", "third"]
        broker.configure(config)
        assert broker.reload()
        assert listed(old) == {"r-edit": "Edit suite 1", "r-new": "New one"}
        with Talk(broker.address("broker"), studio.ca) as new:
            assert new.hello().texts("next-authentication/domains/domain") == ["studio", "third"]
            assert new.ask(messages.authenticate("frank", studio.carol.password)).result == (
                "AUTH_SUCCESSFUL_AND_COMPLETE")
            assert listed(new) == {"r-new": "New one"}


def test_reload_keeps_who_has_a_host(start, studio):
    broker = start("fairlead-broker", studio.broker(fakes.refusing_port()))
    hold_for_alice(broker, studio)
    assert broker.reload()
    with logged_on(broker, studio, studio.bob, "pcoip-broker") as talk:
        assert "another user" in talk.ask(messages.allocate("r-edit")).words


@pytest.mark.parametrize("fault", ["users: [", "\tx: 1\n", "listen: nonsense\n", "", "nothing: here\n"])
def test_broken_configuration_keeps_the_old(start, studio, fault):
    broker = start("fairlead-broker", studio.broker())
    with logged_on(broker, studio, studio.alice) as talk:
        mark = broker.log.mark()
        broker.configure(fault)
        assert not broker.reload()
        broker.log.wait(r"Configuration not reloaded, the old one stays: .*broker\.yaml:\d+:\d+: ", mark)
        assert listed(talk) == {"r-edit": "Edit suite 1"}
        with logged_on(broker, studio, studio.bob) as other:
            assert len(listed(other)) == 2
        broker.configure(studio.broker())
        assert broker.reload()


def test_many_reloads_under_load(start, studio):
    """Sessions and open transactions go on while the configuration changes under them."""
    broker = start("fairlead-broker", studio.broker())
    with logged_on(broker, studio, studio.alice) as talk:
        for _ in range(5):
            for _ in range(10):
                talk.begin(messages.GET_RESOURCE_LIST)
            assert broker.reload()
            assert {talk.receive().reply.result for _ in range(10)} == {"LIST_SUCCESSFUL"}


# --- life cycle ---


def test_stop_answers_open_requests(start, studio):
    """SIGTERM: no new connections, the open transaction is answered, exit status 0."""
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: fakes.launched()))
    broker = start("fairlead-broker", studio.broker(agent.port))
    with logged_on(broker, studio, studio.alice) as talk:
        agent.hold()
        talk.begin(messages.allocate("r-edit"))
        agent.wait_asked()
        broker.send_signal(signal.SIGTERM)
        broker.log.wait("Stopping")
        with pytest.raises(OSError):
            Talk(broker.address("broker"), studio.ca)
        agent.release()
        answer = talk.receive()
        assert answer.reply.result == "ALLOC_SUCCESSFUL"
        assert answer.header("Connection").lower() == "close"
    assert broker.stop() == 0


def test_port_in_use(start, studio, tmp_path):
    broker = start("fairlead-broker", studio.broker())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file = tmp_path / "second.yaml"
        file.write_text(json.dumps(studio.broker(
            listen=[{"address": f"127.0.0.1:{taken.getsockname()[1]}"}])))
        done = run(program("fairlead-broker"), "--config", file)
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert broker.running()


# --- configuration ---


def check(folder, text, name="fairlead-broker"):
    file = folder / "checked.yaml"
    file.write_text(text)
    return file, run(program(name), "--config", file, "--check-config")


def good_yaml(studio):
    """In the style people write, so that line numbers mean something."""
    return f"""# a comment
listen:
  - address: 127.0.0.1:0
certificates:
  - certificate: {studio.ecdsa.certificate}
    key: {studio.ecdsa.key}
domains: [studio]
users:
  - name: alice
    password: {studio.alice.hash}
    groups: [editors]
hosts:
  - name: edit-01
    address: 10.0.2.11
resources:
  - id: edit-01
    name: Edit suite 1
    host: edit-01
    groups: [editors]
"""


def test_good_configuration(studio, tmp_path):
    _, done = check(tmp_path, good_yaml(studio))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("old, new, line, column, says", [
    ("127.0.0.1:0", "nonsense", 3, 14, "nonsense.*expected"),
    ("listen:", "listne:", 2, 1, "listne"),
    ("domains: [studio]", "domains: [studio", None, None, ""),
    ("    address: 10.0.2.11", "    address: 10.0.2.11\n    agent-port: 70000", 15, 17, "70000.*expected"),
    ("    host: edit-01", "    host: edit-02", 18, 11, "edit-02.*expected"),
    ("    groups: [editors]\n", "    groups: [nobody]\n", 19, None, "nobody"),
    ("    password: $y$", "    password: plain-", 10, 15, "alice.*expected"),
    ("hosts:\n", "hosts:\n  - name: EDIT-01\n    address: 10.0.0.1\n", 15, 11, "edit-01.*expected"),
    ("resources:\n", "resources:\n  - id: edit-01\n    name: X\n    host: edit-01\n", 19, 9, "edit-01.*expected"),
    ("  - address: 127.0.0.1:0\n", "  - address: 127.0.0.1:0\n    tls10: perhaps\n", 4, 12, "perhaps|tls10"),
    ("domains: [studio]\n", "domains: [studio]\nworkers: many\n", 8, 10, "many|workers"),
    ("domains: [studio]\n", "domains: [studio]\nworkers: 65\n", 8, 10, "65.*expected"),
    ("domains: [studio]\n", "domains: [studio]\nlog:\n  level: 9\n", 9, 10, "9.*expected"),
    ("domains: [studio]\n", "domains: [studio]\nlog:\n  names: loud\n", 9, None, "loud|names"),
    ("domains: [studio]\n", "domains: [studio]\nuser: no-such-user-here\n", 8, 7, "no-such-user-here"),
    ("domains: [studio]\n", "domains: [studio]\ntrusted-proxies: [10.0.0.0/99]\n", 8, None, "10.0.0.0/99.*expected"),
    ("domains: [studio]\n", "domains: [studio]\ntrust:\n  ca: /no/such/file\n", 9, None, "/no/such/file"),
    ("domains: [studio]\n", "domains: [studio]\ndomains: [twice]\n", None, None, "domains"),
    ("# a comment\n", "# a comment\n\tlisten: x\n", 2, None, ""),
    ("server.ecdsa.key", "ca.key", 5, None, "key"),
], ids=["address", "unknown-key", "unclosed", "port", "host", "group", "password", "host-twice", "id-twice",
        "not-a-flag", "not-a-number", "too-many", "level", "names", "user", "proxy", "ca", "key-twice", "tab",
        "key-does-not-match"])
def test_faults_are_told_with_their_place(studio, tmp_path, old, new, line, column, says):
    """Exit 2, and file:line:column: what is wrong, what was expected."""
    text = good_yaml(studio)
    assert old in text
    head, separator, tail = text.rpartition(old) if old.strip().startswith(("groups", "host:")) else text.partition(old)
    file, done = check(tmp_path, head + new + tail)
    assert done.returncode == 2, done.stderr
    found = re.search(rf"{re.escape(str(file))}:(\d+):(\d+): (.+)", done.stderr)
    assert found, done.stderr
    if line is not None:
        assert int(found.group(1)) == line, done.stderr
    if column is not None:
        assert int(found.group(2)) == column, done.stderr
    assert re.search(f"(?i){says}", found.group(3)), done.stderr
    assert "$y$" not in done.stderr, "a hash was printed"


def test_missing_key_is_named(studio, tmp_path):
    text = good_yaml(studio).replace("domains: [studio]\n", "")
    _, done = check(tmp_path, text)
    assert done.returncode == 2
    assert "domains" in done.stderr


@pytest.mark.parametrize("name", ["fairlead-broker", "fairlead-manager", "fairlead-agent", "fairlead-license"])
def test_every_program_checks(tmp_path, name):
    file, done = check(tmp_path, "listen:\n  - adress: x\n", name)
    assert done.returncode == 2
    assert re.search(rf"{re.escape(str(file))}:2:\d+: ", done.stderr), done.stderr
    assert run(program(name), "--config", tmp_path / "not-there.yaml", "--check-config").returncode == 2
    assert run(program(name), "--no-such-option").returncode == 2
    assert "usage" in run(program(name), "--help").stdout
    assert run(program(name), "--version").stdout.startswith(name)


def test_faulty_configuration_does_not_start(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("listen: 5\n")
    done = run(program("fairlead-broker"), "--config", file)
    assert done.returncode == 2
    assert re.search(r"bad\.yaml:1:\d+: ", done.stderr)


def test_examples_are_understood(tmp_path):
    """Every example is right but for the certificates, which the reader has to make."""
    for name in ("broker", "manager", "agent", "license"):
        file = TREE / "examples" / f"{name}.yaml"
        folder = tmp_path / name
        (folder / "certificates").mkdir(parents=True)
        authority = certs.Authority(folder / "made")
        (folder / "certificates" / "ca.pem").write_bytes(authority.ca.read_bytes())
        for kind in ("ecdsa", "rsa"):
            pair = authority.issue(name, kind)
            for source, suffix in ((pair.certificate, "pem"), (pair.key, "key")):
                with open(source, "rb") as data:
                    (folder / "certificates" / f"{name}.{kind}.{suffix}").write_bytes(data.read())
        (folder / file.name).write_text(file.read_text())
        done = run(program(f"fairlead-{name}"), "--config", folder / file.name, "--check-config")
        assert done.returncode == 0, done.stderr
