"""Control calls for Jira: look into the database past the index, and do what humans and administrators do."""

import json
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.sandbox.control import ControlError, Guard, Handler, json_object
from tests.sandbox.exchange import Call
from tests.sandbox.jira.catalogue import DONE, STATUSES, WORKFLOWS
from tests.sandbox.jira.comments import add_comment
from tests.sandbox.jira.details import set_status
from tests.sandbox.jira.errors import JiraError
from tests.sandbox.jira.issues import create_disturbance, remove_issue
from tests.sandbox.jira.site import Site
from tests.sandbox.store import now_ms

DAY_MS = 24 * 3600 * 1000

COUNTED = ("project", "account", "issue", "comment", "attachment", "worklog", "watcher", "issue_link", "remote_link")
ISSUE_LIMIT = 5000
BASE = "/_control/jira"


class JiraControl:
    """The control calls of the Jira part."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._store = site.store

    def routes(self, guard: Guard) -> list[Route]:
        """Routes below ``/_control/jira``."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/state", self.state),
            ("GET", "/issues", self.issues),
            ("GET", "/duplicates", self.duplicates),
            ("POST", "/issues", self.create_issue),
            ("DELETE", "/issues/{issue}", self.delete_issue),
            ("POST", "/issues/{issue}/move", self.move_issue),
            ("POST", "/issues/{issue}/status", self.change_status),
            ("POST", "/issues/{issue}/comments", self.comment),
            ("POST", "/projects", self.create_project),
            ("POST", "/accounts", self.create_account),
        ]
        return [
            Route(BASE + path, guard.guarded(self._kept(handler)), methods=[method]) for method, path, handler in table
        ]

    def _kept(self, handler: Handler) -> Handler:
        """The handler with Jira's refusals turned into the control API's own."""

        async def translated(request: Request) -> Response:
            try:
                return await handler(request)
            except JiraError as error:
                raise ControlError(f"{error.messages or error.errors}") from error

        return translated

    def _issue(self, request: Request) -> sqlite3.Row:
        issue = self._site.find_issue(request.path_params["issue"])
        if issue is None:
            raise ControlError("no such issue")
        return issue

    async def state(self, request: Request) -> Response:
        """How much of everything there is, and how far the index is behind."""
        counts = {name: self._store.value(f"SELECT count(*) FROM {name}") for name in COUNTED}  # noqa: S608
        counts["waiting_for_index"] = self._store.value("SELECT count(*) FROM index_queue")
        counts["requests"] = self._store.value("SELECT count(*) FROM journal")
        return JSONResponse(counts)

    async def issues(self, request: Request) -> Response:
        """Issues from the database, never from the index. Filters: ``label``, ``project``, ``limit``; oldest first."""
        asked = request.query_params
        limit = min(int(asked.get("limit", str(ISSUE_LIMIT))), ISSUE_LIMIT)
        label, project = asked.get("label", ""), asked.get("project", "")
        sql = """SELECT * FROM issue WHERE (? = '' OR id IN (SELECT issue_id FROM issue_label WHERE label = ?))
                 AND (? = '' OR project_id = (SELECT id FROM project WHERE key = ?)) ORDER BY id LIMIT ?"""
        rows = self._store.rows(sql, label, label, project, project, limit)
        return JSONResponse({"issues": [self._shape(row) for row in rows]})

    def _shape(self, issue: sqlite3.Row) -> dict[str, Any]:
        properties = self._store.rows("SELECT key, value FROM issue_property WHERE issue_id = ?", issue["id"])
        watchers = self._store.rows("SELECT account_id FROM watcher WHERE issue_id = ?", issue["id"])
        comments = self._store.rows(
            "SELECT id, body, properties FROM comment WHERE issue_id = ? ORDER BY id", issue["id"]
        )
        files = self._store.rows(
            "SELECT id, filename, size FROM attachment WHERE issue_id = ? ORDER BY id", issue["id"]
        )
        return {
            "id": issue["id"],
            "key": issue["key"],
            "summary": issue["summary"],
            "status": STATUSES[issue["status_id"]].name,
            "labels": json.loads(issue["labels"]),
            "reporter": issue["reporter"],
            "assignee": issue["assignee"],
            "creator": issue["creator"],
            "priority": issue["priority_id"],
            "description": json.loads(issue["description"]) if issue["description"] else None,
            "properties": {row["key"]: json.loads(row["value"]) for row in properties},
            "watchers": [row["account_id"] for row in watchers],
            "comments": [
                {"id": row["id"], "body": json.loads(row["body"]), "properties": json.loads(row["properties"])}
                for row in comments
            ],
            "attachments": [dict(row) for row in files],
            "created": issue["created"],
        }

    async def duplicates(self, request: Request) -> Response:
        """Labels that begin with ``ext-``, and ``tag`` values in properties, that stand on several issues."""
        labels = """SELECT label AS tag, group_concat(key) AS keys FROM issue_label JOIN issue ON issue.id = issue_id
                    WHERE label >= 'ext-' AND label < 'ext.' GROUP BY label HAVING count(*) > 1"""
        tags = """SELECT json_extract(value, '$.tag') AS tag, group_concat(issue.key) AS keys FROM issue_property
                  JOIN issue ON issue.id = issue_id WHERE json_type(value) = 'object'
                  AND json_extract(value, '$.tag') IS NOT NULL GROUP BY 1 HAVING count(DISTINCT issue_id) > 1"""
        found = {name: self._store.rows(sql) for name, sql in (("labels", labels), ("properties", tags))}
        shapes = {name: {row["tag"]: sorted(row["keys"].split(",")) for row in rows} for name, rows in found.items()}
        return JSONResponse(shapes)

    async def create_issue(self, request: Request) -> Response:
        """An issue made past the hub: ``project``, ``summary``, ``labels``, ``properties``, ``creator``, ``count``.

        ``days_ago`` makes it older than it is, as in a project that others have used for long.
        """
        values = await json_object(request)
        made = []
        with self._store.transaction():
            for _ in range(int(values.get("count", 1))):
                issue_id, key = create_disturbance(self._site, 0, str(values.get("project", "HELP")), values)
                if days := int(values.get("days_ago", 0)):
                    self._store.run("UPDATE issue SET created = created - ? WHERE id = ?", days * DAY_MS, issue_id)
                made.append({"id": issue_id, "key": key})
        return JSONResponse({**made[-1], "created": made}, 201)

    async def delete_issue(self, request: Request) -> Response:
        """A human deletes an issue."""
        issue = self._issue(request)
        with self._store.transaction():
            remove_issue(self._site, 0, issue)
        return JSONResponse({"deleted": issue["key"]})

    async def move_issue(self, request: Request) -> Response:
        """``{"project"}``: the id stays, the key changes, and the old key keeps answering."""
        issue, values = self._issue(request), await json_object(request)
        target = self._store.row("SELECT * FROM project WHERE key = ?", values.get("project"))
        if target is None or target["id"] == issue["project_id"]:
            raise ControlError("project is not another project")
        with self._store.transaction():
            sql = "UPDATE project SET next_number = next_number + 1 WHERE id = ? RETURNING next_number - 1"
            number = self._store.value(sql, target["id"])
            key = f"{target['key']}-{number}"
            self._store.run("INSERT OR REPLACE INTO issue_alias VALUES (?, ?)", issue["key"], issue["id"])
            sql = "UPDATE issue SET project_id = ?, number = ?, key = ? WHERE id = ?"
            self._store.run(sql, target["id"], number, key, issue["id"])
            self._site.touch(issue["id"], now_ms())
            self._store.effect(0, "issue_moved", key, id=issue["id"], old=issue["key"])
        return JSONResponse({"id": issue["id"], "key": key})

    async def change_status(self, request: Request) -> Response:
        """``{"status"}`` by name: a human moves the card, whatever the workflow says."""
        issue, values = self._issue(request), await json_object(request)
        found = next((s.id for s in STATUSES.values() if s.name == values.get("status")), None)
        if found is None:
            raise ControlError(f"status is one of {', '.join(s.name for s in STATUSES.values())}")
        with self._store.transaction():
            set_status(self._site, 0, issue, found, "10000" if found == DONE else None)
        return JSONResponse({"key": issue["key"], "status": values["status"]})

    async def comment(self, request: Request) -> Response:
        """``{"author", "body" (ADF), "visibility", "properties"}``: a human writes a comment."""
        issue, values = self._issue(request), await json_object(request)
        author = str(values.get("author") or self._site.project_of(issue)["lead"])
        if self._site.account(author) is None:
            raise ControlError("no such author")
        nobody = Call("POST", request.url.path, {}, {}, b"", request_id=0)
        with self._store.transaction():
            number = add_comment(self._site, nobody, issue, values, author)
        return JSONResponse({"id": str(number)}, 201)

    async def create_project(self, request: Request) -> Response:
        """``{"key", "name", "type": software|service_desk, "workflow": simple|strict}``."""
        values = await json_object(request)
        key, kind, workflow = (
            str(values.get("key", "")),
            values.get("type", "software"),
            values.get("workflow", "simple"),
        )
        if (
            not key.isalnum()
            or not key.isupper()
            or kind not in {"software", "service_desk"}
            or workflow not in WORKFLOWS
        ):
            raise ControlError("key is upper case; type is software or service_desk; workflow is simple or strict")
        lead = self._store.value("SELECT lead FROM project ORDER BY id LIMIT 1")
        sql = "INSERT INTO project (key, name, type_key, workflow, lead) VALUES (?, ?, ?, ?, ?)"
        try:
            with self._store.transaction():
                number = self._store.insert(sql, key, str(values.get("name") or key), kind, workflow, lead)
        except sqlite3.IntegrityError as error:
            raise ControlError("the key is taken") from error
        return JSONResponse({"id": str(number), "key": key}, 201)

    async def create_account(self, request: Request) -> Response:
        """``{"id"?, "name", "email", "hidden", "type", "active"}``."""
        values = await json_object(request)
        number = self._store.value("SELECT count(*) FROM account") + 1
        account_id = str(values.get("id") or f"557058:00000000-0000-4000-9000-{number:012d}")
        email, kind = str(values.get("email", "")), str(values.get("type", "atlassian"))
        row = (account_id, str(values.get("name") or email), email, bool(values.get("hidden")), kind)
        sql = "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, 'Europe/Amsterdam')"
        try:
            with self._store.transaction():
                self._store.run(sql, *row, bool(values.get("active", True)))
        except sqlite3.IntegrityError as error:
            raise ControlError("the id is taken") from error
        return JSONResponse({"accountId": account_id}, 201)
