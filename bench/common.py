"""What the measurements of bench/ share: running programs, figures, and the file of results."""

import json
import os
import platform
import re
import statistics
import subprocess


class Trouble(Exception):
    """The measurement could not be made."""


def run(command, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise Trouble(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def figure(values, digits=0):
    """Median, and where it lay."""
    text = f"{statistics.median(values):,.{digits}f}"
    return f"{text} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def verdict(met):
    return "met" if met else "**missed**"


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def build_type(build):
    try:
        options = json.loads(run(["meson", "introspect", "--buildoptions", build]))
    except (Trouble, OSError, ValueError):
        return "unknown"
    return next((one["value"] for one in options if one["name"] == "buildtype"), "unknown")


def write_part(path, text):
    """Replaces the part of the results with this text's heading ("# ..."), or adds it."""
    parts = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            parts = re.split(r"^(?=# )", file.read(), flags=re.MULTILINE)
    heading = text.split("\n", 1)[0] + "\n"
    parts = [part.strip("\n") + "\n" for part in parts if part.strip()]
    at = next((i for i, part in enumerate(parts) if part.startswith(heading)), len(parts))
    parts[at : at + 1] = [text]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))
