"""Who looks at a topic right now, and who types: Redis only, never the database.

A sorted set a topic holds one member a tab, scored with the moment it lapses on Redis's clock. A tab repeats itself
every 15 seconds; one that died without a word lapses after 30.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import redis
import redis.asyncio
import structlog

from supporthub.core.live import store

logger = structlog.get_logger(__name__)

LIFETIME: Final = 30
REST: Final = 2.0  # seconds in which pages do not ask again after Redis did not answer

Person = dict[str, Any]  # {"id": user id, "name": …, "state": "viewing" | "typing"}

# KEYS[1]: the topic's set. ARGV: lifetime in seconds, 1 when the tab is there (0: gone), the tab's member for what it
# does now, its members for anything else. Returns whether somebody came, went or changed, and all who are there.
_ANNOUNCE = """
local now = tonumber(redis.call('TIME')[1])
local changed = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[2] == '1' then
  changed = changed + redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[3])
else
  changed = changed + redis.call('ZREM', KEYS[1], ARGV[3])
end
for other = 4, #ARGV do changed = changed + redis.call('ZREM', KEYS[1], ARGV[other]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {changed, redis.call('ZRANGE', KEYS[1], 0, -1)}
"""
_READ = """
local now = tonumber(redis.call('TIME')[1])
local found = {}
for i, key in ipairs(KEYS) do found[i] = redis.call('ZRANGEBYSCORE', key, '(' .. now, '+inf') end
return found
"""


async def announce(
    connection: redis.asyncio.Redis, topic: str, *, tab: str, person: Mapping[str, Any], state: str
) -> tuple[bool, list[Person]]:
    """Note what a tab does; return whether anything changed, and who is there. Raises `redis.RedisError`."""
    members = {word: _member(tab, person, word) for word in ("viewing", "typing")}
    here = members.pop(state, None)
    if here is None:  # gone
        here, others = members.pop("viewing"), members.values()
    else:
        others = members.values()
    script = connection.register_script(_ANNOUNCE)
    changed, found = await script(keys=[_key(topic)], args=[LIFETIME, int(state != "gone"), here, *others])
    return bool(changed), people(found)


async def read(connection: redis.asyncio.Redis, topics: Sequence[str]) -> dict[str, list[Person]]:
    """Return who is on each of the topics, in one round trip. Raises `redis.RedisError`."""
    if not topics:
        return {}
    found = await connection.register_script(_READ)(keys=[_key(topic) for topic in topics])
    return {topic: people(members) for topic, members in zip(topics, found, strict=True)}


class _Rest:
    until = 0.0


def people_on(topics: Iterable[str]) -> dict[str, list[Person]]:
    """Return who is on each topic that has anybody, in one round trip, for pages; {} while Redis is away."""
    names = list(topics)
    if not names or time.monotonic() < _Rest.until:
        return {}
    try:
        found = _read_script()(keys=[_key(topic) for topic in names])
    except redis.RedisError as error:
        _Rest.until = time.monotonic() + REST
        logger.warning("live.presence_not_read", error=type(error).__name__)
        return {}
    return {topic: people(members) for topic, members in zip(names, found, strict=True) if members}


def people(members: Iterable[bytes]) -> list[Person]:
    """One entry a person, by name; somebody who types in one of several tabs types."""
    found: dict[int, Person] = {}
    for member in members:
        _, user_id, name, state = json.loads(member)
        person = found.setdefault(user_id, {"id": user_id, "name": name, "state": state})
        if state == "typing":
            person["state"] = state
    return sorted(found.values(), key=lambda person: (person["name"], person["id"]))


@cache
def _read_script() -> Any:
    return store.client().register_script(_READ)


def _member(tab: str, person: Mapping[str, Any], state: str) -> str:
    return json.dumps([tab, person["id"], person["name"], state], separators=(",", ":"))


def _key(topic: str) -> str:
    return f"{store.PREFIX}:presence:{topic}"
