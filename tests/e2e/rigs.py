"""Fixtures for logons: the foreign servers, started once for a run, and a broker in front of them."""

import re

import pytest

import messages
from active_directory import SambaDomain
from openldap import OpenLdap
from programs import Launcher
from radius_server import FreeRadius
from wire import Talk

# What users read; from src/protocol/results.def and texts.def.
UNKNOWN = "User authentication failed. Please re-enter username, password, and/or domain."
EXPIRED = "The password has expired. Please change it and try again."
DIRECTORY_SILENT = (
    "The directory that checks user names and passwords did not answer. Please try again later.")
RADIUS_SILENT = "Timeout: No Response from RADIUS Server."
PAM_SILENT = "The service that checks user names and passwords failed. Please tell your administrator."

COMPLETE = "AUTH_SUCCESSFUL_AND_COMPLETE"
INCOMPLETE = "AUTH_SUCCESSFUL_AND_INCOMPLETE"
WRONG = "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD"
DENIED = "AUTH_FAILED_ACCESS_DENIED"
EXPIRED_PASSWORD = "AUTH_FAILED_EXPIRED_PASSWORD"
INVALID_ENTRY = "AUTH_FAILED_DIALOG_INVALID_USER_ENTRY"


@pytest.fixture(scope="session")
def samba(tmp_path_factory, studio):
    domain = SambaDomain(tmp_path_factory.mktemp("samba"), studio.authority)
    yield domain
    domain.close()


@pytest.fixture(scope="session")
def slapd(tmp_path_factory, studio):
    server = OpenLdap(tmp_path_factory.mktemp("slapd"), studio.authority)
    yield server
    server.close()


@pytest.fixture(scope="session")
def freeradius(tmp_path_factory):
    server = FreeRadius(tmp_path_factory.mktemp("freeradius"), codes={
        "alice": messages.secret("C0de-of-alice"), "zoë": messages.secret("Cöde-of-zoë")})
    yield server
    server.close()


@pytest.fixture(scope="module")
def start_once(tmp_path_factory, log_folders):
    """As `start`, for all tests of a file."""
    folder = tmp_path_factory.mktemp("shared")
    log_folders.append(folder)
    launcher = Launcher(folder)
    yield launcher
    launcher.close()


def broker_config(studio, *directories, **keys):
    """A broker whose users come from elsewhere. Its guard is off: it has tests of its own."""
    made = studio.broker(
        domains=["STUDIO"], guard={"off": True},
        resources=[
            {"id": "r-edit", "name": "Edit suite 1", "host": "edit-01", "groups": ["editors"]},
            {"id": "r-colour", "name": "Colour suite", "host": "edit-01", "groups": ["colourists"]},
            {"id": "r-farm", "name": "Farm desk", "host": "farm-01", "users": ["bob"]},
        ])
    if directories:
        made["directories"] = list(directories)
    if "users" in keys:
        # Groups that nobody is in are a fault where the configuration knows all users.
        made["resources"] = [one for one in made["resources"] if one["id"] != "r-colour"]
    else:
        del made["users"]
    made.update(keys)
    return {key: value for key, value in made.items() if value is not None}


class Door:
    """A program at which users log on, and what its log says about it."""

    def __init__(self, program, ca, kind="broker"):
        self.program, self.ca, self.kind = program, ca, kind
        self.log = program.log

    def talk(self, caps=False, **how):
        talk = Talk(self.program.address(self.kind), self.ca, **how)
        talk.mark = self.log.mark()
        talk.hello(extra=messages.CAPS if caps else "")
        return talk

    def log_on(self, user, password, domain="STUDIO", caps=False, **how):
        """A session of its own; the reply, and the talk as `reply.talk`."""
        talk = self.talk(caps, **how)
        reply = talk.ask(messages.authenticate(user, password, domain))
        assert reply.name == "authenticate-resp", reply
        reply.talk = talk
        return reply

    def right(self, user, password, domain="STUDIO", **how):
        reply = self.log_on(user, password, domain, **how)
        assert reply.result == COMPLETE, self.explain(reply)
        return reply.talk

    def resources(self, user, password, domain="STUDIO", **how):
        """What who logs on so may have."""
        with self.right(user, password, domain, **how) as talk:
            reply = talk.ask(messages.GET_RESOURCE_LIST)
            assert reply.name == "get-resource-list-resp", reply
            return set(reply.texts("resource/resource-id"))

    def wrong(self, user, password, result, words, phrase, detail="", domain="STUDIO", **how):
        """Fails like this: for the client, for the user, for the administrator (whose line may say more in
        brackets). Returns the line."""
        reply = self.log_on(user, password, domain, **how)
        with reply.talk:
            self.failed(reply, result, words, phrase, detail)

    def failed(self, reply, result, words, phrase, detail=""):
        assert (reply.result, reply.words) == (result, words), self.explain(reply)
        assert reply.text("next-authentication") is None, reply
        self.log.wait(
            rf"Stage 2: Logon failed: {re.escape(phrase)} \((.*){detail}(.*)\)$", reply.talk.mark)

    def explain(self, reply):
        lines = (line for line in self.log.since(reply.talk.mark) if "XML:" not in line)
        return "\n".join([repr(reply), *lines])


def dialog_of(reply):
    """The dialog of an answer: its id, purpose, texts and prompts."""
    assert reply.result in (INCOMPLETE, INVALID_ENTRY), reply
    methods = reply.texts("next-authentication/authentication-methods/method")
    assert methods == ["AUTHENTICATE_VIA_DIALOG"], reply
    found = reply.message.find("next-authentication/dialog")
    return {
        "id": found.get("id"), "purpose": found.get("purpose"),
        "title": found.findtext("title"), "text": found.findtext("text"),
        "prompts": {one.get("name"): (one.text, one.get("hidden")) for one in found.findall("prompt")},
    }


def answer(talk, asked, **answers):
    """Answers a dialog."""
    talk.mark = getattr(talk, "mark", 0)
    reply = talk.ask(messages.dialog(asked["id"], **answers))
    assert reply.name == "authenticate-resp", reply
    reply.talk = talk
    return reply
