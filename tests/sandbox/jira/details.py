"""What hangs on an issue and is small: properties, watchers, links, remote links, transitions."""

import json
import sqlite3
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.catalogue import (
    DONE,
    LINK_TYPES,
    RESOLUTIONS,
    STATUSES,
    Transition,
    open_transitions,
)
from tests.sandbox.jira.comments import add_comment
from tests.sandbox.jira.errors import JiraError, bad_fields, bad_request, not_found, not_on_screen
from tests.sandbox.jira.fields import property_value
from tests.sandbox.jira.people import user
from tests.sandbox.jira.projects import status_shape
from tests.sandbox.jira.site import HUB_ACCOUNT, Site, json_body, json_object, words
from tests.sandbox.store import now_ms

PER_ISSUE = 2000
RESOLUTION_META = {
    "required": False,
    "schema": {"type": "resolution", "system": "resolution"},
    "name": "Resolution",
    "key": "resolution",
    "fieldId": "resolution",
    "hasDefaultValue": True,
    "operations": ["set"],
    "allowedValues": [{"id": number, "name": name} for number, name in RESOLUTIONS.items()],
}


def list_properties(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/properties``: keys only."""
    issue = site.issue(call)
    rows = site.store.rows("SELECT key FROM issue_property WHERE issue_id = ? ORDER BY key", issue["id"])
    link = site.link(f"issue/{issue['key']}/properties/")
    return json_answer({"keys": [{"self": link + row["key"], "key": row["key"]} for row in rows]})


def get_property(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/properties/{key}``."""
    issue, key = site.issue(call), call.params["key"]
    text = site.store.value("SELECT value FROM issue_property WHERE issue_id = ? AND key = ?", issue["id"], key)
    if text is None:
        raise not_found(f"The property with key '{key}' does not exist.")
    return json_answer({"key": key, "value": json.loads(text)})


def set_property(site: Site, call: Call) -> Answer:
    """``PUT /issue/{idOrKey}/properties/{key}``: 201 when new, 200 when replaced."""
    issue, key = site.issue(call), call.params["key"]
    site.require(call, "EDIT_ISSUES", issue, "You do not have permission to edit issues in this project.")
    text = property_value(key, json_body(call))
    sql = "SELECT 1 FROM issue_property WHERE issue_id = ? AND key = ?"
    status = 200 if site.store.value(sql, issue["id"], key) else 201
    site.store.run("INSERT OR REPLACE INTO issue_property VALUES (?, ?, ?)", issue["id"], key, text)
    site.store.effect(call.request_id, "issue_property_set", issue["key"], id=issue["id"], property=key)
    return Answer(status)


def delete_property(site: Site, call: Call) -> Answer:
    """``DELETE /issue/{idOrKey}/properties/{key}``: 204."""
    issue, key = site.issue(call), call.params["key"]
    if not site.store.run("DELETE FROM issue_property WHERE issue_id = ? AND key = ?", issue["id"], key).rowcount:
        raise not_found(f"The property with key '{key}' does not exist.")
    site.store.effect(call.request_id, "issue_property_deleted", issue["key"], id=issue["id"], property=key)
    return Answer(204)


def list_watchers(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/watchers``."""
    issue = site.issue(call)
    rows = site.store.rows("SELECT account_id FROM watcher WHERE issue_id = ?", issue["id"])
    watching = [row["account_id"] for row in rows]
    shape = {
        "self": site.link(f"issue/{issue['key']}/watchers"),
        "isWatching": HUB_ACCOUNT in watching,
        "watchCount": len(watching),
        "watchers": [user(site, account_id) for account_id in watching],
    }
    return json_answer(shape)


def add_watcher(site: Site, call: Call) -> Answer:
    """``POST /issue/{idOrKey}/watchers``: the body is a bare JSON string; 204, also for one who watches already."""
    issue = site.issue(call)
    account_id = json_body(call) if call.body else HUB_ACCOUNT
    if not isinstance(account_id, str):
        raise bad_request("The request body must be an account ID as a JSON string.")
    if account_id != HUB_ACCOUNT:
        site.require(
            call, "MANAGE_WATCHERS", issue, "You do not have permission to manage the watcher list.", status=401
        )
    account = site.account(account_id)
    if account is None or not account["active"]:
        raise not_found(f"The user '{account_id}' does not exist.")
    if account["type"] == "customer":
        raise bad_request(f"The user '{account_id}' does not have permission to view this issue.")
    site.store.run("INSERT OR IGNORE INTO watcher VALUES (?, ?)", issue["id"], account_id)
    site.store.effect(call.request_id, "watcher_added", issue["key"], id=issue["id"], account=account_id)
    return Answer(204)


def remove_watcher(site: Site, call: Call) -> Answer:
    """``DELETE /issue/{idOrKey}/watchers?accountId=``: 204."""
    issue, account_id = site.issue(call), call.one("accountId")
    if not account_id:
        raise bad_request("The query parameter 'accountId' must be provided.")
    if site.account(account_id) is None:
        raise not_found(f"The user '{account_id}' does not exist.")
    site.store.run("DELETE FROM watcher WHERE issue_id = ? AND account_id = ?", issue["id"], account_id)
    site.store.effect(call.request_id, "watcher_removed", issue["key"], id=issue["id"], account=account_id)
    return Answer(204)


def _transition_shape(site: Site, step: Transition, *, fields: bool) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": step.id,
        "name": step.name,
        "to": status_shape(site, STATUSES[step.to]),
        "hasScreen": step.to == DONE,
        "isGlobal": not step.sources,
        "isInitial": False,
        "isAvailable": True,
        "isConditional": False,
        "isLooped": False,
    }
    if fields:
        shape["fields"] = {"resolution": RESOLUTION_META} if step.to == DONE else {}
    return shape


def list_transitions(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/transitions``: only the steps out of the present status; none without the permission."""
    issue = site.issue(call)
    project = site.project_of(issue)
    steps = open_transitions(project["workflow"], issue["status_id"])
    if not site.allowed(call, "TRANSITION_ISSUES", project["key"]):
        steps = []
    wanted, fields = call.one("transitionId"), "transitions.fields" in words(call, "expand")
    shapes = [_transition_shape(site, step, fields=fields) for step in steps if wanted in ("", step.id)]
    return json_answer({"expand": "transitions", "transitions": shapes})


def do_transition(site: Site, call: Call) -> Answer:
    """``POST /issue/{idOrKey}/transitions``: 204; 400 when the step is not open or a field is not on its screen."""
    issue = site.issue(call)
    body = json_object(call, frozenset({"transition", "fields", "update", "historyMetadata", "properties"}))
    project = site.project_of(issue)
    asked = body.get("transition")
    wanted = str(asked.get("id")) if isinstance(asked, dict) else ""
    steps = open_transitions(project["workflow"], issue["status_id"])
    step = next((step for step in steps if step.id == wanted), None)
    if step is None or not site.allowed(call, "TRANSITION_ISSUES", project["key"]):
        raise bad_request(
            f"It seems that you have tried to perform a workflow operation ({wanted}) that is not valid for the "
            f"current state of this work item ({issue['key']})."
        )
    resolution = _resolution(step, body.get("fields") or {})
    comments = _comments(body.get("update") or {})
    set_status(site, call.request_id, issue, step.to, resolution)
    for comment in comments:
        add_comment(site, call, issue, comment)
    return Answer(204)


def _resolution(step: Transition, fields: dict[str, Any]) -> str | None:
    errors = {name: not_on_screen(name) for name in fields if name != "resolution" or step.to != DONE}
    if errors:
        raise bad_fields(errors)
    if step.to != DONE:
        return None
    asked = fields.get("resolution") or {"name": "Done"}
    for number, name in RESOLUTIONS.items():
        if isinstance(asked, dict) and (asked.get("id") == number or asked.get("name") == name):
            return number
    raise bad_fields({"resolution": "Resolution value is invalid."})


def _comments(update: dict[str, Any]) -> list[dict[str, Any]]:
    if unknown := update.keys() - {"comment"}:
        raise bad_fields({name: not_on_screen(name) for name in unknown})
    steps = update.get("comment") or []
    return [step["add"] for step in steps if isinstance(step, dict) and isinstance(step.get("add"), dict)]


def set_status(site: Site, request_id: int, issue: sqlite3.Row, status_id: str, resolution: str | None) -> None:
    """Move an issue to a status, whoever asked."""
    at = now_ms()
    sql = "UPDATE issue SET status_id = ?, resolution = ?, resolved = ? WHERE id = ?"
    site.store.run(sql, status_id, resolution, at if resolution else None, issue["id"])
    site.touch(issue["id"], at)
    changed = {"from": issue["status_id"], "to": status_id}
    site.store.effect(request_id, "issue_updated", issue["key"], id=issue["id"], changed=["status"], status=changed)


def list_link_types(site: Site, call: Call) -> Answer:
    """``GET /issueLinkType``."""
    shapes = [
        {
            "id": kind.id,
            "name": kind.name,
            "inward": kind.inward,
            "outward": kind.outward,
            "self": site.link(f"issueLinkType/{kind.id}"),
        }
        for kind in LINK_TYPES.values()
    ]
    return json_answer({"issueLinkTypes": shapes})


def link_issues(site: Site, call: Call) -> Answer:
    """``POST /issueLink``: 201 without a body; a repeat succeeds, and its comment is added again."""
    body = json_object(call, frozenset({"type", "inwardIssue", "outwardIssue", "comment"}))
    asked = body.get("type") if isinstance(body.get("type"), dict) else {}
    kind = next(
        (k for k in LINK_TYPES.values() if asked and (asked.get("id") == k.id or asked.get("name") == k.name)), None
    )
    if kind is None:
        raise not_found(f"No issue link type with name '{(asked or {}).get('name')}' found.")
    inward, outward = (_end(site, call, body.get(side)) for side in ("inwardIssue", "outwardIssue"))
    site.require(call, "LINK_ISSUES", inward, "No Link Issue Permission for issue", status=401)
    if (
        site.store.value("SELECT count(*) FROM issue_link WHERE inward_id = ?1 OR outward_id = ?1", inward["id"])
        >= PER_ISSUE
    ):
        raise JiraError(413, ("The issue has reached the limit of issue links.",))
    sql = "INSERT OR IGNORE INTO issue_link (type_id, inward_id, outward_id) VALUES (?, ?, ?)"
    site.store.run(sql, kind.id, inward["id"], outward["id"])
    if isinstance(body.get("comment"), dict):
        add_comment(site, call, outward, body["comment"])
    call.subject = inward["key"]
    site.store.effect(call.request_id, "issuelink_created", inward["key"], other=outward["key"], type=kind.name)
    return Answer(201)


def _end(site: Site, call: Call, value: Any) -> sqlite3.Row:
    wanted = value.get("id") or value.get("key") if isinstance(value, dict) else None
    issue = site.visible_issue(call, str(wanted)) if wanted else None
    if issue is None:
        raise not_found(f"No issue found with id or key '{wanted}'.")
    return issue


def set_remote_link(site: Site, call: Call) -> Answer:
    """``POST /issue/{idOrKey}/remotelink``: upsert by ``globalId``: 201 new; 200 replaced as a whole."""
    issue = site.issue(call)
    site.require(call, "LINK_ISSUES", issue, "No Link Issue Permission for issue")
    body = json_object(call, frozenset({"globalId", "application", "relationship", "object"}))
    shown = body.get("object")
    errors = {
        name: f"'{name}' is required." for name in ("title", "url") if not (isinstance(shown, dict) and shown.get(name))
    }
    global_id = body.get("globalId")
    if global_id is not None and (not isinstance(global_id, str) or not 0 < len(global_id) <= 255):
        errors["globalId"] = "'globalId' must be at most 255 characters."
    if errors:
        raise bad_fields(errors)
    sql = "SELECT id FROM remote_link WHERE issue_id = ? AND global_id = ?"
    number, status = site.store.value(sql, issue["id"], global_id), 200
    if number is None:
        sql = "INSERT INTO remote_link (issue_id, global_id, body) VALUES (?, ?, ?)"
        number, status = site.store.insert(sql, issue["id"], global_id, json.dumps(body)), 201
    else:
        site.store.run("UPDATE remote_link SET body = ? WHERE id = ?", json.dumps(body), number)
    site.store.effect(call.request_id, "remotelink_set", issue["key"], id=number, global_id=global_id)
    return json_answer({"id": number, "self": site.link(f"issue/{issue['key']}/remotelink/{number}")}, status)


def list_remote_links(site: Site, call: Call) -> Answer:
    """``GET /issue/{idOrKey}/remotelink``; with ``globalId`` the one link itself."""
    issue, wanted = site.issue(call), call.one("globalId")
    rows = site.store.rows("SELECT * FROM remote_link WHERE issue_id = ? ORDER BY id", issue["id"])
    shapes = []
    for row in rows:
        link = site.link(f"issue/{issue['key']}/remotelink/{row['id']}")
        shapes.append({"id": row["id"], "self": link, **json.loads(row["body"])})
    if not wanted:
        return json_answer(shapes)
    found = [shape for shape in shapes if shape.get("globalId") == wanted]
    if not found:
        raise not_found(f"Cannot find a remote issue link with the globalId '{wanted}'.")
    return json_answer(found[0])
