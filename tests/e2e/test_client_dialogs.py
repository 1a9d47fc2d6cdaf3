"""`fairlead connect` where the server asks: terms, second factors, new passwords; on a terminal and without one."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

import fakes
import messages
from programs import LIMIT, program, run
from test_client import Client, Terminal, failed_in
from wire import Talk

CODE = messages.secret("code-from-the-token-8317")
CHOSEN = messages.secret("a-new-Passw0rd-of-alice")

PASSWORD_NEXT = ("<next-authentication><authentication-methods><method>AUTHENTICATE_VIA_PASSWORD</method>"
                 "</authentication-methods></next-authentication>")

HELLO_WITH_TERMS = """<hello-resp>
   <brokers-info><broker-info><product-name>XYZ Broker</product-name></broker-info></brokers-info>
   <next-authentication><authentication-methods><method>AUTHENTICATE_VIA_DISCLAIMER</method></authentication-methods>
   <domains><domain>studio</domain></domains>
   <disclaimer><title>House rules</title><paragraph>Whoever goes on agrees that everything that is done here is seen \
by others, and that nothing of it leaves the house without somebody's consent.</paragraph>
   <paragraph>Second paragraph.</paragraph></disclaimer></next-authentication>
</hello-resp>"""


def dialog(number=1, purpose="second-factor", text="Enter the code.", title="Second factor",
           prompts='<prompt name="answer" hidden="true">Code</prompt>'):
    return ("<next-authentication><authentication-methods><method>AUTHENTICATE_VIA_DIALOG</method>"
            f'</authentication-methods><dialog id="d{number}" purpose="{purpose}"><title>{title}</title>'
            f"<text>{text}</text>{prompts}</dialog></next-authentication>")


CHANGE = dialog(1, "new-password", "Your password has expired.", "New password",
                '<prompt name="new-password" hidden="true">New password</prompt>'
                '<prompt name="repeat" hidden="true">New password again</prompt>')


def incomplete(more):
    return fakes.result("authenticate-resp", "AUTH_SUCCESSFUL_AND_INCOMPLETE", "Go on.", more, ' method="password"')


def failed(identifier, words, more=""):
    return fakes.result("authenticate-resp", identifier, words, more, ' method="dialog"')


COMPLETE = fakes.result("authenticate-resp", "AUTH_SUCCESSFUL_AND_COMPLETE", attributes=' method="dialog"')


class Asking:
    """A broker whose answers to authenticate come from a list, and what it was told."""

    def __init__(self, start, studio, *answers, terms=False):
        left = list(answers)
        usual = {"authenticate": lambda request: left.pop(0)}
        if terms:
            usual["hello"] = HELLO_WITH_TERMS
        self.fake = start.adopt(fakes.Fake(studio.ecdsa, fakes.broker_answers(**usual)))
        self.address = self.fake.address

    @property
    def told(self):
        """(method, dialog, {name: answer}) of each authenticate."""
        asked = [one.message.message for one in self.fake.requests if one.message.name == "authenticate"]
        return [(one.get("method"), one.findtext("dialog-id"),
                 {answer.get("name"): answer.text for answer in one.findall("answer")}) for one in asked]


@pytest.fixture
def client(tmp_path, studio, log_folders):
    return Client(tmp_path, studio, log_folders)


def answers(client, *lines, mode=0o600):
    file = client.folder / "answers"
    file.write_text("".join(messages.secret(line) + "\n" for line in lines))
    file.chmod(mode)
    return file


# --- without a terminal ---


def test_both_capabilities_are_announced(client, start, studio):
    broker = Asking(start, studio, COMPLETE)
    client(broker.address, "--list")
    caps = broker.fake.requests[1].message.texts("caps/cap")
    assert {"CAP_DIALOG_AUTHENTICATION", "CAP_DISCLAIMER_AUTHENTICATION"} <= set(caps)


def test_answers_from_a_file(client, start, studio):
    broker = Asking(start, studio, incomplete(CHANGE), incomplete(dialog(2)), COMPLETE)
    status, document = client.json(broker.address, "--list", "--answers", answers(client, CHOSEN, CHOSEN, CODE))
    assert status == 0
    assert broker.told == [("password", None, {}), ("dialog", "d1", {"new-password": CHOSEN, "repeat": CHOSEN}),
                           ("dialog", "d2", {"answer": CODE})]
    assert document["questions"] == ["new-password", "second-factor"]
    assert [one["limit_seconds"] for one in document["stages"]] == [5, 90, 5, 5, 5, 5]
    assert CODE not in json.dumps(document) and CHOSEN not in json.dumps(document)
    log = client.log.read_text()
    assert CODE not in log and CHOSEN not in log


def test_a_wrong_entry_takes_the_next_line(client, start, studio):
    broker = Asking(start, studio, incomplete(dialog()),
                    failed("AUTH_FAILED_DIALOG_INVALID_USER_ENTRY", "Not this.", dialog(2)), COMPLETE)
    assert client.json(broker.address, "--list", "--answers", answers(client, "wrong-code", CODE))[0] == 0
    assert [one[2].get("answer") for one in broker.told] == [None, "wrong-code", CODE]


def test_no_line_is_left(client, start, studio):
    """What the server said of the last answer is the failure."""
    broker = Asking(start, studio, incomplete(dialog()),
                    failed("AUTH_FAILED_DIALOG_INVALID_USER_ENTRY", "Not this.", dialog(2)))
    status, document = client.json(broker.address, "--list", "--answers", answers(client, "wrong-code"))
    assert status == 12
    error = failed_in(document, 2)
    assert (error["result_id"], error["text"]) == ("AUTH_FAILED_DIALOG_INVALID_USER_ENTRY", "Not this.")


def test_nobody_to_ask(client, start, studio):
    broker = Asking(start, studio, incomplete(dialog()))
    done = client(broker.address, "--list")
    assert done.returncode == 12
    assert "--answers" in done.stderr
    assert broker.fake.requests[-1].message.name == "bye"


def test_answers_that_others_can_read(client, start, studio):
    file = answers(client, CODE, mode=0o644)
    done = client(Asking(start, studio, incomplete(dialog()), COMPLETE).address, "--list", "--answers", file)
    assert done.returncode == 0
    assert "warning" in done.stderr and str(file) in done.stderr


def test_answers_that_are_not_there(client, start, studio):
    done = client(Asking(start, studio).address, "--list", "--answers", client.folder / "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr


def test_terms_without_a_terminal(client, start, studio):
    broker = Asking(start, studio, terms=True)
    done = client(broker.address, "--list")
    assert done.returncode == 12
    assert "--accept-terms" in done.stderr
    assert broker.told == []


def test_terms_are_accepted_by_option(client, start, studio):
    broker = Asking(start, studio, incomplete(PASSWORD_NEXT), COMPLETE, terms=True)
    status, document = client.json(broker.address, "--list", "--accept-terms")
    assert status == 0
    assert document["questions"] == ["terms"]
    assert [one[0] for one in broker.told] == ["disclaimer", "password"]
    accepted = broker.fake.requests[2].message
    assert accepted.text("disclaimer-accepted") == "true"
    assert accepted.text("password") is None


def test_a_method_that_is_not_known(client, start, studio):
    eye = ("<next-authentication><authentication-methods><method>AUTHENTICATE_BY_EYE</method>"
           "</authentication-methods></next-authentication>")
    status, document = client.json(Asking(start, studio, incomplete(eye)).address, "--list")
    assert status == 12
    assert "AUTHENTICATE_BY_EYE" in failed_in(document, 2)["detail"]


def test_a_server_that_asks_for_ever(client, start, studio):
    broker = Asking(start, studio, *[incomplete(dialog(number)) for number in range(20)])
    status, document = client.json(broker.address, "--list", "--answers", answers(client, *[CODE] * 20))
    assert status == 12
    failed_in(document, 2)
    assert len(broker.told) == 1 + 8


def test_texts_of_the_server_are_tame(client, start, studio):
    """What a server writes moves no cursor: not in the failure either."""
    bad = failed("AUTH_FAILED_ACCESS_DENIED", "No&#x9b;2J\u202e entry")
    done = client(Asking(start, studio, incomplete(dialog()), bad).address, "--list", "--answers", answers(client, CODE))
    assert done.returncode == 12
    assert "No?2J? entry" in done.stderr


# --- on a terminal ---


def command(client, broker, *options):
    return [program("fairlead"), "connect", "--user", "alice", "--ca", client.studio.ca, "--log", str(client.log),
            "--list", *options, broker.address]


def test_conversation_on_a_terminal(client, start, studio):
    """Terms, password, new password, two codes; nothing that is hidden is shown."""
    broker = Asking(start, studio, incomplete(PASSWORD_NEXT), incomplete(CHANGE), incomplete(dialog(2)),
                    failed("AUTH_FAILED_DIALOG_INVALID_USER_ENTRY", "That code was not right.", dialog(3)), COMPLETE,
                    terms=True)
    terminal = Terminal(command(client, broker), client.environment)
    terminal.expect(r"House rules[\s\S]*nothing of it leaves the\s+house[\s\S]*Second paragraph\.[\s\S]*Accept\? \(yes/no\) ")
    terminal.type("perhaps\n")
    terminal.expect(r"perhaps\s+Accept\?")
    terminal.type("yes\n")
    terminal.expect("Password of alice in studio: ")
    terminal.type(studio.alice.password + "\n")
    terminal.expect(r"New password\s+Your password has expired\.\s+New password: ")
    terminal.type(CHOSEN + "\n")
    terminal.expect("New password again: ")
    terminal.type(CHOSEN + "\n")
    terminal.expect(r"Enter the code\.\s+Code: ")
    terminal.type("\n")
    terminal.expect(r"Code: \s+Code: ")
    terminal.type("12-wrong\n")
    terminal.expect(r"That code was not right\.[\s\S]*Code: ")
    terminal.type(CODE + "\n")
    assert terminal.end() == 0, terminal.text
    for hidden in (studio.alice.password, CHOSEN, "12-wrong", CODE):
        assert hidden not in terminal.text
    assert broker.told[2:] == [("dialog", "d1", {"new-password": CHOSEN, "repeat": CHOSEN}),
                               ("dialog", "d2", {"answer": "12-wrong"}), ("dialog", "d3", {"answer": CODE})]


def test_an_entry_that_may_be_seen(client, start, studio):
    broker = Asking(start, studio, incomplete(dialog(prompts='<prompt name="n">Staff number:</prompt>')), COMPLETE)
    file = client.password_file(studio.alice.password)
    terminal = Terminal(command(client, broker, "--password-file", str(file)), client.environment)
    terminal.expect("Staff number: ")
    terminal.type("4711\n")
    assert terminal.end() == 0
    assert "Staff number: 4711" in terminal.text


def test_a_refused_factor_begins_with_the_password(client, start, studio):
    refusal = "Too many attempts to log on have failed. Please try again in 12 min."
    broker = Asking(start, studio, incomplete(dialog()), failed("AUTH_FAILED_ACCESS_DENIED", refusal),
                    incomplete(dialog(2)), COMPLETE)
    terminal = Terminal(command(client, broker), client.environment)
    for wanted, typed in (("Password of alice in studio: ", studio.alice.password), ("Code: ", "wrong"),
                          (re.escape(refusal) + r"\s+Refused\. Password of alice in studio: ", studio.alice.password),
                          (r"Refused[\s\S]*Code: ", CODE)):
        terminal.expect(wanted)
        terminal.type(typed + "\n")
    assert terminal.end() == 0, terminal.text


@pytest.mark.parametrize("typed, status", [("no\n", 12), ("\x03", 130), ("\x04", 130)])
def test_terms_that_are_not_accepted(client, start, studio, typed, status):
    broker = Asking(start, studio, terms=True)
    terminal = Terminal(command(client, broker), client.environment)
    terminal.expect("Accept")
    terminal.type(typed)
    assert terminal.end() == status
    assert broker.told == []


@pytest.mark.parametrize("typed", ["\x03", "\x04"])
def test_giving_up_at_a_question(client, start, studio, typed):
    broker = Asking(start, studio, incomplete(dialog()))
    file = client.password_file(studio.alice.password)
    terminal = Terminal(command(client, broker, "--password-file", str(file)), client.environment)
    terminal.expect("Code: ")
    terminal.type(typed)
    assert terminal.end() == 130


def test_a_title_with_control_characters(client, start, studio):
    evil = dialog(title="Factor &#x9b;31m", text="Te\u200bxt &#x85; \u2066x",
                  prompts='<prompt name="a" hidden="true">Co&#x9b;de</prompt>')
    broker = Asking(start, studio, incomplete(evil), COMPLETE)
    file = client.password_file(studio.alice.password)
    terminal = Terminal(command(client, broker, "--password-file", str(file)), client.environment)
    terminal.expect(r"Co\?de: ")
    terminal.type(CODE + "\n")
    assert terminal.end() == 0
    assert not re.search("[\x80-\x9f\u200b\u2066]", terminal.text)
    assert "Factor ?31m" in terminal.text


class Screen:
    """The same in tmux, which is a terminal with rows and columns: what a person sees."""

    def __init__(self, folder, columns, command, environment):
        if not os.path.exists("/dev/ptmx"):  # a bare chroot without /dev/pts
            pytest.skip("this machine gives no terminal")
        self.tmux = [shutil.which("tmux"), "-S", str(folder / "tmux"), "-f", "/dev/null"]
        exports = [f"{key}={value}" for key, value in environment.items() if key != "NO_COLOR"]
        self._run("new-session", "-d", "-x", str(columns), "-y", "30",
                  "env", "-u", "NO_COLOR", *exports, *[str(word) for word in command])
        self._run("set-option", "-g", "remain-on-exit", "on")

    def _run(self, *words):
        done = subprocess.run([*self.tmux, *words], capture_output=True, text=True, timeout=LIMIT, check=True)
        return done.stdout

    def expect(self, pattern):
        deadline = time.monotonic() + LIMIT
        while True:
            shown = self._run("capture-pane", "-p")
            if re.search(pattern, shown):
                return shown
            assert time.monotonic() < deadline, f"no {pattern!r} on\n{shown}"

    def type(self, text):
        self._run("send-keys", text, "Enter")

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], capture_output=True, timeout=LIMIT)


@pytest.mark.parametrize("columns", [80, 50])
def test_the_picture_steps_aside_and_goes_on(client, start, studio, columns):
    """Each stage stands on the screen once at the end, and no line is torn by a question."""
    broker = Asking(start, studio, incomplete(PASSWORD_NEXT), incomplete(dialog()), COMPLETE, terms=True)
    screen = Screen(client.folder, columns, command(client, broker), client.environment)
    try:
        shown = screen.expect(r"Accept\? \(yes/no\)")
        assert "initialise" not in shown, "the picture is in the way of the question"
        assert re.search(r"Whoever goes on agrees that everything .*\n", shown)
        screen.type("yes")
        screen.expect("Password of alice in studio:")
        screen.type(studio.alice.password)
        broker.fake.wait_asked()
        shown = screen.expect("Code:")
        assert "Enter the code." in shown
        broker.fake.hold()
        screen.type(CODE)
        shown = screen.expect("waiting for the second factor" if columns >= 80 else "waiting for the second")
        broker.fake.release()
        shown = screen.expect(r"1 +A\b|Edit|\bA +VDI")
        assert CODE not in shown and studio.alice.password not in shown
        assert shown.count("initialise") == 1 and shown.count("get resources") == 1, shown
        assert "alice in studio, second factor" in shown
        assert all(len(line) <= columns for line in shown.splitlines())
    finally:
        screen.close()


# --- through the real manager ---


def test_a_dialog_through_the_manager(client, start, studio):
    """The dialog goes both ways; the new password is the one that the agent is told."""
    broker = Asking(start, studio, incomplete(CHANGE), incomplete(dialog(2)), COMPLETE)
    agent = start.adopt(fakes.fake_agent(studio.ecdsa, lambda request: fakes.launched(4999)))
    manager = start("fairlead-manager", studio.manager(broker.address, agent.port))
    status, document = client.json(manager.address("manager"), "--answers", answers(client, CHOSEN, CHOSEN, CODE))
    assert document["questions"] == ["new-password", "second-factor"]
    assert status == 15, "nobody listens for the session"
    assert broker.told[1:] == [("dialog", "d1", {"new-password": CHOSEN, "repeat": CHOSEN}),
                               ("dialog", "d2", {"answer": CODE})]
    assert agent.wait_asked().message.text("logon/password") == CHOSEN


def test_a_broker_that_waits_for_a_telephone(client, start, studio):
    """The manager's limit for a broker's answer is not that for a logon."""
    broker = Asking(start, studio, incomplete(dialog()), COMPLETE)
    manager = start("fairlead-manager", studio.manager(
        broker.address, **{"timeout-milliseconds": 300, "authenticate-timeout-ms": 60000}))
    answer = answers(client, CODE)
    command = [str(word) for word in client.command(manager.address("manager"), "--list", "--answers", answer)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(3):
        broker.fake.wait_asked()
    broker.fake.hold()
    # A second broker call that is not a logon tells that the short limit has passed.
    probe = run(program("fairlead"), "connect", "--user", "u", "--password-file", client.folder / "password", "--ca",
                studio.ca, "--log", "none", "--list", manager.address("manager"))
    assert probe.returncode == 11
    broker.fake.release()
    said, wrong = child.communicate(timeout=LIMIT)
    assert child.returncode == 0, said + wrong


@pytest.mark.parametrize("keys, words", [
    ({"authenticate-timeout-ms": 4999}, "expected 5000"),
    ({"timeout-milliseconds": 9000, "authenticate-timeout-ms": 8000}, "expected 9000"),
    ({"authenticate-timeout-ms": 330001}, "330000")])
def test_time_outs_are_checked(studio, tmp_path, keys, words):
    config = tmp_path / "manager.yaml"
    config.write_text(json.dumps(studio.manager("127.0.0.1:1", **keys)))
    done = run(program("fairlead-manager"), "--config", config, "--check-config")
    assert done.returncode != 0
    assert words in done.stderr and "authenticate-timeout-ms" in done.stderr


def test_a_manager_that_is_not_trusted(start, studio):
    """Said once a minute, not for each of its sessions; silent for one that may tell its users' addresses."""
    for trusted in (False, True):
        broker = start("fairlead-broker", studio.broker(
            **{"trusted-proxies": ["127.0.0.1"] if trusted else ["192.0.2.1"]}), tag=f"broker-{trusted}")
        manager = start("fairlead-manager", studio.manager(broker.address("broker")), tag=f"manager-{trusted}")
        for _ in range(3):
            with Talk(manager.address("manager"), studio.ca) as talk:
                talk.hello()
        said = [line for line in broker.log.since() if "not among trusted-proxies" in line]
        assert len(said) == (0 if trusted else 1)
        if said:
            assert "Manager 127.0.0.1 is not" in said[0]


def test_terms_of_a_real_broker_through_a_real_manager(client, start, studio):
    file = client.folder / "terms.txt"
    file.write_text("Be good.\n\nAlways, and everywhere.\n")
    broker = start("fairlead-broker", studio.broker(
        disclaimer={"text-file": str(file), "title": "House rules", "required": True},
        **{"trusted-proxies": ["127.0.0.1"]}))
    manager = start("fairlead-manager", studio.manager(broker.address("broker")))
    address = manager.address("manager")
    status, document = client.json(address, "--list", "--accept-terms")
    assert status == 0
    assert document["questions"] == ["terms"]
    assert client(address, "--list").returncode == 12
    arguments = [str(word) for word in client.command(address, "--list")]
    terminal = Terminal(arguments, client.environment)
    terminal.expect(r"House rules\s+Be good\.\s+Always, and everywhere\.\s+Accept\? \(yes/no\) ")
    terminal.type("yes\n")
    assert terminal.end() == 0, terminal.text
