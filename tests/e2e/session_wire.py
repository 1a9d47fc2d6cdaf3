"""The TCP half of the session's wire (docs/session-wire.md), for tests of who is let in."""

import socket
import ssl
import struct

from programs import LIMIT

HELLO, WELCOME, REFUSED, CLOSE = 1, 2, 3, 9
#: What a refused client is told.
UNKNOWN, EXPIRED, VERSION, BUSY, NAME = 2, 3, 4, 5, 6


class SessionPort:
    """A TLS 1.3 connection to TCP 4172."""

    def __init__(self, address, ca, sni="ws-1.example"):
        host, port = address.rsplit(":", 1)
        tls = ssl.create_default_context(cafile=ca)
        tls.minimum_version = ssl.TLSVersion.TLSv1_3
        tls.check_hostname = False
        plain = socket.create_connection((host, int(port)), timeout=LIMIT)
        self.socket = tls.wrap_socket(plain, server_hostname=sni)

    def hello(self, session, tag, version=1):
        body = struct.pack("!HQ", version, int(session)) + tag.encode()
        self.socket.sendall(struct.pack("!BBH", HELLO, 0, len(body)) + body)
        return self.frame()

    def frame(self):
        """(type, body), or None when the agent has closed."""
        head = self._read(4)
        if head is None:
            return None
        kind, _, length = struct.unpack("!BBH", head)
        return kind, self._read(length)

    def _read(self, length):
        data = b""
        while len(data) < length:
            try:
                piece = self.socket.recv(length - len(data))
            except (ConnectionResetError, ssl.SSLEOFError):
                piece = b""
            if not piece:
                return None
            data += piece
        return data

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def refusal(frame):
    assert frame is not None and frame[0] == REFUSED, frame
    return struct.unpack("!H", frame[1])[0]
