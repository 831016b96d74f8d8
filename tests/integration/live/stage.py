"""A hub on a real server, with invented people and topics, and a browser's side of its socket."""

import json
import socket
import threading
import time
from collections.abc import Callable, Hashable, Mapping, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from supporthub.core.live.socket import LiveSocket
from supporthub.core.live.subscription import Pace
from supporthub.runtime.plan import LONGEST_MESSAGE
from supporthub.runtime.processes import wait_until

FAST = Pace(
    beat=0.2, beat_lost=10, retry_least=0.05, retry_most=0.2, digest=60, refresh=60, unrefreshed=60, presence=0.3
)
PATIENCE = 30.0  # for machines under load: every wait ends with its condition

Said = dict[str, Any]


@dataclass(frozen=True)
class Watcher:
    """Somebody with a set of boards; equal sets see the same."""

    user_id: int
    boards: frozenset[int] = frozenset()
    name: str = "Ada"
    is_active: bool = True

    @property
    def key(self) -> Hashable:
        return self.boards


@dataclass
class House:
    """What the hub's functions look at, in place of a database. A cookie's value is a user's id."""

    people: dict[int, Watcher] = field(default_factory=dict)
    digests: dict[str, tuple[int, ...]] = field(default_factory=dict)
    digest_calls: list[str] = field(default_factory=list)
    judged: list[Hashable] = field(default_factory=list)
    broken: bool = False

    async def authenticate(self, scope: MutableMapping[str, Any]) -> Watcher | None:
        if "live_credential" in scope:
            return self.people.get(int(scope["live_credential"]))
        cookie = dict(scope["headers"]).get(b"cookie", b"0").decode()
        return self.people.get(int(cookie.removeprefix("user=")))

    async def refresh(self, principal: Watcher) -> Watcher | None:
        if self.broken:
            raise ConnectionError("the database is away")
        return self.people.get(principal.user_id)

    def may_subscribe(self, principal: Watcher, argument: str) -> bool:
        return argument == "open" or int(argument) in principal.boards

    def may_see(self, principal: Watcher, event: Mapping[str, Any]) -> bool:
        self.judged.append(principal.key)
        board = event["scope"].get("board")
        return board is None or board in principal.boards

    def snapshot(self, argument: str) -> tuple[int, ...]:
        self.digest_calls.append(argument)
        return self.digests.get(argument, (0, 0, 0))


class HubServer:
    """One process's worth of hub: uvicorn with the protocol that production uses, in a thread."""

    def __init__(self, house: House, pace: Pace = FAST) -> None:
        self.live = LiveSocket(house.authenticate, house.refresh, pace)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        config = uvicorn.Config(
            self._app, interface="asgi3", ws="websockets-sansio", ws_per_message_deflate=False, lifespan="on",
            log_level="warning", timeout_graceful_shutdown=3, ws_max_size=LONGEST_MESSAGE,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    async def _app(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self.live(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.live.hub.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def __enter__(self) -> "HubServer":
        self._thread.start()
        assert wait_until(lambda: self._server.started, PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self, user_id: int = 1, *, origin: str | None = "", ticket: str = "") -> "Browser":
        query = f"?{urlencode({'ticket': ticket})}" if ticket else ""
        connection = connect(
            f"ws://127.0.0.1:{self.port}/ws/live/{query}",
            origin=Origin(self.origin if origin == "" else origin) if origin is not None else None,
            additional_headers={"Cookie": f"user={user_id}"},
            compression=None,
            legacy=True,
        )
        return Browser(connection, user_id)


class Browser:
    """Reads frames until the one that is waited for; keeps all of them."""

    def __init__(self, connection: ClientConnection, user_id: int = 0) -> None:
        self.connection = connection
        self.user_id = user_id
        self.heard: list[Said] = []

    def say(self, **request: Any) -> None:
        self.connection.send(json.dumps(request))

    def next(self, timeout: float = PATIENCE) -> Said:
        said: Said = json.loads(self.connection.recv(timeout=timeout))
        self.heard.append(said)
        return said

    def until(self, fits: Callable[[Said], bool], timeout: float = PATIENCE) -> Said:
        """Read on until a frame fits; TimeoutError says what came instead."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                said = self.next(max(0.01, deadline - time.monotonic()))
            except TimeoutError:
                raise TimeoutError(f"only heard {self.heard[-5:]}") from None
            if fits(said):
                return said

    def subscribe(self, topic: str) -> Said:
        self.say(type="subscribe", topic=topic)
        return self.until(lambda said: said["type"] in {"snapshot", "refused"} and said["topic"] == topic)

    def event(self, version: int) -> Said:
        return self.until(lambda said: said.get("version") == version)

    def live(self, state: str = "live") -> Said:
        return self.until(lambda said: said.get("kind") == "live" and said["state"] == state)

    def people(self, *names_and_states: tuple[str, str], timeout: float = PATIENCE) -> Said:
        def fits(said: Said) -> bool:
            if said.get("kind") != "presence":
                return False
            return [(person["name"], person["state"]) for person in said["people"]] == list(names_and_states)

        return self.until(fits, timeout)

    def close_code(self, timeout: float = PATIENCE) -> int:
        """Read on until the hub closes; return its code."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.next(max(0.01, deadline - time.monotonic()))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 0

    def heard_nothing(self, fits: Callable[[Said], bool]) -> bool:
        return not any(fits(said) for said in self.heard)

    def close(self) -> None:
        self.connection.close()


@dataclass
class Stage:
    """A house, its hubs and its browsers, all ended with the test."""

    house: House
    stack: ExitStack

    def hub(self, pace: Pace = FAST) -> HubServer:
        return self.stack.enter_context(HubServer(self.house, pace))

    def browser(self, hub: HubServer, user_id: int = 1) -> Browser:
        """Open a socket and wait until the hub says that it is live."""
        browser = hub.open(user_id)
        self.stack.callback(browser.close)
        browser.live()
        return browser
