"""Users of an Active Directory: a Samba domain controller, at the broker, at an agent, and behind a manager."""

import os
import re

import pytest

import certs
import fakes
import messages
from messages import secret
from rigs import (COMPLETE, DENIED, DIRECTORY_SILENT, EXPIRED, EXPIRED_PASSWORD, INCOMPLETE, INVALID_ENTRY, UNKNOWN,
                  WRONG, Door, answer, broker_config, dialog_of)
from wire import Talk


@pytest.fixture(scope="module")
def people(samba):
    return samba.people


@pytest.fixture(scope="module")
def door(start_once, studio, samba):
    broker = start_once("fairlead-broker", broker_config(studio, samba.config()))
    return Door(broker, studio.ca)


@pytest.fixture
def door_to(start, studio, samba):
    """A broker for one test, its directory configured in another way."""

    def make(**keys):
        return Door(start("fairlead-broker", broker_config(studio, samba.config(**keys))), studio.ca)

    return make


# --- who gets in ---


@pytest.mark.parametrize("spelling, domain", [
    ("alice", "STUDIO"), ("ALICE", "studio"), ("alice", "studio.example"), (r"STUDIO\alice", ""),
    (r"studio\Alice", "STUDIO"), ("alice@studio.example", ""), ("alice@STUDIO", "STUDIO"),
    ("alice.archer@studio.example", ""), ("alice.archer@studio.example", "STUDIO"),
])
def test_spellings_of_a_name(door, people, spelling, domain):
    assert door.resources(spelling, people.alice.password, domain) == {"r-edit"}
    found = door.log.wait(r"Stage 2: User '(\S+)' of domain '(\S+)' authenticated", limit=1)
    assert found


@pytest.mark.parametrize("person", ["zoe", "nihon", "odd"])
def test_names_and_passwords_of_all_kinds(door, people, person):
    user = getattr(people, person)
    mark = door.log.mark()
    assert door.resources(user.name, user.password) == {"r-edit"}
    door.log.wait(rf"Stage 2: User '{re.escape(user.name)}' of domain 'STUDIO' authenticated", mark)


def test_principal_name_of_another_alphabet(door, people):
    assert door.resources(people.zoe.login, people.zoe.password, "") == {"r-edit"}


@pytest.mark.parametrize("name, expected", [("nested", {"r-edit"}), ("primary", {"r-colour"}), ("bob", {"r-farm"})])
def test_groups(door, people, name, expected):
    """Three groups deep, with a circle; the primary group, which no group lists; by the user's own name."""
    user = getattr(people, name)
    assert door.resources(user.name, user.password) == expected


@pytest.mark.parametrize("groups, expected", [
    ("in-chain", {"r-edit"}), ("recursive", {"r-edit"}), ("direct", None), ("none", None)])
def test_nested_groups_as_configured(door_to, people, groups, expected):
    door = door_to(groups=groups)
    with door.right(people.nested.name, people.nested.password) as talk:
        reply = talk.ask(messages.GET_RESOURCE_LIST)
        assert (set(reply.texts("resource/resource-id")) or None) == expected
    assert door.resources(people.alice.name, people.alice.password) == (
        {"r-edit"} if groups != "none" else set())


def test_group_by_its_full_name(start, studio, samba):
    config = broker_config(studio, samba.config())
    config["resources"][0]["groups"] = [f"cn=EDITORS,cn=Users,{samba.base}"]
    door = Door(start("fairlead-broker", config), studio.ca)
    assert door.resources("nell", samba.people.nested.password) == {"r-edit"}


@pytest.mark.parametrize("keys", [{"starttls": True}, {"user-filter": "(sAMAccountName={user})"}],
                         ids=["starttls", "filter"])
def test_other_ways_to_ask(start, studio, samba, people, keys):
    if "starttls" in keys:
        keys = {**keys, "servers": [samba.plain_url]}
    door = Door(start("fairlead-broker", broker_config(studio, samba.config(**keys))), studio.ca)
    assert door.resources("nell", people.nested.password) == {"r-edit"}
    door.wrong("nell", "not hers", WRONG, UNKNOWN, "wrong password", "data 52e")


# --- who does not ---


@pytest.mark.parametrize("person, result, words, phrase, code", [
    ("too_old", EXPIRED_PASSWORD, EXPIRED, "the password has expired", "532"),
    ("must_change", EXPIRED_PASSWORD, EXPIRED, "the password must be changed before the first logon", "773"),
    ("disabled", DENIED, UNKNOWN, "the account is disabled", "533"),
    ("expired", DENIED, UNKNOWN, "the account has expired", "701"),
    ("no_hours", DENIED, UNKNOWN, "the user may not log on at this hour", "530"),
    ("elsewhere", DENIED, UNKNOWN, "the user may not log on from this machine", "531"),
])
def test_states_of_an_account(door, people, person, result, words, phrase, code):
    """The right password, and yet no."""
    user = getattr(people, person)
    door.wrong(user.name, user.password, result, words, phrase, f"data {code}")
    # Who does not know the password learns nothing of it.
    door.wrong(user.name, "not it", WRONG, UNKNOWN, "wrong password", "data 52e")


def test_locked_account(door, samba, people):
    samba.lock(people.locked)
    door.wrong("luca", people.locked.password, DENIED, UNKNOWN, "the account is locked out", "data 775")


def test_wrong_and_unknown_look_the_same(door, people):
    """And the administrator reads which it was."""
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", "data 52e")
    door.wrong("nobody", "not hers", WRONG, UNKNOWN, "no such user")
    one = door.log_on("alice", "not hers")
    other = door.log_on("nobody", "not hers")
    assert repr(one) == repr(other)
    one.talk.close()
    other.talk.close()


def test_empty_password_never_binds(door, samba, people):
    """Samba takes a bind without a password for one of nobody, and says yes."""
    mark = samba.server.log.mark()
    door.wrong("bob", "", WRONG, UNKNOWN, "the password is empty")
    assert not [line for line in samba.server.log.since(mark) if "bob" in line.lower()]


@pytest.mark.parametrize("name", [
    "*", "ali*", "alice)(objectClass=*", "*)(sAMAccountName=alice", r"\2a", "alice,CN=Users,DC=studio,DC=example",
    "CN=Alice Archer,CN=Users,DC=studio,DC=example", "alice@", "@studio.example", "STUDIO\\", "Alice Archer",
    "alice\u200b", "a" * 256])
def test_hostile_names_are_nobody(door, people, name):
    door.wrong(name, people.alice.password, WRONG, UNKNOWN, "no such user")


def test_nobody_of_an_unknown_domain(start, studio, samba, people):
    config = broker_config(studio, samba.config(), domains=["STUDIO"],
                           logon=[{"domains": ["STUDIO", "studio.example"], "source": "studio"}])
    door = Door(start("fairlead-broker", config), studio.ca)
    door.wrong("alice", people.alice.password, WRONG, UNKNOWN,
               "no source of users is configured for this domain", domain="ELSEWHERE")


# --- servers ---


def test_restart_in_the_middle(door, samba, people):
    """Nobody's logon fails by it, although every kept connection is dead."""
    for _ in range(3):
        assert door.resources("alice", people.alice.password) == {"r-edit"}
    mark = door.log.mark()
    samba.restart()
    for _ in range(3):
        assert door.resources("alice", people.alice.password) == {"r-edit"}
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", "data 52e")
    assert not [line for line in door.log.since(mark) if "passed over" in line or "not answer" in line]


def test_restart_with_a_wrong_password_counts_once(door_to, samba, people):
    """A bind that is tried again on a new connection must not count twice in the directory."""
    door = door_to()
    user = people.wrong
    door.right(user.name, user.password).close()
    samba.restart()
    door.wrong(user.name, "not hers", WRONG, UNKNOWN, "wrong password")
    assert samba.attributes(user, "badPwdCount")["badPwdCount"] == "1"


def test_stopped_and_started(door_to, samba, people):
    door = door_to(**{"hold-down-seconds": 3600})
    door.right("alice", people.alice.password).close()
    samba.server.stop()
    try:
        door.wrong("alice", people.alice.password, DENIED, DIRECTORY_SILENT, "no directory server could be reached")
    finally:
        samba.server.start()
    # Held down for an hour, but there is no other.
    assert door.resources("alice", people.alice.password) == {"r-edit"}


def test_second_server(door_to, samba, people):
    dead = f"ldaps://127.0.0.1:{fakes.refusing_port()}"
    door = door_to(servers=[dead, samba.url])
    mark = door.log.mark()
    assert door.resources("alice", people.alice.password) == {"r-edit"}
    found = door.log.wait(r"Stage 2: Server (\S+) passed over: (.*)", mark)
    assert found.group(1) == dead
    # From then on it is held down.
    mark = door.log.mark()
    assert door.resources("alice", people.alice.password) == {"r-edit"}
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", re.escape(samba.url))
    assert not [line for line in door.log.since(mark) if "passed over" in line]


def test_certificate_of_somebody_else(door_to, people, tmp_path):
    other = certs.Authority(tmp_path / "other", "Another CA")
    door = door_to(ca=str(other.ca))
    door.wrong("alice", people.alice.password, DENIED, DIRECTORY_SILENT,
               "the certificate of the directory server could not be verified")


def test_certificate_for_another_name(door_to, samba, people):
    """The certificate names the address only."""
    door = door_to(servers=[samba.url.replace(samba.address, "localhost.localdomain.invalid")])
    door.wrong("alice", people.alice.password, DENIED, DIRECTORY_SILENT, "no directory server could be reached")


def test_own_account_refused(start, studio, samba, people, tmp_path):
    config = samba.config()
    file = tmp_path / "wrong.password"
    file.write_text(secret("not-the-brokers-own") + "\n")
    file.chmod(0o600)
    config["bind-password-file"] = str(file)
    door = Door(start("fairlead-broker", broker_config(studio, config)), studio.ca)
    door.wrong("alice", people.alice.password, DENIED, DIRECTORY_SILENT,
               "the directory refused the broker's own account", "data 52e")


# --- a new password ---


@pytest.fixture(scope="module")
def changing(start_once, studio, samba):
    broker = start_once("fairlead-broker", broker_config(studio, samba.config(**{"change-password": True})),
                        tag="changing")
    return Door(broker, studio.ca)


def test_new_password(changing, samba, people):
    user = people.must_change
    new = secret("Neu-für-Köln-" + os.urandom(6).hex())
    reply = changing.log_on(user.name, user.password, caps=True)
    asked = dialog_of(reply)
    assert (asked["purpose"], asked["title"]) == ("new-password", "New password")
    assert asked["text"] == "Your password has expired. Please choose a new one."
    assert asked["prompts"] == {"new-password": ("New password", "true"), "repeat": ("New password again", "true")}
    reply = answer(reply.talk, asked, new_password=new, repeat=new)
    assert reply.result == COMPLETE, changing.explain(reply)
    assert reply.message.get("method") == "dialog"
    reply.talk.close()
    changing.log.wait("Stage 2: The user has changed his expired password")
    # The old one goes on to be good for an hour in such domains.
    changing.right(user.name, new).close()
    changing.wrong(user.name, new + "x", WRONG, UNKNOWN, "wrong password")


def test_new_password_that_is_refused(changing, samba, people):
    """Two that differ, and one that the directory's rules do not allow; then the user may choose again."""
    user = people.choosy
    reply = changing.log_on(user.name, user.password, caps=True)
    asked = dialog_of(reply)
    reply = answer(reply.talk, asked, new_password="One-Of-Two-11", repeat="Two-Of-Two-22")
    assert (reply.result, reply.words) == (
        INVALID_ENTRY, "The two entries differ. Please enter the new password again.")
    again = dialog_of(reply)
    assert again["id"] != asked["id"]
    reply = answer(reply.talk, again, new_password="short", repeat="short")
    assert (reply.result, reply.words) == (INVALID_ENTRY, (
        "The new password does not meet the rules of your organization. Please choose another one."))
    third = dialog_of(reply)
    new = secret("Third-Time-Right-" + os.urandom(6).hex())
    reply = answer(reply.talk, third, new_password=new, repeat=new)
    assert reply.result == COMPLETE, changing.explain(reply)
    reply.talk.close()


def test_a_dialog_is_answered_once(changing, samba, people):
    user = people.too_old
    reply = changing.log_on(user.name, user.password, caps=True)
    asked = dialog_of(reply)
    with reply.talk as talk:
        for identifier in ("", "0" * len(asked["id"]), asked["id"] + "0"):
            stale = talk.ask(messages.dialog(identifier, new_password="Aa-1234567", repeat="Aa-1234567"))
            assert stale.result != COMPLETE and stale.result != INCOMPLETE, stale


def test_no_new_password_without_a_dialog(changing, people):
    """A client that cannot ask is told that the password has expired."""
    user = people.too_old
    changing.wrong(user.name, user.password, EXPIRED_PASSWORD, EXPIRED, "the password has expired", "data 532")


# --- the agent ---


@pytest.fixture
def agent(start, studio, samba, tmp_path):
    license_service = start("fairlead-license", studio.license(tmp_path))
    config = studio.agent(tmp_path, license_service.address("license"), domains=["STUDIO"],
                          directories=[samba.config()], guard={"off": True})
    del config["users"]
    return start("fairlead-agent", config)


def test_direct_connection(agent, studio, people):
    door = Door(agent, studio.ca, "direct")
    assert door.resources("nell", people.nested.password) == {"0"}
    door.wrong("nell", "not hers", WRONG, UNKNOWN, "wrong password", "data 52e")
    door.wrong("dirk", people.disabled.password, DENIED, UNKNOWN, "the account is disabled", "data 533")


@pytest.mark.parametrize("password, result", [(None, "SUCCESSFUL"), ("not hers", "FAILED_USER_AUTH")])
def test_launch(agent, studio, people, password, result):
    body = messages.launch("alice", password or people.alice.password, "STUDIO")
    with Talk(agent.address("launch"), studio.ca, "pcoip-agent", "1.0", messages.AGENT_PATH) as talk:
        reply = talk.ask(body)
    assert (reply.name, reply.result) == ("launch-session-resp", result), reply


def test_all_the_way(start, studio, samba, people, agent):
    """Manager, broker and host ask the same domain; the host takes the password that the user typed."""
    config = broker_config(studio, samba.config(), hosts=[
        studio.host(agent.port("launch")), studio.host(agent.port("launch"), "farm-01")])
    broker = start("fairlead-broker", config)
    manager = start("fairlead-manager", studio.manager(broker.address("broker"), agent.port("launch")))
    with Talk(manager.address("manager"), studio.ca) as talk:
        talk.log_on(r"STUDIO\zoë", people.zoe.password, "")
        assert talk.ask(messages.GET_RESOURCE_LIST).texts("resource/resource-id") == ["r-edit"]
        reply = talk.ask(messages.allocate("r-edit"))
        assert reply.result == "ALLOC_SUCCESSFUL", reply


def test_all_the_way_with_a_new_password(start, studio, samba, agent, changing):
    """The host is given the password that was chosen a moment ago, and not the one that was typed."""
    user = samba.people.fresh
    config = broker_config(studio, samba.config(**{"change-password": True}), hosts=[
        studio.host(agent.port("launch")), studio.host(agent.port("launch"), "farm-01")])
    broker = start("fairlead-broker", config)
    manager = start("fairlead-manager", studio.manager(broker.address("broker"), agent.port("launch")))
    new = secret("Ganz-Neu-" + os.urandom(6).hex())
    with Talk(manager.address("manager"), studio.ca) as talk:
        talk.hello(extra=messages.CAPS)
        asked = dialog_of(talk.ask(messages.authenticate(user.name, user.password, "STUDIO")))
        assert asked["purpose"] == "new-password"
        assert answer(talk, asked, new_password=new, repeat=new).result == COMPLETE
        reply = talk.ask(messages.allocate("r-edit"))
        assert reply.result == "ALLOC_SUCCESSFUL", reply
