"""One socket: its bounded queue and its allowance; and the pump that empties all queues."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final

from supporthub.core.live.topics import LivePrincipal

QUEUE: Final = 256
MESSAGES_A_SECOND: Final = 50
BURST: Final = 250  # a page that comes back subscribes to everything it shows at once
CLOSING: Final = 5.0  # seconds for a client to take its close frame

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Spawn = Callable[[Coroutine[Any, Any, Any]], None]


class Pump:
    """Sends what the clients have queued, without a task for each.

    One task sends to every client that has something, one after the other; a send to a healthy client does not wait. A
    client that makes it wait keeps that task, and another task goes on with the rest: so there are as many tasks as
    slow clients. (Waking a task for every client and event costs more than the sending.)
    """

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._ready: deque[Client] = deque()
        self._scheduled = False

    def add(self, client: "Client") -> None:
        self._ready.append(client)
        if not self._scheduled:
            self._go()

    def _go(self) -> None:
        self._scheduled = True
        self._spawn(self._run())
        asyncio.get_running_loop().call_soon(self._check)  # after the task's first step

    def _check(self) -> None:
        """A task that did not wait has left nothing; else somebody slow holds it."""
        if self._ready:
            self._go()
        else:
            self._scheduled = False

    async def _run(self) -> None:
        ready = self._ready
        while ready:
            await ready.popleft().flush()


class Client:
    """A socket as the hub sees it. Used on the event loop only; nothing waits but `flush`."""

    __slots__ = (
        "_allowance", "_asked_at", "_behind", "_busy", "_pump", "_queue", "_send", "applied", "asked", "closed", "key",
        "limit", "looks", "on_behind", "presence", "principal", "refresh_at", "refreshed_at", "topics",
    )  # fmt: skip

    def __init__(self, principal: LivePrincipal, send: Send, key: str, pump: Pump) -> None:
        self.principal = principal
        self.key = key  # tells two tabs of one person apart
        self.topics: set[str] = set()
        self.presence: set[str] = set()  # topics on which this tab has said that it is there
        self.looks: set[str] = set()  # topics of which it sees who is there; crowds.py keeps it
        self.on_behind: Callable[[Client], None] | None = None
        self.limit: asyncio.Timeout | None = None  # ends the reading of a client that does not take its close frame
        self.asked = self.applied = 0  # refreshes begun, and the latest of them that counted
        self.refreshed_at = self.refresh_at = time.monotonic()
        self.closed = False
        self._send = send
        self._pump = pump
        self._queue: deque[MutableMapping[str, Any]] = deque()
        self._behind = False
        self._busy = False  # waits for the pump, or is being sent to
        self._allowance = float(BURST)
        self._asked_at = time.monotonic()

    def offer(self, frame: MutableMapping[str, Any]) -> None:
        """Queue a frame. When the client is too slow, drop all; it gets each topic's position once it has caught up."""
        queue = self._queue
        if self._behind or self.closed:
            return
        if len(queue) >= QUEUE:
            queue.clear()
            self._behind = True
            return
        queue.append(frame)
        if not self._busy:
            self._busy = True
            self._pump.add(self)

    def close(self, code: int, reason: str) -> None:
        """Say nothing more but the close frame. The caller takes the client out of the hub."""
        if self.closed:
            return
        self._queue.clear()
        self._behind = False
        self.offer({"type": "websocket.close", "code": code, "reason": reason})
        self.closed = True
        if self.limit is not None:
            self.limit.reschedule(asyncio.get_running_loop().time() + CLOSING)

    def may_ask(self) -> bool:
        """Count one frame from the browser; False when it sends too many."""
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._asked_at) * MESSAGES_A_SECOND)
        self._asked_at = now
        self._allowance -= 1
        return self._allowance >= 0

    async def flush(self) -> None:
        """Send what is queued. Never raises OSError: the reader notices that the client is gone."""
        queue, send = self._queue, self._send
        try:
            while queue:
                await send(queue.popleft())
        except OSError:  # the ASGI specification's way to say that the client is gone
            queue.clear()
        finally:
            self._busy = False
        if self._behind:
            self._behind = False
            if self.on_behind is not None and not self.closed:
                self.on_behind(self)
