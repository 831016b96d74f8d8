"""Projects, metadata for creating issues, priorities, statuses, permissions, server information."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.catalogue import (
    CATEGORIES,
    CHANNELS,
    DEFAULT_PRIORITY,
    FIELDS,
    GLOBAL_PERMISSIONS,
    ISSUE_TYPES,
    PERMISSIONS,
    PRIORITIES,
    STATUSES,
    Field,
    IssueType,
    Priority,
    Status,
)
from tests.sandbox.jira.errors import JiraError, bad_request, not_found
from tests.sandbox.jira.people import user
from tests.sandbox.jira.site import Site, stamp, whole_number, words
from tests.sandbox.store import now_ms

META_LIMIT = 200


def project_shape(site: Site, project: sqlite3.Row) -> dict[str, Any]:
    """A project inside another answer."""
    return {
        "self": site.link(f"project/{project['id']}"),
        "id": str(project["id"]),
        "key": project["key"],
        "name": project["name"],
        "projectTypeKey": project["type_key"],
        "simplified": False,
        "avatarUrls": {},
    }


def type_shape(site: Site, kind: IssueType) -> dict[str, Any]:
    """An issue type."""
    return {
        "self": site.link(f"issuetype/{kind.id}"),
        "id": kind.id,
        "description": kind.description,
        "iconUrl": "",
        "name": kind.name,
        "subtask": kind.subtask,
        "hierarchyLevel": -1 if kind.subtask else 0,
    }


def priority_shape(site: Site, priority: Priority) -> dict[str, Any]:
    """A priority."""
    return {"self": site.link(f"priority/{priority.id}"), "iconUrl": "", "name": priority.name, "id": priority.id}


def status_shape(site: Site, status: Status) -> dict[str, Any]:
    """A status with its category."""
    number, name, colour = CATEGORIES[status.category]
    category = {
        "self": site.link(f"statuscategory/{number}"),
        "id": number,
        "key": status.category,
        "colorName": colour,
        "name": name,
    }
    shape = {"self": site.link(f"status/{status.id}"), "description": "", "iconUrl": "", "name": status.name}
    return {**shape, "id": status.id, "statusCategory": category}


def server_info(site: Site, call: Call) -> Answer:
    """``GET /serverInfo``; needs no credentials."""
    info = {
        "baseUrl": site.url,
        "version": "1001.0.0-SNAPSHOT",
        "versionNumbers": [1001, 0, 0],
        "deploymentType": "Cloud",
        "buildNumber": 100300,
        "serverTime": stamp(now_ms()),
        "serverTitle": "Jira (sandbox)",
        "defaultLocale": {"locale": "en_US"},
    }
    return json_answer(info)


def my_permissions(site: Site, call: Call) -> Answer:
    """``GET /mypermissions``: ``permissions`` is mandatory, an unknown key is refused."""
    asked = words(call, "permissions")
    if not asked:
        raise bad_request("The 'permissions' query parameter is required.")
    if unknown := [key for key in asked if key not in PERMISSIONS]:
        raise bad_request(f"Unrecognized permission: {', '.join(unknown)}")
    key = _permission_project(site, call)
    answer = {
        name: {
            "id": str(PERMISSIONS.index(name)),
            "key": name,
            "name": name.replace("_", " ").capitalize(),
            "type": "GLOBAL" if name in GLOBAL_PERMISSIONS else "PROJECT",
            "description": "",
            "havePermission": site.allowed(call, name, key),
        }
        for name in asked
    }
    return json_answer({"permissions": answer})


def _permission_project(site: Site, call: Call) -> str:
    if issue := call.one("issueKey") or call.one("issueId"):
        row = site.visible_issue(call, issue)
        if row is None:
            raise not_found()
        return str(site.project_of(row)["key"])
    if asked := call.one("projectKey") or call.one("projectId"):
        return str(_project(site, call, asked)["key"])
    return ""


def _project(site: Site, call: Call, id_or_key: str) -> sqlite3.Row:
    project = site.project(call, id_or_key)
    if project is None:
        what = "id" if id_or_key.isdigit() else "key"
        raise not_found(f"No project could be found with {what} '{id_or_key}'.")
    return project


def get_project(site: Site, call: Call) -> Answer:
    """``GET /project/{idOrKey}``."""
    project = _project(site, call, call.params["project"])
    extra = {
        "lead": user(site, project["lead"]),
        "issueTypes": [type_shape(site, kind) for kind in ISSUE_TYPES.values()],
        "components": [],
        "versions": [],
        "style": "classic",
        "isPrivate": False,
        "roles": {},
    }
    return json_answer({**project_shape(site, project), **extra})


def search_projects(site: Site, call: Call) -> Answer:
    """``GET /project/search``: paged, filtered by ``keys``, ``id`` and ``query``."""
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", 50, 100)
    query, keys, ids = call.one("query").casefold(), words(call, "keys"), words(call, "id")
    rows = [
        row
        for row in site.store.rows("SELECT * FROM project ORDER BY key")
        if site.allowed(call, "BROWSE_PROJECTS", row["key"])
        and (not keys or row["key"] in keys)
        and (not ids or str(row["id"]) in ids)
        and (query in row["key"].casefold() or query in row["name"].casefold())
    ]
    part = [project_shape(site, row) for row in rows[start : start + size]]
    last = start + len(part) >= len(rows)
    answer = {"self": site.link("project/search"), "maxResults": size, "startAt": start, "total": len(rows)}
    return json_answer({**answer, "isLast": last, "values": part})


def create_meta_types(site: Site, call: Call) -> Answer:
    """``GET /issue/createmeta/{project}/issuetypes``; without *Create issues* the list is empty."""
    project = site.project(call, call.params["project"])
    may = project is not None and site.allowed(call, "CREATE_ISSUES", project["key"])
    kinds = [type_shape(site, kind) for kind in ISSUE_TYPES.values()] if may else []
    return _meta_page(call, "issueTypes", kinds)


def create_meta_fields(site: Site, call: Call) -> Answer:
    """``GET /issue/createmeta/{project}/issuetypes/{id}``: the fields on the create screen."""
    project, kind = site.project(call, call.params["project"]), ISSUE_TYPES.get(call.params["type"])
    fields: list[dict[str, Any]] = []
    if project is not None and kind is not None and site.allowed(call, "CREATE_ISSUES", project["key"]):
        shown = [field for field in FIELDS.values() if on_screen(site, call, project["key"], field.id, creating=True)]
        fields = [_field_shape(site, call, project, field, kind) for field in shown]
    return _meta_page(call, "fields", fields)


def _meta_page(call: Call, name: str, values: list[dict[str, Any]]) -> Answer:
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", 50)
    if size > META_LIMIT:
        raise bad_request(f"Parameter 'maxResults' must not exceed the limit '{META_LIMIT}'")
    part = values[start : start + size]
    return json_answer({"maxResults": size, "startAt": start, "total": len(values), name: part})


def on_screen(site: Site, call: Call, project_key: str, field_id: str, *, creating: bool) -> bool:
    """Whether a field can be set on the create (or edit) screen; faults take fields off."""
    if field_id not in FIELDS:
        return False
    dropped = call.fault("drop_label")
    if field_id == "labels" and creating and dropped and not dropped.params.get("silent"):
        return False
    if field_id == "priority" and call.fault("priority_not_on_screen"):
        return False
    return field_id != "reporter" or site.allowed(call, "MODIFY_REPORTER", project_key)


def is_required(call: Call, field: Field) -> bool:
    """Whether a field must be filled; the fault ``require_field`` plays an administrator who changed it."""
    fault = call.fault("require_field")
    return field.required or (fault is not None and fault.params["field"] == field.id)


def _field_shape(site: Site, call: Call, project: sqlite3.Row, field: Field, kind: IssueType) -> dict[str, Any]:
    required = is_required(call, field) or (field.id == "parent" and kind.subtask)
    shape: dict[str, Any] = {
        "required": required,
        "schema": dict(field.schema),
        "name": field.name,
        "key": field.id,
        "fieldId": field.id,
        "hasDefaultValue": field.has_default,
        "operations": list(field.operations),
    }
    values = _allowed_values(site, project, kind).get(field.id)
    if values is not None:
        shape["allowedValues"] = values
    if field.id == "priority":
        shape["defaultValue"] = priority_shape(site, PRIORITIES[DEFAULT_PRIORITY])
    return shape


def _allowed_values(site: Site, project: sqlite3.Row, kind: IssueType) -> Mapping[str, list[dict[str, Any]]]:
    return {
        "project": [project_shape(site, project)],
        "issuetype": [type_shape(site, kind)],
        "priority": [priority_shape(site, priority) for priority in PRIORITIES.values()],
        "customfield_10053": [{"id": option, "value": name} for option, name in CHANNELS.items()],
    }


def list_priorities(site: Site, call: Call) -> Answer:
    """``GET /priority`` (deprecated, still there): a plain list."""
    return json_answer([_full_priority(site, priority) for priority in PRIORITIES.values()])


def search_priorities(site: Site, call: Call) -> Answer:
    """``GET /priority/search``: paged, filtered by ``id``."""
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", 50, 100)
    ids, name = words(call, "id"), call.one("priorityName").casefold()
    hits = [p for p in PRIORITIES.values() if (not ids or p.id in ids) and name in p.name.casefold()]
    part = [_full_priority(site, priority) for priority in hits[start : start + size]]
    last = start + len(part) >= len(hits)
    return json_answer({"maxResults": size, "startAt": start, "total": len(hits), "isLast": last, "values": part})


def _full_priority(site: Site, priority: Priority) -> dict[str, Any]:
    extra = {"statusColor": priority.colour, "description": "", "isDefault": priority.id == DEFAULT_PRIORITY}
    return {**priority_shape(site, priority), **extra}


def list_statuses(site: Site, call: Call) -> Answer:
    """``GET /status``."""
    return json_answer([status_shape(site, status) for status in STATUSES.values()])


def project_statuses(site: Site, call: Call) -> Answer:
    """``GET /project/{idOrKey}/statuses``: the statuses by issue type."""
    _project(site, call, call.params["project"])
    statuses = [status_shape(site, status) for status in STATUSES.values()]
    kinds = [{**type_shape(site, kind), "statuses": statuses} for kind in ISSUE_TYPES.values()]
    return json_answer(kinds)


def list_fields(site: Site, call: Call) -> Answer:
    """``GET /field``."""
    shapes = []
    for field in FIELDS.values():
        custom = field.id.startswith("customfield_")
        shape = {"id": field.id, "key": field.id, "name": field.name, "custom": custom, "orderable": True}
        names = [field.id, field.name.casefold()]
        shapes.append({**shape, "navigable": True, "searchable": True, "clauseNames": names, "schema": field.schema})
    return json_answer(shapes)


def list_issue_types(site: Site, call: Call) -> Answer:
    """``GET /issuetype``."""
    return json_answer([type_shape(site, kind) for kind in ISSUE_TYPES.values()])


def gone(site: Site, call: Call) -> Answer:
    """The removed search endpoints (CHANGE-2046): 410 with a text that names the replacement."""
    raise JiraError(
        410,
        ("The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",),
    )
