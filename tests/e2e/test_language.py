"""What users read is in the language of their client; what programs read is the same in all."""

import gettext
import json
import pathlib
import subprocess

import pytest

import fakes
import messages
from programs import TREE, program, run
from wire import Talk

PO = pathlib.Path(TREE) / "po"
#: The locales of clients, and the catalogue each of them reads; None: English.
LOCALES = [
    ("en_US", None), ("de_DE", "de"), ("de_AT.UTF-8", "de"), ("DE-ch", "de"), ("fr_CA", "fr"), ("es_MX", "es"),
    ("ja_JP", "ja"), ("zz_ZZ", None), ("C", None), ("", None), ("de\u0301", None), ("..%2f..%2fde", None),
]
TOLD = {None: "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "ja": "ja_JP"}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """catalogue("de", key, english): what gettext's own programs make of the catalogues in the tree."""
    folder = tmp_path_factory.mktemp("catalogues")
    read = {}
    for language in PO.joinpath("LINGUAS").read_text().split():
        target = folder / f"{language}.mo"
        subprocess.run(["msgfmt", "-o", target, PO / f"{language}.po"], check=True)
        with open(target, "rb") as file:
            read[language] = gettext.GNUTranslations(file)

    def look(language, key, english):
        if language is None:
            return english
        text = read[language].pgettext(key, english)
        assert text != english, f"{language} lacks {key}"
        return text

    return look


def begun(talk, locale):
    reply = talk.ask(messages.hello(locale=locale))
    assert reply.name == "hello-resp"
    return reply


def log_on(talk, locale, person):
    begun(talk, locale)
    reply = talk.ask(messages.authenticate(person.name, person.password, person.domain or "studio"))
    assert reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"
    return reply


@pytest.mark.parametrize("way", ["broker", "manager"])
@pytest.mark.parametrize("locale, language", LOCALES)
def test_every_stage(system, studio, catalogue, way, locale, language):
    with Talk(getattr(system, f"{way}_address"), studio.ca) as talk:
        reply = begun(talk, locale)
        assert reply.text("brokers-info/broker-info/locale") == TOLD[language]
        # too early
        with Talk(getattr(system, f"{way}_address"), studio.ca) as early:
            begun(early, locale)
            reply = early.ask(messages.GET_RESOURCE_LIST)
            assert (reply.name, reply.result) == ("error-resp", "ERR_MESSAGE_NOT_ALLOWED")
            assert reply.words == catalogue(
                language, "RESULT_ERR_MESSAGE_NOT_ALLOWED",
                "The message is not allowed at this point of the session")
            assert reply.detail == "'get-resource-list' is not allowed in state CREATED"
        reply = talk.ask(messages.authenticate("carol", studio.carol.password, "studio"))
        assert reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE"
        assert reply.words == catalogue(
            language, f"RESULT_{reply.result}", "Authentication completed successfully")
        reply = talk.ask(messages.GET_RESOURCE_LIST)
        assert reply.result == "LIST_FAILED_NO_ENTITLEMENT"
        assert reply.words == catalogue(
            language, f"RESULT_{reply.result}", "User has not been assigned any remote workstations")
        reply = talk.ask(messages.allocate("no-such"))
        assert reply.result == "ALLOC_FAILED_TO_ALLOCATE_BROKER"
        assert reply.words == catalogue(
            language, "RESOURCE_UNKNOWN",
            "This resource does not exist or is not yours; get the list anew.")


def test_wrong_password(start, studio, catalogue):
    broker = start("fairlead-broker", studio.broker(guard={"delay-ms": 1, "delay-most-ms": 1}))
    for person, language in zip(studio.people, ["de", "fr", "es", "ja"]):
        with Talk(broker.address("broker"), studio.ca) as talk:
            begun(talk, language)
            reply = talk.ask(messages.authenticate(person.name, "not-the-password", person.domain or "studio"))
            assert reply.result == "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD"
            assert reply.words == catalogue(
                language, f"RESULT_{reply.result}",
                "User authentication failed. Please re-enter username, password, and/or domain.")


@pytest.mark.parametrize("locale, language", LOCALES[:7:2])
def test_direct(system, studio, catalogue, locale, language):
    with Talk(system.direct_address, studio.ca) as talk:
        log_on(talk, locale, studio.alice)
        reply = talk.ask(messages.allocate("no-such"))
        assert reply.result == "ALLOC_FAILED_TO_ALLOCATE_BROKER"
        assert reply.words == catalogue(
            language, "RESOURCE_NOT_HERE", "This host has no such resource; get the list anew.")


@pytest.mark.parametrize("way", ["broker", "manager", "direct"])
def test_no_seat(start, studio, tmp_path, catalogue, way):
    """The words are the licence service's, and come by way of an agent; neither knows the language."""
    license = start("fairlead-license", studio.license(tmp_path, seats=0))
    agent = start("fairlead-agent", studio.agent(tmp_path, license.address("license")))
    broker = start("fairlead-broker", studio.broker(agent.port("launch")))
    manager = start("fairlead-manager", studio.manager(broker.address("broker"), agent.port("launch")))
    address = {"broker": broker, "manager": manager, "direct": agent}[way].address(way)
    with Talk(address, studio.ca) as talk:
        log_on(talk, "ja", studio.alice)
        reply = talk.ask(messages.allocate("0" if way == "direct" else "r-edit"))
        assert reply.result == "ALLOC_FAILED_NO_LICENSE"
        assert reply.words == catalogue("ja", "RESULT_LICENSE_DENIED_NO_SEATS", "All seats are taken.")
    if way == "broker":
        # administrators read English
        broker.log.wait("All seats are taken")


@pytest.mark.parametrize("reason, key", [
    ("Failed to start the session due to user authentication failing.", "RESULT_FAILED_USER_AUTH"),
    ("<fail-reason/>", "RESULT_FAILED_USER_AUTH"),
    ("Weil es so ist.", None),
])
@pytest.mark.parametrize("way", ["broker", "manager"])
def test_agent_s_words(start, studio, catalogue, way, reason, key):
    """Ours in the user's language, another agent's as they are."""
    said = reason if reason.startswith("<") else f"<fail-reason>{reason}</fail-reason>"
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: (
        f"<launch-session-resp><result-id>FAILED_USER_AUTH</result-id>{said}</launch-session-resp>")))
    broker = start("fairlead-broker", studio.broker(agent.port))
    address = broker.address("broker")
    if way == "manager":
        address = start("fairlead-manager", studio.manager(address, agent.port)).address("manager")
    with Talk(address, studio.ca) as talk:
        log_on(talk, "fr_FR", studio.alice)
        reply = talk.ask(messages.allocate("r-edit"))
        assert reply.result == "ALLOC_FAILED_TO_ALLOCATE_AGENT"
        assert reply.words == (reason if key is None else catalogue(
            "fr", key, "Failed to start the session due to user authentication failing."))


def test_no_broker(start, studio, catalogue):
    """The manager has texts of its own; they are for the user whose hello it has seen."""
    broker = start("fairlead-broker", studio.broker())
    manager = start("fairlead-manager", studio.manager(broker.address("broker")))
    with Talk(manager.address("manager"), studio.ca) as talk:
        begun(talk, "es_ES")
        broker.stop()
        reply = talk.ask(messages.authenticate("alice", studio.alice.password, "studio"))
        assert reply.result == "AUTH_FAILED_BROKER_UNREACHABLE"
        assert reply.words == catalogue(
            "es", f"RESULT_{reply.result}",
            "The broker that checks user names and passwords did not answer. Please try again later.")
    with Talk(manager.address("manager"), studio.ca) as talk:
        reply = talk.ask(messages.hello(locale="fr"))
        assert (reply.name, reply.result) == ("error-resp", "ERR_BROKER_UNREACHABLE")
        assert reply.words == catalogue(
            "fr", f"RESULT_{reply.result}", "The broker did not answer. Please try again later.")


@pytest.mark.parametrize("variables, language", [
    ({"LANG": "de_AT.UTF-8"}, "de"),
    ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_FR.UTF-8"}, "fr"),
    ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_FR", "LC_ALL": "es_ES@euro"}, "es"),
    ({"LANG": "ja_JP", "LC_MESSAGES": "", "LC_ALL": ""}, "ja"),
    ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, None),
    ({"LANG": "C.UTF-8"}, None),
    ({"LANG": "POSIX"}, None),
    ({"LANG": "zz_ZZ"}, None),
    ({}, None),
])
def test_client(system, studio, tmp_path, log_folders, catalogue, variables, language):
    """`fairlead connect` speaks of its user's locale as other programs on his machine do."""
    log_folders.append(tmp_path)
    password = tmp_path / "password"
    password.write_text(studio.carol.password)
    password.chmod(0o600)
    done = run(program("fairlead"), "connect", "--json", "--user", "carol", "--domain", "studio",
               "--password-file", password, "--ca", studio.ca, "--log", "none", system.broker_address,
               env={"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path),
                    "LANG": "", "LC_MESSAGES": "", "LC_ALL": "", **variables})
    error = json.loads(done.stdout)["error"]
    assert error["result_id"] == "LIST_FAILED_NO_ENTITLEMENT"
    assert error["text"] == catalogue(
        language, "RESULT_LIST_FAILED_NO_ENTITLEMENT",
        "User has not been assigned any remote workstations")
