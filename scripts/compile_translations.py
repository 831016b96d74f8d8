"""Compile `locale/*/LC_MESSAGES/django.po` to `.mo` without GNU gettext. Prints what is still untranslated.

New texts come into the catalogue by `manage.py makemessages -l de --no-location` (that needs GNU gettext).
"""

import sys
from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def main() -> int:
    """Write every `.mo`; exit code 1 when a catalogue has fuzzy entries, because those would not be used."""
    fuzzy = 0
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        catalogue = polib.pofile(str(source))
        catalogue.save_as_mofile(str(source.with_suffix(".mo")))
        fuzzy += len(catalogue.fuzzy_entries())
        print(f"{source.parent.parent.name}: {catalogue.percent_translated()} % translated")
        if "-v" in sys.argv:
            print("\n".join(f"  {entry.msgid}" for entry in catalogue.untranslated_entries()))
    return 1 if fuzzy else 0


if __name__ == "__main__":
    sys.exit(main())
