"""The programs under test as child processes: started with --ready-fd, watched by their log, ended by process id."""

import ctypes
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import threading
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FAIRLEAD_BUILD", TREE / "build")).resolve()
SLOW = float(os.environ.get("FAIRLEAD_SLOW", "1"))

#: Seconds after which something that should have happened counts as hung.
LIMIT = 20 * SLOW

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent():
    """For preexec_fn: no child outlives a test run that was killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def program(name):
    return str(BUILD / name)


def run(*command, input=None, env=None, limit=LIMIT, cwd=None):
    """A command to its end; its output as text, whatever its exit status."""
    return subprocess.run(
        [str(word) for word in command],
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        errors="replace",
        env=None if env is None else {**os.environ, **env},
        timeout=limit,
        cwd=cwd,
        preexec_fn=die_with_parent,
    )


class Lines:
    """What a child writes, line by line, for whoever waits for one."""

    def __init__(self, stream, copy):
        self._lines = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream, copy), daemon=True)
        self._thread.start()

    def _read(self, stream, copy):
        with stream, open(copy, "a", encoding="utf-8") as out:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                out.write(line + "\n")
                out.flush()
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def mark(self):
        with self._changed:
            return len(self._lines)

    def since(self, mark=0):
        with self._changed:
            return self._lines[mark:]

    def wait(self, pattern, mark=0, limit=LIMIT):
        """The first match at or after the mark; fails when the child ends or the limit is over."""
        deadline = time.monotonic() + limit
        expression = re.compile(pattern)
        at = mark
        with self._changed:
            while True:
                while at < len(self._lines):
                    found = expression.search(self._lines[at])
                    at += 1
                    if found:
                        return found
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    break
                self._changed.wait(left)
            tail = "\n".join(self._lines[-30:])
        raise AssertionError(f"no line matches {pattern!r}; the last ones are\n{tail}")

    def join(self):
        self._thread.join(LIMIT)


class Program:
    """One daemon. `config` is a dictionary (written as JSON, which is YAML) or the text itself."""

    def __init__(self, name, config, folder, tag=None):
        self.name = name
        self.tag = tag or name
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config_file = self.folder / f"{self.tag}.yaml"
        self.log_file = self.folder / f"{self.tag}.log"
        self.addresses = {}
        self.configure(config)
        self._start()

    def configure(self, config):
        text = config if isinstance(config, str) else json.dumps(config, indent=1)
        self.config_file.write_text(text)

    def start_again(self):
        """After its end: the same configuration, the log goes on in the same file."""
        self._start()

    def _start(self):
        ready, write = os.pipe()
        try:
            self.process = subprocess.Popen(
                [program(self.name), "--config", self.config_file, "--ready-fd", str(write)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[write],
                cwd=self.folder,
                preexec_fn=die_with_parent,
            )
        finally:
            os.close(write)
        self.log = Lines(self.process.stderr, self.log_file)
        self._await_ready(ready)

    def _await_ready(self, ready):
        deadline = time.monotonic() + LIMIT
        text = b""
        with os.fdopen(ready, "rb", buffering=0) as stream:
            while not text.endswith(b"ready\n"):
                left = deadline - time.monotonic()
                readable = left > 0 and select.select([stream], [], [], left)[0]
                piece = stream.read(4096) if readable else b""
                if not piece:
                    self.kill()
                    raise AssertionError(
                        f"{self.tag} did not get ready:\n" + "\n".join(self.log.since()[-30:])
                    )
                text += piece
        for line in text.decode().splitlines():
            if line != "ready":
                name, address = line.split("=", 1)
                self.addresses.setdefault(name, []).append(address)

    def address(self, name, index=0):
        return self.addresses[name][index]

    def port(self, name, index=0):
        return int(self.address(name, index).rsplit(":", 1)[1])

    def send_signal(self, number):
        os.kill(self.process.pid, number)

    def reload(self):
        """SIGHUP, until the log says what became of it; True when the new configuration is in use."""
        mark = self.log.mark()
        self.send_signal(signal.SIGHUP)
        found = self.log.wait(r"Configuration (\S+ reloaded|not reloaded)", mark)
        return found.group(1) != "not reloaded"

    def running(self):
        return self.process.poll() is None

    def stop(self, number=signal.SIGTERM):
        """Ends it and says with which status."""
        if self.running():
            self.send_signal(number)
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.tag} does not stop") from None
        self.log.join()
        return status

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()
        self.log.join()

    def complaints(self):
        """What a sanitizer said, or an assertion."""
        marks = ("Sanitizer", "runtime error:", "Assertion `")
        return [line for line in self.log.since() if any(mark in line for mark in marks)]


class Launcher:
    """Starts programs and fakes; ends all of them, and looks how they ended."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._started = []
        self._tags = {}

    def __call__(self, name, config, tag=None):
        tag = tag or name
        self._tags[tag] = number = self._tags.get(tag, 0) + 1
        folder = self.folder if number == 1 else self.folder / str(number)
        child = Program(name, config, folder, tag)
        self._started.append(child)
        return child

    def adopt(self, closable):
        """Something with close(), ended together with the programs."""
        self._started.append(closable)
        return closable

    def close(self):
        troubles = []
        for child in reversed(self._started):
            if not isinstance(child, Program):
                child.close()
                continue
            killed = child.process.poll() is not None and child.process.returncode < 0
            status = child.stop()
            if status != 0 and not killed:
                troubles.append(f"{child.tag} ended with {status}")
            troubles += [f"{child.tag}: {line}" for line in child.complaints()]
        self._started.clear()
        assert not troubles, "\n".join(troubles)
