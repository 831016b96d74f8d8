"""The hub speaks German throughout: nothing is left unmarked, nothing untranslated, and placeholders survive."""

import re
from pathlib import Path

import polib
import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import Promise

from tests.unit.web import sources

CATALOGUE = sources.ROOT / "locale/de/LC_MESSAGES/django.po"
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
_ONLY_ENGLISH = {"%(suffix)s"}  # of "3rd"
# Names, keys and examples are the same in every language.
_SAME_EVERYWHERE = {
    "Support Hub", "· Support Hub", "Ctrl ⏎", "Esc", "(Ctrl K)", "name@example.com", "Authorization: Bearer shk_…",
}  # fmt: skip


@pytest.fixture(scope="module")
def german() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def test_every_entry_is_translated(german: polib.POFile) -> None:
    assert german.percent_translated() == 100
    assert [entry.msgid for entry in german if entry.fuzzy or entry.obsolete or not entry.translated()] == []


def test_the_catalogue_holds_what_the_sources_say_and_nothing_else(german: polib.POFile) -> None:
    marked, known = sources.marked_texts(), {(entry.msgctxt, entry.msgid) for entry in german}
    assert len(marked) > 700
    assert marked - known == set(), "run manage.py makemessages -l de --no-location"
    assert known - marked == set()


def test_no_text_is_put_together_before_it_is_looked_up() -> None:
    assert sources.built_texts() == []


@pytest.mark.parametrize("path", sources.templates(), ids=lambda path: path.name)
def test_a_template_shows_no_unmarked_words(path: Path) -> None:
    assert set(sources.bare_template_texts(path)) - _SAME_EVERYWHERE == set()


def test_refusals_that_a_person_reads_are_marked() -> None:
    assert sources.bare_refusals() == []


def test_placeholders_survive_translation(german: polib.POFile) -> None:
    for entry in german:
        singular, plural = _placeholders(entry.msgid), _placeholders(entry.msgid_plural or entry.msgid)
        forms = entry.msgstr_plural or {0: entry.msgstr}
        for number, form in forms.items():
            assert _placeholders(form) == (plural if number else singular), entry.msgid


def test_every_field_that_the_admin_shows_has_a_name_that_can_be_translated() -> None:
    unnamed = []
    for model, model_admin in admin.site._registry.items():
        pages = [model_admin, *(inline(model, admin.site) for inline in model_admin.inlines)]
        for page in pages:
            for name in _shown_fields(page):
                try:
                    field = page.model._meta.get_field(name)
                except FieldDoesNotExist:
                    continue  # a column of the admin, which has its own description
                if not isinstance(field.verbose_name, Promise):
                    unnamed.append(f"{page.model.__name__}.{name}")
    assert unnamed == []


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text)) - _ONLY_ENGLISH


def _shown_fields(page: object) -> list[str]:
    fieldsets = [*(getattr(page, "fieldsets", None) or ()), *(getattr(page, "add_fieldsets", None) or ())]
    filters = [item[0] if isinstance(item, tuple) else item for item in getattr(page, "list_filter", ())]
    named = [
        *getattr(page, "list_display", ()),
        *getattr(page, "readonly_fields", ()),
        *flatten(getattr(page, "fields", None) or ()),
        *(name for _title, options in fieldsets for name in flatten(options["fields"])),
        *(item for item in filters if isinstance(item, str)),
    ]
    return sorted({name for name in named if isinstance(name, str)})
