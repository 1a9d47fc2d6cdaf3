"""Faults in a running system, found by `fairlead check` from the logs alone."""

import json
import os
import signal
import socket
import subprocess
import threading

import pytest

import fakes
from programs import LIMIT, die_with_parent, program, run
from test_client import Client

PAGE = ["initiate-session", "session-authentication", "resource-allocation", "prepare-host", "checkout-license",
        "accept-payload"]


def judge(*paths):
    done = run(program("fairlead"), "check", "--format", "json", *paths)
    document = json.loads(done.stdout)
    everything = [one for session in [*document["sessions"], document["host"]] for one in session["diagnostics"]]
    return done.returncode, document, everything


def failures(everything):
    return {(one["id"], one["cause_id"]) for one in everything if one["result"] == "fail"}


@pytest.fixture
def client(tmp_path, studio, log_folders):
    return Client(tmp_path, studio, log_folders)


def logs(tmp_path):
    return sorted(tmp_path.glob("*.log"))


@pytest.mark.parametrize("through", ["manager", "broker", "direct"])
def test_a_good_session(client, own_system, tmp_path, through):
    status, _ = client.json(getattr(own_system, f"{through}_address"), hold="1.5")
    assert status == 0
    for one in own_system.programs:
        one.stop()
    status, document, everything = judge(*logs(tmp_path))
    assert failures(everything) == set()
    (session,) = [one for one in document["sessions"] if any(d["id"] == "accept-payload" and d["result"] == "pass"
                                                             for d in one["diagnostics"])]
    results = {one["id"]: one["result"] for one in session["diagnostics"]}
    assert {name: results[name] for name in PAGE} == dict.fromkeys(PAGE, "pass")
    assert results["disconnect-session"] == "note"
    assert session["path"] == ("direct" if through == "direct" else "brokered")
    assert status == 0


@pytest.mark.parametrize("through", ["manager", "direct"])
def test_wrong_password(client, own_system, tmp_path, through):
    assert client(getattr(own_system, f"{through}_address"), password="not-the-right-one").returncode == 12
    status, _, everything = judge(*logs(tmp_path))
    assert status == 3
    assert {id for id, _ in failures(everything)} == {"session-authentication", "client-broker-result"}
    one = next(one for one in everything if one["id"] == "session-authentication" and one["result"] == "fail")
    assert "password" in one["cause"]
    assert {remedy["who"] for remedy in one["remedies"]} & {"user", "helpdesk", "directory"}


def test_stopped_license_service(client, own_system, tmp_path):
    own_system.license.stop()
    status, _ = client.json(own_system.manager_address)
    assert status == 14
    status, _, everything = judge(*logs(tmp_path))
    assert status == 3
    found = next(one for one in everything if one["id"] == "checkout-license" and one["result"] == "fail")
    assert found["cause_id"] == "unreachable"
    assert "checkout-license" in {id for id, _ in failures(everything)}
    assert "session-authentication" not in {id for id, _ in failures(everything)}


class TcpOnly:
    """Another loopback address in front of the session port: TCP passes, UDP is swallowed."""

    def __init__(self, port):
        self.port = port
        self.listener = socket.create_server(("127.0.0.2", port))
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.2", port))
        self.sockets = [self.listener, self.silent]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)
            there.settimeout(None)
            self.sockets += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    @staticmethod
    def _copy(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        for one in self.sockets:
            one.close()


def test_blocked_udp(client, start, studio, tmp_path):
    """TCP 4172 passes, UDP 4172 does not: both ends give up after 30 s."""
    license = start("fairlead-license", studio.license(tmp_path))
    agent = start("fairlead-agent", studio.agent(
        tmp_path, license.address("license"), **{"launch-listen": [{"address": "0.0.0.0:0"}]}))
    host = studio.host(agent.port("launch"))
    host["address"] = "127.0.0.2"
    broker = start("fairlead-broker", studio.broker(agent.port("launch"), hosts=[host], resources=[
        {"id": "r-edit", "name": "Edit suite 1", "host": "edit-01", "groups": ["editors"]}]))
    filter = TcpOnly(agent.port("session"))
    try:
        done = run(*client.command(broker.address("broker")), env=client.environment, limit=3 * LIMIT)
    finally:
        filter.close()
    assert done.returncode == 15, done.stderr
    for one in (broker, agent, license):
        one.stop()
    status, _, everything = judge(*logs(tmp_path))
    assert status == 3
    assert {id for id, _ in failures(everything)} == {"accept-payload", "blocked-port"}
    for one in everything:
        if one["result"] == "fail":
            assert "UDP" in one["cause"], one


def test_killed_agent(client, own_system, tmp_path):
    """Killed before it can prepare the host: the manager's log and the client's tell."""
    own_system.agent.kill()
    status, _ = client.json(own_system.manager_address)
    assert status == 14
    status, _, everything = judge(*logs(tmp_path))
    assert status == 3
    assert {"resource-allocation", "blocked-port"} & {id for id, _ in failures(everything)}


def test_agent_killed_in_a_session(client, own_system, tmp_path):
    """Killed while a session stands, and started again: a crash, from its log alone."""
    process = subprocess.Popen(client.command(own_system.manager_address, hold="60"),
                               env={**os.environ, **client.environment}, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    own_system.agent.log.wait("CONNECTED")
    own_system.agent.kill()
    process.send_signal(signal.SIGINT)
    process.wait(LIMIT)
    own_system.agent.start_again()
    own_system.agent.stop()
    status, _, everything = judge(tmp_path / "fairlead-agent.log")
    assert status == 3
    assert failures(everything) == {("crash", "crashed")}
