"""Events reach those who may see them, in order and without holes."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from supporthub.core import hurry
from supporthub.core.live import store
from supporthub.core.live.publish import broadcast, publish
from tests.integration.live.stage import FAST, Browser, Stage, Watcher

TOPIC = "place:open"
PUBLISHER = """
import sys, django
django.setup()
from supporthub.core import hurry
from supporthub.core.live import publish, store
store.ANSWER_TIMEOUT = publish.SEND_TIMEOUT = 30
for number in range(int(sys.argv[2])):
    publish.publish("place:open", "changed", id=number, version=int(sys.argv[1]) + number)
assert hurry.flush(60)
"""


def test_subscriber_gets_the_position_and_then_the_events(stage: Stage) -> None:
    stage.house.digests["open"] = (7, 2, 99)
    browser = stage.browser(stage.hub())
    snapshot = browser.subscribe(TOPIC)
    assert (snapshot["seq"], snapshot["digest"]) == (0, [7, 2, 99])
    publish(TOPIC, "ticket.opened", id=12, version=8, data={"title": "Drucker läuft"}, scope={"board": 3})
    assert browser.next() == {
        "type": "event", "topic": TOPIC, "epoch": snapshot["epoch"], "seq": 1, "after": 0, "kind": "ticket.opened",
        "id": 12, "version": 8, "title": "Drucker läuft",
    }  # fmt: skip


def test_scope_is_not_sent_and_data_cannot_forge_the_envelope(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    publish(TOPIC, "changed", id=1, version=2, data={"seq": 77, "topic": "place:9"}, scope={"board": 3})
    event = browser.next()
    assert (event["seq"], event["topic"], "scope" in event) == (1, TOPIC, False)


def test_numbers_are_contiguous_across_publishing_processes(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    count = 60
    publishers = [
        subprocess.Popen([sys.executable, "-c", PUBLISHER, str(first), str(count)], cwd=Path(__file__).parents[3])
        for first in (1000, 2000)
    ]
    assert [publisher.wait(90) for publisher in publishers] == [0, 0]
    events = [browser.until(lambda said: said["type"] == "event") for _ in range(2 * count)]
    assert [event["seq"] for event in events] == list(range(1, 2 * count + 1))
    assert {event["version"] for event in events} == {*range(1000, 1000 + count), *range(2000, 2000 + count)}
    assert len({event["epoch"] for event in events}) == 1


def test_unsubscribed_topic_falls_silent(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    browser.subscribe("place:1")
    browser.say(type="unsubscribe", topic=TOPIC)
    browser.subscribe("place:3")  # the hub answers in order
    publish(TOPIC, "changed", id=1, version=1)
    publish("place:1", "changed", id=1, version=2)
    browser.event(2)
    assert browser.heard_nothing(lambda said: said.get("version") == 1)


def test_foreign_topic_is_refused_and_nothing_of_it_is_sent(stage: Stage) -> None:
    hub = stage.hub()
    browser = stage.browser(hub, 2)
    assert browser.subscribe("place:1") == {"type": "refused", "topic": "place:1", "reason": "not_allowed"}
    browser.subscribe("place:3")
    publish("place:1", "changed", id=1, version=1)
    publish("place:3", "changed", id=1, version=2)
    browser.event(2)
    assert browser.heard_nothing(lambda said: said.get("version") == 1)


def _positions(browser: Browser) -> list[tuple[int, int]]:
    return [(said["after"], said["seq"]) for said in browser.heard if said["type"] == "event" and "seq" in said]


def test_hidden_events_are_not_sent_and_leave_no_hole(stage: Stage) -> None:
    """A client's `after` always is the number it has reached: it never takes a hidden event for a lost one."""
    hub = stage.hub()
    lead, ben = stage.browser(hub, 1), stage.browser(hub, 2)
    for browser in (lead, ben):
        browser.subscribe(TOPIC)
    for version, board in enumerate((3, 1, 1, 3, 1, 3, 3), start=1):
        publish(TOPIC, "changed", id=1, version=version, scope={"board": board})
    lead.event(7)
    ben.event(7)
    assert _positions(lead) == [(number - 1, number) for number in range(1, 8)]
    assert _positions(ben) == [(0, 1), (1, 4), (4, 6), (6, 7)]


def test_an_event_is_judged_once_for_all_with_the_same_rights(stage: Stage) -> None:
    hub = stage.hub()
    for user_id in (11, 12, 13):
        stage.house.people[user_id] = Watcher(user_id, frozenset({3}))
    browsers = [stage.browser(hub, user_id) for user_id in (1, 2, 11, 12, 13)]
    for browser in browsers:
        browser.subscribe(TOPIC)
    stage.house.judged.clear()
    publish(TOPIC, "changed", id=1, version=1, scope={"board": 3})
    for browser in browsers:
        browser.event(1)
    assert sorted(map(len, stage.house.judged)) == [1, 2]  # type: ignore[arg-type]


def _take_numbers(count: int) -> str:
    """Advance the topic as `count` publishers would; return its epoch."""
    (epoch,) = {epoch for epoch, _ in store.advance([TOPIC] * count)}
    return epoch


def _send_numbered(epoch: str, *numbers: int) -> None:
    async def send() -> None:
        for number in numbers:
            row = {"kind": "changed", "id": 1, "version": number, "data": {}, "scope": {}}
            event = {"type": "event", "topic": TOPIC, "epoch": epoch, "seq": number, **row}
            await broadcast({"type": "events", "events": [event]})

    asyncio.run(send())


def test_overtaken_event_is_put_back_in_order(stage: Stage) -> None:
    """Numbers are taken before sending, so a slower publisher may send the lower number later."""
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    epoch = _take_numbers(3)
    _send_numbered(epoch, 3, 2, 1)
    browser.event(3)
    assert _positions(browser) == [(0, 1), (1, 2), (2, 3)]


def test_event_that_is_sent_twice_is_shown_once(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    epoch = _take_numbers(2)
    _send_numbered(epoch, 1, 1, 2)
    browser.event(2)
    assert _positions(browser) == [(0, 1), (1, 2)]


def test_number_whose_event_never_comes_makes_a_new_snapshot(stage: Stage) -> None:
    """A publisher killed between taking a number and sending leaves a hole: everybody fetches again."""
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    store.advance([TOPIC])
    publish(TOPIC, "changed", id=1, version=2)
    assert browser.until(lambda said: said["type"] == "snapshot")["seq"] == 2
    publish(TOPIC, "changed", id=1, version=3)
    assert (browser.event(3)["after"], browser.heard[-1]["seq"]) == (2, 3)


def test_lost_position_makes_a_new_epoch_and_a_new_snapshot(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    first = browser.subscribe(TOPIC)
    store.client().flushall()
    publish(TOPIC, "changed", id=1, version=1)
    again = browser.until(lambda said: said["type"] == "snapshot")
    assert again["epoch"] != first["epoch"]
    assert again["seq"] == 1


def test_resync_answers_where_the_topic_is_now(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    browser.subscribe(TOPIC)
    publish(TOPIC, "changed", id=1, version=1)
    browser.event(1)
    stage.house.digests["open"] = (1, 1, 1)
    browser.say(type="resync", topic=TOPIC)
    snapshot = browser.until(lambda said: said["type"] == "snapshot")
    assert (snapshot["seq"], snapshot["digest"]) == (1, [1, 1, 1])


def test_second_watcher_starts_where_the_first_one_is(stage: Stage) -> None:
    hub = stage.hub()
    stage.browser(hub).subscribe(TOPIC)
    first = stage.browser(hub)
    first.subscribe(TOPIC)
    publish(TOPIC, "changed", id=1, version=1)
    first.event(1)
    late = stage.browser(hub, 2)
    assert late.subscribe(TOPIC)["seq"] == 1
    publish(TOPIC, "changed", id=1, version=2)
    assert late.event(2)["after"] == 1


def test_slow_client_gets_the_position_anew_instead_of_what_was_dropped(stage: Stage) -> None:
    slow = stage.browser(stage.hub())
    slow.subscribe(TOPIC)
    count = 700  # far more than queue, server and kernel hold of frames this long
    for version in range(1, count + 1):
        publish(TOPIC, "changed", id=1, version=version, data={"text": "x" * 40_000})
    assert hurry.flush(30)
    snapshot = slow.until(lambda said: said["type"] == "snapshot")
    heard = [said["version"] for said in slow.heard if said["type"] == "event" and "version" in said]
    assert heard == list(range(1, len(heard) + 1))  # what was sent before is whole
    assert len(heard) < snapshot["seq"] <= count
    publish(TOPIC, "changed", id=1, version=9999)
    assert slow.event(9999)["seq"] == count + 1


def test_digest_tells_of_events_that_never_came(stage: Stage) -> None:
    """The row changed and nothing was published: the next digest differs from what the browser has."""
    browser = stage.browser(stage.hub(replace(FAST, digest=0.2)))
    assert browser.subscribe(TOPIC)["digest"] == [0, 0, 0]
    stage.house.digests["open"] = (41, 3, 1234)
    said = browser.until(lambda said: said["type"] == "digest" and said["digest"] != [0, 0, 0])
    assert (said["topic"], said["digest"]) == (TOPIC, [41, 3, 1234])


def test_digest_is_read_once_for_all_sockets_of_a_process(stage: Stage) -> None:
    hub = stage.hub(replace(FAST, digest=0.3))
    browsers = [stage.browser(hub, user_id) for user_id in (1, 2, 3)]
    for browser in browsers:
        browser.subscribe(TOPIC)
    stage.house.digest_calls.clear()
    stage.house.digests["open"] = (1, 1, 1)
    for browser in browsers:
        browser.until(lambda said: said["type"] == "digest" and said["digest"] == [1, 1, 1])
    sent = len([said for said in browsers[0].heard if said["type"] == "digest"])
    assert len(stage.house.digest_calls) <= sent + 1  # the next one may be on its way
