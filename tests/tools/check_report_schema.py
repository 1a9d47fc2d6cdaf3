#!/usr/bin/python3
"""Checks that what a program prints is what docs/check-report.schema.json says.

usage: check_report_schema.py SCHEMA PROGRAM

The program prints a report, with --mask too. Both must fit the schema, name no member that it does
not describe, and no longer fit once a required member is missing or of another type. Needs
python3-jsonschema; without it the test is skipped (exit status 77).
"""

import copy
import json
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)


def closed(schema):
    """The schema, refusing every member that it does not describe."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if "properties" in made and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def places(value, path=()):
    """Paths of all members of all objects; of arrays, of their first element."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield path + (key,)
            if key != "data":
                yield from places(part, path + (key,))
    elif isinstance(value, list) and value:
        yield from places(value[0], path + (0,))


def holder(value, path):
    for key in path[:-1]:
        value = value[key]
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    strict = Draft202012Validator(closed(schema))
    faults = []
    for arguments in ([], ["--mask"]):
        text = subprocess.run([sys.argv[2], *arguments], check=True, capture_output=True).stdout
        report = json.loads(text)
        for error in strict.iter_errors(report):
            faults.append(f"{list(error.absolute_path)}: {error.message}")
    count = 0
    for path in places(report):
        count += 1
        broken = copy.deepcopy(report)
        del holder(broken, path)[path[-1]]
        if validator.is_valid(broken):
            faults.append(f"{list(path)} may be missing")
        holder(broken, path)[path[-1]] = {"of": "another type"}
        if path[-1] != "data" and validator.is_valid(broken):
            faults.append(f"{list(path)} may be an object")
    print("\n".join(faults) if faults else f"{count} members proved")
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
