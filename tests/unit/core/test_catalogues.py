"""What people read is what the catalogue says."""

from pathlib import Path

import polib
import pytest

LOCALE = Path(__file__).resolve().parents[3] / "locale"


@pytest.mark.parametrize("source", sorted(LOCALE.glob("*/LC_MESSAGES/django.po")), ids=lambda path: path.parts[-3])
def test_the_compiled_catalogue_is_that_of_its_source(source: Path) -> None:
    written = {(entry.msgctxt, entry.msgid): entry.msgstr for entry in polib.pofile(str(source)).translated_entries()}
    compiled = {(entry.msgctxt, entry.msgid): entry.msgstr for entry in polib.mofile(str(source.with_suffix(".mo")))}
    assert compiled == written, "run scripts/compile_translations.py"
