"""`fairlead check --mail-to`: the report by e-mail, through aiosmtpd (a mail server that nobody here wrote)."""

import email
import email.policy
import ssl

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

import certs
import fakes
from programs import program, run

ID = "00853080-a2f6-1066-8b17-000000000000"
LOG = (f"2020-05-04T09:00:00.125Z {ID} > LVL:2 RC:   0           AGENT :Received hello command!\n"
       f"2020-05-04T09:00:00.300Z {ID} > LVL:2 RC:   0           AGENT :Received authenticate-password command.\n"
       f"2020-05-04T09:00:00.900Z {ID} > LVL:2 RC:   0           AGENT :Failed to authenticate user 'märta' "
       f"with domain 'studio'\n")
USER, PASSWORD = "reports", "quiet-harbour-11"


class Mailbox:
    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append((envelope, session.ssl is not None, session.authenticated))
        return "250 kept"


class Server(Controller):
    """On a free port of loopback; `smtps` speaks TLS from the start."""

    def __init__(self, mailbox, smtps=None, **options):
        self.options = options
        super().__init__(mailbox, hostname="127.0.0.1", port=0, ssl_context=smtps, ready_timeout=20)

    def factory(self):
        return SMTP(self.handler, **self.options)

    def _trigger_server(self):
        """The base class connects to the port it was given; ours is only known by the socket."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def log_on(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=good)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "agent.log"
    path.write_text(LOG, encoding="utf-8")
    return path


@pytest.fixture
def serve():
    servers = []

    def begin(*arguments, **options):
        server = Server(*arguments, **options)
        server.start()
        servers.append(server)
        return server

    yield begin
    for server in servers:
        server.stop()


def context(studio):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    config = studio.rsa.config()
    made.load_cert_chain(config["certificate"], config["key"])
    return made


def check(log, *options):
    return run(program("fairlead"), "check", *options, log, env={"LC_ALL": "C.UTF-8"})


def parts_of(envelope):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert message.get_content_type() == "multipart/alternative" or message.is_multipart()
    found = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert list(found) == ["text/plain", "text/html"], "the plain part comes first"
    return message, found


def test_report_arrives(serve, log):
    mailbox = Mailbox()
    server = serve(mailbox)
    done = check(log, "--mail-to", "ops@studio.example", "--mail-to", "night@studio.example",
                 "--mail-from", "checks@studio.example", "--smtp", f"smtp://127.0.0.1:{server.port}")
    assert done.returncode == 3, done.stderr
    (envelope, tls, _), = mailbox.envelopes
    assert envelope.mail_from == "checks@studio.example"
    assert envelope.rcpt_tos == ["ops@studio.example", "night@studio.example"]
    assert not tls
    message, parts = parts_of(envelope)
    assert "failed" in message["Subject"]
    assert message["From"] == "checks@studio.example"
    assert message["Date"] and message["Message-ID"].endswith("@studio.example>")
    assert "märta" in parts["text/plain"] and ID[:8] in parts["text/plain"]
    assert "\033" not in parts["text/plain"]
    assert parts["text/html"].lstrip().lower().startswith("<!doctype html")
    assert "märta" in parts["text/html"]


def test_mask_holds_in_mail(serve, log):
    mailbox = Mailbox()
    server = serve(mailbox)
    assert check(log, "--mask", "--mail-to", "ops@studio.example",
                 "--smtp", f"smtp://127.0.0.1:{server.port}").returncode == 3
    (envelope, _, _), = mailbox.envelopes
    _, parts = parts_of(envelope)
    assert "märta" not in parts["text/plain"] + parts["text/html"]


@pytest.mark.parametrize("kind", ["starttls", "smtps"])
def test_tls_and_login(serve, log, studio, tmp_path, kind):
    mailbox = Mailbox()
    options = {"authenticator": log_on, "auth_required": True}
    if kind == "smtps":
        server = serve(mailbox, smtps=context(studio), auth_require_tls=False, **options)
    else:
        server = serve(mailbox, tls_context=context(studio), require_starttls=True, **options)
    login = tmp_path / "login"
    login.write_text(f"{USER}\n{PASSWORD}\n")
    url = f"{'smtps' if kind == 'smtps' else 'smtp'}://localhost:{server.port}"
    done = check(log, "--mail-to", "ops@studio.example", "--smtp", url, "--smtp-login", login,
                 "--smtp-ca", studio.ca)
    assert done.returncode == 3, done.stderr
    (envelope, _, authenticated), = mailbox.envelopes
    assert authenticated
    assert PASSWORD not in done.stdout + done.stderr + envelope.content.decode()

    login.write_text(f"{USER}\nwrong\n")
    done = check(log, "--mail-to", "ops@studio.example", "--smtp", url, "--smtp-login", login,
                 "--smtp-ca", studio.ca)
    assert done.returncode == 1
    assert "was not sent" in done.stderr and "wrong" not in done.stderr
    assert len(mailbox.envelopes) == 1


def test_a_certificate_of_nobody_we_know(serve, log, studio):
    mailbox = Mailbox()
    server = serve(mailbox, smtps=context(studio))
    done = check(log, "--mail-to", "ops@studio.example", "--smtp", f"smtps://localhost:{server.port}")
    assert done.returncode == 1
    assert "certificate" in done.stderr.lower()
    assert mailbox.envelopes == []


def test_nobody_there(log):
    done = check(log, "--mail-to", "ops@studio.example", "--smtp", f"smtp://127.0.0.1:{fakes.refusing_port()}")
    assert done.returncode == 1
    assert "was not sent" in done.stderr
    assert ID[:8] in done.stdout, "the report is printed all the same"


def test_recipient_refused(serve, log):
    class Picky(Mailbox):
        async def handle_RCPT(self, server, session, envelope, address, options):
            return "550 no such mailbox"

    mailbox = Picky()
    server = serve(mailbox)
    done = check(log, "--mail-to", "nobody@studio.example", "--smtp", f"smtp://127.0.0.1:{server.port}")
    assert done.returncode == 1
    assert "550" in done.stderr
    assert mailbox.envelopes == []


@pytest.mark.parametrize("options", [
    ["--mail-to", "ops@studio.example"],
    ["--smtp", "smtp://localhost"],
    ["--mail-to", "not an address", "--smtp", "smtp://localhost"],
    ["--mail-to", "a@b\nBcc: c@d", "--smtp", "smtp://localhost"],
    ["--mail-to", "ops@studio.example", "--smtp", "http://localhost"],
    ["--mail-to", "ops@studio.example", "--smtp", "smtp://localhost", "--mail-from", "<x@y>"],
    *[["--mail-to", "a@b"] * 17 + ["--smtp", "smtp://localhost"]],
])
def test_usage(log, options):
    done = check(log, *options)
    assert done.returncode == 2
    assert "fairlead help check" in done.stderr
    assert done.stdout == ""
