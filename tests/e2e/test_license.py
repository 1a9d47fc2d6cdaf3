"""The licence service, and what its answers mean for agents, brokers and clients."""

import re

import pytest

import certs
import fakes
import messages
from messages import LICENSE_PATH, launch
from wire import Talk

NO_LICENSE = "FAILED_NO_LICENSE"


def exchange(service, studio):
    return Talk(service.address("license"), studio.ca, "fairlead-license", "1.0", LICENSE_PATH)


def start_session(agent, studio, person=None, license_path=""):
    person = person or studio.alice
    with Talk(agent.address("launch"), studio.ca, "pcoip-agent", "1.0", messages.AGENT_PATH) as talk:
        return talk.ask(launch(person.name, person.password, license_path=license_path))


# --- the service ---


def test_checkout_renew_return(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path, 2, licenses=[
        {"feature": "standard", "seats": 2, "expires": "2099-12-31"}]))
    with exchange(service, studio) as talk:
        reply = talk.ask(messages.checkout("host-1"))
        assert (reply.root.tag, reply.name, reply.result) == (
            "fairlead-license", "checkout-license-resp", "LICENSE_GRANTED")
        lease = reply.text("lease-id")
        assert re.fullmatch("[0-9a-f]{32}", lease)
        assert reply.text("lease-seconds") == "300"
        assert (reply.text("seats-total"), reply.text("seats-free")) == ("2", "1")
        assert reply.text("expires").startswith("2100-01-01T00:00:00")
        assert int(reply.text("remaining-days")) > 20000
        reply = talk.ask(messages.lease_message("renew", lease, "host-1"))
        assert (reply.name, reply.result) == ("renew-license-resp", "LICENSE_RENEWED")
        for _, result in enumerate(("LICENSE_RETURNED", "LICENSE_UNKNOWN_LEASE")):
            reply = talk.ask(messages.lease_message("return", lease, "host-1"))
            assert (reply.name, reply.result) == ("return-license-resp", result)
        assert talk.ask(messages.lease_message("renew", lease, "host-1")).result == "LICENSE_UNKNOWN_LEASE"


def test_seats_are_counted(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path, 2))
    with exchange(service, studio) as talk:
        first = talk.ask(messages.checkout("host-1"))
        assert talk.ask(messages.checkout("host-2")).result == "LICENSE_GRANTED"
        reply = talk.ask(messages.checkout("host-3"))
        assert reply.result == "LICENSE_DENIED_NO_SEATS"
        assert reply.text("lease-id") is None
        again = talk.ask(messages.checkout("host-1"))
        assert again.text("lease-id") == first.text("lease-id"), "a restarted agent gets its lease again"
        talk.ask(messages.lease_message("return", first.text("lease-id"), "host-1"))
        assert talk.ask(messages.checkout("host-3")).result == "LICENSE_GRANTED"


def test_lease_belongs_to_its_host(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path))
    with exchange(service, studio) as talk:
        lease = talk.ask(messages.checkout("host-1")).text("lease-id")
        for kind in ("renew", "return"):
            assert talk.ask(messages.lease_message(kind, lease, "host-2")).result == "LICENSE_UNKNOWN_LEASE"
        assert talk.ask(messages.lease_message("renew", lease, "host-1")).result == "LICENSE_RENEWED"


@pytest.mark.parametrize("feature, result", [
    ("graphics", "LICENSE_DENIED_NOT_CONFIGURED"), ("old", "LICENSE_DENIED_EXPIRED"), ("none", "LICENSE_DENIED_NO_SEATS")])
def test_denied(start, studio, tmp_path, feature, result):
    service = start("fairlead-license", studio.license(tmp_path, licenses=[
        {"feature": "standard", "seats": 1}, {"feature": "old", "seats": 5, "expires": "2020-12-31"},
        {"feature": "none", "seats": 0}]))
    with exchange(service, studio) as talk:
        reply = talk.ask(messages.checkout("host-1", feature))
        assert (reply.result, reply.text("lease-id")) == (result, None)
        assert reply.words
    service.log.wait(rf"LICENSE :Feature {feature} denied to host ws-9: {result}")


def test_many_agents_never_get_more_than_there_is(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path, 5))
    talks = [exchange(service, studio) for _ in range(20)]
    for i, talk in enumerate(talks):
        talk.begin(messages.checkout(f"host-{i}"))
    results = [talk.receive().reply.result for talk in talks]
    assert results.count("LICENSE_GRANTED") == 5
    assert results.count("LICENSE_DENIED_NO_SEATS") == 15
    for talk in talks:
        talk.close()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_leases_survive_a_restart(start, studio, tmp_path, how):
    service = start("fairlead-license", studio.license(tmp_path, 1))
    with exchange(service, studio) as talk:
        lease = talk.ask(messages.checkout("host-1")).text("lease-id")
    if how == "stopped":
        assert service.stop() == 0
    else:
        service.kill()
    again = start("fairlead-license", studio.license(tmp_path, 1))
    again.log.wait(r"LICENSE :Store \S+ opened, 1 leases? kept from before")
    with exchange(again, studio) as talk:
        assert talk.ask(messages.checkout("host-2")).result == "LICENSE_DENIED_NO_SEATS"
        assert talk.ask(messages.lease_message("renew", lease, "host-1")).result == "LICENSE_RENEWED"
    assert (tmp_path / "license.db").stat().st_mode & 0o077 == 0


def test_lease_of_a_dead_agent_ends(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path, 1, **{"lease-seconds": 10}))
    agent = start("fairlead-agent", studio.agent(tmp_path, service.address("license")))
    assert start_session(agent, studio).result == "SUCCESSFUL"
    agent.kill()
    with exchange(service, studio) as talk:
        assert talk.ask(messages.checkout("host-2")).result == "LICENSE_DENIED_NO_SEATS"
        service.log.wait(r"LICENSE :Lease of host \S+ for feature standard ended without being returned")
        assert talk.ask(messages.checkout("host-2")).result == "LICENSE_GRANTED"


def test_living_agent_renews(start, studio, tmp_path):
    """At half the lease, so a lease of 10 s is renewed after 5."""
    service = start("fairlead-license", studio.license(tmp_path, 1, **{"lease-seconds": 10}))
    agent = start("fairlead-agent", studio.agent(tmp_path, service.address("license")))
    assert start_session(agent, studio).result == "SUCCESSFUL"
    agent.log.wait("AGENT :License renewed for 10 seconds")


def test_reload_of_seats(start, studio, tmp_path):
    """Fewer seats: who has one keeps it until the next renewal; more seats: at once."""
    service = start("fairlead-license", studio.license(tmp_path, 2))
    with exchange(service, studio) as talk:
        first = talk.ask(messages.checkout("host-1")).text("lease-id")
        second = talk.ask(messages.checkout("host-2")).text("lease-id")
        service.configure(studio.license(tmp_path, 1))
        assert service.reload()
        assert talk.ask(messages.lease_message("renew", first, "host-1")).result == "LICENSE_RENEWED"
        assert talk.ask(messages.lease_message("renew", second, "host-2")).result == "LICENSE_DENIED_NO_SEATS"
        service.configure(studio.license(tmp_path, 9))
        assert service.reload()
        assert talk.ask(messages.lease_message("renew", second, "host-2")).result == "LICENSE_RENEWED"


def test_store_that_is_none(start, studio, tmp_path):
    (tmp_path / "license.db").write_text("this is not a database, and long enough to be looked at " * 50)
    with pytest.raises(AssertionError, match="did not get ready"):
        start("fairlead-license", studio.license(tmp_path))


@pytest.mark.parametrize("body", [
    "<checkout-license/>", "<checkout-license><host-id>h</host-id></checkout-license>", "<renew-license/>", "<hello/>"])
def test_bad_requests(system, studio, body):
    with exchange(system.license, studio) as talk:
        reply = talk.ask(body)
        assert (reply.name, reply.result) == ("error-resp", "ERR_INVALID_MSG_FORMAT")
        assert reply.text("detected-by") == "LICENSE"


# --- what it means for an agent ---


def test_granted(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path, licenses=[
        {"feature": "standard", "seats": 1, "expires": "2099-12-31"}]))
    agent = start("fairlead-agent", studio.agent(tmp_path, service.address("license")))
    assert start_session(agent, studio).result == "SUCCESSFUL"
    found = agent.log.wait(
        r"AGENT :License acquired; source: (\S+); time: \d+\.\d\d s; origin: local-settings; remaining: (\d+) days;$")
    assert service.address("license") in found.group(1)
    assert int(found.group(2)) > 20000
    service.log.wait(r"LICENSE :Feature standard checked out by host ws-1\.example for 300 seconds, 0 of 1 seats free")


def test_no_seats(start, studio, tmp_path):
    """The vendor's texts in the agent's log; its own result for the manager; the public one for the client."""
    service = start("fairlead-license", studio.license(tmp_path, 0))
    agent = start("fairlead-agent", studio.agent(tmp_path, service.address("license")))
    reply = start_session(agent, studio)
    assert (reply.result, reply.message.find("session-info")) == (NO_LICENSE, None)
    agent.log.wait(r"AGENT :Could not launch a remote session because no software licenses are available on your "
                   r"local license server \(https?://\S+\)$")
    agent.log.wait(r"AGENT :License denied$")
    broker = start("fairlead-broker", studio.broker(agent.port("launch")))
    manager = start("fairlead-manager", studio.manager(broker.address("broker"), agent.port("launch")))
    for address, resource in ((broker.address("broker"), "r-edit"), (manager.address("manager"), "r-edit"),
                              (agent.address("direct"), "0")):
        with Talk(address, studio.ca) as talk:
            talk.log_on(studio.alice.name, studio.alice.password)
            assert talk.ask(messages.allocate(resource)).result == "ALLOC_FAILED_NO_LICENSE"


def test_denied_host_is_free_for_the_next(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path, 0))
    agent = start("fairlead-agent", studio.agent(tmp_path, service.address("license")))
    for person in (studio.alice, studio.bob):
        assert start_session(agent, studio, person).result == NO_LICENSE


def test_not_configured(start, studio, tmp_path):
    agent = start("fairlead-agent", studio.agent(tmp_path))
    assert start_session(agent, studio).result == NO_LICENSE
    agent.log.wait(r"AGENT :Could not launch a remote session because there are no configured license servers$")
    agent.log.wait(r"AGENT :License denied$")


@pytest.mark.parametrize("feature", ["graphics", "old"])
def test_no_such_feature_and_expired(start, studio, tmp_path, feature):
    service = start("fairlead-license", studio.license(tmp_path, licenses=[
        {"feature": "old", "seats": 5, "expires": "2020-12-31"}]))
    config = studio.agent(tmp_path, service.address("license"))
    config["license"]["feature"] = feature
    agent = start("fairlead-agent", config)
    assert start_session(agent, studio).result == NO_LICENSE
    agent.log.wait(r"AGENT :Getting license failed: \S")
    agent.log.wait(r"AGENT :License denied$")


UNREACHABLE = (r"AGENT :Getting license failed: Could not send message to FNE license server\. "
               r"Generic communications error\. General data transfer failure\. \S")


def test_unreachable(start, studio, tmp_path):
    agent = start("fairlead-agent", studio.agent(tmp_path, f"127.0.0.1:{fakes.refusing_port()}"))
    assert start_session(agent, studio).result == NO_LICENSE
    agent.log.wait(UNREACHABLE)
    agent.log.wait(r"AGENT :License denied$")


def test_untrusted_service_is_no_service(start, studio, tmp_path):
    stranger = certs.Authority(tmp_path / "other").issue("stranger")
    service = start("fairlead-license", studio.license(tmp_path, certificates=[stranger.config()]))
    agent = start("fairlead-agent", studio.agent(tmp_path, service.address("license")))
    assert start_session(agent, studio).result == NO_LICENSE
    agent.log.wait(UNREACHABLE)


def test_grace_period(start, studio, tmp_path):
    """Counted from the last success; survives a restart of the agent; gone with the service back."""
    service = start("fairlead-license", studio.license(tmp_path))
    address = service.address("license")
    config = studio.agent(tmp_path, address)
    config["license"]["grace-days"] = 7
    agent = start("fairlead-agent", config)
    assert start_session(agent, studio).result == "SUCCESSFUL"
    assert agent.stop() == 0
    assert service.stop() == 0
    again = start("fairlead-agent", config)
    assert start_session(again, studio).result == "SUCCESSFUL"
    again.log.wait(UNREACHABLE)
    again.log.wait(r"AGENT :PCoIP License grace period expires in [67] day\(s\)\.$")
    again.log.wait(r"AGENT :License status text: Your grace period ends on \d{1,2} [A-Z][a-z]+ \d{4}\.$")
    start("fairlead-license", studio.license(tmp_path, listen=[{"address": address}]))
    mark = again.log.mark()
    assert start_session(again, studio).result == "SUCCESSFUL"
    again.log.wait(r"AGENT :License acquired; ", mark)


def test_no_grace_without_a_success(start, studio, tmp_path):
    config = studio.agent(tmp_path, f"127.0.0.1:{fakes.refusing_port()}")
    config["license"]["grace-days"] = 7
    agent = start("fairlead-agent", config)
    assert start_session(agent, studio).result == NO_LICENSE


def test_grace_does_not_cover_a_refusal(start, studio, tmp_path):
    service = start("fairlead-license", studio.license(tmp_path, 1))
    config = studio.agent(tmp_path, service.address("license"))
    config["license"]["grace-days"] = 7
    agent = start("fairlead-agent", config)
    assert start_session(agent, studio).result == "SUCCESSFUL"
    service.configure(studio.license(tmp_path, 0))
    assert service.reload()
    assert agent.stop() == 0
    again = start("fairlead-agent", config)
    assert start_session(again, studio).result == NO_LICENSE


def test_license_path_of_a_launch(start, studio, tmp_path):
    """A launch may name the service, in the vendor's spelling; restrict-path forbids it."""
    service = start("fairlead-license", studio.license(tmp_path))
    port = service.port("license")
    config = studio.agent(tmp_path, f"127.0.0.1:{fakes.refusing_port()}")
    agent = start("fairlead-agent", config)
    for path in (f"{port}@127.0.0.1", f"https://127.0.0.1:{port}/request", f"127.0.0.1:{port}"):
        assert start_session(agent, studio, license_path=path).result == "SUCCESSFUL"
    config["license"]["restrict-path"] = True
    restricted = start("fairlead-agent", config, tag="restricted")
    assert start_session(restricted, studio, license_path=f"{port}@127.0.0.1").result == NO_LICENSE
