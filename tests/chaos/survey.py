"""Collects `records.World` from a stack: the hub's database and API, and Jira's own store."""

from collections import defaultdict
from contextlib import closing
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.chaos.intake import Client
from tests.chaos.records import HubTicket, JiraIssue, Try, World
from tests.chaos.stack import Stack
from tests.sandbox.jira.seeds import ADA, DEV

ACCOUNTS = {"ada.jansen@contoso.example": ADA, "dewi.visser@contoso.example": DEV}
PROJECTS = ("HELP", "NET")
HUMAN = "Made by a human"  # the summary of issues that were made past the hub
_TICKETS = """
    SELECT t.id, t.title, s.id AS submission, s.state, s.tag, l.issue_id, l.key AS issue_key, l.url,
           (SELECT count(*) FROM tickets_timelineentry e
            WHERE e.ticket_id = t.id AND e.kind = 'submission.done') AS told
    FROM tickets_ticket t LEFT JOIN tickets_submission s ON s.ticket_id = t.id
    LEFT JOIN tickets_issuelink l ON l.ticket_id = t.id ORDER BY t.id"""
_TRIES = "SELECT delivery_id, fence, mode, result FROM tickets_submissionattempt ORDER BY delivery_id, fence"
_WATCHERS = "SELECT w.ticket_id, p.email FROM tickets_watcher w JOIN directory_person p ON p.id = w.person_id"
_CHANGES = """SELECT c.ticket_id, p.email, c.state FROM tickets_issuechange c
              JOIN directory_person p ON p.id = (c.payload->>'person')::bigint"""
_ANSWERED = "SELECT key FROM accounts_idempotentrequest WHERE status = 201"
_UNFINISHED = """
    SELECT count(*) FROM (SELECT state FROM tickets_submission UNION ALL SELECT state FROM tickets_issuechange) AS rows
    WHERE state IN ('pending', 'running', 'unknown')"""


def unfinished(stack: Stack) -> int:
    """How many deliveries are still under way. Raises psycopg.Error while the database is down."""
    with psycopg.connect(stack.conninfo, autocommit=True) as connection:
        row = connection.execute(_UNFINISHED).fetchone()
    return int(row[0]) if row else 0


def survey(stack: Stack, accepted: dict[str, str]) -> World:
    """Look at both sides once; the stack must be quiet."""
    with psycopg.connect(stack.conninfo, row_factory=dict_row) as connection:
        rows = {
            name: connection.execute(statement).fetchall()
            for name, statement in (
                ("tickets", _TICKETS), ("tries", _TRIES), ("watchers", _WATCHERS), ("changes", _CHANGES),
                ("answered", _ANSWERED),
            )
        }  # fmt: skip
    return World(
        accepted=dict(accepted),
        answered_keys=frozenset(row["key"] for row in rows["answered"]),
        tickets=_tickets(rows, shown_keys(stack)),
        issues=tuple(
            _issue(raw)
            for project in PROJECTS
            for raw in stack.control.issues(project=project)
            if raw["summary"] != HUMAN
        ),
        jira_url=stack.jira_url,
        accounts=ACCOUNTS,
    )


def shown_keys(stack: Stack) -> dict[str, str]:
    """What the API tells an outsider: the hub's key to the issue's key, over all pages of the list."""
    shown: dict[str, str] = {}
    address: str | None = f"{stack.url}/api/v1/tickets/?limit=200"
    with closing(Client(stack.url)) as client:
        while address:
            answer = client.get(address)
            answer.raise_for_status()
            page = answer.json()
            shown |= {item["key"]: item["external_key"] or "" for item in page["results"]}
            address = page["next"] and str(httpx.URL(stack.url).join(page["next"]))
    return shown


def _tickets(rows: dict[str, list[Any]], shown: dict[str, str]) -> tuple[HubTicket, ...]:
    tries: dict[int, list[Try]] = defaultdict(list)
    for row in rows["tries"]:
        tries[row["delivery_id"]].append(Try(row["fence"], row["mode"], row["result"]))
    watchers: dict[int, set[str]] = defaultdict(set)
    for row in rows["watchers"]:
        watchers[row["ticket_id"]].add(row["email"])
    changes: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in rows["changes"]:
        changes[row["ticket_id"]].append((row["email"], row["state"]))
    return tuple(
        HubTicket(
            key=f"HUB-{row['id']}", title=row["title"], state=row["state"] or "missing", tag=row["tag"] or "",
            tries=tuple(tries[row["submission"]]), issue_id=row["issue_id"] or "", issue_key=row["issue_key"] or "",
            issue_url=row["url"] or "", shown_key=shown.get(f"HUB-{row['id']}", ""), submitted_entries=row["told"],
            watchers=frozenset(watchers[row["id"]]), changes=tuple(changes[row["id"]]),
        )
        for row in rows["tickets"]
    )  # fmt: skip


def _issue(raw: dict[str, Any]) -> JiraIssue:
    proof = raw["properties"].get("supporthub") or {}
    return JiraIssue(
        issue_id=str(raw["id"]), key=raw["key"], summary=raw["summary"], tag=proof.get("tag", ""),
        ticket=proof.get("ticket", ""), labels=frozenset(raw["labels"]), watchers=frozenset(raw["watchers"]),
    )  # fmt: skip
