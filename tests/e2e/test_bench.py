"""fairlead-bench with many users: what it counts has happened at the directory, and only that."""

import json

import pytest

from fake_directory import FakeDirectory
from messages import secret
from programs import program, run
from rigs import broker_config

USERS = 20
PASSWORD = secret("Bench-User-Password")
OWN = secret("Own-Bench-Password")


@pytest.fixture
def directory(tmp_path, start):
    """The users have one password, but for the last, who has his own."""
    made = start.adopt(FakeDirectory(tmp_path))
    for number in range(USERS):
        made.add(f"user{number:02}", OWN if number == USERS - 1 else PASSWORD)
    return made


@pytest.fixture
def bench(tmp_path):
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")

    def ask(mode, target, names, *options):
        users = tmp_path / "users"
        users.write_text("".join(f"{name}\n" for name in names))
        return run(program("fairlead-bench"), "--json", "--users", users, "--password-file", password, *options,
                   mode, target)

    return ask


def with_own(names):
    return names[:-1] + [f"{names[-1]}\t{OWN}"]


def binds_of(directory):
    return [directory.counts["bind", f"user{number:02}"] for number in range(USERS)]


def test_binds(directory, bench):
    """Each user as often as his turn came, over as many connections as were asked for."""
    dns = [user.dn for user in directory.users[1:]]
    done = bench("bind", directory.url, with_own(dns), "--connections", 4, "--count", 2 * USERS)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["operations"], told["errors"]) == (2 * USERS, 0)
    assert binds_of(directory) == [2] * USERS
    assert directory.counts["connect"] <= 4


def test_binds_on_new_connections(directory, bench):
    done = bench("bind", directory.url, with_own([user.dn for user in directory.users[1:]]), "--connections", 2,
                 "--count", USERS, "--new-connections")
    assert json.loads(done.stdout)["operations"] == USERS, done.stderr
    assert directory.counts["connect"] == USERS


def test_wrong_passwords_are_errors(directory, bench):
    """The last one's password is not that of all."""
    dns = [user.dn for user in directory.users[1:]]
    done = bench("bind", directory.url, dns, "--connections", 2, "--count", USERS)
    told = json.loads(done.stdout)
    assert (told["operations"], told["errors"]) == (USERS - 1, 1)
    assert "Invalid credentials" in told["first_error"] and dns[-1] in told["first_error"]
    done = bench("bind", directory.url, dns[-1:], "--connections", 1, "--count", 3)
    assert done.returncode == 1 and "Invalid credentials" in done.stderr


def test_each_logs_on(start, studio, directory, bench):
    names = [f"user{number:02}" for number in range(USERS)]
    config = broker_config(studio, directory.config(), domains=["FAKE"])
    config["resources"][0] = {**config["resources"][0], "session-type": "RDS", "users": names}
    broker = start("fairlead-broker", config)
    done = bench("logon", broker.address("broker"), with_own(names), "--domain", "FAKE", "--connections", 3,
                 "--addresses", 7, "--sleep", "--count", USERS)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["operations"], told["errors"], told["messages"]) == (USERS, 0, 5 * USERS)
    assert binds_of(directory) == [1] * USERS
    came = {line.rsplit(" from ", 1)[1] for line in broker.log.since() if "Stage 1: Session created" in line}
    assert came == {f"127.1.0.{number}" for number in range(1, 8)}
