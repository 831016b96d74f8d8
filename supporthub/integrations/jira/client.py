"""Jira Cloud's REST API v3: one method for each call the hub makes, in Jira's words.

Every method raises errors of `supporthub.core.errors` and repeats nothing. Paths and members are from Atlassian's
OpenAPI document; calls described as idempotent there or in Atlassian's documentation go out with `effect=False`.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote as in_path

from supporthub.core.errors import OutcomeUnknown, TransientError
from supporthub.integrations.file_part import FilePart
from supporthub.integrations.http import OutsideHttp
from supporthub.integrations.jira.schemas import (
    AttachmentMeta,
    BulkIssues,
    CreatedIssue,
    CreateField,
    CreateIssue,
    Issue,
    IssueError,
    IssueType,
    Priority,
    User,
)

_API = "rest/api/3"
_META_PAGE = 200  # the most that createmeta allows
_MOST_PAGES = 20
_MOST_USERS = 50


def basic_auth(account: str, token: str) -> tuple[str, str]:
    """The header of an API token: Basic with the account's mail address."""
    return "authorization", "Basic " + b64encode(f"{account}:{token}".encode()).decode()


class JiraClient:
    """One Jira Cloud site, seen with one account."""

    def __init__(self, http: OutsideHttp) -> None:
        self._http = http

    @property
    def base_url(self) -> str:
        return self._http.endpoint.base_url.rstrip("/")

    def create_issue(self, payload: CreateIssue) -> CreatedIssue:
        """Create once. OutcomeUnknown also when the answer does not name the new issue."""
        answer = self._http.send("POST", f"{_API}/issue", effect=True, body=payload)
        if not (isinstance(answer, dict) and answer.get("id") and answer.get("key")):
            raise OutcomeUnknown("Jira accepted the issue but did not say which it is", code="unreadable_answer")
        return {"id": str(answer["id"]), "key": str(answer["key"])}

    def get_issue(self, id_or_key: str, *, fields: Sequence[str], properties: Sequence[str] = ()) -> Issue:
        """One issue; a moved one answers with its new key. NotFound also when it may not be seen."""
        params = {"fields": ",".join(fields), **({"properties": ",".join(properties)} if properties else {})}
        found = self._http.send("GET", f"{_issue(id_or_key)}", effect=False, params=params)
        return cast("Issue", _object(found, "id", "key"))

    def search(self, jql: str, *, fields: Sequence[str], properties: Sequence[str] = (), most: int = 0) -> list[Issue]:
        """All hits of a bounded query, or its first `most` (up to 100). The index lags: a missing hit proves nothing.

        Raises Rejected for 400, which is also how Jira answers when a project of the query may not be seen.
        """
        found: list[Issue] = []
        size = most or 100
        body: dict[str, Any] = {"jql": jql, "maxResults": size, "fields": list(fields), "properties": list(properties)}
        tokens: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = _object(self._http.send("POST", f"{_API}/search/jql", effect=False, body=body))
            found += _list_of(page.get("issues"), "id", "key")
            token = page.get("nextPageToken")
            if most or not token or page.get("isLast") is True or token in tokens:
                return found
            tokens.add(token)
            body = {**body, "nextPageToken": token}
        return found

    def bulk_fetch(self, keys: Sequence[str], *, fields: Sequence[str], properties: Sequence[str] = ()) -> BulkIssues:
        """Up to 100 issues by key or id, read from the database and not from the search index."""
        body = {"issueIdsOrKeys": list(keys), "fields": list(fields), "properties": list(properties)}
        answer = _object(self._http.send("POST", f"{_API}/issue/bulkfetch", effect=False, body=body), "issues")
        errors = answer.get("issueErrors") or []
        return {
            "issues": cast("list[Issue]", _list_of(answer["issues"], "id", "key")),
            "issueErrors": cast("list[IssueError]", [error for error in errors if isinstance(error, dict)]),
        }

    def add_labels(self, id_or_key: str, labels: Sequence[str]) -> None:
        """Add labels and keep the others; idempotent. Rejected when the edit screen has no labels."""
        body = {"update": {"labels": [{"add": label} for label in labels]}}
        self._http.send("PUT", _issue(id_or_key), effect=False, body=body)

    def put_property(self, id_or_key: str, name: str, value: Any) -> None:
        """Set an issue property; idempotent. Everybody who sees the issue can read it."""
        self._http.send("PUT", f"{_issue(id_or_key)}/properties/{in_path(name, safe='')}", effect=False, body=value)

    def add_watcher(self, id_or_key: str, account_id: str) -> None:
        """Add a watcher; idempotent. The body is a bare JSON string."""
        self._http.send("POST", f"{_issue(id_or_key)}/watchers", effect=False, body=account_id)

    def attachment_meta(self) -> AttachmentMeta:
        """Whether the site takes attachments, and up to which size."""
        meta = _object(self._http.send("GET", f"{_API}/attachment/meta", effect=False), "enabled", "uploadLimit")
        return {"enabled": meta["enabled"] is True, "uploadLimit": int(meta["uploadLimit"])}

    def add_attachment(self, id_or_key: str, part: FilePart) -> str:
        """Put one file on an issue; its id. Not idempotent: Jira takes any number of files of one name.

        OutcomeUnknown also when the answer does not name the new attachment.
        """
        sent = replace(part, headers={**part.headers, "x-atlassian-token": "no-check"})
        answer = self._http.send("POST", f"{_issue(id_or_key)}/attachments", effect=True, body=sent)
        if not (isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], dict) and answer[0].get("id")):
            raise OutcomeUnknown("Jira accepted the file but did not say which it is", code="unreadable_answer")
        return str(answer[0]["id"])

    def create_link(self, *, link_type: str, source: str, target: str) -> None:
        """Link two issues; a repetition succeeds and changes nothing.

        `source` gets the type's outward words: with "Duplicate" it "duplicates" `target`. In Jira's body that is the
        inward issue.
        """
        body = {"type": {"name": link_type}, "inwardIssue": {"key": source}, "outwardIssue": {"key": target}}
        self._http.send("POST", f"{_API}/issueLink", effect=False, body=body)

    def find_users(self, query: str) -> list[User]:
        """Users whose name or address begins with `query`, at most 50; empty also without the right to browse users."""
        params: dict[str, str | int | list[str]] = {"query": query, "maxResults": _MOST_USERS}
        answer = self._http.send("GET", f"{_API}/user/search", effect=False, params=params)
        return cast("list[User]", _list_of(answer, "accountId"))

    def myself(self) -> User:
        """Who we are; AuthError when the credentials do not count. The only test of credentials that can be trusted."""
        return cast("User", _object(self._http.send("GET", f"{_API}/myself", effect=False), "accountId"))

    def site_url(self) -> str:
        """The site's own address, as people know it."""
        info = _object(self._http.send("GET", f"{_API}/serverInfo", effect=False), "baseUrl")
        return str(info["baseUrl"]).rstrip("/")

    def permissions(self, project_key: str, keys: Sequence[str]) -> dict[str, bool]:
        """Which of the permissions we have in the project; NotFound when it may not be seen."""
        params: dict[str, str | int | list[str]] = {"projectKey": project_key, "permissions": ",".join(keys)}
        answer = _object(self._http.send("GET", f"{_API}/mypermissions", effect=False, params=params), "permissions")
        held = answer["permissions"] if isinstance(answer["permissions"], dict) else {}
        return {key: isinstance(held.get(key), dict) and held[key].get("havePermission") is True for key in keys}

    def issue_types(self, project_key: str) -> list[IssueType]:
        """Types that we may create in the project; empty when we may not, or when there is no such project."""
        path = f"{_API}/issue/createmeta/{in_path(project_key, safe='')}/issuetypes"
        return cast("list[IssueType]", list(self._pages(path, ("issueTypes", "values"), ("id", "name"))))

    def fields(self, project_key: str, issue_type_id: str) -> list[CreateField]:
        """The fields on the create screen of one type."""
        path = f"{_API}/issue/createmeta/{in_path(project_key, safe='')}/issuetypes/{in_path(issue_type_id, safe='')}"
        return cast("list[CreateField]", list(self._pages(path, ("fields", "values"), ("fieldId",))))

    def priorities(self) -> list[Priority]:
        """All priorities of the site."""
        path = f"{_API}/priority/search"
        return cast("list[Priority]", list(self._pages(path, ("values",), ("id", "name"), size=50)))

    def _pages(
        self, path: str, members: Sequence[str], needed: tuple[str, ...], *, size: int = _META_PAGE
    ) -> Iterator[dict[str, Any]]:
        """Pages by `startAt`; what counts is what came, because Jira may give fewer than asked for."""
        start = 0
        for _ in range(_MOST_PAGES):
            params: dict[str, str | int | list[str]] = {"startAt": start, "maxResults": size}
            page = _object(self._http.send("GET", path, effect=False, params=params))
            items: list[Any] = next((page[name] for name in members if isinstance(page.get(name), list)), [])
            yield from _list_of(items, *needed)
            start += len(items)
            total = page.get("total")
            if not items or page.get("isLast") is True or (isinstance(total, int) and start >= total):
                return


def _issue(id_or_key: str) -> str:
    return f"{_API}/issue/{in_path(id_or_key, safe='')}"


def _object(value: Any, *needed: str) -> dict[str, Any]:
    if not isinstance(value, dict) or any(name not in value for name in needed):
        raise TransientError("Jira gave an answer that does not fit its documentation", code="unreadable_answer")
    return value


def _list_of(value: Any, *needed: str) -> list[Any]:
    if not isinstance(value, list):
        raise TransientError("Jira gave an answer that does not fit its documentation", code="unreadable_answer")
    return [_object(item, *needed) for item in value]
