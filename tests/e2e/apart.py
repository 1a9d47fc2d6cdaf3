#!/usr/bin/python3
"""Runs a server that wants ports below 1024 for somebody who may not have them, or where they are taken: in a network
of its own, in which every port is free. Connections to ports out here are handed through.

    apart.py DESCRIPTOR=PORT... -- COMMAND...

Each descriptor is a listening socket out here; PORT is on 127.0.0.1 in there. Needs a kernel that lets users make
namespaces, as Debian's does. Ends when the command ends or its own standard input does."""

import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_SET_PDEATHSIG = 1

#: Said once the command listens on its ports.
READY = "apart: everything listens"

libc = ctypes.CDLL(None, use_errno=True)


def unshare():
    user, group = os.getuid(), os.getgid()
    if libc.unshare((CLONE_NEWUSER if user else 0) | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace can be made")
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    loopback_up()


def loopback_up():
    with socket.socket() as any_socket:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | IFF_UP))


def pump(one, other):
    """Both ways until both have ended."""
    to = {one: other, other: one}
    reading = [one, other]
    try:
        while reading:
            for ready in select.select(reading, [], [])[0]:
                data = ready.recv(65536)
                if data:
                    to[ready].sendall(data)
                else:
                    reading.remove(ready)
                    to[ready].shutdown(socket.SHUT_WR)
    except OSError:
        pass
    finally:
        one.close()
        other.close()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionRefusedError:
        return False


def hand_through(listener, port):
    while True:
        outer, _ = listener.accept()
        try:
            inner = socket.create_connection(("127.0.0.1", port))
        except OSError:
            # As if nobody listened: the best that can be done for who is connected already.
            outer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            outer.close()
            continue
        for end in (outer, inner):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=pump, args=(outer, inner), daemon=True).start()


def main(arguments):
    at = arguments.index("--")
    unshare()
    child = subprocess.Popen(arguments[at + 1:], stdin=subprocess.PIPE,
                             preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    for pair in arguments[:at]:
        descriptor, port = map(int, pair.split("="))
        while not listens(port):
            try:
                return child.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
        listener = socket.socket(fileno=descriptor)
        threading.Thread(target=hand_through, args=(listener, port), daemon=True).start()
    print(READY, flush=True)
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), child.terminate()), daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
