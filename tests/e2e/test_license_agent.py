"""Stage 6 from the agent: what its licence client asks, writes into the log, and remembers."""

import signal
import time

import messages
from wire import Talk

LOG_ID = "49756700-6f13-1039-a32b-02c4a91e7d01"
NOBODY = "127.0.0.1:1"
DENIED = r"AGENT :License denied$"


def agent(start, studio, folder, address=None, **license):
    config = studio.agent(folder)
    if address is not None:
        license["address"] = address
    config["license"] = {"trust": {"ca": studio.ca}, **license}
    return start("fairlead-agent", config)


def launch(program, studio, license_path=""):
    with Talk(program.address("launch"), studio.ca, root="pcoip-agent", version="1.0",
              path=messages.AGENT_PATH, log_id=LOG_ID) as talk:
        alice = studio.alice
        return talk.ask(messages.launch(alice.name, alice.password, license_path=license_path,
                                        log_id=LOG_ID))


def test_acquired_and_returned(start, studio, tmp_path):
    license = start("fairlead-license", studio.license(tmp_path, seats=1))
    address = license.address("license")
    program = agent(start, studio, tmp_path, address)
    assert launch(program, studio).result == "SUCCESSFUL"
    program.log.wait(
        r"Z 00000000-0000-0000-0000-000000000000 > LVL:2 RC:   0           AGENT :License acquired; "
        rf"source: https://{address}/fairlead-license/xml; time: \d\.\d\d s; origin: local-settings; "
        r"remaining: unlimited;$")
    license.log.wait(rf"{LOG_ID} > .*Feature standard checked out by host ws-1.example")
    assert program.stop() == 0
    license.log.wait(rf"{LOG_ID} > .*Feature standard returned by host ws-1.example, 1 of 1 seats free")
    assert any("AGENT :License returned" in line for line in program.log.since())


def test_an_agent_that_crashed_gets_its_seat_again(start, studio, tmp_path):
    license = start("fairlead-license", studio.license(tmp_path, seats=1))
    program = agent(start, studio, tmp_path, license.address("license"))
    assert launch(program, studio).result == "SUCCESSFUL"
    program.stop(signal.SIGKILL)
    program = agent(start, studio, tmp_path, license.address("license"))
    assert launch(program, studio).result == "SUCCESSFUL"


def test_remaining_days(start, studio, tmp_path):
    license = start("fairlead-license", studio.license(
        tmp_path, licenses=[{"feature": "standard", "seats": 1, "expires": "9998-12-31"}]))
    program = agent(start, studio, tmp_path, license.address("license"))
    assert launch(program, studio).result == "SUCCESSFUL"
    program.log.wait(r"License acquired; .* remaining: 29\d{5} days;$")


def test_no_seats(start, studio, tmp_path):
    license = start("fairlead-license", studio.license(tmp_path, seats=0))
    address = license.address("license")
    program = agent(start, studio, tmp_path, address, **{"grace-days": 7})
    reply = launch(program, studio)
    assert reply.result == "FAILED_NO_LICENSE"
    assert reply.text("fail-reason") == "All seats are taken."
    program.log.wait(
        r"AGENT :Could not launch a remote session because no software licenses are available on your "
        rf"local license server \(https://{address}/fairlead-license/xml\)$")
    program.log.wait(DENIED)
    license.log.wait("Feature standard denied to host ws-1.example: LICENSE_DENIED_NO_SEATS")


def test_not_configured(start, studio, tmp_path):
    program = agent(start, studio, tmp_path)
    assert launch(program, studio).result == "FAILED_NO_LICENSE"
    program.log.wait(
        r"LVL:2 RC:   0           AGENT :Could not launch a remote session because there are no "
        r"configured license servers$")
    program.log.wait(DENIED)


def test_unreachable(start, studio, tmp_path):
    program = agent(start, studio, tmp_path, NOBODY, **{"grace-days": 7})
    assert launch(program, studio).result == "FAILED_NO_LICENSE"
    program.log.wait(
        r"LVL:1 RC:-500           AGENT :Getting license failed: Could not send message to FNE license "
        r"server\. Generic communications error\. General data transfer failure\. Couldn't connect to "
        r"server \(.*\)$")
    program.log.wait(DENIED)


def test_a_certificate_of_nobody_we_know(start, studio, tmp_path):
    license = start("fairlead-license", studio.license(tmp_path))
    program = agent(start, studio, tmp_path, license.address("license"), trust={"fingerprint": "00" * 32})
    assert launch(program, studio).result == "FAILED_NO_LICENSE"
    program.log.wait(r"SSL peer certificate or SSH remote key was not OK \(.*\)$")


def test_the_grace_period_survives_a_restart(start, studio, tmp_path):
    license = start("fairlead-license", studio.license(tmp_path))
    program = agent(start, studio, tmp_path, license.address("license"), **{"grace-days": 7})
    assert launch(program, studio).result == "SUCCESSFUL"
    program.stop()
    state = tmp_path / "license"
    assert state.read_text().startswith("fairlead-license-grace 1\nhost ws-1.example\nsuccess ")
    program = agent(start, studio, tmp_path, NOBODY, **{"grace-days": 7})
    assert launch(program, studio).result == "SUCCESSFUL"
    program.log.wait(r"AGENT :PCoIP License grace period expires in 6 day\(s\)\.$")
    program.log.wait(r"AGENT :License status text: Your grace period ends on \d{1,2} [A-Z]\w+ \d{4}\.$")
    program.stop()
    past = int(time.time()) - 7 * 86400 - 1
    state.write_text(f"fairlead-license-grace 1\nhost ws-1.example\nsuccess {past}\n")
    program = agent(start, studio, tmp_path, NOBODY, **{"grace-days": 7})
    assert launch(program, studio).result == "FAILED_NO_LICENSE"
    program.log.wait(DENIED)


def test_the_launch_request_names_the_service(start, studio, tmp_path):
    license = start("fairlead-license", studio.license(tmp_path))
    port = license.port("license")
    program = agent(start, studio, tmp_path, NOBODY)
    assert launch(program, studio, f"{port}@127.0.0.1").result == "SUCCESSFUL"
    program.stop()
    program = agent(start, studio, tmp_path, NOBODY)
    assert launch(program, studio, f"http://127.0.0.1:{port}/request").result == "SUCCESSFUL"
    program.stop()
    program = agent(start, studio, tmp_path, NOBODY, **{"restrict-path": True})
    assert launch(program, studio, f"{port}@127.0.0.1").result == "FAILED_NO_LICENSE"
