"""The arithmetic and the table of the benchmarks. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Aim:
    """What a benchmark wants: `value` at least or at most, of the ratio or of the hub's own figure."""

    sense: str  # "least" or "most"
    value: float
    of: str = "ratio"  # or "hub"
    unit: str = ""

    def met(self, ratio: float | None, hub: float) -> bool | None:
        """Whether the aim is met; None when the figure it speaks of was not measured."""
        judged = ratio if self.of == "ratio" else hub
        if judged is None or math.isnan(judged):
            return None
        return judged >= self.value if self.sense == "least" else judged <= self.value

    def __str__(self) -> str:
        sign = "≥" if self.sense == "least" else "≤"
        return f"{sign} {self.value:g}{' ' + self.unit if self.unit else ''}{' ×' if self.of == 'ratio' else ''}"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. `ratio` is the hub's figure over the limit's, as the median over the rounds."""

    benchmark: str
    hub: float
    unit: str
    limit: float | None = None
    ratio: float | None = None
    aim: Aim | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.aim.met(self.ratio, self.hub)

    def as_json(self) -> dict[str, Any]:
        """The line for a file: names as here, the aim in words."""
        return {**asdict(self), "aim": str(self.aim) if self.aim else None, "met": self.met}


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` (over 0, at most 1) of all values do not exceed; ValueError when empty."""
    ranked = sorted(values)
    if not ranked:
        raise ValueError("no values")
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of hub ÷ limit over rounds that ran next to each other, so that a drift of the machine cancels."""
    return median(hub / limit for hub, limit in pairs)


def steady_rate(moments: Sequence[float], skipped: float = 0.1) -> float:
    """Events a second between the first and the last tenth (`skipped`) of `moments` (seconds): without start and end.

    ValueError with fewer than two different moments between them.
    """
    ranked = sorted(moments)
    cut = int(len(ranked) * skipped)
    kept = ranked[cut : len(ranked) - cut]
    if len(kept) < 2 or kept[-1] <= kept[0]:
        raise ValueError("too few events to tell a rate")
    return (len(kept) - 1) / (kept[-1] - kept[0])


def number(value: float | None, unit: str = "") -> str:
    """A figure with about three digits; a dash for none."""
    if value is None or math.isnan(value):
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{' ' + unit if unit else ''}"


def table(results: Sequence[Result]) -> str:
    """All lines in columns of equal width, with notes below."""
    words: Mapping[bool | None, str] = {True: "met", False: "MISSED", None: ""}
    rows = [("benchmark", "hub", "limit", "ratio", "aim", "")]
    notes: list[str] = []
    for result in results:
        if result.note and result.note not in notes:
            notes.append(result.note)
        mark = f" [{notes.index(result.note) + 1}]" if result.note else ""
        rows.append((
            result.benchmark + mark, number(result.hub, result.unit), number(result.limit, result.unit),
            number(result.ratio), str(result.aim or ""), words[result.met],
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(_placed(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths).rstrip())
    return "\n".join([*lines, *(f"[{place}] {note}" for place, note in enumerate(notes, 1))])


def _placed(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The figures' columns stand to the right, words to the left."""
    return [
        text.rjust(width) if 0 < column < 4 else text.ljust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
