"""What is said honestly: beyond the reconcile window exactly-once ends, and even there nothing happens silently."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from supporthub.runtime.processes import wait_until
from tests.chaos.intake import Client, ticket_for
from tests.chaos.stack import WINDOW, Stack
from tests.chaos.survey import survey
from tests.chaos.verdict import found_after_doubt, judge
from tests.sandbox.client import rule

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]
MAKING: dict[str, Any] = {"method": "POST", "path": "/issue$", "count": 1}


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with closing(Client(stack.url)) as made:
        yield made


def submission(client: Client, key: str) -> dict[str, Any]:
    return dict(client.get(f"/api/v1/tickets/{key}/submission/").json())


def test_search_that_lags_beyond_the_window_is_made_good_by_reading_keys(stack: Stack, client: Client) -> None:
    stack.control.set_search_lag(100 * WINDOW)
    stack.control.faults(rule("drop_after", **MAKING))
    key = client.create("lagging", ticket_for(0, "lagging"))
    assert wait_until(lambda: submission(client, key)["state"] == "done", 90, every=0.1)
    world = survey(stack, {"lagging": key})
    ticket = next(ticket for ticket in world.tickets if ticket.key == key)
    # The index shows nothing of the issue, so only reading keys can have found it.
    assert stack.control.state()["waiting_for_index"] > 0
    assert found_after_doubt(ticket)
    assert [issue.key for issue in world.issues if issue.ticket == key] == [ticket.issue_key]


def test_issue_that_appears_after_the_window_is_found_parked_and_shown(stack: Stack, client: Client) -> None:
    stack.control.set_search_lag(0)
    stack.control.faults(rule("late_effect", **MAKING, seconds=WINDOW + 3))
    key = client.create("late", ticket_for(0, "late"))
    assert wait_until(lambda: submission(client, key)["state"] == "done", 90, every=0.1)
    tag = next(ticket.tag for ticket in survey(stack, {}).tickets if ticket.key == key)
    # Jira makes the first issue only now, long after the hub had proof that it was not there and sent it again.
    assert wait_until(lambda: len(stack.control.issues(label=tag)) == 2, 60, every=0.1)
    keys = [issue["key"] for issue in stack.control.issues(label=tag)]

    stack.send_task("tickets.tasks.look_for_duplicates")

    assert wait_until(lambda: submission(client, key)["state"] == "parked", 60, every=0.1)
    shown = submission(client, key)
    assert shown["reason_code"] == "duplicate_found"
    assert all(issue_key in shown["reason"] for issue_key in keys)
    told = client.get(f"/api/v1/tickets/{key}/timeline/").json()
    entries = told["results"] if isinstance(told, dict) else told
    assert [entry["data"]["keys"] for entry in entries if entry["kind"] == "submission.duplicate_found"] == [keys]
    assert "issue_doubled" in {fault.kind for fault in judge(survey(stack, {"late": key}))}
