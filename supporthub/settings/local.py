"""`make run` and every `manage.py` command beside it: fills what is missing from the embedded servers' notes."""

import os
from pathlib import Path

from supporthub.runtime.environment import load_embedded
from supporthub.settings.env import SettingsError

_data_dir = Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parent.parent.parent / "var")
_notes = load_embedded(_data_dir)
if not _notes and not os.environ.get("DATABASE_URL"):
    raise SettingsError([f"no hub in {_data_dir} yet: `make run` makes one, or set DATABASE_URL and the others"])
for _name, _value in _notes.items():
    os.environ.setdefault(_name, _value)

from supporthub.settings.base import *  # noqa: E402, F403  (Django's settings modules inherit by import)
