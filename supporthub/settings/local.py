"""`make run` and every `manage.py` command beside it: fills what is missing from the embedded servers' notes."""

import os
from pathlib import Path

from supporthub.runtime.environment import load_embedded

_data_dir = Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parent.parent.parent / "var")
for _name, _value in load_embedded(_data_dir).items():
    os.environ.setdefault(_name, _value)

from supporthub.settings.base import *  # noqa: E402, F403  (Django's settings modules inherit by import)
