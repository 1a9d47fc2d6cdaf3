"""An LDAP server of the tests' own, for what real ones cannot do on command: answers that come late, in half, in
garbage, under another's number, or not at all. It counts what it is asked."""

import collections
import socket
import threading
import time

from programs import LIMIT

BIND, UNBIND, SEARCH, ABANDON, EXTENDED = 0x60, 0x42, 0x63, 0x50, 0x77
NAMES = {BIND: "bind", SEARCH: "search", EXTENDED: "extended"}
#: Tag of the answer that ends an operation.
ANSWERS = {BIND: 0x61, SEARCH: 0x65, EXTENDED: 0x78}
ENTRY = 0x64
SUCCESS, REFERRAL, UNWILLING, INVALID = 0, 10, 53, 49


# --- BER, as far as LDAP needs it ---


def ber(tag, *contents):
    body = b"".join(one.encode() if isinstance(one, str) else one for one in contents)
    length = len(body)
    if length < 128:
        return bytes([tag, length]) + body
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + body


def integer(value, tag=2):
    return ber(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def take(data, at=0):
    """Tag, contents and the end of the element at a place; None when it is not whole."""
    if len(data) < at + 2:
        return None
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        if len(data) < at + size:
            return None
        length, at = int.from_bytes(data[at:at + size], "big"), at + size
    if len(data) < at + length:
        return None
    return tag, data[at:at + length], at + length


def parts(data):
    at, found = 0, []
    while at < len(data):
        tag, contents, at = take(data, at)
        found.append((tag, contents))
    return found


def result(code, text="", referrals=()):
    more = [ber(0xA3, *(ber(4, url) for url in referrals))] if referrals else []
    return [integer(code, 0x0A), ber(4, ""), ber(4, text), *more]


def message(number, tag, *contents):
    return ber(0x30, integer(number), ber(tag, *contents))


# --- ways to answer: each gets the connection, the request and the honest answer ---


def honest(connection, request, answer):
    connection.send(answer)


def late(seconds):
    """The honest answer after so many seconds by the directory's own clock."""

    def act(connection, request, answer):
        if not connection.directory.closing.wait(seconds):
            connection.send(answer)

    return act


def mute(connection, request, answer):
    """Nothing at all, on a connection that stays."""


def half(connection, request, answer):
    """The first half, and the connection stays."""
    connection.send(answer[:len(answer) // 2])


def half_then_close(connection, request, answer):
    connection.send(answer[:len(answer) // 2])
    connection.close()


def close(connection, request, answer):
    connection.close()


def reset(connection, request, answer):
    connection.reset()


def garbage(connection, request, answer):
    connection.send(bytes(range(256)) * 8)


def wrong_number(connection, request, answer):
    connection.send(message(request.number + 1000, ANSWERS[request.tag], *result(SUCCESS)))


def wrong_kind(connection, request, answer):
    """Success, but to another operation."""
    connection.send(message(request.number, 0x69, *result(SUCCESS)))


def huge(connection, request, answer):
    """A message that says it has four gigabytes."""
    connection.send(b"\x30\x84\xff\xff\xff\xff" + integer(request.number) + b"\x61\x84\x7f\xff\xff\xff")


def endless(connection, request, answer):
    """The beginning of a message of 1 GB, filled as fast as it is read."""
    connection.send(b"\x30\x84\x40\x00\x00\x00" + integer(request.number) + b"\x65\x84\x3f\xff\xff\x00")
    while not connection.directory.closing.is_set() and connection.send(bytes(65536)):
        pass


def says(code, text="", referrals=()):
    """Another result than the honest one."""

    def act(connection, request, answer):
        connection.send(message(request.number, ANSWERS[request.tag], *result(code, text, referrals)))

    return act


def once(way):
    """That way the first time, honest from then on."""
    left = [way]

    def act(connection, request, answer):
        (left.pop() if left else honest)(connection, request, answer)

    return act


class Request:
    def __init__(self, number, tag, contents):
        self.number, self.tag, self.contents = number, tag, contents
        self.name = NAMES.get(tag, "other")
        self.dn = self.password = None
        if tag == BIND:
            fields = parts(contents)
            self.dn, self.password = fields[1][1].decode(), fields[2][1].decode()

    def about(self, user):
        if self.tag == BIND:
            return self.dn.lower() == user.dn.lower()
        name = user.name.encode()
        return bytes([len(name)]) + name in self.contents


class FakeUser:
    def __init__(self, name, password, base, **attributes):
        self.name, self.password = name, password
        self.dn = f"cn={name},{base}"
        self.attributes = {
            "objectClass": ["person"], "uid": [name], "cn": [name], "sAMAccountName": [name],
            "entryUUID": [f"00000000-0000-0000-0000-{abs(hash(name)) % 10**12:012}"], **attributes}

    def entry(self):
        values = (ber(0x30, ber(4, name), ber(0x31, *(ber(4, one) for one in many)))
                  for name, many in self.attributes.items())
        return [ber(4, self.dn), ber(0x30, *values)]


class Connection:
    def __init__(self, directory, made):
        self.directory, self.socket = directory, made
        self._lock = threading.Lock()

    def send(self, data):
        with self._lock:
            try:
                self.socket.sendall(data)
                return True
            except OSError:
                return False

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def reset(self):
        """So that the peer reads an error and not an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def serve(self):
        data = b""
        try:
            while True:
                whole = take(data)
                if whole is None:
                    piece = self.socket.recv(65536)
                    if not piece:
                        return
                    data += piece
                    continue
                data = data[whole[2]:]
                fields = parts(whole[1])
                if fields[1][0] == UNBIND:
                    return
                if fields[1][0] == ABANDON:
                    self.directory.count("abandon")
                    continue
                request = Request(int.from_bytes(fields[0][1], "big"), *fields[1])
                # One thread for each, so that what is late holds nothing else up.
                threading.Thread(target=self._answer, args=(request,), daemon=True).start()
        except OSError:
            pass
        finally:
            self.directory.left(self)
            self.socket.close()

    def _answer(self, request):
        act = self.directory.way(request)
        act(self, request, self.directory.honest_answer(request))


class FakeDirectory:
    """`add` users, then say how to behave: when(operation, user, way). `fairlead` is the program's own account."""

    base = "dc=fake,dc=example"

    def __init__(self, folder):
        self.folder = folder
        self.users = []
        self.fairlead = self.add("fairlead", "Fake-Bind-Password")
        self.closing = threading.Event()
        self.counts = collections.Counter()
        self.order = []  # (operation, name of the user or the DN) as they came
        self._ways = []
        self._connections = set()
        self._changed = threading.Condition()
        self._open()
        self.port = self._listener.getsockname()[1]
        self.url = f"ldap://127.0.0.1:{self.port}"

    def _open(self, port=0):
        self._listener = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def _accept(self, listener):
        while True:
            try:
                made, _ = listener.accept()
            except OSError:
                return
            connection = Connection(self, made)
            with self._changed:
                self._connections.add(connection)
            self.count("connect")
            threading.Thread(target=connection.serve, daemon=True).start()

    def left(self, connection):
        with self._changed:
            self._connections.discard(connection)
            self._changed.notify_all()

    def add(self, name, password, **attributes):
        user = FakeUser(name, password, self.base, **attributes)
        self.users.append(user)
        return user

    # --- behaviour ---

    def when(self, operation, user, way):
        """From the next such request on; `user` None: whoever it is about."""
        with self._changed:
            self._ways.insert(0, (operation, user, way))

    def be_honest(self):
        with self._changed:
            self._ways.clear()

    def way(self, request):
        with self._changed:
            user = next((one for one in self.users if request.about(one)), None)
            self.order.append((request.name, user.name if user else request.dn))
            self.counts[request.name] += 1
            if user:
                self.counts[request.name, user.name] += 1
            self._changed.notify_all()
            for operation, who, way in self._ways:
                if operation == request.name and (who is None or who is user):
                    return way
        return honest

    def count(self, what):
        with self._changed:
            self.counts[what] += 1
            self._changed.notify_all()

    def wait(self, what, count=1):
        """Until something has happened so often: ("bind", "alice"), "search", "connect"."""
        deadline = time.monotonic() + LIMIT
        with self._changed:
            while self.counts[what] < count:
                left = deadline - time.monotonic()
                assert left > 0, f"{what}: {self.counts}"
                self._changed.wait(left)

    def honest_answer(self, request):
        if request.tag == BIND:
            known = any(request.about(user) and request.password == user.password for user in self.users)
            return message(request.number, ANSWERS[BIND], *result(SUCCESS if known else INVALID))
        if request.tag == SEARCH:
            found = [user for user in self.users if request.about(user)]
            return b"".join(message(request.number, ENTRY, *user.entry()) for user in found) + message(
                request.number, ANSWERS[SEARCH], *result(SUCCESS))
        return message(request.number, ANSWERS.get(request.tag, 0x78), *result(2, "not understood"))

    # --- life ---

    def config(self, name="fake", **keys):
        secret_file = self.folder / f"fake-{self.port}.password"
        secret_file.write_text(self.fairlead.password + "\n")
        secret_file.chmod(0o600)
        return {"name": name, "kind": "ldap", "domains": ["FAKE"], "servers": [self.url], "plain": True,
                "base": self.base, "bind-dn": self.fairlead.dn, "bind-password-file": str(secret_file), **keys}

    def drop(self):
        """Closes every connection, as a server does that is started anew; goes on listening."""
        with self._changed:
            open_now = list(self._connections)
        for connection in open_now:
            connection.close()
        deadline = time.monotonic() + LIMIT
        with self._changed:
            while self._connections & set(open_now):
                assert self._changed.wait(deadline - time.monotonic()), "connections do not end"

    def stop_listening(self):
        """Nobody there any more, until listen_again()."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.drop()

    def listen_again(self):
        self._open(self.port)

    def close(self):
        self.closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        with self._changed:
            open_now = list(self._connections)
        for connection in open_now:
            connection.close()
