"""FreeRADIUS with a configuration of a few lines; and for what it would never do, a fake and a mute one."""

import hashlib
import hmac
import os
import pathlib
import socket
import threading

from messages import secret
from peers import Peer, free_port

CONFIGURATION = """raddbdir = {folder}
libdir = /usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
max_request_time = 30
max_requests = 16384
security {{
	max_attributes = 200
	reject_delay = 0
	status_server = no
}}
modules {{
	pap {{
	}}
	chap {{
	}}
	always handled {{
		rcode = handled
	}}
	always reject {{
		rcode = reject
	}}
	files {{
		filename = {folder}/users
	}}
}}
client loopback {{
	ipaddr = 127.0.0.0/8
	secret = {secret}
	require_message_authenticator = yes
}}
server default {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		{sign}
		if (&User-Name =~ /^mute/) {{
			update control {{
				&Response-Packet-Type := Do-Not-Respond
			}}
			handled
		}}
		elsif (&User-Name =~ /^chal/) {{
			{dialog}
		}}
		chap
		files
		pap
	}}
	authenticate {{
		Auth-Type PAP {{
			pap
		}}
		Auth-Type CHAP {{
			chap
		}}
	}}
}}
"""

#: Debian's FreeRADIUS 3.2.1 signs its answers only when told so.
SIGN = """update reply {
			&Message-Authenticator := 0x00
		}"""

#: The first question whatever is sent; then, by State, a second one for who is asked twice, and the code.
DIALOG = """if (!&State) {{
				update reply {{
					&Reply-Message := "{question}"
					&State := 0x{first}
				}}
				update control {{
					&Response-Packet-Type := Access-Challenge
				}}
				handled
			}}
			elsif (&State == 0x{first} && &User-Name == "chal-twice" && &User-Password == "{code}") {{
				update reply {{
					&Reply-Message := "{again}"
					&State := 0x{second}
				}}
				update control {{
					&Response-Packet-Type := Access-Challenge
				}}
				handled
			}}
			elsif (&State == 0x{second} && &User-Name == "chal-twice" && &User-Password == "{last}") {{
				update control {{
					&Auth-Type := Accept
				}}
			}}
			elsif (&State == 0x{first} && &User-Name != "chal-twice" && &User-Password == "{code}") {{
				update control {{
					&Auth-Type := Accept
				}}
			}}
			else {{
				update reply {{
					&Reply-Message := "{refusal}"
				}}
				reject
			}}"""


class FreeRadius:
    """Users by name: those of `codes` have that code or password; chal... are challenged and answer `code`
    (chal-twice then `last`); mute... get no answer; all others are rejected."""

    question = "Enter the code from your telephone."
    again = "Enter the next code."
    refusal = "The code is not right."

    def __init__(self, folder, codes=None, shared=None, sign=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.secret = secret(shared or "Shared-" + os.urandom(9).hex())
        self.code, self.last = secret("C0de-" + os.urandom(4).hex()), secret("C0de-" + os.urandom(4).hex())
        self.codes = codes or {}
        self.port = free_port(socket.SOCK_DGRAM)
        dialog = DIALOG.format(first="f1" * 16, second="f2" * 16, code=self.code, last=self.last,
                               question=self.question, again=self.again, refusal=self.refusal)
        self._write("radiusd.conf", CONFIGURATION.format(
            folder=self.folder, secret=self.secret, port=self.port, dialog=dialog,
            sign=SIGN if sign else ""))
        self._write("users", "".join(
            f'"{name}" Cleartext-Password := "{code}"\n' for name, code in self.codes.items()))
        self._write("radius.secret", self.secret + "\n")
        self.secret_file = self.folder / "radius.secret"
        self.server = Peer("freeradius", ["/usr/sbin/freeradius", "-X", "-d", self.folder, "-D",
                                          "/usr/share/freeradius"],
                           self.folder, "^Ready to process requests")

    def _write(self, name, text):
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o600)

    def entry(self, **keys):
        """One of `servers` in the configuration."""
        return {"address": "127.0.0.1", "port": self.port, "secret-file": str(self.secret_file), **keys}

    def config(self, name="token", **keys):
        return {"name": name, "servers": [self.entry()], **keys}

    def asked(self, mark=0):
        """How many requests have come since a mark of server.log."""
        return sum("Received Access-Request" in line for line in self.server.log.since(mark))

    def close(self):
        self.server.stop()


class FakeRadius:
    """Takes requests; `answer(request, fake)` makes the packet that goes back, or None. Without it: silence."""

    def __init__(self, folder, answer=None):
        self.secret = secret("Shared-" + os.urandom(9).hex())
        self.secret_file = pathlib.Path(folder) / f"fake-{id(self)}.secret"
        self.secret_file.write_text(self.secret + "\n")
        self.secret_file.chmod(0o600)
        self.requests = []
        self.asked = threading.Semaphore(0)
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            data, peer = self._socket.recvfrom(4096)
            if not data:
                return
            self.requests.append(data)
            self.asked.release()
            made = self._answer and self._answer(data, self)
            if made:
                self._socket.sendto(made, peer)

    def entry(self, **keys):
        return {"address": "127.0.0.1", "port": self.port, "secret-file": str(self.secret_file), **keys}

    def config(self, name="token", **keys):
        return {"name": name, "servers": [self.entry()], **keys}

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


def signed(code, request, fake, attributes=b"", shared=None):
    """An answer whose authenticator (RFC 2865, 3) is right, with a Message-Authenticator (RFC 2869, 5.14) that comes
    first."""
    key = (shared or fake.secret).encode()
    length = 20 + 18 + len(attributes)
    head = bytes([code, request[1]]) + length.to_bytes(2, "big")
    mark = hmac.new(key, head + request[4:20] + b"\x50\x12" + bytes(16) + attributes, "md5").digest()
    body = b"\x50\x12" + mark + attributes
    proof = hashlib.md5(head + request[4:20] + body + key).digest()
    return head + proof + body


def attribute(kind, value):
    data = value if isinstance(value, bytes) else value.encode()
    return bytes([kind, len(data) + 2]) + data


def attributes(packet):
    """Of a packet, in their order: (type, value)."""
    at, found = 20, []
    while at < len(packet):
        found.append((packet[at], packet[at + 2:at + packet[at + 1]]))
        at += packet[at + 1]
    return found


ACCEPT, REJECT, CHALLENGE = 2, 3, 11
USER_NAME, USER_PASSWORD, CHAP_PASSWORD, REPLY_MESSAGE, STATE = 1, 2, 3, 18, 24
CALLING_STATION_ID, NAS_IDENTIFIER, MESSAGE_AUTHENTICATOR = 31, 32, 80
