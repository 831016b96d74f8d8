"""A list looks at all its rows at once: who is there, for those who may know it, without a query a row."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from supporthub.core.live import topics, wire
from supporthub.core.live.publish import control
from supporthub.runtime.redis_server import EmbeddedRedis
from tests.integration.live.stage import FAST, Browser, Said, Stage, Watcher

NAMES = {1: "Ada", 2: "Ben", 3: "Cleo"}


def _look(browser: Browser, *names: str) -> Said:
    browser.say(type="look", topics=names)
    return browser.until(lambda said: said["type"] == "crowd")


def _be_at(browser: Browser, topic: str, state: str = "viewing") -> None:
    browser.subscribe(topic)
    browser.say(type="presence", topic=topic, state=state)
    browser.people((NAMES[browser.user_id], state))


def test_one_request_tells_who_is_on_all_topics_and_then_what_changes(stage: Stage) -> None:
    ada, ben = stage.browser(stage.hub(), 1), stage.browser(stage.hub(), 2)
    _be_at(ben, "place:3")
    seen = _look(ada, "place:1", "place:3", "place:open")
    assert seen["people"] == {"place:3": [{"id": 2, "name": "Ben", "state": "viewing"}]}
    ben.say(type="presence", topic="place:3", state="typing")
    assert ada.people(("Ben", "typing"))["topic"] == "place:3"
    ben.close()
    assert ada.people()["topic"] == "place:3"


def test_looking_reads_no_digest(stage: Stage) -> None:
    ada = stage.browser(stage.hub(replace(FAST, digest=0.1)), 1)
    _look(ada, "place:1", "place:3", "place:open")
    _be_at(ada, "place:1")  # takes longer than a digest's time
    assert set(stage.house.digest_calls) == {"1"}


def test_who_is_on_a_topic_is_hidden_from_those_who_may_not_subscribe_to_it(stage: Stage) -> None:
    hub = stage.hub()
    ada, cleo = stage.browser(hub, 1), stage.browser(hub, 3)
    _be_at(ada, "place:1")
    assert _look(cleo, "place:1", "place:open", "nowhere:1")["people"] == {}
    ada.say(type="presence", topic="place:1", state="typing")
    ada.people(("Ada", "typing"))
    _be_at(ada, "place:open")
    assert cleo.people(("Ada", "viewing"))["topic"] == "place:open"
    assert cleo.heard_nothing(lambda said: said.get("topic") == "place:1")


def test_many_topics_are_judged_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Collection[str]] = []

    def may_subscribe_to(who: Watcher, arguments: Collection[str]) -> Collection[str]:
        calls.append(set(arguments))
        return [argument for argument in arguments if int(argument) in who.boards]

    kind = topics._topics["place"]
    monkeypatch.setitem(topics._topics, "place", replace(kind, reads=True, may_subscribe_to=may_subscribe_to))
    ada = stage.browser(stage.hub(), 1)
    _look(ada, "place:1", "place:2", "place:3")
    _look(ada, "place:1", "place:3", "place:4")
    assert calls == [{"1", "2", "3"}, {"4"}]  # what was judged before is not judged again


def test_what_was_lost_with_a_right_is_not_seen_any_more(stage: Stage) -> None:
    hub = stage.hub()
    ada, ben = stage.browser(hub, 1), stage.browser(hub, 2)
    _be_at(ben, "place:3")
    assert _look(ada, "place:3", "place:open")["people"]
    stage.house.people[1] = Watcher(1, frozenset({1}))
    control("access_changed", 1)
    assert ada.until(lambda said: said["type"] == "crowd")["people"] == {}
    ben.say(type="presence", topic="place:3", state="typing")
    ben.people(("Ben", "typing"))
    _be_at(ben, "place:open")
    ada.people(("Ben", "viewing"))
    assert ada.heard_nothing(lambda said: said.get("topic") == "place:3" and said["people"][:1] == [_typing_ben()])


def _typing_ben() -> dict[str, object]:
    return {"id": 2, "name": "Ben", "state": "typing"}


def test_looking_away_ends_it(stage: Stage) -> None:
    hub = stage.hub()
    ada, ben = stage.browser(hub, 1), stage.browser(hub, 2)
    _look(ada, "place:3")
    assert _look(ada, "place:1")["people"] == {}
    _be_at(ben, "place:3")
    _be_at(ben, "place:open")
    _look(ada, "place:open")
    assert ada.heard_nothing(lambda said: said.get("topic") == "place:3")


def test_somebody_whose_process_died_lapses_for_lists_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supporthub.core.live.presence.LIFETIME", 1)
    ada, ben = stage.browser(stage.hub(), 1), stage.browser(stage.hub(), 2)
    _look(ada, "place:3")
    _be_at(ben, "place:3")
    ada.people(("Ben", "viewing"))
    ada.people(timeout=5)  # nothing more was said


def test_a_list_learns_who_came_while_redis_was_away(stage: Stage, redis_again: EmbeddedRedis) -> None:
    ada, ben = stage.browser(stage.hub(), 1), stage.browser(stage.hub(), 2)
    _be_at(ben, "place:3")
    assert _look(ada, "place:3")["people"]
    redis_again.kill()
    ada.live("degraded")
    ben.live("degraded")
    redis_again.start()
    ada.people()  # Redis has forgotten everybody
    ben.live()
    ben.say(type="presence", topic="place:3", state="viewing")
    ada.people(("Ben", "viewing"))


def test_too_many_topics_and_malformed_ones_are_refused(stage: Stage) -> None:
    ada = stage.browser(stage.hub(), 1)
    ada.say(type="look", topics=[f"place:{number}" for number in range(wire.MOST_TOPICS + 1)])
    assert ada.next() == {"type": "refused", "topic": None, "reason": "too_many_topics"}
    ada.say(type="look", topics=["place:1", 3])
    assert ada.next() == {"type": "refused", "topic": None, "reason": "no_such_topic"}
