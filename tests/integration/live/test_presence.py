"""Who looks and who types, across tabs and processes."""

import pytest

from supporthub.core.live import presence, store
from supporthub.runtime.processes import wait_until
from tests.integration.live.stage import Browser, Stage

TOPIC = "place:open"


def _come(stage: Stage, user_id: int, hub: object = None) -> Browser:
    browser = stage.browser(hub or stage.hub(), user_id)  # type: ignore[arg-type]
    browser.subscribe(TOPIC)
    return browser


def test_people_are_shown_across_processes_and_go_with_their_socket(stage: Stage) -> None:
    ada, ben = _come(stage, 1), _come(stage, 2)
    ada.say(type="presence", topic=TOPIC, state="viewing")
    ben.people(("Ada", "viewing"))
    ben.say(type="presence", topic=TOPIC, state="typing")
    assert ada.people(("Ada", "viewing"), ("Ben", "typing"))["topic"] == TOPIC
    ben.say(type="presence", topic=TOPIC, state="viewing")
    ada.people(("Ada", "viewing"), ("Ben", "viewing"))
    ben.close()
    ada.people(("Ada", "viewing"))
    ada.say(type="presence", topic=TOPIC, state="gone")
    ada.people()


def test_newcomer_is_told_who_is_there(stage: Stage) -> None:
    ada = _come(stage, 1)
    ada.say(type="presence", topic=TOPIC, state="viewing")
    ada.people(("Ada", "viewing"))
    _come(stage, 2).people(("Ada", "viewing"))


def test_several_tabs_of_one_person_count_once(stage: Stage) -> None:
    hub = stage.hub()
    tabs, ben = [_come(stage, 1, hub), _come(stage, 1, hub)], _come(stage, 2, hub)
    for tab in tabs:
        tab.say(type="presence", topic=TOPIC, state="viewing")
    tabs[1].say(type="presence", topic=TOPIC, state="typing")
    ben.people(("Ada", "typing"))
    tabs[1].close()
    ben.people(("Ada", "viewing"))
    tabs[0].close()
    ben.people()


def test_somebody_whose_process_died_lapses(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LIFETIME", 1)
    ada = _come(stage, 1)
    ada.say(type="presence", topic=TOPIC, state="viewing")
    ada.people(("Ada", "viewing"))
    ada.people(timeout=5)  # nothing more was said


def test_unsubscribing_says_goodbye(stage: Stage) -> None:
    hub = stage.hub()
    ada, ben = _come(stage, 1, hub), _come(stage, 2, hub)
    ada.say(type="presence", topic=TOPIC, state="typing")
    ben.people(("Ada", "typing"))
    ada.say(type="unsubscribe", topic=TOPIC)
    ben.people()


def test_presence_needs_the_topic(stage: Stage) -> None:
    browser = stage.browser(stage.hub(), 2)
    browser.say(type="presence", topic="place:1", state="viewing")
    assert browser.next() == {"type": "refused", "topic": "place:1", "reason": "not_subscribed"}
    assert store.client().keys("hub:live:presence:*") == []


def test_pages_read_the_presence_of_many_topics_at_once(stage: Stage) -> None:
    ada = _come(stage, 1)
    ada.say(type="presence", topic=TOPIC, state="viewing")
    here = {TOPIC: [{"id": 1, "name": "Ada", "state": "viewing"}]}
    assert wait_until(lambda: presence.people_on([TOPIC, "place:1", "place:3"]) == here, 5)
    assert presence.people_on([]) == {}


def test_presence_leaves_nothing_behind_in_redis(stage: Stage) -> None:
    ada = _come(stage, 1)
    ada.say(type="presence", topic=TOPIC, state="viewing")
    ada.people(("Ada", "viewing"))
    (key,) = store.client().keys("hub:live:presence:*")
    assert 0 < store.client().ttl(key) <= presence.LIFETIME
