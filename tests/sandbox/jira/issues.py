"""Creating, reading, editing and deleting issues."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.catalogue import DEFAULT_PRIORITY, ISSUE_TYPES, TODO
from tests.sandbox.jira.comments import add_comment
from tests.sandbox.jira.errors import JiraError, bad_fields, bad_request, forbidden, not_found, not_on_screen
from tests.sandbox.jira.fields import Change, Frame, read_change, read_properties
from tests.sandbox.jira.shapes import chosen, issue_shape
from tests.sandbox.jira.site import HUB_ACCOUNT, Site, json_object, words
from tests.sandbox.store import now_ms

UPDATE_MEMBERS = frozenset({"fields", "update", "properties", "transition", "historyMetadata"})
BULK_LIMIT = 100
BULK_MEMBERS = frozenset({"expand", "fields", "fieldsByKeys", "issueIdsOrKeys", "properties"})
PROPERTIES_LIMIT = 5


def create_issue(site: Site, call: Call) -> Answer:
    """``POST /issue``: 201 with id, key and self."""
    body = json_object(call, UPDATE_MEMBERS)
    if not isinstance(body.get("fields"), dict):
        raise bad_request("The request must contain 'fields'.")
    project = _target_project(site, call, body["fields"].get("project"))
    change = read_change(Frame(site, call, project, creating=True), body)
    properties = read_properties(body.get("properties"))
    if call.fault("drop_label"):
        change.labels = []
    issue_id, key = store_issue(site, call.request_id, project, change, properties, creator=HUB_ACCOUNT)
    call.subject = key
    for comment in change.comments:
        add_comment(site, call, _row(site, issue_id), comment)
    return json_answer({"id": str(issue_id), "key": key, "self": site.link(f"issue/{issue_id}")}, 201)


def _target_project(site: Site, call: Call, value: Any) -> sqlite3.Row:
    wanted = value.get("id", value.get("key")) if isinstance(value, dict) else None
    project = site.project(call, str(wanted)) if wanted not in (None, "") else None
    if project is None:
        raise bad_fields({"project": "Specify a valid project ID or key"})
    if not site.allowed(call, "CREATE_ISSUES", project["key"]):
        raise forbidden("You do not have permission to create issues in this project.")
    return project


def _row(site: Site, issue_id: int) -> sqlite3.Row:
    row = site.store.row("SELECT * FROM issue WHERE id = ?", issue_id)
    if row is None:
        raise RuntimeError("the issue vanished inside its own request")
    return row


def store_issue(
    site: Site,
    request_id: int,
    project: sqlite3.Row,
    change: Change,
    properties: Mapping[str, str],
    *,
    creator: str,
) -> tuple[int, str]:
    """Write a checked issue; the number it takes is never given out again. Returns its id and key."""
    store, at, columns = site.store, now_ms(), change.columns
    number = store.value(
        "UPDATE project SET next_number = next_number + 1 WHERE id = ? RETURNING next_number - 1", project["id"]
    )
    key, labels = f"{project['key']}-{number}", sorted(change.labels or [])
    row = {
        "priority_id": DEFAULT_PRIORITY,
        "reporter": creator,
        **columns,
        "project_id": project["id"],
        "number": number,
        "key": key,
        "status_id": TODO,
        "creator": creator,
        "labels": json.dumps(labels, ensure_ascii=False),
        "extra": json.dumps(change.extra, ensure_ascii=False),
        "created": at,
        "updated": at,
    }
    marks = ", ".join("?" for _ in row)
    sql = f"INSERT INTO issue ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
    issue_id = store.insert(sql, *row.values())
    for label in labels:
        store.run("INSERT INTO issue_label VALUES (?, ?)", label, issue_id)
    for name, text in properties.items():
        store.run("INSERT INTO issue_property VALUES (?, ?, ?)", issue_id, name, text)
    store.run("INSERT INTO watcher VALUES (?, ?)", issue_id, creator)
    store.run("INSERT INTO index_queue (issue_id, at) VALUES (?, ?)", issue_id, at)
    store.effect(request_id, "issue_created", key, id=issue_id)
    return issue_id, key


def get_issue(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}``; a moved issue answers with its new key."""
    issue = site.issue(call)
    names = chosen(words(call, "fields"), ("*all",))
    return json_answer(issue_shape(site, issue, names, words(call, "properties")))


def edit_issue(site: Site, call: Call) -> Answer:
    """``PUT /issue/{idOrKey}``: 204, or 200 with the issue when ``returnIssue=true``."""
    issue = site.issue(call)
    site.require(call, "EDIT_ISSUES", issue, "You do not have permission to edit issues in this project.")
    body = json_object(call, UPDATE_MEMBERS)
    project = site.project_of(issue)
    frame = Frame(site, call, project, creating=False, labels=tuple(json.loads(issue["labels"])))
    change = read_change(frame, body)
    properties = read_properties(body.get("properties"))
    if "assignee" in change.columns and not site.allowed(call, "ASSIGN_ISSUES", project["key"]):
        raise bad_fields({"assignee": not_on_screen("assignee")})
    apply_change(site, call.request_id, issue, change, properties)
    for comment in change.comments:
        add_comment(site, call, issue, comment)
    if call.one("returnIssue") != "true":
        return Answer(204)
    return json_answer(issue_shape(site, _row(site, issue["id"]), chosen((), ("*all",))))


def apply_change(
    site: Site, request_id: int, issue: sqlite3.Row, change: Change, properties: Mapping[str, str]
) -> None:
    """Write a checked edit."""
    store, issue_id, at = site.store, issue["id"], now_ms()
    for column, value in change.columns.items():
        store.run(f"UPDATE issue SET {column} = ? WHERE id = ?", value, issue_id)  # noqa: S608
    if change.labels is not None:
        store.run("DELETE FROM issue_label WHERE issue_id = ?", issue_id)
        for label in change.labels:
            store.run("INSERT INTO issue_label VALUES (?, ?)", label, issue_id)
        labels = json.dumps(sorted(change.labels), ensure_ascii=False)
        store.run("UPDATE issue SET labels = ? WHERE id = ?", labels, issue_id)
    if change.extra:
        extra = json.dumps({**json.loads(issue["extra"]), **change.extra}, ensure_ascii=False)
        store.run("UPDATE issue SET extra = ? WHERE id = ?", extra, issue_id)
    for name, text in properties.items():
        store.run("INSERT OR REPLACE INTO issue_property VALUES (?, ?, ?)", issue_id, name, text)
    site.touch(issue_id, at)
    changed = [*change.columns, *change.extra, *(["labels"] if change.labels is not None else [])]
    store.effect(request_id, "issue_updated", issue["key"], id=issue_id, changed=changed)


def delete_issue(site: Site, call: Call) -> Answer:
    """``DELETE /issue/{idOrKey}``; with subtasks only when ``deleteSubtasks=true``."""
    issue = site.issue(call)
    site.require(call, "DELETE_ISSUES", issue, "You do not have permission to delete issues in this project.")
    children = site.store.rows("SELECT * FROM issue WHERE parent_id = ?", issue["id"])
    if children and call.one("deleteSubtasks") != "true":
        raise bad_request(
            f"The issue '{issue['key']}' has subtasks. You must specify the 'deleteSubtasks' parameter to delete this "
            "issue and all its subtasks."
        )
    for row in (*children, issue):
        remove_issue(site, call.request_id, row)
    return Answer(204)


def remove_issue(site: Site, request_id: int, issue: sqlite3.Row) -> None:
    """Delete an issue with all that hangs on it. Search forgets it when the index catches up."""
    for table in (
        "issue_label",
        "issue_property",
        "watcher",
        "comment",
        "worklog",
        "attachment",
        "remote_link",
        "issue_alias",
    ):
        site.store.run(f"DELETE FROM {table} WHERE issue_id = ?", issue["id"])  # noqa: S608
    site.store.run("DELETE FROM issue_link WHERE inward_id = ?1 OR outward_id = ?1", issue["id"])
    site.store.run("DELETE FROM issue WHERE id = ?", issue["id"])
    site.store.run("INSERT INTO index_queue (issue_id, at) VALUES (?, ?)", issue["id"], now_ms())
    site.store.effect(request_id, "issue_deleted", issue["key"], id=issue["id"])


def bulk_fetch(site: Site, call: Call) -> Answer:
    """``POST /issue/bulkfetch``: up to 100 issues by id or key, read from the database and not from the search index.

    Unseen ones stand in ``issueErrors``; issues come in ascending id order, each once.
    """
    body = json_object(call, BULK_MEMBERS)
    wanted = body.get("issueIdsOrKeys")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, str) for item in wanted):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if len(wanted) > BULK_LIMIT:
        raise bad_request(f"The number of issue IDs or keys must not exceed {BULK_LIMIT}.")
    properties = checked_properties(body.get("properties"))
    fields = body.get("fields") or []
    names = chosen(map(str, fields), ("*navigable",))
    found: dict[int, sqlite3.Row] = {}
    errors = []
    for item in wanted:
        row = site.visible_issue(call, item)
        if row is None:
            errors.append({"id": item, "errorMessage": "Issue not found or permission denied."})
        else:
            found[row["id"]] = row
    issues = [issue_shape(site, found[number], names, properties) for number in sorted(found)]
    return json_answer({"expand": "schema,names", "issueErrors": errors, "issues": issues})


def checked_properties(raw: Any) -> list[str]:
    """The ``properties`` list of a read: at most five keys."""
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if len(raw) > PROPERTIES_LIMIT:
        raise bad_request(f"The number of properties must not exceed {PROPERTIES_LIMIT}.")
    return raw


def create_disturbance(site: Site, request_id: int, project_key: str, values: Mapping[str, Any]) -> tuple[int, str]:
    """An issue that a human made in Jira: no checks but a summary, any account, any labels."""
    project = site.store.row("SELECT * FROM project WHERE key = ?", project_key)
    if project is None:
        raise not_found(f"No project could be found with key '{project_key}'.")
    type_id = str(values.get("type_id") or next(iter(ISSUE_TYPES)))
    creator = str(values.get("creator") or project["lead"])
    columns = {"summary": str(values.get("summary") or "Made by a human"), "type_id": type_id}
    if values.get("reporter"):
        columns["reporter"] = str(values["reporter"])
    change = Change(columns=columns, labels=[str(label) for label in values.get("labels") or []])
    properties = {str(key): json.dumps(value) for key, value in (values.get("properties") or {}).items()}
    if type_id not in ISSUE_TYPES or site.account(creator) is None:
        raise JiraError(400, ("unknown type_id or creator",))
    return store_issue(site, request_id, project, change, properties, creator=creator)
