"""Which actions the audit trail knows. An app registers its codes once; `record` refuses any other.

A code is namespaced and past tense (`ticket.opened`); it is sealed, so it never changes. Its words may.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

_CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
MOST_CHARACTERS = 60
_actions: "dict[str, Words]" = {}


def register_actions(actions: "Mapping[str, Words]") -> None:
    """Add codes with their words for people. Raises ValueError for a malformed code."""
    for code, words in actions.items():
        if not _CODE.fullmatch(code) or len(code) > MOST_CHARACTERS:
            raise ValueError(f"{code!r} is no code of an action: use thing.happened")
        _actions[code] = words


def is_known(code: str) -> bool:
    return code in _actions


def words_of(code: str) -> str:
    """Return an action in the reader's language; the code itself when an older release registered it."""
    return str(_actions.get(code, code))


def registered() -> "dict[str, Words]":
    return dict(_actions)
