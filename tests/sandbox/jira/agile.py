"""The agile API's boards and the filters behind them. Every software project has one board, numbered like itself."""

import sqlite3
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.catalogue import STATUSES
from tests.sandbox.jira.errors import not_found
from tests.sandbox.jira.people import user
from tests.sandbox.jira.site import HUB_ACCOUNT, Site, whole_number

AGILE = "/rest/agile/1.0"


def list_boards(site: Site, call: Call) -> Answer:
    """``GET /board?projectKeyOrId=``."""
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", 50, 100)
    wanted = call.one("projectKeyOrId")
    rows = [
        row
        for row in site.store.rows("SELECT * FROM project WHERE type_key = 'software' ORDER BY id")
        if wanted in ("", row["key"], str(row["id"])) and site.allowed(call, "BROWSE_PROJECTS", row["key"])
    ]
    part = [_board(site, row) for row in rows[start : start + size]]
    last = start + len(part) >= len(rows)
    return json_answer({"maxResults": size, "startAt": start, "total": len(rows), "isLast": last, "values": part})


def _board(site: Site, project: sqlite3.Row) -> dict[str, Any]:
    location = {
        "projectId": project["id"],
        "projectName": project["name"],
        "projectKey": project["key"],
        "projectTypeKey": project["type_key"],
        "displayName": f"{project['name']} ({project['key']})",
        "name": f"{project['name']} ({project['key']})",
    }
    link = f"{site.url}{AGILE}/board/{project['id']}"
    name = f"{project['key']} board"
    return {"id": project["id"], "self": link, "name": name, "type": "kanban", "location": location}


def _by_number(site: Site, call: Call, what: str) -> sqlite3.Row:
    project = site.project(call, call.params["id"])
    if project is None or project["type_key"] != "software":
        raise not_found(
            f"The requested {what} cannot be viewed because it either does not exist or you do not have permission."
        )
    return project


def board_configuration(site: Site, call: Call) -> Answer:
    """``GET /board/{id}/configuration``: the filter's id, and which statuses each column shows."""
    project = _by_number(site, call, "board")
    columns = [
        {"name": status.name, "statuses": [{"id": status.id, "self": site.link(f"status/{status.id}")}]}
        for status in STATUSES.values()
    ]
    shape = {
        "id": project["id"],
        "name": f"{project['key']} board",
        "type": "kanban",
        "self": f"{site.url}{AGILE}/board/{project['id']}/configuration",
        "location": {"type": "project", "key": project["key"], "id": str(project["id"]), "name": project["name"]},
        "filter": {"id": str(project["id"]), "self": site.link(f"filter/{project['id']}")},
        "subQuery": {"query": "fixVersion in unreleasedVersions() OR fixVersion is EMPTY"},
        "columnConfig": {"columns": columns, "constraintType": "none"},
        "ranking": {"rankCustomFieldId": 10019},
    }
    return json_answer(shape)


def get_filter(site: Site, call: Call) -> Answer:
    """``GET /filter/{id}``."""
    project = _by_number(site, call, "filter")
    shape = {
        "self": site.link(f"filter/{project['id']}"),
        "id": str(project["id"]),
        "name": f"Filter for {project['key']} board",
        "owner": user(site, HUB_ACCOUNT),
        "jql": f'project = "{project["key"]}" ORDER BY created DESC',
        "viewUrl": f"{site.url}/issues/?filter={project['id']}",
    }
    return json_answer(shape)
