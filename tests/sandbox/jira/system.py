"""Jira as one played system: credentials, then the route's handler."""

import base64
import binascii
import hmac
import re
from collections.abc import Callable

from tests.sandbox.exchange import Answer, Call
from tests.sandbox.jira import agile, comments, details, files, issues, people, projects, search, worklogs
from tests.sandbox.jira.errors import JiraError
from tests.sandbox.jira.site import API, ROOT, Site
from tests.sandbox.options import JIRA_USER

Handler = Callable[[Site, Call], Answer]
ISSUE = "/issue/{issue}"
CREATEMETA = "/issue/createmeta/{project}/issuetypes"

REST: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/issue", issues.create_issue),
    ("POST", "/issue/bulkfetch", issues.bulk_fetch),
    ("POST", "/search/jql", search.search_post),
    ("GET", "/search/jql", search.search_get),
    ("POST", "/search/approximate-count", search.approximate_count),
    ("GET", "/search", projects.gone),
    ("POST", "/search", projects.gone),
    ("POST", "/jql/match", search.match),
    ("GET", "/myself", people.myself),
    ("GET", "/serverInfo", projects.server_info),
    ("GET", "/mypermissions", projects.my_permissions),
    ("GET", "/project/search", projects.search_projects),
    ("GET", "/project/{project}", projects.get_project),
    ("GET", "/project/{project}/statuses", projects.project_statuses),
    ("GET", "/priority", projects.list_priorities),
    ("GET", "/priority/search", projects.search_priorities),
    ("GET", "/status", projects.list_statuses),
    ("GET", "/field", projects.list_fields),
    ("GET", "/issuetype", projects.list_issue_types),
    ("GET", "/issueLinkType", details.list_link_types),
    ("POST", "/issueLink", details.link_issues),
    ("GET", "/user", people.get_user),
    ("GET", "/user/search", people.search_users),
    ("GET", "/user/bulk", people.users_bulk),
    ("GET", "/attachment/meta", files.attachment_meta),
    ("GET", "/attachment/content/{id}", files.attachment_content),
    ("GET", "/attachment/{id}", files.get_attachment),
    ("DELETE", "/attachment/{id}", files.delete_attachment),
    ("GET", "/filter/{id}", agile.get_filter),
    ("GET", CREATEMETA, projects.create_meta_types),
    ("GET", CREATEMETA + "/{type}", projects.create_meta_fields),
    ("GET", ISSUE, issues.get_issue),
    ("PUT", ISSUE, issues.edit_issue),
    ("DELETE", ISSUE, issues.delete_issue),
    ("GET", ISSUE + "/comment", comments.list_comments),
    ("POST", ISSUE + "/comment", comments.create_comment),
    ("GET", ISSUE + "/comment/{id}", comments.get_comment),
    ("PUT", ISSUE + "/comment/{id}", comments.update_comment),
    ("DELETE", ISSUE + "/comment/{id}", comments.delete_comment),
    ("GET", ISSUE + "/properties", details.list_properties),
    ("GET", ISSUE + "/properties/{key}", details.get_property),
    ("PUT", ISSUE + "/properties/{key}", details.set_property),
    ("DELETE", ISSUE + "/properties/{key}", details.delete_property),
    ("GET", ISSUE + "/watchers", details.list_watchers),
    ("POST", ISSUE + "/watchers", details.add_watcher),
    ("DELETE", ISSUE + "/watchers", details.remove_watcher),
    ("GET", ISSUE + "/transitions", details.list_transitions),
    ("POST", ISSUE + "/transitions", details.do_transition),
    ("GET", ISSUE + "/remotelink", details.list_remote_links),
    ("POST", ISSUE + "/remotelink", details.set_remote_link),
    ("POST", ISSUE + "/attachments", files.add_attachments),
    ("GET", ISSUE + "/worklog", worklogs.list_worklogs),
    ("POST", ISSUE + "/worklog", worklogs.add_worklog),
)
OTHER: tuple[tuple[str, str, Handler], ...] = (
    ("GET", f"{ROOT}{agile.AGILE}/board", agile.list_boards),
    ("GET", f"{ROOT}{agile.AGILE}/board/{{id}}/configuration", agile.board_configuration),
    ("GET", f"{files.MEDIA_ROOT}{{media}}/binary", files.media_file),
)
NUMBERS = frozenset({"id"})
OPEN = frozenset({f"{ROOT}{API}/serverInfo"})


def _compiled(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name = match.group(1)
        return rf"(?P<{name}>\d+)" if name in NUMBERS else rf"(?P<{name}>[^/]+)"

    return re.compile(re.sub(r"\{(\w+)\}", group, template))


class JiraSystem:
    """``System`` for Jira Cloud."""

    name = "jira"

    def __init__(self, site: Site) -> None:
        self.site = site
        credentials = f"{JIRA_USER}:{site.options.jira_token}"
        self._expected = credentials.encode()
        self._fixed: dict[str, dict[str, Handler]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Handler]]] = {}
        for method, template, handler in (*((m, ROOT + API + t, h) for m, t, h in REST), *OTHER):
            if "{" in template:
                self._patterns.setdefault(template, (_compiled(template), {}))[1][method] = handler
            else:
                self._fixed.setdefault(template, {})[method] = handler

    def answer(self, call: Call) -> Answer:
        """Check the credentials and do the call; refusals come back as answers."""
        handlers = self._find(call)
        if refusal := self._refusal(call):
            return refusal
        if handlers is None:
            return Answer(
                404, b"<html><body>Not found</body></html>", (("content-type", "text/html"),), keep_effects=False
            )
        handler = handlers.get(call.method)
        if handler is None:
            return Answer(405, b"", (("allow", ", ".join(sorted(handlers))),), keep_effects=False)
        try:
            return handler(self.site, call)
        except JiraError as error:
            return error.as_answer()

    def _find(self, call: Call) -> dict[str, Handler] | None:
        fixed = self._fixed.get(call.path)
        if fixed is not None:
            return fixed
        for pattern, handlers in self._patterns.values():
            match = pattern.fullmatch(call.path)
            if match is not None:
                call.params = match.groupdict()
                return handlers
        return None

    def _refusal(self, call: Call) -> Answer | None:
        if call.path in OPEN or call.path.startswith(files.MEDIA_ROOT):
            return None
        if call.fault("expired_auth"):
            # An expired token makes a search anonymous: it sees nothing and says so with 200.
            known = call.path.startswith(f"{ROOT}{API}/search/")
            return None if known else _unauthenticated()
        return None if self._knows(call.headers.get("authorization", "")) else _unauthenticated()

    def _knows(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(given, self._expected)


def _unauthenticated() -> Answer:
    """Not JSON, as behind Atlassian's edge."""
    text = b"Client must be authenticated to access this resource."
    headers = (("content-type", "text/html;charset=UTF-8"), ("x-seraph-loginreason", "AUTHENTICATED_FAILED"))
    return Answer(401, text, (*headers, ("www-authenticate", 'OAuth realm="jira"')), keep_effects=False)
