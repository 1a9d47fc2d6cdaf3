"""Users of OpenLDAP: both group layouts, the password policy, passwords changed, servers that come and go."""

import os
import re

import pytest

import certs
import fakes
import messages
from messages import secret
from openldap import LAB, STUDIO, OpenLdap
from rigs import (COMPLETE, DENIED, DIRECTORY_SILENT, EXPIRED, EXPIRED_PASSWORD, INVALID_ENTRY, UNKNOWN, WRONG, Door,
                  answer, broker_config, dialog_of)


@pytest.fixture(scope="module")
def people(slapd):
    return slapd.people


@pytest.fixture(scope="module")
def door(start_once, studio, slapd):
    return Door(start_once("fairlead-broker", broker_config(studio, slapd.config())), studio.ca)


@pytest.fixture(scope="module")
def lab(start_once, studio, slapd):
    """The tree whose users know nothing of their groups."""
    config = broker_config(studio, slapd.config(LAB), resources=[
        {"id": f"r-{name}", "name": name, "host": "edit-01", "groups": [name]}
        for name in ("editors", "juniors", "graders", "machines")])
    return Door(start_once("fairlead-broker", config, tag="lab"), studio.ca)


@pytest.fixture
def door_to(start, studio, slapd):
    def make(suffix=STUDIO, **keys):
        return Door(start("fairlead-broker", broker_config(studio, slapd.config(suffix, **keys))), studio.ca)

    return make


# --- who gets in ---


@pytest.mark.parametrize("person", ["alice", "zoe", "nihon", "odd", "nested"])
def test_member_of(door, people, person):
    """Names and passwords of all kinds; nell is an editor by three steps, and the groups go in a circle."""
    user = getattr(people, person)
    mark = door.log.mark()
    assert door.resources(user.name, user.password) == {"r-edit"}
    door.log.wait(rf"Stage 2: User '{re.escape(user.name)}' of domain 'STUDIO' authenticated", mark)


@pytest.mark.parametrize("person, expected", [
    ("nested", {"r-editors", "r-juniors"}), ("alice", {"r-editors", "r-juniors", "r-machines"}),
    ("bob", {"r-graders", "r-machines"}), ("odd", {"r-editors", "r-juniors"}), ("twin", None)])
def test_groups_that_only_know_their_members(lab, people, person, expected):
    """member, uniqueMember and memberUid; editors are juniors by the circle."""
    user = getattr(people, person)
    if expected is None:
        lab.wrong(user.name, user.password, WRONG, UNKNOWN, "several users have this name")
    else:
        assert lab.resources(user.name, user.password) == expected


@pytest.mark.parametrize("spelling, domain", [
    ("ALICE", "studio"), (r"STUDIO\alice", ""), ("alice@studio.example", "STUDIO"), (r"studio.example\alice", "")])
def test_spellings_of_a_name(door, people, spelling, domain):
    assert door.resources(spelling, people.alice.password, domain) == {"r-edit"}


@pytest.mark.parametrize("groups, expected", [("direct", set()), ("recursive", {"r-edit"}), ("none", set())])
@pytest.mark.parametrize("suffix", [STUDIO, LAB], ids=["memberOf", "members"])
def test_nested_groups_as_configured(door_to, people, suffix, groups, expected):
    door = door_to(suffix, groups=groups)
    with door.right("nell", people.nested.password) as talk:
        assert set(talk.ask(messages.GET_RESOURCE_LIST).texts("resource/resource-id")) == expected


def test_group_by_its_full_name(start, studio, slapd, people):
    config = broker_config(studio, slapd.config())
    config["resources"][0]["groups"] = [f"cn=Editors,ou=groups,{STUDIO}"]
    door = Door(start("fairlead-broker", config), studio.ca)
    assert door.resources("nell", people.nested.password) == {"r-edit"}


@pytest.mark.parametrize("keys", [
    {"starttls": True}, {"plain": True}, {"user-filter": "(&(objectClass=inetOrgPerson)(uid={user}))"},
    {"group-base": f"ou=groups,{STUDIO}", "group-filter": "(objectClass=groupOfNames)"}, {"connections": 1},
], ids=["starttls", "plain", "user-filter", "group-filter", "one connection"])
def test_other_ways_to_ask(start, studio, slapd, people, keys):
    if "starttls" in keys or "plain" in keys:
        keys = {**keys, "servers": [slapd.plain_url]}
    door = Door(start("fairlead-broker", broker_config(studio, slapd.config(**keys))), studio.ca)
    assert door.resources("nell", people.nested.password) == {"r-edit"}
    door.wrong("nell", "not hers", WRONG, UNKNOWN, "wrong password")


# --- who does not ---


@pytest.mark.parametrize("person, result, words, phrase", [
    ("too_old", EXPIRED_PASSWORD, EXPIRED, "the password has expired"),
    ("must_change", EXPIRED_PASSWORD, EXPIRED, "the password must be changed before the first logon"),
    ("locked", DENIED, UNKNOWN, "the account is locked out"),
    ("twin", WRONG, UNKNOWN, "several users have this name"),
])
def test_states_of_an_account(door, people, person, result, words, phrase):
    user = getattr(people, person)
    door.wrong(user.name, user.password, result, words, phrase)


def test_grace_logons(door, people):
    """The password is too old, and the directory lets its user in all the same."""
    door.right("greta", people.grace.password).close()


def test_wrong_and_unknown_look_the_same(door, people):
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password")
    door.wrong("nobody", "not hers", WRONG, UNKNOWN, "no such user")
    one, other = door.log_on("alice", "not hers"), door.log_on("nobody", "not hers")
    assert repr(one) == repr(other)
    one.talk.close()
    other.talk.close()


def test_unknown_user_costs_a_bind_too(door, slapd):
    """So that the time of the answer does not tell."""
    mark = slapd.server.log.mark()
    door.wrong("nobody", "not his", WRONG, UNKNOWN, "no such user")
    found = slapd.server.log.wait(r'BIND dn="(.*)" method=128', mark)
    assert found.group(1).lower().endswith(STUDIO) and "fairlead," not in found.group(1)


def test_password_is_tried_once(door, slapd, people):
    mark = slapd.server.log.mark()
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password")
    slapd.server.log.wait("RESULT tag=97 err=49", mark)
    assert slapd.binds(people.alice, mark) == 1


def test_empty_password_never_binds(door, slapd, people):
    mark = slapd.server.log.mark()
    door.wrong("bob", "", WRONG, UNKNOWN, "the password is empty")
    # A bind that comes later is in the log after any that came before.
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password")
    slapd.server.log.wait("RESULT tag=97 err=49", mark)
    assert slapd.binds(people.bob, mark) == 0


@pytest.mark.parametrize("name", [
    "*", "ali*", "alice)(objectClass=*", "*)(uid=alice", r"\2a", f"cn=Alice Archer,ou=people,{STUDIO}", "alice@",
    "al(ice", "al\\ice", "a" * 256])
def test_hostile_names_are_nobody(door, people, name):
    door.wrong(name, people.alice.password, WRONG, UNKNOWN, "no such user")


# --- servers ---


def test_restart_in_the_middle(door, slapd, people):
    for _ in range(3):
        assert door.resources("alice", people.alice.password) == {"r-edit"}
    mark = door.log.mark()
    slapd.restart()
    for _ in range(3):
        assert door.resources("alice", people.alice.password) == {"r-edit"}
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password")
    assert not [line for line in door.log.since(mark) if "passed over" in line or "not answer" in line]


def test_second_server_takes_over_and_back(start, studio, slapd, people, tmp_path):
    other = start.adopt(OpenLdap(tmp_path / "other", studio.authority, people=people))
    servers = [slapd.url, other.url]
    door = Door(start("fairlead-broker", broker_config(
        studio, slapd.config(servers=servers, **{"hold-down-seconds": 1}))), studio.ca)
    door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", re.escape(servers[0]))
    slapd.server.stop()
    try:
        mark = door.log.mark()
        assert door.resources("alice", people.alice.password) == {"r-edit"}
        assert door.log.wait(r"Stage 2: Server (\S+) passed over: ", mark).group(1) == servers[0]
        door.wrong("alice", "not hers", WRONG, UNKNOWN, "wrong password", re.escape(servers[1]))
    finally:
        slapd.server.start()
    other.server.stop()
    assert door.resources("alice", people.alice.password) == {"r-edit"}


@pytest.mark.parametrize("kind", ["refusing", "silent"])
def test_server_that_is_not_there(start, studio, slapd, people, kind):
    """A port that refuses, and one that takes connections and never says a word."""
    port = fakes.refusing_port() if kind == "refusing" else start.adopt(fakes.Silent()).port
    dead = f"ldaps://127.0.0.1:{port}"
    door = Door(start("fairlead-broker", broker_config(
        studio, slapd.config(servers=[dead, slapd.url], **{"connect-ms": 500}))), studio.ca)
    mark = door.log.mark()
    assert door.resources("alice", people.alice.password) == {"r-edit"}
    assert door.log.wait(r"Stage 2: Server (\S+) passed over: ", mark).group(1) == dead
    mark = door.log.mark()
    assert door.resources("alice", people.alice.password) == {"r-edit"}
    assert not [line for line in door.log.since(mark) if "passed over" in line]


def test_nobody_there(door_to, people):
    door = door_to(servers=[f"ldaps://127.0.0.1:{fakes.refusing_port()}"])
    door.wrong("alice", people.alice.password, DENIED, DIRECTORY_SILENT, "no directory server could be reached")


@pytest.mark.parametrize("starttls", [False, True])
def test_certificate_of_somebody_else(door_to, slapd, people, tmp_path, starttls):
    other = certs.Authority(tmp_path / "other", "Another CA")
    keys = {"starttls": True, "servers": [slapd.plain_url]} if starttls else {}
    mark = slapd.server.log.mark()
    door = door_to(ca=str(other.ca), **keys)
    door.wrong("alice", people.alice.password, DENIED, DIRECTORY_SILENT,
               "the certificate of the directory server could not be verified")
    # Nothing was said to a server that is not trusted.
    assert not [line for line in slapd.server.log.since(mark) if "BIND dn" in line]


def test_own_account_refused(start, studio, slapd, people, tmp_path):
    config = slapd.config()
    file = tmp_path / "wrong.password"
    file.write_text(secret("not-the-brokers-own") + "\n")
    file.chmod(0o600)
    config["bind-password-file"] = str(file)
    door = Door(start("fairlead-broker", broker_config(studio, config)), studio.ca)
    door.wrong("alice", people.alice.password, DENIED, DIRECTORY_SILENT,
               "the directory refused the broker's own account")


def test_users_of_two_sources(start, studio, slapd, people):
    """By domain: one from the directory, one from the file."""
    config = broker_config(
        studio, slapd.config(), domains=["STUDIO", "grading"], users=studio.users(), logon=[
            {"domains": ["STUDIO", "studio.example"], "source": "studio"}, {"source": "users"}])
    door = Door(start("fairlead-broker", config), studio.ca)
    assert door.resources("alice", people.alice.password) == {"r-edit"}
    assert door.resources("alice", studio.alice.password, "grading") == {"r-edit"}
    assert door.resources(r"STUDIO\alice", people.alice.password, "grading") == {"r-edit"}
    door.wrong("alice", people.alice.password, WRONG, UNKNOWN, "wrong password", "users", domain="grading")
    door.wrong("alice", studio.alice.password, WRONG, UNKNOWN, "wrong password", "studio", domain="STUDIO")


# --- a new password ---


@pytest.fixture(scope="module")
def changing(start_once, studio, slapd):
    config = broker_config(studio, slapd.config(**{"change-password": True}))
    return Door(start_once("fairlead-broker", config, tag="changing"), studio.ca)


def test_new_password(changing, slapd, people):
    user = people.must_change
    new = secret("Neu-für-Köln-" + os.urandom(6).hex())
    reply = changing.log_on(user.name, user.password, caps=True)
    asked = dialog_of(reply)
    assert asked["purpose"] == "new-password"
    reply = answer(reply.talk, asked, new_password=new, repeat=new)
    assert reply.result == COMPLETE, changing.explain(reply)
    reply.talk.close()
    assert slapd.bind(user, new).returncode == 0
    changing.right(user.name, new).close()


def test_new_password_that_is_refused(changing, people):
    user = people.choosy
    reply = changing.log_on(user.name, user.password, caps=True)
    reply = answer(reply.talk, dialog_of(reply), new_password="short", repeat="short")
    assert reply.result == INVALID_ENTRY, changing.explain(reply)
    new = secret("Long-Enough-" + os.urandom(6).hex())
    reply = answer(reply.talk, dialog_of(reply), new_password=new, repeat=new)
    assert reply.result == COMPLETE, changing.explain(reply)
    reply.talk.close()


def test_password_that_cannot_be_changed(changing, people):
    """The directory lets nobody in whose password has expired, not even to change it."""
    user = people.too_old
    new = secret("Long-Enough-" + os.urandom(6).hex())
    reply = changing.log_on(user.name, user.password, caps=True)
    with reply.talk:
        reply = answer(reply.talk, dialog_of(reply), new_password=new, repeat=new)
        changing.failed(reply, EXPIRED_PASSWORD,
                        "The password could not be changed. Please tell your administrator.",
                        "the password could not be changed")
