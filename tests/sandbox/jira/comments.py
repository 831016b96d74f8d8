"""Comments on issues."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.errors import JiraError, bad_fields, bad_request, not_found
from tests.sandbox.jira.fields import FieldProblemError, WholeRequestError, document, read_properties
from tests.sandbox.jira.people import user
from tests.sandbox.jira.rendering import render
from tests.sandbox.jira.site import HUB_ACCOUNT, Site, json_object, stamp, whole_number, words
from tests.sandbox.store import now_ms

MEMBERS = frozenset({"body", "visibility", "properties", "author", "created", "id", "self", "updateAuthor", "updated"})
PER_ISSUE = 5000
ROLES = frozenset({"Administrators", "Developers", "Service Desk Team"})
GROUPS = frozenset({"jira-users", "jira-administrators"})
INTERNAL_KEY = "sd.public.comment"
ORDERS = {"created": "id", "+created": "id", "-created": "id DESC", "": "id"}


def add_comment(site: Site, call: Call, issue: sqlite3.Row, value: Mapping[str, Any], author: str = HUB_ACCOUNT) -> int:
    """Check and write one comment; returns its id.

    :raises JiraError: 400 for body, visibility or properties; 413 at 5,000 comments.
    """
    body = _document(value.get("body"))
    visibility = _visibility(value.get("visibility"))
    properties = read_properties(value.get("properties"))
    if site.store.value("SELECT count(*) FROM comment WHERE issue_id = ?", issue["id"]) >= PER_ISSUE:
        raise JiraError(413, ("The issue has reached the limit of comments.",))
    at = now_ms()
    sql = """INSERT INTO comment (issue_id, author, editor, body, visibility, internal, properties, created, updated)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    internal, kept = _is_internal(properties), json.dumps(properties)
    comment_id = site.store.insert(sql, issue["id"], author, author, body, visibility, internal, kept, at, at)
    site.touch(issue["id"], at)
    site.store.effect(call.request_id, "comment_created", issue["key"], id=comment_id, issue_id=issue["id"])
    return comment_id


def _document(value: Any) -> str:
    try:
        checked = document(value)
    except FieldProblemError as problem:
        raise bad_fields({"comment": str(problem)}) from problem
    except WholeRequestError as problem:
        raise bad_request(*map(str, problem.args)) from problem
    if checked is None or not checked["content"]:
        raise bad_fields({"comment": "Comment body can not be empty!"})
    return json.dumps(checked, ensure_ascii=False)


def _visibility(value: Any) -> str | None:
    if value is None:
        return None
    names = {"role": ROLES, "group": GROUPS}
    if not isinstance(value, dict) or value.get("type") not in names:
        raise bad_fields({"commentLevel": "Invalid visibility type."})
    named = value.get("value") or value.get("identifier")
    if named not in names[value["type"]]:
        raise bad_fields({"commentLevel": f"{value['type'].capitalize()}: {named} does not exist."})
    return json.dumps({"type": value["type"], "value": named, "identifier": value.get("identifier") or named})


def _is_internal(properties: Mapping[str, str]) -> bool:
    value = json.loads(properties.get(INTERNAL_KEY, "null"))
    return isinstance(value, dict) and value.get("internal") in (True, "true")


def comment_shape(
    site: Site, issue: sqlite3.Row, comment: sqlite3.Row, expand: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """A comment; ``jsdPublic`` stands on it in service projects only."""
    shape: dict[str, Any] = {
        "self": site.link(f"issue/{issue['id']}/comment/{comment['id']}"),
        "id": str(comment["id"]),
        "author": user(site, comment["author"]),
        "body": json.loads(comment["body"]),
        "updateAuthor": user(site, comment["editor"]),
        "created": stamp(comment["created"]),
        "updated": stamp(comment["updated"]),
    }
    if comment["visibility"]:
        shape["visibility"] = json.loads(comment["visibility"])
    if site.project_of(issue)["type_key"] == "service_desk":
        shape["jsdPublic"] = not comment["internal"]
    if "properties" in expand:
        kept = json.loads(comment["properties"])
        shape["properties"] = [{"key": key, "value": json.loads(text)} for key, text in kept.items()]
    if "renderedBody" in expand:
        shape["renderedBody"] = str(render(shape["body"]))
    return shape


def comments_of(site: Site, issue: sqlite3.Row) -> list[dict[str, Any]]:
    """The last twenty comments, as they stand inside an issue."""
    rows = site.store.rows("SELECT * FROM comment WHERE issue_id = ? ORDER BY id DESC LIMIT 20", issue["id"])
    return [comment_shape(site, issue, row) for row in reversed(rows)]


def list_comments(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/comment``: paged, ``orderBy`` created only."""
    issue = site.issue(call)
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", 100, PER_ISSUE)
    order = ORDERS.get(call.one("orderBy").strip().replace(" ", "+"))
    if order is None:
        raise bad_request("The value of orderBy must be one of: created, +created, -created.")
    sql = f"SELECT * FROM comment WHERE issue_id = ? ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
    expand = frozenset(words(call, "expand"))
    shapes = [comment_shape(site, issue, row, expand) for row in site.store.rows(sql, issue["id"], size, start)]
    total = site.store.value("SELECT count(*) FROM comment WHERE issue_id = ?", issue["id"])
    return json_answer({"startAt": start, "maxResults": size, "total": total, "comments": shapes})


def create_comment(site: Site, call: Call) -> Answer:
    """``POST /issue/{idOrKey}/comment``: 201 with the comment."""
    issue = site.issue(call)
    refused = "You do not have the permission to comment on this work item."
    site.require(call, "ADD_COMMENTS", issue, refused, status=400)
    comment_id = add_comment(site, call, issue, json_object(call, MEMBERS))
    return json_answer(_read(site, issue, comment_id, call), 201)


def _read(site: Site, issue: sqlite3.Row, comment_id: int, call: Call) -> dict[str, Any]:
    row = site.store.row("SELECT * FROM comment WHERE id = ? AND issue_id = ?", comment_id, issue["id"])
    if row is None:
        raise not_found(f"Can not find a comment for the id: {comment_id}.")
    return comment_shape(site, issue, row, frozenset(words(call, "expand")))


def get_comment(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/comment/{id}``."""
    return json_answer(_read(site, site.issue(call), int(call.params["id"]), call))


def update_comment(site: Site, call: Call) -> Answer:
    """``PUT /issue/{idOrKey}/comment/{id}``: body, visibility; given properties are added or replaced."""
    issue, comment_id = site.issue(call), int(call.params["id"])
    row = site.store.row("SELECT * FROM comment WHERE id = ? AND issue_id = ?", comment_id, issue["id"])
    if row is None:
        raise not_found(f"Can not find a comment for the id: {comment_id}.")
    value, at = json_object(call, MEMBERS), now_ms()
    properties = {**json.loads(row["properties"]), **read_properties(value.get("properties"))}
    sql = """UPDATE comment SET body = ?, visibility = ?, internal = ?, properties = ?, editor = ?, updated = ?
             WHERE id = ?"""
    body, visibility = _document(value.get("body")), _visibility(value.get("visibility"))
    internal, kept = _is_internal(properties), json.dumps(properties)
    site.store.run(sql, body, visibility, internal, kept, HUB_ACCOUNT, at, comment_id)
    site.touch(issue["id"], at)
    site.store.effect(call.request_id, "comment_updated", issue["key"], id=comment_id, issue_id=issue["id"])
    return json_answer(_read(site, issue, comment_id, call))


def delete_comment(site: Site, call: Call) -> Answer:
    """``DELETE /issue/{idOrKey}/comment/{id}``: 204."""
    issue, comment_id = site.issue(call), int(call.params["id"])
    gone = site.store.run("DELETE FROM comment WHERE id = ? AND issue_id = ?", comment_id, issue["id"]).rowcount
    if not gone:
        raise not_found(f"Can not find a comment for the id: {comment_id}.")
    site.touch(issue["id"], now_ms())
    site.store.effect(call.request_id, "comment_deleted", issue["key"], id=comment_id, issue_id=issue["id"])
    return Answer(204)
