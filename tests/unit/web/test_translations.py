"""Every text of the technicians' pages is there in German, and its placeholders survive."""

import re
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[3]
_TRANS = re.compile(r"""\{%\s*trans\s+(?:"([^"]+)"|'([^']+)')""")
_CALL = re.compile(r"""(?:\b_|gettext(?:_lazy|_noop)?)\(\s*"((?:[^"\\]|\\.)+)"\s*\)""")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def _texts() -> list[str]:
    pages = [path for path in (ROOT / "templates").rglob("*.html") if "admin" not in path.parts]
    found = {a or b for path in pages for a, b in _TRANS.findall(path.read_text())}
    views = [
        *(ROOT / "tickets/views").glob("*.py"),
        *(ROOT / "accounts/views").glob("*.py"),
        ROOT / "supporthub/core/words.py",
    ]
    return sorted(found | {text for path in views for text in _CALL.findall(path.read_text())})


@pytest.fixture(scope="module")
def german() -> dict[str, str]:
    catalogue = polib.pofile(str(ROOT / "locale/de/LC_MESSAGES/django.po"))
    return {
        entry.msgid: entry.msgstr or "".join(entry.msgstr_plural.values()) for entry in catalogue if not entry.fuzzy
    }


def test_every_text_of_the_pages_has_a_german_one(german: dict[str, str]) -> None:
    assert len(_texts()) > 200
    assert [text for text in _texts() if not german.get(text)] == []


def test_placeholders_survive_translation() -> None:
    catalogue = polib.pofile(str(ROOT / "locale/de/LC_MESSAGES/django.po"))
    for entry in catalogue.translated_entries():
        forms = list(entry.msgstr_plural.values()) or [entry.msgstr]
        wanted = set(_PLACEHOLDER.findall(entry.msgid)) - {"%(suffix)s"}
        for form in forms:
            assert set(_PLACEHOLDER.findall(form)) == wanted, entry.msgid
