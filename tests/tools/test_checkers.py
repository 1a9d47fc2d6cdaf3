"""The checkers in tools/ must find what they are there to find.

Each test makes a small tree with one fault in it. Standard library only, so
that it runs wherever the build runs.
"""

import os
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")


def run(tool, files, folder, *arguments):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    done = subprocess.run(
        [sys.executable, "-B", os.path.join(TOOLS, tool), folder, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


class Checker(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def passes(self, tool, files):
        self.assertEqual(run(tool, files, self.folder.name), (0, []))

    def fails(self, tool, files, *faults):
        code, lines = run(tool, files, self.folder.name)
        self.assertEqual(code, 1)
        self.assertEqual(len(lines), len(faults), lines)
        for line, fault in zip(lines, faults):
            self.assertIn(fault, line)


class Layers(Checker):
    def test_what_is_allowed(self):
        self.passes(
            "check-layers",
            {
                "src/base/a.c": '#include "base/a.h"\n#include <stdio.h>\n',
                "src/protocol/p.c": '#include "wire/xml.h"\n#include "base/arena.h"\n',
                "src/broker/m.c": '#include "service/s.h"\n#include "broker/m.h"\n#include "base/a.h"\n',
            },
        )

    def test_upwards(self):
        self.fails(
            "check-layers",
            {"src/wire/w.c": '#include "wire/w.h"\n\n  #  include "service/s.h"\n'},
            "src/wire/w.c:3: wire/ must not include service/s.h",
        )

    def test_role_from_below(self):
        self.fails(
            "check-layers",
            {"src/service/s.h": '#include "agent/a.h"\n'},
            "src/service/s.h:1: service/ must not include agent/a.h, which belongs to a role",
        )

    def test_role_to_role(self):
        self.fails(
            "check-layers",
            {"src/manager/m.c": '#include "broker/b.h"\n'},
            "src/manager/m.c:1: manager/ must not include broker/b.h, which belongs to another role",
        )

    def test_in_a_table(self):
        self.fails(
            "check-layers",
            {"src/base/t.def": '#include "wire/w.h"\n'},
            "src/base/t.def:1: ",
        )

    def test_without_path(self):
        self.fails(
            "check-layers",
            {"src/base/a.c": '#include "a.h"\n#include "../wire/w.h"\n'},
            "src/base/a.c:1: ",
            "src/base/a.c:2: ",
        )

    def test_purity(self):
        self.fails(
            "check-layers",
            {
                "src/protocol/p.c": "#include <uv.h>\n",
                "src/protocol/q.c": '#include "wire/http_server.h"\n#include "base/log.h"\n',
                "src/wire/w.c": '#include "base/log.h"\n',
                "src/health/h.c": '#include "protocol/message.h"\n',
            },
            "src/health/h.c:1: ",
            "src/protocol/p.c:1: ",
            "src/protocol/q.c:1: ",
            "src/protocol/q.c:2: ",
            "src/wire/w.c:1: ",
        )

    def test_unknown_folder(self):
        self.fails("check-layers", {"src/stuff/s.c": ""}, "src/stuff/s.c:1: ")


class Sizes(Checker):
    def test_the_limit(self):
        self.passes("check-sizes", {"src/base/a.c": "\n" * 800, "src/base/table.def": "\n" * 900})

    def test_one_more(self):
        self.fails(
            "check-sizes",
            {"src/base/a.c": "\n" * 801, "tests/e2e/test_a.py": "\n" * 900, "tools/x": "\n" * 801},
            "src/base/a.c:801: 801 lines",
            "tests/e2e/test_a.py:801: 900 lines",
            "tools/x:801: 801 lines",
        )

    def test_build_folders_do_not_count(self):
        self.passes("check-sizes", {"out/build.ninja": "", "out/a.c": "\n" * 900})


class Docs(Checker):
    GOOD = {
        "docs/architecture.md": "# A\n\nIn [base](../src/base/) is `base/a.h`; see [B](#part-b-here).\n\n"
        "`src/broker/`\n\n## Part B, here\n",
        "src/base/a.h": "",
        "src/broker/meson.build": "programs += {'fairlead-broker': files('main.c')}\n",
        "docs/man/fairlead-broker.8": "",
        "docs/man/fairlead-broker.yaml.5": "",
    }

    def test_good(self):
        self.passes("check-docs", self.GOOD)

    def without(self, *names):
        return {name: text for name, text in self.GOOD.items() if name not in names}

    def test_no_man_page(self):
        self.fails(
            "check-docs",
            self.without("docs/man/fairlead-broker.8"),
            "src/broker/meson.build:1: fairlead-broker has no man page",
        )

    def test_no_man_page_of_the_configuration(self):
        self.fails(
            "check-docs",
            self.without("docs/man/fairlead-broker.yaml.5"),
            "fairlead-broker.yaml.5",
        )

    def test_a_program_without_configuration(self):
        files = self.without("docs/man/fairlead-broker.yaml.5")
        files["src/broker/meson.build"] += "program_folders += {'fairlead-broker': helper_folder}\n"
        self.passes("check-docs", files)

    def test_links(self):
        files = dict(self.GOOD)
        files["README.md"] = (
            "[a](docs/none.md) [b](https://example.org/x)\n"
            "```\n[c](nowhere)\n```\n"
            "[d](docs/architecture.md#part-c) [e](docs/architecture.md#part-b-here)\n"
            '<img src="docs/none.svg">\n'
        )
        self.fails(
            "check-docs",
            files,
            "README.md:1: the link docs/none.md leads nowhere",
            "README.md:5: docs/architecture.md has no heading for #part-c",
            "README.md:6: the link docs/none.svg leads nowhere",
        )

    def test_source_files(self):
        files = dict(self.GOOD)
        files["README.md"] = "`base/a.h` and `base/b.h`\n"
        self.fails("check-docs", files, "README.md:1: there is no src/base/b.h")

    def test_folders(self):
        files = dict(self.GOOD)
        files["src/wire/w.c"] = ""
        files["docs/architecture.md"] += "src/gone/\n"
        self.fails(
            "check-docs",
            files,
            "there is no folder src/gone",
            "says nothing about src/wire",
        )


class InstallDeps(Checker):
    """Without rights it prints the one command, and nothing else."""

    def deps(self, packages, *purposes):
        folder = self.folder.name
        with open(os.path.join(TOOLS, "install-deps"), encoding="utf-8") as file:
            text = file.read()
        os.makedirs(os.path.join(folder, "tools"))
        script = os.path.join(folder, "tools", "install-deps")
        with open(script, "w", encoding="utf-8") as file:
            file.write(text)
        with open(os.path.join(folder, "tools", "packages"), "w", encoding="utf-8") as file:
            file.write(packages)
        # a dpkg-query that knows one package
        program = os.path.join(folder, "dpkg-query")
        with open(program, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nfor last; do :; done\n[ "$last" = there ] && echo "installed "\n')
        os.chmod(program, 0o755)
        environment = dict(os.environ, FAIRLEAD_NO_INSTALL="1")
        environment["PATH"] = folder + ":" + environment["PATH"]
        done = subprocess.run(
            ["/bin/sh", script, *purposes],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout

    PACKAGES = "# comment\nbuild there  why\nbuild absent-a  why\ncheck absent-b why\ncheck absent-a why\n"

    def test_missing(self):
        self.assertEqual(
            self.deps(self.PACKAGES, "build", "check"),
            (1, "sudo apt-get install --no-install-recommends absent-a absent-b\n"),
        )

    def test_nothing_missing(self):
        self.assertEqual(self.deps("build there  why\n", "build"), (0, ""))

    def test_unknown_purpose(self):
        self.assertEqual(self.deps(self.PACKAGES, "biuld")[0], 2)


class Translations(Checker):
    HEAD = (
        'msgid ""\nmsgstr ""\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n"X-Locale: de_DE\\n"\n'
    )
    POT = HEAD + (
        '\n#, python-brace-format\nmsgctxt "WAIT"\nmsgid "Wait {time}."\nmsgstr ""\n'
        '\nmsgctxt "CODE"\nmsgid "Code"\nmsgstr ""\n'
    )
    DE = HEAD + (
        '\nmsgctxt "WAIT"\nmsgid "Wait {time}."\nmsgstr "Warten Sie {time}."\n'
        '\nmsgctxt "CODE"\nmsgid "Code"\nmsgstr "Code"\n'
    )

    def check(self, *faults, languages="de\n", pot=POT, **changes):
        """The tree with each text of the catalogue that is named in `changes` changed."""
        german = self.DE
        for old, new in changes.get("german", ()):
            self.assertIn(old, german)
            german = german.replace(old, new)
        files = {"po/LINGUAS": languages, "po/fairlead.pot": self.POT, "po/de.po": german, "built.pot": pot}
        code, lines = run("check-translations", files, self.folder.name,
                          os.path.join(self.folder.name, "built.pot"))
        self.assertEqual(code, 1 if faults else 0, lines)
        self.assertEqual(len(lines), len(faults), lines)
        for line, fault in zip(lines, faults):
            self.assertIn(fault, line)

    def test_good(self):
        self.check()

    def test_tables_have_changed(self):
        self.check(
            "po/fairlead.pot:1: differs",
            "po/de.po:12: CODE is not translated",
            pot=self.POT.replace('"Code"', '"The code"'),
        )

    def test_new_text(self):
        self.check(
            "po/fairlead.pot:1: differs",
            "po/de.po:1: NEW is not translated",
            pot=self.POT + '\nmsgctxt "NEW"\nmsgid "New"\nmsgstr ""\n',
        )

    def test_empty(self):
        self.check("po/de.po:12: CODE is not", german=[('msgstr "Code"', 'msgstr ""')])

    def test_fuzzy(self):
        self.check("po/de.po:13: CODE is not", german=[('msgctxt "CODE"', '#, fuzzy\nmsgctxt "CODE"')])

    def test_placeholder(self):
        self.check("po/de.po:8: WAIT has other placeholders", german=[("Sie {time}", "Sie {zeit}")])
        self.check("po/de.po:8: WAIT has other placeholders", german=[(" {time}.\"\n\nmsg", ".\"\n\nmsg")])
        self.check("po/de.po:8: WAIT has other placeholders", german=[("Sie {time}", "Sie {time} {time}")])

    def test_of_another_key(self):
        self.check(
            "po/de.po:12: GONE is not in the tables",
            "po/de.po:1: CODE is not translated",
            german=[('"CODE"', '"GONE"')],
        )

    def test_leftover(self):
        self.check(
            "po/de.po:16: GONE is not in the tables",
            german=[('msgstr "Code"\n', 'msgstr "Code"\n\n#~ msgctxt "GONE"\n#~ msgid "x"\n#~ msgstr "y"\n')],
        )

    def test_msgfmt(self):
        self.check("po/de.po:15: end-of-line", "fatal", german=[('msgstr "Code"', 'msgstr "Code')])

    def test_format(self):
        self.check(
            "po/de.po:11: a format specification for argument 'time'", "fatal",
            german=[('msgctxt "WAIT"', '#, python-brace-format\nmsgctxt "WAIT"'), ("Sie {time}", "Sie {zeit}")],
        )

    def test_locale(self):
        self.check("po/de.po:1: the header has no X-Locale", german=[("X-Locale: de_DE", "X-Locale: German")])

    def test_list(self):
        self.check("po/LINGUAS:1: fr is there or in the list", languages="de\nfr\n")
        self.check("po/LINGUAS:1: de is there or in the list", languages="\n")


if __name__ == "__main__":
    unittest.main()
