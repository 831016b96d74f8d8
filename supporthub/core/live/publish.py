"""Sending to every hub: the only caller of `group_send`.

A request drops its event here after its commit and goes on; the hurry thread takes the topic's number from Redis and
sends. While Redis is away events are dropped: the digest tells the browsers.
"""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

import redis
import structlog
from channels.layers import get_channel_layer

from supporthub.core import hurry
from supporthub.core.live import store

logger = structlog.get_logger(__name__)

GROUP: Final = "live"
SEND_TIMEOUT: Final = 0.5
REST: Final = 1.0  # seconds without another try after a failure, so that the hurry thread stays free for others

ControlKind = Literal["access_changed", "signed_out"]
NOTHING: Final[Mapping[str, Any]] = {}


def publish(
    topic: str,
    kind: str,
    *,
    id: int,
    version: int,
    data: Mapping[str, Any] = NOTHING,
    scope: Mapping[str, Any] = NOTHING,
) -> None:
    """Tell the topic's watchers that row `id` is now at `version`. Call after the commit; never waits, never raises.

    `data` goes to browsers (JSON); `scope` (such as organisation and board) is only looked at by the topic's `may_see`.
    """
    event = {"type": "event", "topic": topic, "kind": kind, "id": id, "version": version}
    hurry.gather(_send_events, {**event, "data": dict(data), "scope": dict(scope)})


def control(kind: ControlKind, user_id: int) -> None:
    """Tell every hub that a user's rights changed (refresh their sockets) or that they signed out (close them)."""
    hurry.soon(partial(_sender.send, {"type": "control", "kind": kind, "user_id": user_id}))


async def broadcast(message: Mapping[str, Any], layer: Any = None, *, tries: int = 2) -> None:
    """Send to every hub from async code; raises TimeoutError, OSError or `redis.RedisError`.

    The layer does not try again by itself, and its connection may be one that Redis closed long ago: hence the second
    try. A message that arrives twice does no harm.
    """
    layer = layer or get_channel_layer()
    async with asyncio.timeout(SEND_TIMEOUT):
        for left in reversed(range(tries)):
            try:
                await layer.group_send(GROUP, dict(message))
            except redis.ConnectionError:
                if not left:
                    raise
            else:
                return


class Sender:
    """Used on the hurry thread only. Keeps one event loop, because the channel layer keeps a connection a loop."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._resting_until = 0.0
        self.dropped = 0

    def send_events(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Number the events and send them in one message, or drop them."""
        if self._awake(len(events)):
            try:
                places = store.advance([event["topic"] for event in events])
                numbered = [
                    {**event, "epoch": epoch, "seq": seq} for event, (epoch, seq) in zip(events, places, strict=True)
                ]
                self._broadcast({"type": "events", "events": numbered})
            except (redis.RedisError, OSError) as error:  # a TimeoutError is an OSError
                self._rest(error, len(events))

    def send(self, message: Mapping[str, Any]) -> None:
        if self._awake():
            try:
                self._broadcast(message)
            except (redis.RedisError, OSError) as error:
                self._rest(error)

    def _awake(self, messages: int = 1) -> bool:
        if time.monotonic() >= self._resting_until:
            return True
        self.dropped += messages
        return False

    def _rest(self, error: Exception, messages: int = 1) -> None:
        self.dropped += messages
        self._resting_until = time.monotonic() + REST
        logger.warning("live.not_sent", error=type(error).__name__, dropped=self.dropped)

    def _broadcast(self, message: Mapping[str, Any]) -> None:
        loop = getattr(self._own, "loop", None)
        if loop is None:
            loop = self._own.loop = asyncio.new_event_loop()
        loop.run_until_complete(broadcast(message))


_sender = Sender()
_send_events = _sender.send_events
