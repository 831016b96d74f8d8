from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from supporthub.core import hurry
from supporthub.core.live import presence, publish, store, topics
from tests.integration.live.stage import PATIENCE, House, Stage, Watcher
from tests.testservers import servers


@pytest.fixture
def redis_patience() -> float | None:
    """Seconds for Redis's answers: long, so that a busy machine does not drop events. None: as in production."""
    return PATIENCE


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, redis_patience: float | None) -> Iterator[Stage]:
    """A hub's surroundings: an empty running Redis, one kind of topic (`place`), three people."""
    servers.redis.start()
    if redis_patience is not None:
        monkeypatch.setattr(store, "ANSWER_TIMEOUT", redis_patience)
        monkeypatch.setattr(publish, "SEND_TIMEOUT", redis_patience)
    _forget_clients()
    store.client().flushall()
    monkeypatch.setattr(publish._sender, "_resting_until", 0.0)
    monkeypatch.setattr(presence._Rest, "until", 0.0)
    house = House()
    for watcher in (Watcher(1, frozenset({1, 3})), Watcher(2, frozenset({3}), "Ben"), Watcher(3, frozenset(), "Cleo")):
        house.people[watcher.user_id] = watcher
    monkeypatch.setattr(topics, "_topics", {})
    topics.register_topic(
        prefix="place", may_subscribe=house.may_subscribe, may_see=house.may_see, snapshot=house.snapshot
    )
    with ExitStack() as stack:
        yield Stage(house, stack)
    hurry.flush()
    _forget_clients()


def _forget_clients() -> None:
    """They keep the time-outs that they were made with."""
    for cached in (store.client, store._position_script, presence._read_script):
        cached.cache_clear()


@pytest.fixture
def redis_again() -> Iterator[Any]:
    """The embedded Redis, running again after the test whatever the test did to it."""
    yield servers.redis
    if servers.redis.pid is not None:
        servers.redis.resume()
    servers.redis.start()
