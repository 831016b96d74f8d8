"""Benchmark: tickets accepted over HTTP, beside a view that only makes the same inserts; then with outsiders down."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from tests.load.figures import Aim, Result, median_ratio, percentile
from tests.load.http_load import Make, Round, post, run_round
from tests.load.stack import Stack
from tests.sandbox.client import rule

CLIENTS = 8
ROUNDS = 5
SECONDS = 3.0
FAULT_ROUNDS = 3
FAULT_SECONDS = 2.5
_WORKER_NOTE = (
    "Intake beside its limit: the worker is paused, because on this machine it would take its processor time from"
    " both sides."
)
_FAULT_NOTE = (
    "Limit: the same in healthy rounds between the faulty ones, with the worker running and sending to Jira meanwhile."
)
_BODY = (
    "The printer on the second floor says: paper jam.\n\nWe opened every flap and found no paper. It began this"
    " morning after the update; colleagues on the same floor have it too.\n\nThank you & best regards\nAnn"
)
Trouble = Callable[[], AbstractContextManager[None]]


def measure(stack: Stack) -> list[Result]:
    """All lines of this benchmark."""
    hub = _hub_requests(stack.token())
    warm = run_round(stack.port, hub, clients=CLIENTS, seconds=1.5, wanted=201)
    _refuse_refusals("warm-up", warm)
    lines = _beside_limit(stack, hub)
    stack.settle()
    for name, trouble in _troubles(stack).items():
        lines.append(_in_trouble(stack, hub, name, trouble))
        stack.settle()
    return lines


def _hub_requests(token: str) -> Make:
    number = itertools.count()
    run = secrets.token_hex(4)

    def make(_: int) -> bytes:
        key = f"load-{run}-{next(number)}"
        body = {"title": f"Printer {key}", "body": _BODY, "board": "helpdesk", "requester": "ann.baker@contoso.example"}
        return post("127.0.0.1", "/api/v1/tickets/", body, authorization=f"Bearer {token}", idempotency_key=key)

    return make


def _limit_requests() -> Make:
    hub = _hub_requests("none")
    return lambda number: hub(number).replace(b"POST /api/v1/tickets/ ", b"POST / ", 1)


def _beside_limit(stack: Stack, hub: Make) -> list[Result]:
    limit_port = stack.serve_beside("tests.load.limit_asgi:application", "tests.load.limit_settings")
    limit = _limit_requests()
    _refuse_refusals("limit", run_round(limit_port, limit, clients=CLIENTS, seconds=1.0, wanted=201))
    pairs: list[tuple[Round, Round]] = []
    with stack.frozen("worker"):
        for _ in range(ROUNDS):
            ours = run_round(stack.port, hub, clients=CLIENTS, seconds=SECONDS, wanted=201)
            theirs = run_round(limit_port, limit, clients=CLIENTS, seconds=SECONDS, wanted=201)
            _refuse_refusals("intake", ours)
            pairs.append((ours, theirs))
    lines = [_line("intake: accepted", "/s", pairs, lambda one: one.rate, Aim("least", 0.6))]
    for share in (0.5, 0.99):
        lines.append(_line(f"intake: p{share * 100:.0f}", "ms", pairs, partial(_at, share), None))
    return lines


def _line(
    name: str, unit: str, pairs: list[tuple[Round, Round]], figure: Callable[[Round], float], aim: Aim | None
) -> Result:
    figures = [(figure(ours), figure(theirs)) for ours, theirs in pairs]
    return Result(
        name, _middle([ours for ours, _ in figures]), unit, _middle([theirs for _, theirs in figures]),
        median_ratio(figures), aim, _WORKER_NOTE,
    )  # fmt: skip


def _at(share: float, one: Round) -> float:
    return percentile(one.latencies, share) * 1000


def _middle(values: list[float]) -> float:
    return percentile(values, 0.5)


def _troubles(stack: Stack) -> dict[str, Trouble]:
    @contextmanager
    def jira_hangs() -> Iterator[None]:
        stack.control.faults(rule("hang_before", seconds=20))
        try:
            yield
        finally:
            stack.control.clear_faults()

    @contextmanager
    def redis_frozen() -> Iterator[None]:
        with stack.frozen("redis"):
            yield
        stack.wait_for_redis()

    return {"Jira hanging": jira_hangs, "Redis frozen": redis_frozen, "Redis killed": stack.without_redis}


def _in_trouble(stack: Stack, hub: Make, name: str, trouble: Trouble) -> Result:
    pairs: list[tuple[Round, Round]] = []
    for _ in range(FAULT_ROUNDS):
        rounds = []
        for around in (nullcontext[None], trouble):
            with around():
                one = run_round(stack.port, hub, clients=CLIENTS, seconds=FAULT_SECONDS, wanted=201)
            _refuse_refusals(name, one)
            rounds.append(one)
        pairs.append((rounds[1], rounds[0]))
    rates = [(faulty.rate, healthy.rate) for faulty, healthy in pairs]
    return Result(
        f"intake with {name}", _middle([faulty for faulty, _ in rates]), "/s", _middle([well for _, well in rates]),
        median_ratio(rates), Aim("least", 0.9), _FAULT_NOTE,
    )  # fmt: skip


def _refuse_refusals(name: str, one: Round) -> None:
    """A round in which something was refused measures something else; RuntimeError says what."""
    if one.refused or not one.latencies:
        raise RuntimeError(f"{name}: {len(one.latencies)} accepted, refused by status: {one.refused}")
