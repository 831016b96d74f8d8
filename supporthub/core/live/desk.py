"""Presence on its way to Redis: one worker, so that one tab's words keep their order; the newest word wins."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import redis
import redis.asyncio
import structlog

from supporthub.core.live import presence, publish

logger = structlog.get_logger(__name__)

MOST_WAITING: Final = 2000


class PresenceDesk:
    """Takes what tabs say, writes it, and tells every hub when somebody came, went or began to type."""

    def __init__(self, connection: redis.asyncio.Redis) -> None:
        self._redis = connection
        self._waiting: dict[tuple[str, str], tuple[Mapping[str, Any], str]] = {}
        self._something = asyncio.Event()

    def announce(self, topic: str, tab: str, person: Mapping[str, Any], state: str) -> None:
        """Queue a word; dropped when far too many wait, since tabs repeat themselves."""
        if (topic, tab) in self._waiting or len(self._waiting) < MOST_WAITING:
            self._waiting[topic, tab] = (person, state)
            self._something.set()

    async def run(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                (topic, tab), (person, state) = self._waiting.popitem()
                try:
                    await self._write(topic, tab, person, state)
                except (redis.RedisError, OSError) as error:
                    self._waiting.clear()
                    logger.info("live.presence_lost", error=type(error).__name__)

    async def _write(self, topic: str, tab: str, person: Mapping[str, Any], state: str) -> None:
        changed, people = await presence.announce(self._redis, topic, tab=tab, person=person, state=state)
        if changed:
            await publish.broadcast({"type": "presence", "topic": topic, "people": people})
