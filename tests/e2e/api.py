"""The native API as a client application uses it."""

from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from tests.stack import Stack

Json = dict[str, Any]
_numbers = count(1)


class Api:
    """Calls as one user. Every method raises `httpx.HTTPStatusError` when the hub refuses."""

    def __init__(self, stack: Stack, email: str = "", password: str = "") -> None:
        self._stack = stack
        self._login = email, password
        self._http = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=60, trust_env=False)
        self._sign_in()

    def _sign_in(self) -> None:
        self._http.headers["Authorization"] = f"Bearer {self._stack.token(*self._login)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Json | None = None, **query: Any) -> Any:
        """One call; a token that has run out is replaced once."""
        answer = self._http.request(method, path, json=body, params=query)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._sign_in()
            answer = self._http.request(method, path, json=body, params=query)
        return answer.raise_for_status().json() if answer.content else None

    def open(self, title: str, **fields: Any) -> Json:
        """Open a ticket, by default on the board that goes to Jira."""
        body = {"title": title, "body": "It is on, and nothing comes out.", "board": "helpdesk", **fields}
        body.setdefault("requester", "ann.baker@contoso.example")
        return dict(self.call("POST", "/tickets/", body))

    def ticket(self, key: str) -> Json:
        return dict(self.call("GET", f"/tickets/{key}/"))

    def tickets(self, **query: Any) -> list[Json]:
        """All tickets, newest first, over all pages."""
        found: list[Json] = []
        page = self.call("GET", "/tickets/", limit=200, **query)
        while True:
            found += page["results"]
            if not page["next"]:
                return found
            page = self.call("GET", f"/tickets/?{urlsplit(page['next']).query}")

    def edit(self, key: str, **fields: Any) -> Json:
        return dict(self.call("PATCH", f"/tickets/{key}/", fields))

    def step(self, key: str, verb: str) -> Json:
        return dict(self.call("POST", f"/tickets/{key}/transitions/", {"verb": verb}))

    def say(self, key: str, body: str, kind: str = "public") -> Json:
        return dict(self.call("POST", f"/tickets/{key}/messages/", {"kind": kind, "body": body}))

    def messages(self, key: str) -> list[Json]:
        return list(self.call("GET", f"/tickets/{key}/messages/", limit=200)["results"])

    def submission(self, key: str) -> Json:
        return dict(self.call("GET", f"/tickets/{key}/submission/"))


def unique(words: str) -> str:
    """Words that no other ticket of the run has."""
    return f"{words} {next(_numbers)}"
