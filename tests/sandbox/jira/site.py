"""What every Jira call needs: the store, the caller's account, permissions, links, the clock's text form."""

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.sandbox.exchange import Call
from tests.sandbox.jira.catalogue import NEVER_GRANTED
from tests.sandbox.jira.errors import JiraError, bad_request, not_found
from tests.sandbox.options import Options
from tests.sandbox.store import Store

ROOT = "/jira"
API = "/rest/api/3"
HUB_ACCOUNT = "712020:00000000-0000-4000-8000-000000000001"
NUMBER = re.compile(r"[0-9]{1,18}")
"""What is read as an id; SQLite holds no longer number."""
HUB_ZONE = ZoneInfo("Europe/Amsterdam")
"""The service account's profile zone: Jira shows times and reads JQL dates in it, so it is deliberately not UTC."""


@dataclass(frozen=True, slots=True)
class Site:
    """One Jira Cloud site."""

    store: Store
    options: Options

    @property
    def url(self) -> str:
        """The site's base address, without a slash at the end."""
        return self.options.base_url + ROOT

    def link(self, path: str) -> str:
        """The absolute address of a REST resource."""
        return f"{self.url}{API}/{path}"

    def allowed(self, call: Call, permission: str, project_key: str = "") -> bool:
        """Whether the caller holds a permission; the fault ``no_permission`` takes one away."""
        if permission in NEVER_GRANTED:
            return False
        for fault in call.faults:
            if fault.kind == "no_permission" and fault.params["permission"] == permission:
                limited_to = fault.params.get("project")
                if not limited_to or limited_to == project_key:
                    return False
        return True

    def project(self, call: Call, id_or_key: str) -> sqlite3.Row | None:
        """A project that the caller may see."""
        column = "id" if NUMBER.fullmatch(id_or_key) else "key"
        row = self.store.row(f"SELECT * FROM project WHERE {column} = ?", id_or_key)  # noqa: S608
        return row if row is not None and self.allowed(call, "BROWSE_PROJECTS", row["key"]) else None

    def project_of(self, issue: sqlite3.Row) -> sqlite3.Row:
        """The project an issue lies in."""
        row = self.store.row("SELECT * FROM project WHERE id = ?", issue["project_id"])
        if row is None:
            raise RuntimeError("an issue without a project")
        return row

    def account(self, account_id: str | None) -> sqlite3.Row | None:
        """An account by its id."""
        return self.store.row("SELECT * FROM account WHERE id = ?", account_id)

    def find_issue(self, id_or_key: str) -> sqlite3.Row | None:
        """An issue by id, key, or a key it had before it was moved; permissions are not looked at."""
        if NUMBER.fullmatch(id_or_key):
            return self.store.row("SELECT * FROM issue WHERE id = ?", int(id_or_key))
        key = id_or_key.upper()
        row = self.store.row("SELECT * FROM issue WHERE key = ?", key)
        if row is None:
            sql = "SELECT issue.* FROM issue JOIN issue_alias ON issue_id = issue.id WHERE issue_alias.key = ?"
            row = self.store.row(sql, key)
        return row

    def visible_issue(self, call: Call, id_or_key: str) -> sqlite3.Row | None:
        """An issue that the caller may see."""
        row = self.find_issue(id_or_key)
        if row is None or not self.allowed(call, "BROWSE_PROJECTS", row["key"].rpartition("-")[0]):
            return None
        return row

    def issue(self, call: Call) -> sqlite3.Row:
        """The issue in the request's path.

        :raises JiraError: 404, when it does not exist or may not be seen.
        """
        row = self.visible_issue(call, call.params["issue"])
        if row is None:
            raise not_found()
        call.subject = row["key"]
        return row

    def require(self, call: Call, permission: str, issue: sqlite3.Row, message: str, status: int = 403) -> None:
        """Refuse when a permission on the issue's project is missing."""
        if not self.allowed(call, permission, self.project_of(issue)["key"]):
            raise JiraError(status, (message,))

    def touch(self, issue_id: int, at: int) -> None:
        """Mark an issue as updated and queue it for the search index."""
        self.store.run("UPDATE issue SET updated = max(?, updated) WHERE id = ?", at, issue_id)
        self.store.run("INSERT INTO index_queue (issue_id, at) VALUES (?, ?)", issue_id, at)


def stamp(at: int) -> str:
    """A moment as Jira writes it: the account's zone, milliseconds, an offset without a colon."""
    local = datetime.fromtimestamp(at // 1000, HUB_ZONE)
    offset = local.utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    return f"{local:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}+{minutes // 60:02d}{minutes % 60:02d}"


def json_body(call: Call) -> Any:
    """The request's JSON body.

    :raises JiraError: 400 for no body or broken JSON; 415 for another content type.
    """
    if "json" not in call.headers.get("content-type", ""):
        raise JiraError(415, ())
    try:
        return json.loads(call.body)
    except ValueError as error:
        raise bad_request("There was an error parsing JSON. Check that your request body is valid.") from error


def json_object(call: Call, allowed: frozenset[str] | None = None) -> dict[str, Any]:
    """The request's body as an object; members outside ``allowed`` are refused as strict schemas do."""
    body = json_body(call)
    if not isinstance(body, dict):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if allowed is not None and body.keys() - allowed:
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    return body


def whole_number(call: Call, name: str, default: int, most: int | None = None) -> int:
    """A query parameter that is a whole number ≥ 0; larger than ``most`` is cut."""
    raw = call.one(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise bad_request(f"The value '{raw}' of parameter '{name}' is not a number.") from error
    if value < 0:
        raise bad_request(f"The value of parameter '{name}' must not be negative.")
    return value if most is None else min(value, most)


def words(call: Call, name: str) -> list[str]:
    """A query parameter that is a comma list and may also be repeated."""
    return [part.strip() for value in call.query.get(name, []) for part in value.split(",") if part.strip()]


def page(values: list[Any], start: int, size: int) -> Mapping[str, Any]:
    """The members of a page that its kinds share."""
    part = values[start : start + size]
    return {"startAt": start, "maxResults": size, "total": len(values), "isLast": start + len(part) >= len(values)}
