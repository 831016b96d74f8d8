"""Whatever is lost on the way, every open queue ends up showing exactly what the database holds, without a reload."""

import signal
import time
from collections.abc import Iterator, Sequence
from itertools import cycle

import pytest
from playwright.sync_api import Page

from tests.e2e.api import Api
from tests.e2e.browser import Guard, is_marked, mark, wait_live
from tests.e2e.conftest import ADMIN_USER, BEN, IDA, SignedIn
from tests.e2e.rows import OPEN, Row, row_of, shown_by
from tests.stack import Stack

LABEL = "convergence"
SECONDS = 120.0  # digests come every 15 s; the rest is patience with a busy machine
VERBS = ("start", "wait", "hold", "resolve")
PRIORITIES = ("low", "high", "urgent", "normal")


class Tickets:
    """The tickets that this test changes, and everything that people do to them."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.keys: list[str] = []
        self._people = cycle([BEN.email, IDA.email, None])

    def make(self, number: int, words: str) -> None:
        for _ in range(number):
            self.keys.append(self.api.open(f"{words} {len(self.keys) + 1}", labels=[LABEL])["key"])

    def change(self, keys: Sequence[str]) -> None:
        """Give each of them another assignee, priority, title or status."""
        for number, key in enumerate(keys):
            match number % 4:
                case 0:
                    self.api.edit(key, assignee=next(self._people))
                case 1:
                    self.api.edit(key, priority=PRIORITIES[number // 4 % len(PRIORITIES)])
                case 2:
                    self.api.edit(key, title=f"{self.api.ticket(key)['title']}, changed")
                case _:
                    offered = [step["verb"] for step in self.api.call("GET", f"/tickets/{key}/transitions/")]
                    self.api.step(key, next(verb for verb in (*VERBS[number // 4 % 4 :], *offered) if verb in offered))

    def expected(self) -> list[Row]:
        """What a queue of all open tickets with this label must show, in its order."""
        return [
            row_of(ticket)
            for ticket in self.api.tickets()
            if LABEL in ticket["labels"] and ticket["status"] in OPEN
        ]  # fmt: skip


@pytest.fixture
def tickets(api: Api) -> Tickets:
    return Tickets(api)


@pytest.fixture
def queues(signed_in: SignedIn, tickets: Tickets, guard: Guard) -> Iterator[list[Page]]:
    """Three people's browsers on the same queue, live and showing its first tickets."""
    guard.expect_outage()
    tickets.make(8, "Before")
    pages = [signed_in(who) for who in (ADMIN_USER, BEN, IDA)]
    for page in pages:
        page.goto(f"/?view=open&label={LABEL}")
        wait_live(page)
        mark(page)
    yield pages
    assert all(is_marked(page) for page in pages), "a page was loaded again"


def differences(pages: Sequence[Page], expected: Sequence[Row]) -> list[str]:
    """What each queue shows differently; empty when all are right, in content and order."""
    found = []
    for name, page in zip("ABC", pages, strict=True):
        shown = shown_by(page)
        missing, wrong = [row for row in expected if row not in shown], [row for row in shown if row not in expected]
        found += [f"{name} lacks {row}" for row in missing] + [f"{name} shows {row}" for row in wrong]
        if not (missing or wrong) and shown != list(expected):
            found.append(f"{name} has another order: {[row.key for row in shown]}")
    return found


def assert_they_converge(pages: Sequence[Page], tickets: Tickets) -> None:
    """Wait until all three show exactly what the API says; the API is asked again at each look."""
    deadline = time.monotonic() + SECONDS
    while found := differences(pages, expected := tickets.expected()):
        assert time.monotonic() < deadline, f"after {SECONDS:.0f} s, of {len(expected)} rows:\n" + "\n".join(found)
        pages[0].wait_for_timeout(250)  # lets the pages work; the condition is asked again
    assert len(expected) >= 8
    settled = all(row.issue for row in expected)
    if not settled:
        pages[0].wait_for_timeout(250)
        assert_they_converge(pages, tickets)


def test_queues_converge_when_events_are_lost_in_a_frozen_redis(
    hub: Stack, tickets: Tickets, queues: list[Page]
) -> None:
    assert_they_converge(queues, tickets)
    with hub.frozen("redis"):
        tickets.make(4, "While Redis stands still")
        tickets.change(tickets.keys)
    assert_they_converge(queues, tickets)


def test_queues_converge_after_kill_9_of_web(hub: Stack, tickets: Tickets, queues: list[Page]) -> None:
    tickets.change(tickets.keys[:4])
    assert hub.kill("web")
    hub.wait_ready()
    tickets.make(3, "After a new start of web")
    tickets.change(tickets.keys)
    assert_they_converge(queues, tickets)


def test_queues_converge_after_redis_was_away_and_lost_everything(
    hub: Stack, tickets: Tickets, queues: list[Page]
) -> None:
    with hub.without_redis():
        tickets.make(4, "While there is no Redis")
        tickets.change(tickets.keys)
    hub.wait_ready()
    tickets.change(tickets.keys[::-1])
    assert_they_converge(queues, tickets)


def test_queues_converge_after_everything_at_once(hub: Stack, tickets: Tickets, queues: list[Page]) -> None:
    """The worker dies with submissions in hand, Redis with the events, web with the sockets."""
    tickets.make(3, "Just before")
    with hub.without_redis():
        hub.kill("worker")
        tickets.make(3, "Without Redis and worker")
        tickets.change(tickets.keys)
        assert hub.signal(signal.SIGKILL, "web")
    hub.wait_ready()
    tickets.change(tickets.keys[3:])
    assert_they_converge(queues, tickets)
