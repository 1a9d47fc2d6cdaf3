"""Peers made of Python: brokers and agents that answer what a test wants, or not at all."""

import http.server
import socket
import ssl
import threading

import messages
from programs import LIMIT
from messages import Reply, envelope


class Request:
    """What a fake was asked."""

    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body
        self.message = Reply(body)


class Fake:
    """An HTTPS server. `answer(request)` returns the message to send (with the root and version asked, unless
    it is a whole document), or None to say nothing until the fake is closed. Events: `asked` is set with every request; `hold()` keeps answers back until `release()`."""

    def __init__(self, pair, answer, cookie="f" * 32):
        self.requests = []
        self.asked = threading.Semaphore(0)
        self._closing = threading.Event()
        self._go = threading.Event()
        self._go.set()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = LIMIT

            def do_POST(self):
                length = self.headers.get("Content-Length")
                body = self.rfile.read(int(length)) if length else self._chunks()
                request = Request(self.path, self.headers, body)
                fake.requests.append(request)
                fake.asked.release()
                fake._go.wait(LIMIT)
                text = answer(request)
                if text is None:
                    fake._closing.wait(LIMIT)
                    self.close_connection = True
                    return
                if not text.startswith("<?xml"):
                    asked = request.message
                    text = envelope(text, asked.root.tag, asked.version)
                data = text.encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/xml charset=UTF-8")
                    if cookie:
                        self.send_header("Set-Cookie", f"JSESSIONID={cookie}; HttpOnly; Secure")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True

            def _chunks(self):
                data = b""
                while True:
                    size = int(self.rfile.readline().strip() or b"0", 16)
                    data += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        return data

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Peers that refuse our certificate, or go away, are what tests are for."""

        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pair.certificate, pair.key)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = self._tls.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def wait_asked(self):
        assert self.asked.acquire(timeout=LIMIT), "nobody asked"
        return self.requests[-1]

    def hold(self):
        self._go.clear()

    def release(self):
        self._go.set()

    def close(self):
        self._closing.set()
        self._go.set()
        self.server.shutdown()
        self.server.server_close()


class Silent:
    """Takes connections and never says a word."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"

    def close(self):
        self._socket.close()


def refusing_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


HELLO_RESP = """<hello-resp>
   <brokers-info><broker-info><product-name>XYZ Broker</product-name><product-version>5.1.0</product-version>
   <platform>Linux</platform><locale>en_US</locale><ip-address>127.0.0.1</ip-address>
   <hostname>broker1.example</hostname></broker-info></brokers-info>
   <next-authentication><authentication-methods><method>AUTHENTICATE_VIA_PASSWORD</method></authentication-methods>
   <domains><domain>studio</domain></domains></next-authentication>{extra}
</hello-resp>"""


def result(message, identifier, words="As it is", extra="", attributes=""):
    return (
        f"<{message}{attributes}><result><result-id>{identifier}</result-id>"
        f"<result-str>{words}</result-str></result>{extra}</{message}>"
    )


def broker_answers(agent="127.0.0.1", **instead):
    """Answers of a broker where all is well; by message name, a text or a function of the request instead."""
    usual = {
        "hello": HELLO_RESP.format(extra=""),
        "authenticate": result("authenticate-resp", "AUTH_SUCCESSFUL_AND_COMPLETE",
                               attributes=' method="password"'),
        "get-resource-list": result(
            "get-resource-list-resp", "LIST_SUCCESSFUL",
            extra='<resource><resource-name>A</resource-name><resource-id>a</resource-id>'
                  '<resource-type session-type="VDI">DESKTOP</resource-type>'
                  '<resource-state>UNKNOWN</resource-state>'
                  '<protocols><protocol is-default="true">PCOIP</protocol></protocols></resource>'),
        "allocate-resource": result(
            "allocate-resource-resp", "ALLOC_SUCCESSFUL",
            extra=f"<target><ip-address>{agent}</ip-address><hostname>ws-1.example</hostname></target>"
                  "<resource-id>a</resource-id><protocol>PCOIP</protocol>"),
        "bye": "<bye-resp/>",
    }
    usual.update({name.replace("_", "-"): text for name, text in instead.items()})

    def answer(request):
        found = usual[request.message.name]
        return found(request) if callable(found) else found

    return answer


def launched(port=4172, tag="T" * 60):
    messages.secret(tag)
    return (
        "<launch-session-resp><result-id>SUCCESSFUL</result-id><session-info>"
        "<ip-address>127.0.0.1</ip-address><sni>ws-1.example</sni>"
        f"<port>{port}</port><session-id>2305843009213693961</session-id>"
        f"<session-tag>{tag}</session-tag></session-info></launch-session-resp>"
    )


def fake_agent(pair, answer):
    return Fake(pair, answer, cookie=None)
