"""`fairlead demo`: one command to a working system, and nothing left behind."""

import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

import messages
import programs
from programs import LIMIT, die_with_parent, program, run
from wire import Talk

STAGES = ["initialise", "authenticate", "get resources", "allocate and prepare the host",
          "establish the session", "validate the licence"]
KEYS = {"ca", "user", "password", "domain", "broker", "manager", "agent_direct", "agent_launch", "agent_session",
        "license", "resource", "logs"}
ADDRESSES = ["broker", "manager", "agent_direct", "agent_launch", "agent_session", "license"]
DAEMONS = {"fairlead-license", "fairlead-agent", "fairlead-broker", "fairlead-manager"}


def test_demo(tmp_path, capture, log_folders):
    folder = tmp_path / "demo"
    log_folders.append(folder)
    done = run(program("fairlead"), "demo", "--dir", folder, "--hold", "2", limit=3 * LIMIT,
               env={"NO_COLOR": "1", "FAIRLEAD_DEMO_CAPTURE": str(capture)})
    assert done.returncode == 0, done.stdout + done.stderr
    for number, name in enumerate(STAGES, 1):
        assert re.search(rf"^stage {number} {re.escape(name)} +passed in \d+\.\d+ s", done.stdout, re.M), done.stdout
    assert re.search(r"round trip \d+\.\d+ ms", done.stdout)
    assert re.search(r"loss 0\.0 %", done.stdout)
    assert "cause 0x301" in done.stdout
    assert "\033" not in done.stdout
    assert done.stderr == ""


def test_demo_removes_what_it_made(tmp_path):
    """Without --dir the folder with keys and passwords is gone afterwards."""
    before = {name for name in os.listdir("/tmp") if name.startswith("fairlead-demo-")}
    done = run(program("fairlead"), "demo", "--hold", "0", "--json", limit=3 * LIMIT)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {one["result"] for one in document["stages"]} == {"passed"}
    after = {name for name in os.listdir("/tmp") if name.startswith("fairlead-demo-")}
    assert after - before == set()


def test_serve_writes_all_keys(demo):
    assert KEYS <= set(demo.data)
    for key in ADDRESSES:
        host, port = demo[key].rsplit(":", 1)
        assert (host, 0 < int(port) < 65536) == ("127.0.0.1", True)
        with socket.create_connection((host, int(port)), timeout=LIMIT):
            pass
    assert set(demo["logs"]) == DAEMONS
    for path in demo["logs"].values():
        assert os.path.getsize(path) > 0
    assert stat.S_IMODE(demo.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(demo.folder.stat().st_mode) == 0o700


def test_keys_and_configurations_are_private(demo):
    for folder, _, names in os.walk(demo.folder):
        for name in names:
            if name.endswith((".key", ".yaml", ".json")):
                assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) & 0o077 == 0, name


@pytest.mark.parametrize("through", ["broker", "manager", "agent_direct"])
def test_served_demo_answers_foreign_peers(demo, through):
    with Talk(demo[through], demo["ca"]) as talk:
        talk.log_on(demo["user"], demo["password"], demo["domain"])
        reply = talk.ask(messages.GET_RESOURCE_LIST)
        assert reply.texts("resource/resource-name") == [demo["resource"]]
        reply = talk.ask(messages.allocate(reply.text("resource/resource-id")))
        assert reply.result == "ALLOC_SUCCESSFUL"
        assert reply.text("target/port") == demo["agent_session"].rsplit(":", 1)[1]
        assert talk.ask(messages.BYE).name == "bye-resp"


def test_client_connects_to_a_served_demo(demo, tmp_path, log_folders):
    log_folders.append(tmp_path)
    file = tmp_path / "password"
    file.write_text(demo["password"])
    file.chmod(0o600)
    for address, path in ((demo["manager"], "brokered"), (demo["agent_direct"], "direct")):
        done = run(program("fairlead"), "connect", "--user", demo["user"], "--domain", demo["domain"], "--ca", demo["ca"],
                   "--password-file", file, "--log", tmp_path / "client.log", "--hold", "0", "--json", address)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["path"] == path


def pids(served):
    return list(served["pids"].values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_cleans_up(serve_demo, gone, number):
    served = serve_demo()
    assert served.stop(number) == 0
    assert gone(pids(served))
    for path in served["logs"].values():
        with open(path, encoding="utf-8") as log:
            assert "stopped" in log.read(), "ended, but not cleanly"


@pytest.mark.parametrize("victim", sorted(DAEMONS))
def test_killed_child(serve_demo, gone, victim):
    """A program that dies takes the demo with it, and its last words are shown."""
    served = serve_demo()
    os.kill(served["pids"][victim], signal.SIGKILL)
    assert served.process.wait(LIMIT) != 0
    served.output.wait(victim)
    assert gone(pids(served))


def test_killed_demo_leaves_nothing_running(serve_demo, gone):
    served = serve_demo()
    served.process.kill()
    served.process.wait()
    assert gone(pids(served))


def test_two_demos_side_by_side(serve_demo):
    first, second = serve_demo(), serve_demo()
    assert first["password"] != second["password"]
    assert {first[key] for key in ADDRESSES}.isdisjoint({second[key] for key in ADDRESSES})


def test_program_that_is_not_there(tmp_path):
    """Nonzero, with the name of what is missing."""
    (tmp_path / "bin").mkdir()
    for name in DAEMONS - {"fairlead-broker"}:
        (tmp_path / "bin" / name).symlink_to(programs.BUILD / name)
    done = run(program("fairlead"), "demo", "--dir", tmp_path / "demo", env={"FAIRLEAD_PROGRAMS": str(tmp_path / "bin")})
    assert done.returncode != 0
    assert "fairlead-broker" in done.stderr


def test_program_that_fails_at_once(tmp_path):
    (tmp_path / "bin").mkdir()
    for name in DAEMONS - {"fairlead-manager"}:
        (tmp_path / "bin" / name).symlink_to(programs.BUILD / name)
    (tmp_path / "bin" / "fairlead-manager").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "bin" / "fairlead-manager").chmod(0o755)
    done = run(program("fairlead"), "demo", "--dir", tmp_path / "demo", env={"FAIRLEAD_PROGRAMS": str(tmp_path / "bin")})
    assert done.returncode != 0
    assert "fairlead-manager" in done.stderr


def test_failed_stage_makes_it_fail(tmp_path):
    """Exit status 0 only if all six stages passed: here the agent is one that refuses."""
    (tmp_path / "bin").mkdir()
    for name in DAEMONS - {"fairlead-agent"}:
        (tmp_path / "bin" / name).symlink_to(programs.BUILD / name)
    script = tmp_path / "bin" / "fairlead-agent"
    script.write_text("#!/bin/sh\nsed -i '/^license:/,/feature:/d' \"$2\"\n"
                      f"exec {programs.BUILD}/fairlead-agent \"$@\"\n")
    script.chmod(0o755)
    done = run(program("fairlead"), "demo", "--dir", tmp_path / "demo", "--hold", "0",
               env={"FAIRLEAD_PROGRAMS": str(tmp_path / "bin"), "NO_COLOR": "1"})
    assert done.returncode == 14, done.stdout + done.stderr
    assert "ALLOC_FAILED_NO_LICENSE" in done.stdout + done.stderr


@pytest.mark.parametrize("options", [["--what"], ["--hold", "x"], ["--serve", "--json"], ["extra"],
                                     ["--with", "kerberos"]])
def test_usage(options):
    assert run(program("fairlead"), "demo", *options).returncode == 2


def test_folder_that_cannot_be_made():
    assert run(program("fairlead"), "demo", "--dir", "/proc/no/such/folder").returncode == 1


def test_on_a_terminal_it_is_interrupted_cleanly(tmp_path, gone):
    """Ctrl-C goes to the whole foreground group: the children must not be torn away first."""
    child = subprocess.Popen(
        [program("fairlead"), "demo", "--serve", "--dir", str(tmp_path / "demo")], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True, preexec_fn=die_with_parent)
    assert child.stdout.readline().startswith("ready: ")
    served = json.loads((tmp_path / "demo" / "demo.json").read_text())
    messages.secret(served["password"])
    os.killpg(child.pid, signal.SIGINT)
    said, _ = child.communicate(timeout=LIMIT)
    assert child.returncode == 0, said
    assert gone(list(served["pids"].values()))


# --- with a test directory ---

#: What --with starts, the package it is of, and what only root can do.
SERVERS = {"ad": ("samba", "samba"), "ldap": ("slapd", "slapd"), "radius": ("freeradius", "freeradius")}


@pytest.mark.parametrize("what", sorted(SERVERS))
def test_demo_with(what, tmp_path, capture, log_folders):
    """The six stages, users checked where they are said to be, and the logs judged by the health check."""
    folder = tmp_path / "demo"
    log_folders.append(folder)
    done = run(program("fairlead"), "demo", "--with", what, "--dir", folder, "--hold", "0", limit=6 * LIMIT,
               env={"NO_COLOR": "1", "FAIRLEAD_DEMO_CAPTURE": str(capture)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert re.search(rf"^ {SERVERS[what][0]} +127\.\d+\.\d+\.\d+:\d+ +\d", done.stdout, re.M), done.stdout
    for number, name in enumerate(STAGES, 1):
        assert re.search(rf"^stage {number} {re.escape(name)} +passed in", done.stdout, re.M), done.stdout
    assert ("demo in DEMO, second factor" in done.stdout) == (what == "radius")
    assert "All six stages passed" in done.stdout
    broker = (folder / "fairlead-broker.yaml").read_text()
    assert ("users:" in broker) == (what == "radius")
    log = (folder / "fairlead-broker.log").read_text()
    assert "not among trusted-proxies" not in log
    if what == "radius":
        assert "Second factor token accepted by 127.0.0.1" in log


@pytest.mark.parametrize("what", sorted(SERVERS))
def test_served_demo_with(what, serve_demo, gone, tmp_path):
    """Its people are there for others; its files are private; it goes, and takes the server with it."""
    served = serve_demo("--with", what)
    server = SERVERS[what][0]
    assert set(served["pids"]) == DAEMONS | {server}
    for name in os.listdir(served.folder):
        if name.endswith((".key", ".conf", ".ldif", ".secret", ".py")) or name == "answers":
            assert stat.S_IMODE(os.stat(served.folder / name).st_mode) & 0o077 == 0, name
    file = tmp_path / "password"
    file.write_text(served["password"])
    file.chmod(0o600)
    answers = tmp_path / "answers"
    answers.write_text(served.data.get("code", "") + "\n")
    answers.chmod(0o600)
    for address in (served["manager"], served["agent_direct"]):
        done = run(program("fairlead"), "connect", "--user", served["user"], "--ca", served["ca"], "--log", "none",
                   "--password-file", file, "--answers", answers, "--hold", "0", "--json", address)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["questions"] == (["second-factor"] if what == "radius" else [])
    file.write_text("wrong-password")
    done = run(program("fairlead"), "connect", "--user", served["user"], "--ca", served["ca"], "--log", "none",
               "--password-file", file, "--list", served["broker"])
    assert done.returncode == 12
    assert served.stop(signal.SIGINT) == 0
    assert gone(pids(served))


def test_wrong_code_is_refused(serve_demo, tmp_path):
    served = serve_demo("--with", "radius")
    for name, text in (("password", served["password"]), ("answers", "no-such-code")):
        (tmp_path / name).write_text(text + "\n")
        (tmp_path / name).chmod(0o600)
    done = run(program("fairlead"), "connect", "--user", served["user"], "--ca", served["ca"], "--log", "none",
               "--password-file", tmp_path / "password", "--answers", tmp_path / "answers", "--list", served["broker"])
    assert done.returncode == 12, done.stderr


def test_killed_directory(serve_demo, gone):
    """As any other program of the demo."""
    served = serve_demo("--with", "ldap")
    os.kill(served["pids"]["slapd"], signal.SIGKILL)
    assert served.process.wait(LIMIT) != 0
    served.output.wait("slapd")
    assert gone(pids(served))


@pytest.mark.parametrize("what", sorted(SERVERS))
def test_killed_demo_leaves_no_directory(what, serve_demo, gone):
    served = serve_demo("--with", what)
    served.process.kill()
    served.process.wait()
    assert gone(pids(served))


@pytest.mark.parametrize("what", sorted(SERVERS))
def test_package_that_is_missing(what, tmp_path):
    """Which one is said, and nothing is left behind."""
    before = {name for name in os.listdir("/tmp") if name.startswith("fairlead-demo-")}
    done = run(program("fairlead"), "demo", "--with", what, env={"FAIRLEAD_DEMO_PATH": str(tmp_path)})
    assert done.returncode == 1
    assert f"{SERVERS[what][0]} is not there; install Debian's package {SERVERS[what][1]}\n" in done.stderr
    assert {name for name in os.listdir("/tmp") if name.startswith("fairlead-demo-")} - before == set()


def test_directory_that_does_not_start(tmp_path):
    """Its last words are shown."""
    (tmp_path / "bin").mkdir()
    for name in ("slapd", "slapadd"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\necho last words of $0\nexit 3\n")
        (tmp_path / "bin" / name).chmod(0o755)
    done = run(program("fairlead"), "demo", "--with", "ldap", env={"FAIRLEAD_DEMO_PATH": str(tmp_path / "bin")})
    assert done.returncode == 1
    assert "slapadd ended with status 3" in done.stderr
    assert "last words of" in done.stderr
