"""An issue as JSON: only the fields that were asked for are worked out."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.sandbox.jira.catalogue import ISSUE_TYPES, LINK_TYPES, PRIORITIES, RESOLUTIONS, STATUSES
from tests.sandbox.jira.comments import comments_of
from tests.sandbox.jira.files import attachments_of
from tests.sandbox.jira.people import user
from tests.sandbox.jira.projects import priority_shape, project_shape, status_shape, type_shape
from tests.sandbox.jira.site import HUB_ACCOUNT, Site, stamp
from tests.sandbox.jira.worklogs import worklogs_of

Shape = Callable[[Site, sqlite3.Row], Any]


def _watches(site: Site, issue: sqlite3.Row) -> dict[str, Any]:
    watchers = [row[0] for row in site.store.rows("SELECT account_id FROM watcher WHERE issue_id = ?", issue["id"])]
    link = site.link(f"issue/{issue['key']}/watchers")
    return {"self": link, "watchCount": len(watchers), "isWatching": HUB_ACCOUNT in watchers}


def _resolution(site: Site, issue: sqlite3.Row) -> dict[str, Any] | None:
    found = issue["resolution"]
    if found is None:
        return None
    return {"self": site.link(f"resolution/{found}"), "id": found, "description": "", "name": RESOLUTIONS[found]}


def small(site: Site, issue: sqlite3.Row) -> dict[str, Any]:
    """An issue inside another issue: a parent or the end of a link."""
    fields = {
        "summary": issue["summary"],
        "status": status_shape(site, STATUSES[issue["status_id"]]),
        "priority": priority_shape(site, PRIORITIES[issue["priority_id"]]),
        "issuetype": type_shape(site, ISSUE_TYPES[issue["type_id"]]),
    }
    return {"id": str(issue["id"]), "key": issue["key"], "self": site.link(f"issue/{issue['id']}"), "fields": fields}


def _parent(site: Site, issue: sqlite3.Row) -> dict[str, Any] | None:
    row = site.store.row("SELECT * FROM issue WHERE id = ?", issue["parent_id"])
    return None if row is None else small(site, row)


def _subtasks(site: Site, issue: sqlite3.Row) -> list[dict[str, Any]]:
    return [small(site, row) for row in site.store.rows("SELECT * FROM issue WHERE parent_id = ?", issue["id"])]


def _links(site: Site, issue: sqlite3.Row) -> list[dict[str, Any]]:
    shapes = []
    sql = "SELECT * FROM issue_link WHERE inward_id = ?1 OR outward_id = ?1 ORDER BY id"
    for link in site.store.rows(sql, issue["id"]):
        kind = LINK_TYPES[link["type_id"]]
        side, other = (
            ("outwardIssue", link["outward_id"])
            if link["inward_id"] == issue["id"]
            else ("inwardIssue", link["inward_id"])
        )
        row = site.store.row("SELECT * FROM issue WHERE id = ?", other)
        if row is not None:
            names = {"id": kind.id, "name": kind.name, "inward": kind.inward, "outward": kind.outward}
            shapes.append({"id": str(link["id"]), "type": names, side: small(site, row)})
    return shapes


def _comment(site: Site, issue: sqlite3.Row) -> dict[str, Any]:
    comments = comments_of(site, issue)
    link = site.link(f"issue/{issue['id']}/comment")
    return {"comments": comments, "self": link, "maxResults": len(comments), "total": len(comments), "startAt": 0}


def _worklog(site: Site, issue: sqlite3.Row) -> dict[str, Any]:
    logs = worklogs_of(site, issue)[:20]
    return {"startAt": 0, "maxResults": 20, "total": len(logs), "worklogs": logs}


def _extra(name: str) -> Shape:
    return lambda site, issue: json.loads(issue["extra"]).get(name)


NAVIGABLE: Mapping[str, Shape] = {
    "summary": lambda site, issue: issue["summary"],
    "issuetype": lambda site, issue: type_shape(site, ISSUE_TYPES[issue["type_id"]]),
    "project": lambda site, issue: project_shape(site, site.project_of(issue)),
    "description": lambda site, issue: json.loads(issue["description"]) if issue["description"] else None,
    "labels": lambda site, issue: json.loads(issue["labels"]),
    "priority": lambda site, issue: priority_shape(site, PRIORITIES[issue["priority_id"]]),
    "status": lambda site, issue: status_shape(site, STATUSES[issue["status_id"]]),
    "statusCategory": lambda site, issue: status_shape(site, STATUSES[issue["status_id"]])["statusCategory"],
    "resolution": _resolution,
    "resolutiondate": lambda site, issue: stamp(issue["resolved"]) if issue["resolved"] else None,
    "created": lambda site, issue: stamp(issue["created"]),
    "updated": lambda site, issue: stamp(issue["updated"]),
    "creator": lambda site, issue: user(site, issue["creator"]),
    "reporter": lambda site, issue: user(site, issue["reporter"]),
    "assignee": lambda site, issue: user(site, issue["assignee"]),
    "watches": _watches,
    "issuelinks": _links,
    "parent": _parent,
    "subtasks": _subtasks,
    "duedate": _extra("duedate"),
    "environment": _extra("environment"),
    "components": lambda site, issue: [],
    "fixVersions": lambda site, issue: [],
    **{
        name: _extra(name)
        for name in ("customfield_10050", "customfield_10051", "customfield_10052", "customfield_10053")
    },
}
HEAVY: Mapping[str, Shape] = {"comment": _comment, "attachment": attachments_of, "worklog": _worklog}
ALL: Mapping[str, Shape] = {**NAVIGABLE, **HEAVY}
LEFT_OUT_WHEN_EMPTY = frozenset({"parent"})


def chosen(asked: Iterable[str], default: Sequence[str]) -> list[str]:
    """Field ids from a ``fields`` list: ``*all``, ``*navigable``, names, ``-name`` to leave out; others are ignored."""
    asked = list(asked)
    names: dict[str, None] = {}
    if not any(not name.startswith("-") for name in asked):
        asked = [*default, *asked]
    for name in asked:
        if name == "*all":
            names.update(dict.fromkeys(ALL))
        elif name == "*navigable":
            names.update(dict.fromkeys(NAVIGABLE))
        elif name.startswith("-"):
            names.pop(name[1:], None)
        elif name in ALL:
            names[name] = None
    return list(names)


def issue_shape(site: Site, issue: sqlite3.Row, names: Iterable[str], properties: Sequence[str] = ()) -> dict[str, Any]:
    """One issue with the chosen fields and properties."""
    fields = {name: ALL[name](site, issue) for name in names}
    for name in LEFT_OUT_WHEN_EMPTY:
        if fields.get(name, "") is None:
            del fields[name]
    shape: dict[str, Any] = {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": str(issue["id"]),
        "self": site.link(f"issue/{issue['id']}"),
        "key": issue["key"],
    }
    if fields:
        shape["fields"] = fields
    if properties:
        shape["properties"] = properties_of(site, issue, properties)
    return shape


def properties_of(site: Site, issue: sqlite3.Row, wanted: Sequence[str]) -> dict[str, Any]:
    """An issue's properties by key; ``*all`` means every one, ``-key`` leaves one out."""
    rows = site.store.rows("SELECT key, value FROM issue_property WHERE issue_id = ?", issue["id"])
    return {
        row["key"]: json.loads(row["value"])
        for row in rows
        if (row["key"] in wanted or "*all" in wanted) and f"-{row['key']}" not in wanted
    }
