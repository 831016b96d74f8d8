"""The process's one subscription to the channel layer, and the proof that it works.

The layer does not tell when its connection broke, and what was published meanwhile is lost. So each hub sends itself a
beat through Redis: a beat that does not come back means that the subscription is made anew, and a Redis with another
run id means that numbers may have been lost; both are told, so that every watcher gets a fresh snapshot.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import redis
import redis.asyncio
import structlog
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers

from supporthub.core.live import publish

logger = structlog.get_logger(__name__)

CLEAN_UP: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between things. Tests use shorter ones."""

    beat: float = 1.0
    beat_lost: float = 3.0
    retry_least: float = 0.2
    retry_most: float = 5.0
    digest: float = 15.0
    refresh: float = 60.0
    unrefreshed: float = 120.0
    presence: float = 5.0


class BeatLostError(ConnectionError):
    """What we sent did not come back."""


class Subscription:
    """Runs until cancelled. Calls `taken(message)` for each message and `changed(is_live)` on the loop."""

    def __init__(
        self,
        connection: redis.asyncio.Redis,
        pace: Pace,
        taken: Callable[[Mapping[str, Any]], None],
        changed: Callable[[bool], None],
    ) -> None:
        self._redis = connection
        self._pace = pace
        self._taken = taken
        self._changed = changed
        self._name = secrets.token_hex(8)
        self._sent = 0
        self._returned = asyncio.Event()
        self._run_id = ""

    async def run(self) -> None:
        """Subscribe and follow; on any failure begin again, ever more slowly."""
        wait = self._pace.retry_least
        while True:
            layer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
            try:
                async with asyncio.timeout(self._pace.beat_lost):
                    channel = await layer.new_channel()
                    await layer.group_add(publish.GROUP, channel)
                await self._follow(layer, channel)
            except Exception as error:  # noqa: BLE001  (boundary: whatever the layer raises, the hub must not go deaf)
                wait = self._pace.retry_least if self._run_id else min(wait * 2, self._pace.retry_most)
                self._run_id = ""
                self._changed(False)
                logger.warning("live.subscription_lost", error=type(error).__name__, again_in=round(wait, 1))
            finally:
                await _bounded(layer.flush())
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311  (spreads the load, no secret)

    async def _follow(self, layer: Any, channel: str) -> None:
        receiving = asyncio.create_task(self._receive(layer, channel))
        try:
            while not receiving.done():
                await self._beat(layer)
                await asyncio.wait({receiving}, timeout=self._pace.beat)
            receiving.result()
        finally:
            receiving.cancel()
            # Leaving the layer's `receive` talks to Redis once more, which may never answer.
            await asyncio.wait({receiving}, timeout=CLEAN_UP)
            if receiving.done() and not receiving.cancelled():
                receiving.exception()  # noted: the beat's own failure, or this one, is on its way already

    async def _receive(self, layer: Any, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            if message["type"] == "beat":
                if (message["hub"], message["beat"]) == (self._name, self._sent):
                    self._returned.set()
                continue
            try:
                self._taken(message)
            except Exception:  # boundary: one odd message (another release's, say) must not end the others
                logger.exception("live.message_failed", kind=message["type"])
            await asyncio.sleep(0)  # the layer's queue does not yield by itself: let the writers send

    async def _beat(self, layer: Any) -> None:
        """One round through Redis; raises BeatLostError, OSError or `redis.RedisError`."""
        self._sent += 1
        self._returned.clear()
        await publish.broadcast({"type": "beat", "hub": self._name, "beat": self._sent}, layer, tries=1)
        try:
            async with asyncio.timeout(self._pace.beat_lost):
                await self._returned.wait()
        except TimeoutError:
            raise BeatLostError from None
        run_id = str((await self._redis.info("server"))["run_id"])
        if run_id != self._run_id:
            self._run_id = run_id
            self._changed(True)


async def _bounded(work: Awaitable[None]) -> None:
    """Best effort: the connection is given up either way."""
    try:
        async with asyncio.timeout(CLEAN_UP):
            await work
    except (redis.RedisError, OSError) as error:
        logger.debug("live.clean_up_failed", error=type(error).__name__)
