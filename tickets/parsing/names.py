"""A client's file name made fit to be shown. It is never used as a path."""

import re
import unicodedata

from supporthub.core.text import one_line

LONGEST = 120
_LONGEST_EXTENSION = 16
NAMELESS = "file"
# Separators, what Windows forbids in names, and what ends or splits a header's parameter.
_FORBIDDEN = re.compile(r'[<>:"|?*;\\/\x00-\x1f\x7f]')
_INVISIBLE = frozenset({"Cf", "Cc", "Co", "Cn", "Cs", "Zl", "Zp"})


def shown_name(raw: str) -> str:
    """Return the last part of `raw` without controls, invisible or direction-changing characters, at most 120 long.

    Idempotent; never empty, never only dots, and the extension survives the cut.
    """
    last = re.split(r"[\\/]", one_line(raw, len(raw) + 1))[-1]
    visible = "".join(char for char in last if unicodedata.category(char) not in _INVISIBLE)
    name = _trimmed(_FORBIDDEN.sub("_", visible))
    stem, dot, extension = name.rpartition(".")
    if len(name) <= LONGEST or not dot or len(extension) > _LONGEST_EXTENSION:
        return _trimmed(name[:LONGEST]) or NAMELESS
    return f"{_trimmed(stem[: LONGEST - len(extension) - 1]) or NAMELESS}.{extension}"


def with_marker(name: str, marker: str) -> str:
    """Return the name with `marker` before its extension: by it the file is recognised in an outside system."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension) > _LONGEST_EXTENSION:
        return f"{name}-{marker}"
    return f"{stem}-{marker}.{extension}"


def _trimmed(name: str) -> str:
    """Leading dots hide a file, trailing ones and spaces are dropped by Windows."""
    return " ".join(name.split()).strip(" .")
