"""One socket: its bounded queue, its writer, its allowance."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from supporthub.core.live.topics import LivePrincipal
from supporthub.core.live.wire import Frame

QUEUE: Final = 256
MESSAGES_A_SECOND: Final = 50
BURST: Final = 250  # a page that comes back subscribes to everything it shows at once
CLOSING: Final = 5.0  # seconds for a client to take its close frame

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Message = Mapping[str, Any]


class Client:
    """A socket as the hub sees it. Everything here runs on the event loop; nothing waits but `write`."""

    __slots__ = (
        "_allowance", "_asked_at", "_behind", "_queue", "_send", "_waiter", "applied", "asked", "closed", "key",
        "on_behind", "on_stuck", "presence", "principal", "refresh_at", "refreshed_at", "topics",
    )  # fmt: skip

    def __init__(self, principal: LivePrincipal, send: Send, key: str) -> None:
        self.principal = principal
        self.key = key  # tells two tabs of one person apart
        self.topics: set[str] = set()
        self.presence: set[str] = set()  # topics on which this tab has said that it is there
        self.on_behind: Callable[[Client], None] | None = None
        self.on_stuck: Callable[[], object] | None = None
        self.asked = self.applied = 0  # refreshes begun, and the latest of them that counted
        self.refreshed_at = self.refresh_at = time.monotonic()
        self.closed = False
        self._send = send
        self._queue: deque[Message] = deque()
        self._behind = False
        self._waiter: asyncio.Future[None] | None = None
        self._allowance = float(BURST)
        self._asked_at = time.monotonic()

    def offer(self, frame: Frame) -> None:
        """Queue a frame. When the client is too slow, drop all; it gets each topic's position once it has caught up."""
        queue = self._queue
        if self._behind or self.closed:
            return
        if len(queue) >= QUEUE:
            queue.clear()
            self._behind = True
            return
        queue.append(frame)
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def close(self, code: int, reason: str) -> None:
        """Say nothing more but the close frame. The caller takes the client out of the hub."""
        if self.closed:
            return
        self._queue.clear()
        self._behind = False
        self.offer({"type": "websocket.close", "code": code, "reason": reason})  # type: ignore[dict-item]
        self.closed = True
        if self.on_stuck is not None:
            asyncio.get_running_loop().call_later(CLOSING, self.on_stuck)

    def may_ask(self) -> bool:
        """Count one frame from the browser; False when it sends too many."""
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._asked_at) * MESSAGES_A_SECOND)
        self._asked_at = now
        self._allowance -= 1
        return self._allowance >= 0

    async def write(self) -> None:
        """Send what is queued until the close frame is sent; OSError when the client is gone."""
        queue, send = self._queue, self._send
        while True:
            while queue:
                await send(queue.popleft())  # type: ignore[arg-type]
            if self.closed:
                return
            if self._behind:
                self._behind = False
                if self.on_behind is not None:
                    self.on_behind(self)
                continue
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
