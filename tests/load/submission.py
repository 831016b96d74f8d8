"""Benchmark: tickets created in Jira by the worker at 50 ms latency, beside eight bare threads that only POST."""

import json
import threading
import time
from base64 import b64encode
from typing import Any

import httpx

from supporthub.runtime.processes import wait_until
from tests.load.figures import Aim, Result, median_ratio, percentile, steady_rate
from tests.load.stack import Stack
from tests.sandbox.client import rule

CONCURRENCY = 8
LATENCY_MS = 50
TICKETS = 400
ROUNDS = 2
_PATIENCE = 120.0
_JOURNAL_PAGE = 1000
_NOTE = (
    f"Worker as `up` runs it (8 threads), tracker concurrency {CONCURRENCY}, its rate_per_second lifted from 50;"
    f" {LATENCY_MS} ms in every answer of the played Jira. Rates are of the middle 80 % of the tickets."
)
_CREATE = "/rest/api/3/issue"


def measure(stack: Stack) -> list[Result]:
    """All lines of this benchmark."""
    stack.settle()
    with stack.connect() as database:
        database.execute("UPDATE tickets_tracker SET max_concurrency = %s, rate_per_second = 100000", (CONCURRENCY,))
    stack.control.faults(rule("latency", ms=LATENCY_MS))
    _submit(stack, 20)  # projects and people are known from here on, as in any worker that has run for a minute
    hub: list[float] = []
    bare: list[float] = []
    calls: list[float] = []
    for _ in range(ROUNDS):
        seen = _last_call(stack)
        hub.append(_submit(stack, TICKETS))
        made = [call for call in _calls_after(stack, seen) if "/rest/" in call["path"]]
        calls.append(len(made) / TICKETS)
        bare.append(_bare_rate(stack))
    stack.settle()
    per_ticket = percentile(calls, 1.0)
    possible = CONCURRENCY / (LATENCY_MS / 1000 * per_ticket)
    middle, threads = percentile(hub, 0.5), percentile(bare, 0.5)
    ratio, aim = median_ratio(list(zip(hub, bare, strict=True))), Aim("least", 0.8)
    return [
        Result("submission: beside concurrency ÷ latency", middle, "/s", possible, middle / possible, aim, _NOTE),
        Result("submission: beside eight bare threads", middle, "/s", threads, ratio, aim, _NOTE),
        Result("submission: calls a ticket", per_ticket, "", aim=Aim("most", 3, of="hub")),
    ]


def _submit(stack: Stack, count: int) -> float:
    """Let the worker submit `count` tickets that wait already; return how many a second it did in the middle."""
    with stack.connect() as database:
        database.execute("UPDATE tickets_tracker SET paused = true")
        ids = stack.inside("preload", str(count))["ids"]
        database.execute("UPDATE tickets_tracker SET paused = false")
        stack.inside("sweep")

        def finished() -> bool:
            row = database.execute(
                "SELECT count(*) FROM tickets_submission WHERE id = ANY(%s) AND state = 'done'", (ids,)
            ).fetchone()
            return row is not None and row[0] == count

        if not wait_until(finished, _PATIENCE, every=0.25):
            raise RuntimeError(f"the worker did not submit {count} tickets within {_PATIENCE:.0f} s")
        moments = database.execute(
            "SELECT extract(epoch FROM done_at)::float FROM tickets_submission WHERE id = ANY(%s)", (ids,)
        ).fetchall()
    return steady_rate([moment for (moment,) in moments])


def _last_call(stack: Stack) -> int:
    return max((int(call["id"]) for call in _calls_after(stack, 0)), default=0)


def _calls_after(stack: Stack, since: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := stack.control.journal(since=since, limit=_JOURNAL_PAGE):
        found += page
        since = int(page[-1]["id"])
    return found


def _bare_rate(stack: Stack) -> float:
    """Eight threads with one client each that post a small issue, one after the other."""
    environment = stack.environment
    account = f"{environment['ATLASSIAN_USER']}:{environment['ATLASSIAN_API_TOKEN']}"
    headers = {"authorization": "Basic " + b64encode(account.encode()).decode(), "content-type": "application/json"}
    content = json.dumps(_issue()).encode()
    moments: list[float] = []

    def work() -> None:
        with httpx.Client(base_url=environment["ATLASSIAN_URL"], headers=headers, timeout=30, trust_env=False) as http:
            for _ in range(TICKETS // CONCURRENCY):
                http.post(_CREATE, content=content).raise_for_status()
                moments.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(CONCURRENCY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(moments) != TICKETS:
        raise RuntimeError("the bare threads were refused by the sandbox")
    return steady_rate(moments)


def _issue() -> dict[str, Any]:
    text = "It began this morning, after the update. Colleagues on the same floor have it too."
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {
        "fields": {
            "project": {"key": "HELP"}, "issuetype": {"name": "Task"}, "summary": "The printer hums",
            "description": {"version": 1, "type": "doc", "content": [paragraph]}, "labels": ["helpdesk"],
        }
    }  # fmt: skip
