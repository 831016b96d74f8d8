"""Jira's part of the page, and the page of one issue."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.sandbox.html import Html, el, join
from tests.sandbox.jira.catalogue import PRIORITIES, STATUSES
from tests.sandbox.jira.rendering import render
from tests.sandbox.jira.site import ROOT, Site, stamp
from tests.sandbox.page import document, table

NEWEST = 50


class JiraPages:
    """What a person sees of the played Jira."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._store = site.store

    def routes(self) -> list[Route]:
        """The page of one issue: the address that a hub shows as a link."""
        return [Route(ROOT + "/browse/{issue}", self.browse)]

    def section(self) -> Html:
        """Projects and the newest issues."""
        sql = """SELECT project.*, count(issue.id) AS issues FROM project LEFT JOIN issue ON project_id = project.id
                 GROUP BY project.id ORDER BY project.key"""
        projects = [(row["key"], row["name"], row["type_key"], row["issues"]) for row in self._store.rows(sql)]
        issues = [
            (
                el("a", row["key"], href=f"{ROOT}/browse/{row['key']}"),
                row["summary"],
                STATUSES[row["status_id"]].name,
                ", ".join(json.loads(row["labels"])),
                self._name(row["reporter"]),
                self._watchers(row["id"]),
                el("code", self._properties(row["id"])),
            )
            for row in self._store.rows("SELECT * FROM issue ORDER BY id DESC LIMIT ?", NEWEST)
        ]
        heads = ("Key", "Summary", "Status", "Labels", "Reporter", "Watchers", "Properties")
        shown = table(heads, issues) if issues else el("p", "No issues yet.")
        return join(
            el("h2", "Jira: projects"),
            table(("Key", "Name", "Type", "Issues"), projects),
            el("h2", f"Jira: newest {NEWEST} issues"),
            shown,
        )

    def _name(self, account_id: str | None) -> str:
        account = self._site.account(account_id)
        return "nobody" if account is None else str(account["name"])

    def _watchers(self, issue_id: int) -> str:
        rows = self._store.rows("SELECT account_id FROM watcher WHERE issue_id = ?", issue_id)
        return ", ".join(self._name(row["account_id"]) for row in rows)

    def _properties(self, issue_id: int) -> str:
        rows = self._store.rows("SELECT key, value FROM issue_property WHERE issue_id = ?", issue_id)
        return json.dumps({row["key"]: json.loads(row["value"]) for row in rows}, ensure_ascii=False) if rows else ""

    async def browse(self, request: Request) -> Response:
        """One issue with its description, its files and its comments."""
        issue = self._site.find_issue(request.path_params["issue"])
        if issue is None:
            return document("No such issue", el("p", "It does not exist or was deleted."), status=404)
        facts = (
            ("Status", STATUSES[issue["status_id"]].name),
            ("Priority", PRIORITIES[issue["priority_id"]].name),
            ("Reporter", self._name(issue["reporter"])),
            ("Assignee", self._name(issue["assignee"])),
            ("Watchers", self._watchers(issue["id"])),
            ("Labels", ", ".join(json.loads(issue["labels"]))),
            ("Properties", el("code", self._properties(issue["id"]))),
            ("Created", stamp(issue["created"])),
            ("Updated", stamp(issue["updated"])),
        )
        description = render(json.loads(issue["description"])) if issue["description"] else el("p", "None.")
        return document(
            f"{issue['key']}: {issue['summary']}",
            el("p", el("a", "All of the sandbox", href="/")),
            table(("Field", "Value"), facts),
            el("h2", "Description"),
            description,
            self._files(issue["id"]),
            self._comments(issue["id"]),
        )

    def _files(self, issue_id: int) -> Html:
        rows = self._store.rows("SELECT filename, mime, size FROM attachment WHERE issue_id = ? ORDER BY id", issue_id)
        shown = table(("Name", "Type", "Bytes"), [tuple(row) for row in rows]) if rows else el("p", "None.")
        return join(el("h2", "Attachments"), shown)

    def _comments(self, issue_id: int) -> Html:
        rows = self._store.rows("SELECT * FROM comment WHERE issue_id = ? ORDER BY id", issue_id)
        shown = [
            el(
                "section",
                el("p", el("strong", self._name(row["author"])), f", {stamp(row['created'])}"),
                el("p", "internal") if row["internal"] else None,
                el("blockquote", render(json.loads(row["body"]))),
            )
            for row in rows
        ]
        return join(el("h2", "Comments"), shown or el("p", "None."))
