"""Fixtures of the end-to-end tests: the real programs over TLS on loopback."""

import json
import os
import select
import signal
import subprocess
import time

import pytest

import messages
import programs
from programs import LIMIT, Launcher, Lines, die_with_parent
from rigs import freeradius, samba, slapd, start_once  # noqa: F401  (fixtures)
from studio import Studio, System

#: Folders whose *.log files belong to programs of this run.
LOG_FOLDERS = []


def pytest_configure(config):
    config.addinivalue_line("markers", "last: looks at what all other tests have left behind")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session", autouse=True)
def _programs_are_there():
    missing = [name for name in ("fairlead-broker", "fairlead-manager", "fairlead-agent", "fairlead-license")
               if not (programs.BUILD / name).exists()]
    if missing:
        pytest.exit(f"{', '.join(missing)} not found in {programs.BUILD}; set FAIRLEAD_BUILD", 2)


@pytest.fixture(scope="session")
def capture(tmp_path_factory):
    """Folder that gets a redacted copy of every message of the run."""
    return tmp_path_factory.mktemp("capture")


@pytest.fixture(scope="session")
def studio(tmp_path_factory, capture):
    return Studio(tmp_path_factory.mktemp("studio"), capture)


def _launcher(folder):
    LOG_FOLDERS.append(folder)
    return Launcher(folder)


@pytest.fixture
def start(tmp_path):
    """start("fairlead-broker", config) for one test."""
    launcher = _launcher(tmp_path)
    yield launcher
    launcher.close()


@pytest.fixture(scope="session")
def system(tmp_path_factory, studio):
    """A licence service, an agent, a broker and a manager for the tests that only talk to them."""
    folder = tmp_path_factory.mktemp("system")
    launcher = _launcher(folder)
    yield System(launcher, studio, folder)
    launcher.close()


@pytest.fixture
def own_system(tmp_path, start, studio):
    """The same for one test alone, to stop and reload things in."""
    return System(start, studio, tmp_path)


@pytest.fixture(scope="session")
def log_folders():
    return LOG_FOLDERS


class Demo:
    """`fairlead demo --serve`."""

    def __init__(self, folder, capture, *options):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "demo.json"
        self.process = subprocess.Popen(
            [programs.program("fairlead"), "demo", "--serve", "--dir", str(folder), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "FAIRLEAD_DEMO_CAPTURE": str(capture), "NO_COLOR": "1"},
            preexec_fn=die_with_parent,
        )
        self.output = Lines(self.process.stdout, folder / "demo-output.log")
        try:
            self.output.wait("^ready: ", limit=3 * LIMIT)
        except AssertionError:
            self.process.kill()
            raise
        self.data = json.loads(self.file.read_text())
        messages.secret(self.data["password"])

    def __getitem__(self, key):
        return self.data[key]

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(LIMIT)


@pytest.fixture(scope="session")
def demo(tmp_path_factory, capture):
    folder = tmp_path_factory.mktemp("demo")
    LOG_FOLDERS.append(folder)
    served = Demo(folder / "served", capture)
    yield served
    assert served.stop() == 0


@pytest.fixture
def serve_demo(tmp_path, capture):
    """A demo of one's own, to end in various ways."""
    started = []
    LOG_FOLDERS.append(tmp_path)

    def begin(*options):
        started.append(Demo(tmp_path / f"demo-{len(started)}", capture, *options))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def _gone(pids, limit=LIMIT):
    """Waits until these processes have ended, by their pidfds."""
    deadline = time.monotonic() + limit
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
                return False
        finally:
            os.close(descriptor)
    return True


@pytest.fixture(scope="session")
def gone():
    return _gone
