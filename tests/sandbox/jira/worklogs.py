"""Time spent on issues."""

import json
import re
import sqlite3
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.errors import JiraError, bad_fields, bad_request
from tests.sandbox.jira.fields import FieldProblemError, WholeRequestError, document, read_properties
from tests.sandbox.jira.people import user
from tests.sandbox.jira.site import HUB_ACCOUNT, Site, json_object, stamp, whole_number, words
from tests.sandbox.store import now_ms

PER_ISSUE = 5000
STARTED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}[+-]\d{4}")
SPENT = re.compile(r"(\d+)([wdhm])")
SECONDS = {"w": 5 * 8 * 3600, "d": 8 * 3600, "h": 3600, "m": 60}
MEMBERS = frozenset({"comment", "started", "timeSpent", "timeSpentSeconds", "visibility", "properties"})


def worklog_shape(site: Site, row: sqlite3.Row) -> dict[str, Any]:
    """One worklog."""
    hours, minutes = row["seconds"] // 3600, row["seconds"] % 3600 // 60
    spent = " ".join(part for part in (f"{hours}h" if hours else "", f"{minutes}m" if minutes else "") if part)
    shape: dict[str, Any] = {
        "self": site.link(f"issue/{row['issue_id']}/worklog/{row['id']}"),
        "author": user(site, row["author"]),
        "updateAuthor": user(site, row["author"]),
        "created": stamp(row["created"]),
        "updated": stamp(row["created"]),
        "started": row["started"],
        "timeSpent": spent,
        "timeSpentSeconds": row["seconds"],
        "id": str(row["id"]),
        "issueId": str(row["issue_id"]),
    }
    if row["comment"]:
        shape["comment"] = json.loads(row["comment"])
    return shape


def worklogs_of(site: Site, issue: sqlite3.Row) -> list[dict[str, Any]]:
    """All worklogs of an issue, oldest first."""
    rows = site.store.rows("SELECT * FROM worklog WHERE issue_id = ? ORDER BY id", issue["id"])
    return [worklog_shape(site, row) for row in rows]


def list_worklogs(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/worklog``; ``expand=properties`` shows theirs."""
    issue = site.issue(call)
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", PER_ISSUE, PER_ISSUE)
    rows = site.store.rows("SELECT * FROM worklog WHERE issue_id = ? ORDER BY id", issue["id"])
    shapes = []
    for row in rows[start : start + size]:
        shape = worklog_shape(site, row)
        if "properties" in words(call, "expand"):
            kept = json.loads(row["properties"])
            shape["properties"] = [{"key": key, "value": json.loads(text)} for key, text in kept.items()]
        shapes.append(shape)
    return json_answer({"startAt": start, "maxResults": size, "total": len(rows), "worklogs": shapes})


def add_worklog(site: Site, call: Call) -> Answer:
    """``POST /issue/{idOrKey}/worklog``: 201. ``started`` has an offset without a colon."""
    issue = site.issue(call)
    site.require(
        call, "WORK_ON_ISSUES", issue, "You do not have the permission to associate a worklog to this work item."
    )
    value = json_object(call, MEMBERS)
    seconds = _seconds(value)
    started = value.get("started") or stamp(now_ms())
    if not isinstance(started, str) or not STARTED.fullmatch(started):
        raise bad_request("The 'started' value must be in the format yyyy-MM-dd'T'HH:mm:ss.SSSZ")
    properties = read_properties(value.get("properties"))
    if site.store.value("SELECT count(*) FROM worklog WHERE issue_id = ?", issue["id"]) >= PER_ISSUE:
        raise JiraError(413, ("The issue has reached the limit of worklogs.",))
    at, comment = now_ms(), _comment(value.get("comment"))
    sql = """INSERT INTO worklog (issue_id, author, comment, started, seconds, properties, created)
             VALUES (?, ?, ?, ?, ?, ?, ?)"""
    number = site.store.insert(sql, issue["id"], HUB_ACCOUNT, comment, started, seconds, json.dumps(properties), at)
    site.touch(issue["id"], at)
    site.store.effect(call.request_id, "worklog_created", issue["key"], id=number)
    row = site.store.rows("SELECT * FROM worklog WHERE id = ?", number)[0]
    return json_answer(worklog_shape(site, row), 201)


def _comment(value: Any) -> str | None:
    try:
        checked = document(value)
    except FieldProblemError as problem:
        raise bad_fields({"comment": str(problem)}) from problem
    except WholeRequestError as problem:
        raise bad_request(*map(str, problem.args)) from problem
    return None if checked is None else json.dumps(checked, ensure_ascii=False)


def _seconds(value: dict[str, Any]) -> int:
    seconds = value.get("timeSpentSeconds")
    if isinstance(value.get("timeSpent"), str):
        seconds = sum(int(number) * SECONDS[unit] for number, unit in SPENT.findall(value["timeSpent"]))
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < SECONDS["m"]:
        raise bad_fields({"timeLogged": "You must indicate the time spent working."})
    return seconds
