"""Benchmark: one change to many sockets, beside a bare broadcast over the same server and socket library."""

from dataclasses import dataclass
from typing import Any

from tests.load.figures import Aim, Result, median_ratio, percentile
from tests.load.stack import Companion, Stack, memory_of

ROUNDS = 12
_PATIENCE = 20.0
_NOTE = (
    "From the moment of publishing to the arrival at each socket, through Redis, on both sides; both with their sockets"
    " open at the same time, in rounds that alternate."
)


@dataclass
class Side:
    """One server and the process that listens to it."""

    name: str
    ears: Companion
    opening: dict[str, Any]
    pid: int


def measure(stack: Stack, sizes: tuple[int, ...]) -> list[Result]:
    """All lines of this benchmark."""
    bare_port = stack.serve_beside("tests.load.bare_broadcast:application")
    with stack.connect() as database:
        row = database.execute("SELECT id FROM tickets_board WHERE slug = 'helpdesk'").fetchone()
    topic = f"queue:{row[0] if row else 0}"
    change = {"topic": topic, "scope": {"organisation": None, "board": None}}
    opening = {"subscribe": topic, "cookie": stack.inside("session")["cookie"], "origin": stack.url}
    with (
        stack.talk_to("tests.load.sockets", str(stack.port), "/ws/live/") as hub_ears,
        stack.talk_to("tests.load.sockets", str(bare_port), "/") as bare_ears,
        stack.talk_to("tests.load.publisher") as publisher,
        stack.frozen("worker", "beat"),
    ):
        sides = (
            Side("hub", hub_ears, opening, stack.pid_of("web")),
            Side("bare", bare_ears, {}, stack.pid_beside("tests.load.bare_broadcast:application")),
        )
        lines: list[Result] = []
        for size in sizes:
            lines += _at_size(size, sides, publisher, change)
    return lines


def _at_size(size: int, sides: tuple[Side, Side], publisher: Companion, change: dict[str, Any]) -> list[Result]:
    grown = []
    for side in sides:
        opened = side.ears.ask(open=0)["open"]
        before = memory_of(side.pid)
        now_open = side.ears.ask(open=size, **side.opening)["open"]
        if now_open != size:
            raise RuntimeError(f"live: {now_open} of {size} sockets opened at the {side.name}")
        grown.append((memory_of(side.pid) - before) * 1024 / (size - opened))
    rounds: list[tuple[list[float], list[float]]] = []
    for number in range(-2, ROUNDS):
        heard = [_one_change(side, publisher, f"{size}.{number}.{side.name}", change) for side in sides]
        if number >= 0:  # the first two warm everything up
            rounds.append((heard[0], heard[1]))
    lines = [_line(size, share, rounds) for share in (0.5, 0.99)]
    return [*lines, Result(f"live, {size} sockets: memory a socket", grown[0], "kB", grown[1])]


def _line(size: int, share: float, rounds: list[tuple[list[float], list[float]]]) -> Result:
    pairs = [(percentile(ours, share), percentile(theirs, share)) for ours, theirs in rounds]
    aim = Aim("most", 2.0) if share > 0.9 else None
    ours, theirs = (percentile([pair[side] for pair in pairs], 0.5) for side in (0, 1))
    return Result(f"live, {size} sockets: p{share * 100:.0f}", ours, "ms", theirs, median_ratio(pairs), aim, _NOTE)


def _one_change(side: Side, publisher: Companion, mark: str, change: dict[str, Any]) -> list[float]:
    side.ears.say(wait=mark, seconds=_PATIENCE)
    publisher.ask(to=side.name, mark=mark, **change)
    heard = side.ears.hear()
    if heard["missing"]:
        raise RuntimeError(f"live: {heard['missing']} sockets of the {side.name} missed a change")
    return [float(latency) for latency in heard["latencies"]]
