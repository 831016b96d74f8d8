"""Redis may die, freeze or forget: sockets stay, requests do not wait, browsers converge."""

import time
from dataclasses import replace

import pytest

from supporthub.core import hurry
from supporthub.core.live import presence
from supporthub.core.live.publish import control, publish
from supporthub.core.live.tickets import LiveUnavailableError, issue_ticket
from supporthub.runtime.redis_server import EmbeddedRedis
from tests.integration.live.stage import FAST, PATIENCE, Browser, Said, Stage

TOPIC = "place:open"


@pytest.fixture
def redis_patience() -> float | None:
    return None


def _snapshot(said: Said) -> bool:
    return bool(said["type"] == "snapshot")


def _hears_events_again(browser: Browser, version: int) -> None:
    """A publisher rests for a second after a failure, and drops its events."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        publish(TOPIC, "changed", id=1, version=version)
        try:
            browser.until(lambda said: said.get("version") == version, timeout=0.2)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"no event: {browser.heard[-5:]}")


def test_killed_redis_degrades_and_its_return_brings_a_new_epoch(stage: Stage, redis_again: EmbeddedRedis) -> None:
    browser = stage.browser(stage.hub())
    first = browser.subscribe(TOPIC)
    redis_again.kill()
    browser.live("degraded")
    publish(TOPIC, "changed", id=1, version=1)
    hurry.flush()
    redis_again.start()
    browser.live()
    again = browser.until(_snapshot)
    assert again["epoch"] not in {"", first["epoch"]}
    _hears_events_again(browser, 2)
    assert browser.heard_nothing(lambda said: said.get("version") == 1)


def test_restart_too_quick_to_degrade_still_brings_a_new_snapshot(stage: Stage, redis_again: EmbeddedRedis) -> None:
    browser = stage.browser(stage.hub(replace(FAST, beat=0.5)))
    first = browser.subscribe(TOPIC)
    redis_again.kill()
    redis_again.start()
    assert browser.until(_snapshot)["epoch"] != first["epoch"]
    _hears_events_again(browser, 1)


def test_frozen_redis_never_delays_a_publisher(stage: Stage, redis_again: EmbeddedRedis) -> None:
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    redis_again.pause()
    started = time.perf_counter()
    for version in range(200):
        publish(TOPIC, "changed", id=1, version=version)
        control("access_changed", 1)
    assert time.perf_counter() - started < 0.2
    assert hurry.flush(5)  # one time-out for all of them, not one each: others use that thread too
    browser.live("degraded")
    redis_again.resume()
    browser.live()
    browser.until(_snapshot)
    _hears_events_again(browser, 1000)


def test_digests_go_on_without_redis(stage: Stage, redis_again: EmbeddedRedis) -> None:
    browser = stage.browser(stage.hub(replace(FAST, digest=0.2)))
    browser.subscribe(TOPIC)
    redis_again.kill()
    browser.live("degraded")
    stage.house.digests["open"] = (5, 5, 5)
    browser.until(lambda said: said["type"] == "digest" and said["digest"] == [5, 5, 5])


def test_socket_opened_without_redis_works_and_becomes_live(stage: Stage, redis_again: EmbeddedRedis) -> None:
    stage.house.digests["open"] = (5, 5, 5)
    hub = stage.hub()
    redis_again.kill()
    browser = hub.open()
    browser.live("degraded")
    snapshot = browser.subscribe(TOPIC)
    assert (snapshot["epoch"], snapshot["seq"], snapshot["digest"]) == ("", 0, [5, 5, 5])
    browser.say(type="presence", topic=TOPIC, state="viewing")
    redis_again.start()
    browser.live()
    assert browser.until(_snapshot)["epoch"]
    _hears_events_again(browser, 1)
    browser.close()


def test_pages_show_nobody_and_tickets_are_refused_without_redis(stage: Stage, redis_again: EmbeddedRedis) -> None:
    redis_again.kill()
    assert presence.people_on([TOPIC]) == {}
    with pytest.raises(LiveUnavailableError):
        issue_ticket("1")


def test_frozen_redis_delays_pages_once_not_each_time(stage: Stage, redis_again: EmbeddedRedis) -> None:
    redis_again.pause()
    started = time.perf_counter()
    assert [presence.people_on([TOPIC]) for _ in range(20)] == [{}] * 20
    assert time.perf_counter() - started < 1.5
