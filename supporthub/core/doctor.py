"""Registry of set-up checks: each says what is wrong and how to mend it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; `fix` says what to do, in words for an operator."""

    check: str
    verdict: Verdict
    text: str
    fix: str = ""


Check = Callable[[], Iterable[Finding]]
_checks: list[Check] = []


def register(check: Check) -> Check:
    """Add a check; it may talk to outside systems and must not raise for what it is there to find."""
    _checks.append(check)
    return check


def checks() -> list[Check]:
    return list(_checks)
