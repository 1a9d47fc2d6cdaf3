"""The licence service: seats over TLS, across restarts, reloads and crowds."""

import concurrent.futures
import re
import signal
import sqlite3
import subprocess

import pytest

import certs
import messages
import programs
import wire

NAME = "fairlead-license"
LOG_ID = "49756700-6f13-1039-a32b-02c4a91e7d01"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certs.self_signed(tmp_path_factory.mktemp("certificates"))


class Service:
    """fairlead-license in a folder of its own, and an agent's words for it."""

    def __init__(self, folder, pair):
        self.folder, self.pair = folder, pair
        self.program = None

    def config(self, seats=1, **more):
        return {
            "listen": [{"address": "127.0.0.1:0"}],
            "certificates": [self.pair.config()],
            "log": {"names": "clear"},
            "store": "license.db",
            "licenses": [{"feature": "standard", "seats": seats}],
            **more,
        }

    def start(self, **config):
        self.program = programs.Program(NAME, self.config(**config), self.folder)
        return self

    def talk(self):
        return wire.Talk(self.program.address("license"), self.pair.certificate,
                         root="fairlead-license", version="1.0", path=messages.LICENSE_PATH,
                         log_id=LOG_ID)

    def ask(self, body):
        with self.talk() as talk:
            return talk.ask(body)

    def checkout(self, host, **how):
        return self.ask(messages.checkout(host, hostname=f"ws-{host}", **how))

    def lease(self, kind, lease, host):
        return self.ask(messages.lease_message(kind, lease, host)).result

    def end(self):
        if self.program is not None:
            self.program.kill()
            assert not self.program.complaints()


@pytest.fixture
def service(tmp_path, pair):
    service = Service(tmp_path, pair)
    yield service
    service.end()


def test_seats(service):
    service.start(seats=1)
    first = service.checkout("a")
    assert first.result == "LICENSE_GRANTED"
    assert first.text("seats-total") == "1"
    assert first.text("seats-free") == "0"
    assert first.text("lease-seconds") == "300"
    assert first.text("expires") is None
    assert first.text("remaining-days") is None
    lease = first.text("lease-id")
    assert re.fullmatch("[0-9a-f]{32}", lease)
    assert service.checkout("b").result == "LICENSE_DENIED_NO_SEATS"
    assert service.checkout("b", feature="graphics").result == "LICENSE_DENIED_NOT_CONFIGURED"
    assert service.checkout("a").text("lease-id") == lease
    assert service.lease("renew", lease, "a") == "LICENSE_RENEWED"
    assert service.lease("renew", lease, "b") == "LICENSE_UNKNOWN_LEASE"
    assert service.lease("return", lease, "a") == "LICENSE_RETURNED"
    assert service.lease("return", lease, "a") == "LICENSE_UNKNOWN_LEASE"
    assert service.checkout("b").result == "LICENSE_GRANTED"
    assert service.program.stop() == 0
    log = "\n".join(service.program.log.since())
    line = f"{LOG_ID} > LVL:2 RC:   0         LICENSE :Feature standard checked out by host ws-a"
    assert line in log
    assert ":Feature standard denied to host ws-b: LICENSE_DENIED_NO_SEATS" in log
    assert lease not in log


def test_a_licence_ends(service):
    licenses = [{"feature": "standard", "seats": 1, "expires": "2020-02-29"},
                {"feature": "graphics", "seats": 1, "expires": "9998-12-31"}]
    service.start(licenses=licenses)
    assert service.checkout("a").result == "LICENSE_DENIED_EXPIRED"
    granted = service.checkout("a", feature="graphics", seconds=1)
    assert granted.result == "LICENSE_GRANTED"
    assert granted.text("expires") == "9999-01-01T00:00:00.000Z"
    assert int(granted.text("remaining-days")) > 1000000
    assert granted.text("lease-seconds") == "10"


def test_answers_fit_the_schema(service):
    schema = programs.TREE / "docs" / "protocol.rng"
    service.start(seats=1)
    lease = service.checkout("a").text("lease-id")
    requests = [messages.checkout("a"), messages.checkout("b"),
                messages.lease_message("renew", lease, "a"),
                messages.lease_message("return", lease, "a"), "<hello/>"]
    with service.talk() as talk:
        for number, request in enumerate(requests):
            file = service.folder / f"answer-{number}.xml"
            file.write_bytes(talk.send(request).body)
            done = programs.run("xmllint", "--noout", "--relaxng", schema, file)
            assert done.returncode == 0, done.stderr


def test_a_restart_and_a_crash_forget_nothing(service):
    service.start(seats=1)
    lease = service.checkout("a").text("lease-id")
    assert service.program.stop() == 0
    service.start(seats=1)
    assert service.program.log.wait("license.db opened, 1 leases kept from before")
    assert service.checkout("b").result == "LICENSE_DENIED_NO_SEATS"
    assert service.lease("renew", lease, "a") == "LICENSE_RENEWED"
    service.program.stop(signal.SIGKILL)
    service.start(seats=1)
    assert service.checkout("b").result == "LICENSE_DENIED_NO_SEATS"
    assert service.lease("return", lease, "a") == "LICENSE_RETURNED"


def test_a_crowd_gets_as_many_seats_as_there_are(service):
    service.start(seats=7)

    def visit(number):
        with service.talk() as talk:
            return [talk.ask(messages.checkout(f"{number}-{k}")).result for k in range(5)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = sum(pool.map(visit, range(8)), [])
    assert results.count("LICENSE_GRANTED") == 7
    assert results.count("LICENSE_DENIED_NO_SEATS") == 33


def test_reload(service):
    service.start(seats=1)
    assert service.checkout("a").result == "LICENSE_GRANTED"
    service.program.configure(service.config(seats=2))
    assert service.program.reload()
    assert service.checkout("b").result == "LICENSE_GRANTED"
    service.program.configure(service.config(seats=9, **{"lease-seconds": 3}))
    assert not service.program.reload()
    assert service.program.log.wait("3 seconds; expected 10 to 86400")
    assert service.checkout("c").result == "LICENSE_DENIED_NO_SEATS"


def refused(service):
    """What the program says of a store that it does not take."""
    with pytest.raises(AssertionError) as caught:
        service.start()
    return str(caught.value)


def test_stores_that_are_not_to_be_used(service):
    store = service.folder / "license.db"
    store.write_text("a letter to a friend\n" * 100)
    assert "file is not a database" in refused(service)
    assert store.read_text().startswith("a letter to a friend")
    store.unlink()
    database = sqlite3.connect(store)
    database.execute("CREATE TABLE friends (name TEXT)")
    database.close()
    assert "another program's database" in refused(service)


def check(config_file):
    return subprocess.run([programs.program(NAME), "--config", config_file, "--check-config"],
                          timeout=programs.LIMIT, stderr=subprocess.PIPE, text=True, check=False)


def test_the_example_is_good(service, pair):
    text = (programs.TREE / "examples" / "license.yaml").read_text()
    text = re.sub(r"certificates/\S+\.pem", pair.certificate, text)
    text = re.sub(r"certificates/\S+\.key", pair.key, text)
    file = service.folder / "license.yaml"
    file.write_text(text)
    done = check(file)
    assert done.returncode == 0, done.stderr


def test_a_bad_configuration(service, pair):
    file = service.folder / "license.yaml"
    file.write_text(
        "listen: [{address: '127.0.0.1:0'}]\n"
        f"certificates: [{{certificate: {pair.certificate}, key: {pair.key}}}]\n"
        "store: license.db\n"
        "lease-seconds: 3\n"
        "licenses: []\n")
    done = check(file)
    assert done.returncode == 2
    assert f"{file}:4:16: 3 seconds; expected 10 to 86400" in done.stderr
