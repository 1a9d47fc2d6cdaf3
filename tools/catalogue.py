"""What the tools for translations share: reading what gettext's own programs have written."""

import gettext
import json
import re

ENTRY = re.compile(r'^msgctxt "(\w+)"\nmsgid (".*")$', re.MULTILINE)
LOCALE = re.compile(r"[a-z]{2,3}_[A-Z]{2}")


class _Absent(gettext.NullTranslations):
    """Knows no text: tells one that is missing from one that is the same in English."""

    def pgettext(self, context, message):
        return None


def texts(pot):
    """The keys and English texts of a file that `describe pot` wrote."""
    with open(pot, encoding="utf-8") as file:
        return [(key, json.loads(english)) for key, english in ENTRY.findall(file.read())]


def read(path):
    """A catalogue that msgfmt wrote: its locale, None where its header names none, and a function
    that gives the translation of a key and its English text, None where there is none."""
    with open(path, "rb") as file:
        catalogue = gettext.GNUTranslations(file)
    catalogue.add_fallback(_Absent())
    locale = catalogue.info().get("x-locale", "")
    return locale if LOCALE.fullmatch(locale) else None, catalogue.pgettext
