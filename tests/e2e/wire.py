"""HTTP over TLS, in two ways: curl as a foreign peer, and plain sockets for what no HTTP client would send."""

import pathlib
import socket
import ssl
import subprocess
import tempfile

import messages
from messages import Reply, envelope, secret
from programs import LIMIT, die_with_parent

CONTENT_TYPE = "application/xml charset=UTF-8"


class Answer:
    """One HTTP answer."""

    def __init__(self, status, headers, body, protocol="HTTP/1.1"):
        self.status = status
        self.headers = headers  # [(name as spelt, value)]
        self.body = body
        self.protocol = protocol
        if self.cookie:
            secret(self.cookie)

    def header(self, name, default=None):
        """By any spelling; the first of them."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def spelt(self, name):
        """Only in exactly this spelling."""
        return [value for key, value in self.headers if key == name]

    @property
    def cookie(self):
        for value in self.spelt("Set-Cookie"):
            if value.startswith("JSESSIONID="):
                return value.split("=", 1)[1].split(";", 1)[0]
        return None

    @property
    def reply(self):
        assert self.status == 200, f"status {self.status}: {self.body!r}"
        return Reply(self.body)

    def __repr__(self):
        return f"{self.protocol} {self.status} {self.headers} {self.body!r}"


def parse_head(text):
    lines = text.split("\r\n")
    protocol, status = lines[0].split(" ")[:2]
    headers = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
    return protocol, int(status), headers


# --- curl ---


def curl(address, path=messages.BROKER_PATH, data=None, headers=(), ca=None, options=(), jar=None):
    """One request by curl. Data is posted; without it this is a GET."""
    with tempfile.TemporaryDirectory() as folder:
        out, head = pathlib.Path(folder) / "body", pathlib.Path(folder) / "head"
        command = ["curl", "--silent", "--show-error", "--max-time", str(int(LIMIT)),
                   "--cacert", str(ca), "--output", str(out), "--dump-header", str(head)]
        if data is not None:
            body = pathlib.Path(folder) / "data"
            body.write_bytes(data.encode() if isinstance(data, str) else data)
            command += ["--data-binary", f"@{body}"]
        if jar is not None:
            command += ["--cookie", str(jar), "--cookie-jar", str(jar)]
        for header in headers:
            command += ["--header", header]
        command += [*options, f"https://{address}{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT + 5,
                              preexec_fn=die_with_parent)
        assert done.returncode == 0, f"curl: {done.returncode} {done.stderr}"
        blocks = [block for block in head.read_bytes().decode("latin-1").split("\r\n\r\n") if block.strip()]
        protocol, status, parsed = parse_head(blocks[-1])
        return Answer(status, parsed, out.read_bytes() if out.exists() else b"", protocol)


class CurlTalk:
    """A conversation by curl: a new process and a new connection for every message, the cookie in a jar."""

    def __init__(self, address, ca, folder, root="pcoip-client", version="2.1", log_id=None,
                 content_type=CONTENT_TYPE, headers=(), options=()):
        self.address, self.ca, self.root, self.version = address, ca, root, version
        self.jar = pathlib.Path(folder) / f"jar-{id(self)}"
        self.headers = [f"Content-Type: {content_type}", *headers]
        if log_id:
            self.headers.append(f"Client-Log-Id: {log_id}")
        self.options = options

    def send(self, body):
        return curl(self.address, data=envelope(body, self.root, self.version), headers=self.headers,
                    ca=self.ca, options=self.options, jar=self.jar)

    def ask(self, body):
        return self.send(body).reply


# --- sockets ---


def context(ca=None, alpn=None):
    made = ssl.create_default_context(cafile=ca)
    if ca is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


class Raw:
    """A TLS connection that sends what it is told; from a loopback address of one's choice."""

    def __init__(self, address, ca, name="localhost", tls=None, source=None):
        host, port = address.rsplit(":", 1)
        plain = socket.create_connection((host, int(port)), timeout=LIMIT,
                                         source_address=(source, 0) if source else None)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = (tls or context(ca)).wrap_socket(plain, server_hostname=name)
        self._rest = b""

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def _more(self):
        try:
            piece = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            piece = b""
        self._rest += piece
        return bool(piece)

    def _until(self, mark):
        while mark not in self._rest:
            if not self._more():
                raise AssertionError(f"connection closed, got {self._rest!r}")
        head, self._rest = self._rest.split(mark, 1)
        return head

    def _exactly(self, length):
        while len(self._rest) < length:
            if not self._more():
                raise AssertionError(f"connection closed, got {self._rest!r}")
        data, self._rest = self._rest[:length], self._rest[length:]
        return data

    def answer(self, head_only=False):
        """Reads one answer."""
        protocol, status, headers = parse_head(self._until(b"\r\n\r\n").decode("latin-1"))
        found = Answer(status, headers, b"", protocol)
        if head_only:
            return found
        if (found.header("Transfer-Encoding") or "").lower() == "chunked":
            while True:
                length = int(self._until(b"\r\n").split(b";")[0], 16)
                found.body += self._exactly(length)
                self._exactly(2)
                if length == 0:
                    break
        elif found.header("Content-Length") is not None:
            found.body = self._exactly(int(found.header("Content-Length")))
        else:
            while self._more():
                pass
            found.body, self._rest = self._rest, b""
        return found

    def closed(self):
        """Waits until the server closes; True when nothing came before that."""
        while self._more():
            pass
        return self._rest == b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(body, path=messages.BROKER_PATH, method="POST", headers=(), protocol="HTTP/1.1",
            content_type=CONTENT_TYPE):
    """The bytes of a request."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"{method} {path} {protocol}", "Host: broker.example"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"Content-Length: {len(data)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


class Talk:
    """A conversation on one kept-alive connection, with its cookie."""

    def __init__(self, address, ca, root="pcoip-client", version="2.1", path=messages.BROKER_PATH,
                 log_id=None, headers=(), cookie=None, source=None):
        self.address, self.ca, self.root, self.version, self.path = address, ca, root, version, path
        self.log_id, self.headers, self.cookie, self.source = log_id, list(headers), cookie, source
        self.raw = Raw(address, ca, source=source)

    def bytes(self, xml):
        headers = list(self.headers)
        if self.cookie:
            headers.append(f"Cookie: JSESSIONID={self.cookie}")
        if self.log_id:
            headers.append(f"Client-Log-Id: {self.log_id}")
        return request(xml, self.path, headers=headers)

    def post(self, xml):
        """The text as it is."""
        self.raw.send(self.bytes(xml))
        return self.receive()

    def receive(self):
        found = self.raw.answer()
        if found.cookie:
            self.cookie = found.cookie
        return found

    def send(self, body):
        return self.post(envelope(body, self.root, self.version))

    def begin(self, body):
        """Sends and does not wait."""
        self.raw.send(self.bytes(envelope(body, self.root, self.version)))

    def ask(self, body):
        return self.send(body).reply

    def again(self):
        """The same session on a new connection."""
        return Talk(self.address, self.ca, self.root, self.version, self.path, self.log_id,
                    self.headers, self.cookie, self.source)

    def close(self):
        self.raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # The usual way through the stages.

    def hello(self, **how):
        reply = self.ask(messages.hello(**how))
        assert reply.name == "hello-resp", reply
        return reply

    def log_on(self, user, password, domain="studio"):
        self.hello()
        reply = self.ask(messages.authenticate(user, password, domain))
        assert reply.result == "AUTH_SUCCESSFUL_AND_COMPLETE", reply
        return self
