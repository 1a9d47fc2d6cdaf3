"""What the foreign servers of the tests have in common: a process of someone else's, loopback addresses, people."""

import os
import pathlib
import random
import socket
import subprocess
import time

from apart import READY
from messages import secret
from programs import LIMIT, Lines, die_with_parent


def free_port(kind=socket.SOCK_STREAM, address="127.0.0.1"):
    """A port that is free at this moment, for servers that cannot choose one themselves."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((address, 0))
        return taken.getsockname()[1]


def free_address(*ports):
    """A loopback address on which these ports are free: for servers whose ports are fixed. None where there is none: a
    server of this machine has them on every address, or they are not for this user."""
    for _ in range(20):
        address = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        try:
            for port in ports:
                with socket.socket() as taken:
                    taken.bind((address, port))
            return address
        except OSError:
            continue
    return None


APART = pathlib.Path(__file__).with_name("apart.py")


class Peer:
    """A foreign server in the foreground: its log is watched, it is stopped by its process id. `ready` is a
    pattern of its log, or the address and port where it listens. With `apart` ({port out here: its own port}) it runs
    in a network of its own (apart.py)."""

    def __init__(self, name, command, folder, ready, apart=None):
        self.name, self.command, self.folder, self.ready = name, [str(word) for word in command], folder, ready
        self.apart = apart or {}
        if apart:
            self.ready = f"^{READY}"
        self.process = None
        self.start()

    def start(self):
        listeners = [socket.create_server(("127.0.0.1", port)) for port in self.apart]
        command = self.command
        if self.apart:
            pairs = [f"{one.fileno()}={inner}" for one, inner in zip(listeners, self.apart.values())]
            command = ["/usr/bin/python3", "-B", str(APART), *pairs, "--", *command]
        # Some servers end when their standard input does: the pipe is ours, so they end with us.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, cwd=self.folder, preexec_fn=die_with_parent,
                                        pass_fds=[one.fileno() for one in listeners])
        for listener in listeners:
            listener.close()
        self.log = Lines(self.process.stdout, self.folder / f"{self.name}.output")
        try:
            self._await()
        except BaseException:
            self.stop()
            raise

    def _await(self):
        if isinstance(self.ready, str):
            self.log.wait(self.ready, limit=2 * LIMIT)
            return
        deadline = time.monotonic() + 2 * LIMIT
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < deadline, (
                f"{self.name} did not start:\n" + "\n".join(self.log.since()[-30:]))

    def _listens(self):
        """A refused connection comes back at once, so the server's log paces the asking: a line more, or its end."""
        try:
            socket.create_connection(self.ready, timeout=LIMIT).close()
            return True
        except ConnectionRefusedError:
            mark = self.log.mark()
            try:
                self.log.wait("", mark, limit=0.05)
            except AssertionError:
                pass
            return False

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.log.join()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    close = stop


class User:
    """One user of a directory. What is not said is as usual."""

    def __init__(self, name, password=None, cn=None, login=None, groups=(), **state):
        self.name, self.cn, self.login = name, cn or name, login
        self.password = secret(password or "Pw-" + os.urandom(9).hex() + "A1")
        self.state = {key.replace("_", "-"): value for key, value in state.items()}
        self.groups = list(groups)
        self.dn = None


def issue_for(authority, name, addresses, **how):
    """A server certificate for numeric addresses and localhost."""
    names = ",".join([*(f"IP:{address}" for address in addresses), "DNS:localhost"])
    return authority.issue(name, names=names, **how)


