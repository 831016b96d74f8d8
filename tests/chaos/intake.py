"""Clients that post tickets and do not give up: the same Idempotency-Key until there is an answer."""

import queue
import threading
import time
from typing import Any

import httpx

from tests.chaos.verdict import title_for
from tests.stack import ADMIN, PASSWORD

_PAUSE = 0.15
_PATIENCE = 180.0
_BODY = "The printer says: “paper jam”.\n\nÜber <Raum 4> & more.\n"
_WATCHERS: tuple[list[str], ...] = (
    ["dewi.visser@contoso.example"],
    [],
    ["ada.jansen@contoso.example", "dewi.visser@contoso.example"],
    [],
)
_REQUESTERS = ("ann.baker@contoso.example", "joerg.mueller@contoso.example", "zoe.angstrom@fabrikam.example", "")
_BOARDS = ("helpdesk", "network")
_PRIORITIES = ("low", "normal", "high", "urgent")


class RefusedError(Exception):
    """The hub answered in a way that no retry mends."""


def ticket_for(number: int, key: str) -> dict[str, Any]:
    """The body of the `number`-th ticket: both Jira projects, every priority, with and without watchers."""
    return {
        "title": title_for(key),
        "body": _BODY,
        "board": _BOARDS[number % 2],
        "priority": _PRIORITIES[number % 4],
        "requester": _REQUESTERS[number // 2 % 4],
        "watchers": _WATCHERS[number // 3 % 4],
    }


class Client:
    """One API client with its own connection and token."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=15, trust_env=False)
        self._token = ""
        self.retries = 0
        self.patience = _PATIENCE  # seconds for one ticket

    def create(self, key: str, body: dict[str, Any]) -> str:
        """Post until the hub says 201, and return its key. Raises RefusedError, also when patience ends."""
        started = time.monotonic()
        said = "nothing"
        while time.monotonic() - started < self.patience:
            try:
                answer = self._send("POST", "/api/v1/tickets/", json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError as error:
                said = type(error).__name__
            else:
                said = f"{answer.status_code}: {answer.text[:300]}"
                if answer.status_code == httpx.codes.CREATED:
                    return str(answer.json()["key"])
                if not _passing(answer):
                    raise RefusedError(f"{key}: {said}")
            self.retries += 1
            time.sleep(_PAUSE)  # the hub is down at the moment: what a client does then is ask again
        raise RefusedError(f"{key}: no answer within {self.patience:.0f} s, last {said}")

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, address: str) -> httpx.Response:
        """One GET with a token."""
        return self._send("GET", address)

    def _send(self, method: str, address: str, **more: Any) -> httpx.Response:
        if not self._token:
            self._token = self._sign_in()
        headers = {**more.pop("headers", {}), "Authorization": f"Bearer {self._token}"}
        answer = self._http.request(method, address, headers=headers, **more)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""
        return answer

    def _sign_in(self) -> str:
        answer = self._http.post("/api/v1/auth/token/", json={"email": ADMIN, "password": PASSWORD})
        if answer.status_code != httpx.codes.OK:
            raise httpx.TransportError(f"sign-in: HTTP {answer.status_code}")
        return str(answer.json()["access"])


def _passing(answer: httpx.Response) -> bool:
    """Whether asking again makes sense: a fault of the hub, a token that ended, or a twin still under way."""
    if answer.status_code == httpx.codes.CONFLICT:
        return bool(answer.json().get("code") == "idempotency_in_progress")
    return answer.status_code >= 500 or answer.status_code in (401, 429)


class Intake:
    """A few clients at work. Tickets are posted as they are released."""

    def __init__(self, url: str, clients: int) -> None:
        self.accepted: dict[str, str] = {}
        self.refusals: list[str] = []
        self._released: queue.Queue[int | None] = queue.Queue()
        self._clients = [Client(url) for _ in range(clients)]
        self._threads = [threading.Thread(target=self._work, args=(client,)) for client in self._clients]
        self._given_up = threading.Event()
        self.count = 0

    @property
    def retries(self) -> int:
        """How many requests had to be repeated."""
        return sum(client.retries for client in self._clients)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def release(self, count: int) -> None:
        """Let the clients post `count` more tickets."""
        for _ in range(count):
            self._released.put(self.count)
            self.count += 1

    def finish(self) -> None:
        """Wait until every released ticket was answered."""
        for _ in self._threads:
            self._released.put(None)
        for thread in self._threads:
            thread.join()
        for client in self._clients:
            client.close()

    def give_up(self) -> None:
        """End the clients without waiting for answers; no effect after `finish`."""
        self._given_up.set()
        for client in self._clients:
            client.patience = 0.0
            self._released.put(None)

    def _work(self, client: Client) -> None:
        while (number := self._released.get()) is not None and not self._given_up.is_set():
            key = f"chaos-{number:05d}"
            try:
                self.accepted[key] = client.create(key, ticket_for(number, key))
            except RefusedError as refusal:
                self.refusals.append(str(refusal))
