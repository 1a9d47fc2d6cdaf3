"""Version negotiation: what is served is answered with the version asked; anything else names what is served."""

import re

import pytest

import messages
from messages import AGENT_PATH, DECLARATION
from wire import Raw, Talk, request


@pytest.fixture(params=["broker", "manager", "direct"])
def address(request, system):
    return getattr(system, f"{request.param}_address")


@pytest.mark.parametrize("root", ["pcoip-client", "pcoip-broker"])
@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
def test_served(address, studio, root, version):
    with Talk(address, studio.ca, root, version) as talk:
        reply = talk.hello()
        assert (reply.root.tag, reply.version) == (root, version)
        reply = talk.ask(messages.authenticate(studio.alice.name, studio.alice.password))
        assert (reply.result, reply.version) == ("AUTH_SUCCESSFUL_AND_COMPLETE", version)
        assert talk.ask(messages.BYE).version == version


@pytest.mark.parametrize("version", ["2.2", "3.0", "0.9", "10.0", "x", "", "2", "2.1.1", "-1.0", "99999999999999999999.0"])
def test_not_served(address, studio, version):
    with Talk(address, studio.ca, version=version) as talk:
        answer = talk.send(messages.hello())
        reply = answer.reply
        assert (reply.name, reply.result) == ("error-resp", "ERR_UNSUPPORTED_VERSION")
        assert re.search(r"1\.0 to 2\.1", reply.detail), reply.detail
        assert reply.version == "2.1"
        assert answer.cookie is None


def test_missing(address, studio):
    with Raw(address, studio.ca) as raw:
        raw.send(request(f"{DECLARATION}<pcoip-client>{messages.hello()}</pcoip-client>"))
        reply = raw.answer().reply
        assert (reply.name, reply.result) == ("error-resp", "ERR_UNSUPPORTED_VERSION")
        assert re.search(r"1\.0 to 2\.1", reply.detail), reply.detail


def test_newer_message_in_a_session(address, studio):
    with Talk(address, studio.ca) as talk:
        talk.hello()
        talk.version = "3.0"
        assert talk.ask(messages.BYE).result == "ERR_UNSUPPORTED_VERSION"


def test_client_may_fall_back(address, studio):
    """Refused with the newest, it comes with one that is named."""
    with Talk(address, studio.ca, version="3.0") as talk:
        served = re.search(r"to (\d+\.\d+)", talk.ask(messages.hello()).detail).group(1)
        talk.version = served
        assert talk.hello().version == served


def test_agent_api(system, studio):
    """The launch API has a version of its own, 1.0."""
    with Talk(system.launch_address, studio.ca, "pcoip-agent", "1.0", AGENT_PATH) as talk:
        assert talk.ask("<session-status/>").version == "1.0"
        talk.version = "2.1"
        reply = talk.ask("<session-status/>")
        assert (reply.name, reply.result, reply.version) == ("error-resp", "ERR_UNSUPPORTED_VERSION", "1.0")
        assert "1.0" in reply.detail


def test_license_exchange(system, studio):
    with Talk(system.license.address("license"), studio.ca, "fairlead-license", "9.0", messages.LICENSE_PATH) as talk:
        reply = talk.ask(messages.checkout("v-host"))
        assert (reply.name, reply.result) == ("error-resp", "ERR_UNSUPPORTED_VERSION")
        assert "1.0" in reply.detail
