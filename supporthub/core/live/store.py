"""This package's connections to Redis, and the position of each topic kept there.

Live updates are a convenience: nothing here waits long, and everything may be lost. All keys have a TTL.
"""

import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

PREFIX: Final = "hub:live"
POSITION_TTL: Final = 7 * 24 * 3600
CONNECT_TIMEOUT: Final = 0.2
ANSWER_TIMEOUT: Final = 0.5

# KEYS[1]: the topic's hash. ARGV: step (0 reads, 1 advances), an epoch for a topic without one, TTL in seconds.
# One script, so that two publishers never get the same number and a new epoch starts exactly once.
_POSITION = """
if redis.call('HSETNX', KEYS[1], 'epoch', ARGV[2]) == 1 then redis.call('HDEL', KEYS[1], 'seq') end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {redis.call('HGET', KEYS[1], 'epoch'), seq}
"""


@cache
def client() -> redis.Redis:
    """Return the process's blocking client: at most half a second an answer; raises `redis.RedisError`."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=CONNECT_TIMEOUT,
        socket_timeout=ANSWER_TIMEOUT,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


def async_client() -> redis.asyncio.Redis:
    """Return a new client for the running event loop; its owner closes it."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=CONNECT_TIMEOUT,
        socket_timeout=ANSWER_TIMEOUT,
        retry=AsyncRetry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )


@cache
def _position_script() -> Any:
    return client().register_script(_POSITION)


def advance(topics: Sequence[str]) -> list[tuple[str, int]]:
    """Take each topic's next number, in one round trip; return (epoch, seq) of each, contiguous within an epoch."""
    script, together = _position_script(), client().pipeline(transaction=False)
    for topic in topics:
        script(keys=[_key(topic)], args=[1, secrets.token_hex(6), POSITION_TTL], client=together)
    return [(epoch.decode(), int(seq)) for epoch, seq in together.execute()]


async def read_position(connection: redis.asyncio.Redis, topic: str) -> tuple[str, int]:
    """Return where the topic is, (epoch, seq); a topic without an event gets its epoch now, and seq 0."""
    script = connection.register_script(_POSITION)
    epoch, seq = await script(keys=[_key(topic)], args=[0, secrets.token_hex(6), POSITION_TTL])
    return epoch.decode(), int(seq)


def _key(topic: str) -> str:
    return f"{PREFIX}:position:{topic}"
