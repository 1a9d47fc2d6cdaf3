"""Every bundle of tests/bundles/ is judged as its expected.json says; see bundles.py."""

import collections
import json
import re

import pytest

import bundles
from programs import TREE, program, run

RULES = {path.stem: path.read_text() for path in (TREE / "rules" / "diagnostics").glob("*.yaml")}


def shown():
    """{diagnostic: {"fail:cause", ...}}, over all bundles."""
    found = {}
    for name in bundles.names():
        expected = bundles.expected(name)
        for judged in [*expected["sessions"].values(), expected["host"]]:
            for rule, results in judged.items():
                found.setdefault(rule, set()).update(results)
    return found


@pytest.mark.parametrize("name", bundles.names())
def test_bundle(name, tmp_path):
    expected = bundles.expected(name)
    done = run(program("fairlead"), "check", "--format", "json", bundles.path_of(name, tmp_path))
    assert done.returncode == expected["exit"], done.stderr + done.stdout[:2000]
    document = json.loads(done.stdout)
    sessions, host = bundles.judged(document)
    assert {"sessions": sessions, "host": host} == {"sessions": expected["sessions"], "host": expected["host"]}
    everything = [one for session in document["sessions"] for one in session["diagnostics"]]
    counted = collections.Counter(one["result"] for one in everything + document["host"]["diagnostics"])
    assert document["summary"] == {result: counted[result] for result in document["summary"]}
    for wanted in expected.get("skipped", []):
        assert any(wanted in one["path"] and one["skipped"] for one in document["inputs"]), document["inputs"]
    for file, encoding in expected.get("encodings", {}).items():
        assert [one["encoding"] for one in document["inputs"] if one["path"].endswith(file)] == [encoding]


def test_every_failure_says_what_to_do_and_shows_why():
    """Over all bundles that are folders: a failure has a cause, a remedy, somebody who acts, and evidence."""
    paths = [bundles.FOLDER / name / "input" for name in bundles.names() if "pack" not in bundles.expected(name)]
    document = json.loads(run(program("fairlead"), "check", "--format", "json", *paths).stdout)
    everything = [one for session in document["sessions"] for one in session["diagnostics"]]
    everything += document["host"]["diagnostics"]
    failed = [one for one in everything if one["result"] == "fail"]
    assert len(failed) > 40
    for one in failed:
        assert one["cause"] and one["evidence"], one
        assert all(remedy["who"] and remedy["text"] for remedy in one["remedies"]) and one["remedies"], one
    assert "{" not in "".join(one["cause"] or "" for one in everything), "a capture was not filled in"


def test_every_diagnostic_is_shown():
    """Each of the built-in rules has a result in some bundle, and a failure when the rule knows one."""
    found = shown()
    assert set(found) == set(RULES)
    failing = {rule for rule, text in RULES.items() if re.search(r"\bresult: fail\b|\bfail-cause:", text)}
    assert len(failing) > 20
    assert failing <= {rule for rule, results in found.items() if any(one.startswith("fail") for one in results)}


def test_every_cause_of_a_builtin_is_shown():
    """The lint proves the causes of tracks and measures; those that code gives are left to bundles."""
    table = (TREE / "src" / "health" / "builtin.def").read_text()
    causes = dict(re.findall(r'^BUILTIN\("([^"]*)", \w+, "[^"]*", "([^"]*)"', table, re.MULTILINE))
    found = shown()
    for rule, text in RULES.items():
        for builtin in re.findall(r"^builtin: ([\w-]+)$", text, re.MULTILINE):
            wanted = set(causes.pop(builtin).split())
            assert wanted <= {one.partition(":")[2] for one in found[rule]}, rule
    assert not causes, "a built-in that no rule has"
