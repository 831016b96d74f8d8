"""Search: an index that follows the database with a lag, and the calls that read it."""

import base64
import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.adf import plain_text
from tests.sandbox.jira.catalogue import STATUSES
from tests.sandbox.jira.errors import bad_request
from tests.sandbox.jira.issues import checked_properties
from tests.sandbox.jira.jql import JqlError
from tests.sandbox.jira.jql_sql import Compiled, compile_jql
from tests.sandbox.jira.shapes import chosen, issue_shape
from tests.sandbox.jira.site import Site, json_object, whole_number, words
from tests.sandbox.store import now_ms

MEMBERS = frozenset(
    {
        "jql",
        "nextPageToken",
        "maxResults",
        "fields",
        "expand",
        "properties",
        "fieldsByKeys",
        "failFast",
        "reconcileIssues",
    }
)
DEFAULT_SIZE = 50
LIGHT = frozenset({"id", "key"})
LIGHT_LIMIT = 5000
HEAVY_LIMIT = 100
RECONCILE_LIMIT = 50
MATCH_LIMIT = 1000
TOKEN_LIFE_MS = 7 * 86_400_000


def refresh_index(site: Site) -> None:
    """Take into the index what was written longer ago than the lag. Runs before every search."""
    due = now_ms() - int(float(site.store.setting("jira.search_lag", 0)) * 1000)
    rows = site.store.rows("SELECT DISTINCT issue_id FROM index_queue WHERE at <= ?", due)
    if rows:
        index_issues(site, [row["issue_id"] for row in rows])
        site.store.run("DELETE FROM index_queue WHERE at <= ?", due)


def index_issues(site: Site, ids: Iterable[int]) -> None:
    """Write issues into the index as they are now; deleted ones leave it."""
    store = site.store
    for issue_id in ids:
        store.run("DELETE FROM index_label WHERE issue_id = ?", issue_id)
        issue = store.row("SELECT * FROM issue WHERE id = ?", issue_id)
        if issue is None:
            store.run("DELETE FROM index_issue WHERE id = ?", issue_id)
            continue
        sql = "INSERT OR REPLACE INTO index_issue VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        store.run(
            sql,
            issue_id,
            issue["project_id"],
            issue["number"],
            issue["key"],
            issue["type_id"],
            issue["status_id"],
            STATUSES[issue["status_id"]].category,
            issue["priority_id"],
            issue["assignee"],
            issue["reporter"],
            issue["resolution"],
            issue["created"],
            issue["updated"],
            issue["summary"],
            _words(site, issue),
        )
        for label in json.loads(issue["labels"]):
            store.run("INSERT INTO index_label VALUES (?, ?)", label, issue_id)


def _words(site: Site, issue: sqlite3.Row) -> str:
    bodies = [row["body"] for row in site.store.rows("SELECT body FROM comment WHERE issue_id = ?", issue["id"])]
    texts = [plain_text(json.loads(body)) for body in (issue["description"], *bodies) if body]
    return "\n".join((issue["summary"], *texts)).casefold()


def find(site: Site, query: Compiled, limit: int, offset: int = 0) -> list[sqlite3.Row]:
    """Issues that match in the index and still exist, in the query's order."""
    sql = f"""SELECT issue.* FROM index_issue CROSS JOIN issue ON issue.id = index_issue.id
              WHERE {query.where} ORDER BY {query.order} LIMIT ? OFFSET ?"""  # noqa: S608
    return site.store.rows(sql, *query.values, limit, offset)


def search_post(site: Site, call: Call) -> Answer:
    """``POST /search/jql``: unknown members are refused."""
    return _search(site, call, json_object(call, MEMBERS))


def search_get(site: Site, call: Call) -> Answer:
    """``GET /search/jql``."""
    body: dict[str, Any] = {
        "jql": call.one("jql"),
        "maxResults": whole_number(call, "maxResults", DEFAULT_SIZE),
        "fields": words(call, "fields"),
        "properties": words(call, "properties"),
    }
    if call.one("nextPageToken"):
        body["nextPageToken"] = call.one("nextPageToken")
    if ids := words(call, "reconcileIssues"):
        body["reconcileIssues"] = [int(number) if number.isdigit() else number for number in ids]
    return _search(site, call, body)


def _search(site: Site, call: Call, body: dict[str, Any]) -> Answer:
    jql = body.get("jql") or ""
    names, size = _wanted(body)
    properties = checked_properties(body.get("properties"))
    if call.fault("empty_search") or call.fault("expired_auth"):
        return json_answer({"issues": [], "isLast": True})
    query = _compiled(site, call, jql)
    offset = _offset(body.get("nextPageToken"), jql)
    reconcile = _reconcile(body.get("reconcileIssues"))
    refresh_index(site)
    site.store.run("SAVEPOINT reconcile")
    index_issues(site, reconcile)
    rows = find(site, query, size + 1, offset)
    site.store.run("ROLLBACK TO reconcile")  # only this search sees the named issues fresh
    site.store.run("RELEASE reconcile")
    shapes = []
    for row in rows[:size]:
        if site.allowed(call, "BROWSE_PROJECTS", row["key"].rpartition("-")[0]):
            shapes.append(_result(site, row, names, properties))
    if len(rows) <= size:
        return json_answer({"issues": shapes, "isLast": True})
    return json_answer({"issues": shapes, "nextPageToken": _token(offset + size, jql), "isLast": False})


def _result(site: Site, row: sqlite3.Row, names: list[str], properties: list[str]) -> dict[str, Any]:
    """By default the id alone; the key must be asked for like a field."""
    if not names and not properties:
        return {"id": str(row["id"])}
    shape = issue_shape(site, row, [name for name in names if name not in LIGHT], properties)
    return (
        shape if names != ["id"] else {"id": shape["id"], **({"properties": shape["properties"]} if properties else {})}
    )


def _wanted(body: dict[str, Any]) -> tuple[list[str], int]:
    fields, size = body.get("fields") or [], body.get("maxResults", DEFAULT_SIZE)
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    light = [name for name in fields if name in LIGHT]
    names = [*light, *(chosen(fields, ()) if len(light) < len(fields) else [])]
    limit = LIGHT_LIMIT if len(light) == len(fields) else HEAVY_LIMIT
    return names, min(size or DEFAULT_SIZE, limit)


def _compiled(site: Site, call: Call, jql: Any) -> Compiled:
    if not isinstance(jql, str):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    try:
        return compile_jql(site, call, jql)
    except JqlError as error:
        raise bad_request(str(error)) from error


def _reconcile(raw: Any) -> list[int]:
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(number, int) and not isinstance(number, bool) for number in raw):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if len(raw) > RECONCILE_LIMIT:
        raise bad_request(f"The number of issues in reconcileIssues must not exceed {RECONCILE_LIMIT}.")
    return raw


def _token(offset: int, jql: str) -> str:
    text = json.dumps([offset, jql, now_ms() + TOKEN_LIFE_MS])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _offset(token: Any, jql: str) -> int:
    if token is None:
        return 0
    try:
        offset, of, until = json.loads(base64.urlsafe_b64decode(str(token).encode()))
    except ValueError as error:
        raise bad_request("The nextPageToken is invalid.") from error
    if of != jql or until < now_ms():
        raise bad_request("The nextPageToken is invalid or has expired.")
    return int(offset)


def approximate_count(site: Site, call: Call) -> Answer:
    """``POST /search/approximate-count``: lagging like search itself."""
    body = json_object(call, frozenset({"jql"}))
    if call.fault("empty_search") or call.fault("expired_auth"):
        return json_answer({"count": 0})
    query = _compiled(site, call, body.get("jql") or "")
    refresh_index(site)
    sql = f"SELECT count(*) FROM index_issue WHERE {query.where}"  # noqa: S608
    return json_answer({"count": site.store.value(sql, *query.values)})


def match(site: Site, call: Call) -> Answer:
    """``POST /jql/match``: which of the named issues each query matches; a bad query is an error in its own entry."""
    body = json_object(call, frozenset({"issueIds", "jqls"}))
    ids, queries = body.get("issueIds"), body.get("jqls")
    if (
        not isinstance(ids, list)
        or not isinstance(queries, list)
        or len(ids) > MATCH_LIMIT
        or len(queries) > MATCH_LIMIT
    ):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    refresh_index(site)
    matches = []
    for jql in queries:
        try:
            query = compile_jql(site, call, str(jql), bounded=False)
        except JqlError as error:
            matches.append({"matchedIssues": [], "errors": [str(error)]})
            continue
        marks = ", ".join("?" for _ in ids)
        sql = f"SELECT id FROM index_issue WHERE id IN ({marks}) AND {query.where}"  # noqa: S608
        found = [row["id"] for row in site.store.rows(sql, *ids, *query.values)]
        matches.append({"matchedIssues": found, "errors": []})
    return json_answer({"matches": matches})
