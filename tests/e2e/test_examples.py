"""The examples are configurations that run, not illustrations."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FAIRLEAD_BUILD", TREE / "build"))
PROGRAMS = ["broker", "manager", "agent", "license"]
# Which program an example is for.
EXAMPLES = {program: program for program in PROGRAMS} | {"broker-active-directory": "broker"}


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "examples"
    shutil.copytree(TREE / "examples", folder)
    subprocess.run([folder / "make-certificates"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_is_a_good_configuration(examples, example):
    checked = subprocess.run(
        [BUILD / f"fairlead-{EXAMPLES[example]}", "--config", examples / f"{example}.yaml", "--check-config"],
        capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_runs(examples, example):
    """As it stands, but for the ports, which this machine may not have to give."""
    text = (examples / f"{example}.yaml").read_text()
    config = examples / f"{example}-free-ports.yaml"
    config.write_text(re.sub(r"0\.0\.0\.0:\d+", "127.0.0.1:0", text))
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [BUILD / f"fairlead-{EXAMPLES[example]}", "--config", config, "--ready-fd", str(writer)],
        pass_fds=[writer], stderr=subprocess.PIPE, text=True)
    os.close(writer)
    with os.fdopen(reader) as told:
        lines = told.read().splitlines()
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert lines and lines[-1] == "ready", log
    assert process.returncode == 0, log


def test_every_program_has_an_example():
    assert {path.stem for path in (TREE / "examples").glob("*.yaml")} == set(EXAMPLES)
