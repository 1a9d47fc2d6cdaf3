"""What the checkers in this folder share: where the tree is and what is in it."""

import os
import sys

SKIPPED = {".git", "__pycache__", ".pytest_cache"}


def root(argv):
    """The tree to check: the first argument, or the one this file is in."""
    if len(argv) > 1:
        return os.path.abspath(argv[1])
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def files(top):
    """Every file below top, relative to it, sorted; no build folders."""
    found = []
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name
            for name in folders
            if name not in SKIPPED
            and not os.path.exists(os.path.join(folder, name, "build.ninja"))
            and not (folder == top and (name == "build" or name.startswith("build-")))
        ]
        found += [os.path.relpath(os.path.join(folder, name), top) for name in names]
    return sorted(found)


def read(top, name):
    with open(os.path.join(top, name), encoding="utf-8") as file:
        return file.read()


def finish(faults):
    """Prints the faults and ends the program."""
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)
