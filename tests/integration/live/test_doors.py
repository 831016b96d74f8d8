"""Who gets in, how long they stay, and what ends a socket."""

import time
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosed

from supporthub.core.live import store, wire
from supporthub.core.live.publish import control, publish
from supporthub.core.live.tickets import issue_ticket
from supporthub.runtime.plan import LONGEST_MESSAGE
from supporthub.runtime.processes import wait_until
from tests.integration.live.stage import FAST, Stage, Watcher

TOPIC = "place:open"


def test_stranger_is_told_to_sign_in(stage: Stage) -> None:
    assert stage.hub().open(77).close_code() == 4401


def test_switched_off_account_is_told_to_sign_in(stage: Stage) -> None:
    stage.house.people[1] = Watcher(1, is_active=False)
    assert stage.hub().open(1).close_code() == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", None])
def test_page_of_somebody_else_is_refused_despite_the_cookie(stage: Stage, origin: str | None) -> None:
    browser = stage.hub().open(1, origin=origin)
    assert browser.close_code() == 4403
    assert browser.heard == []


def test_ticket_opens_one_socket_from_anywhere(stage: Stage) -> None:
    hub = stage.hub()
    ticket = issue_ticket("2")
    browser = hub.open(0, origin=None, ticket=ticket)
    assert browser.subscribe("place:3")["type"] == "snapshot"
    assert hub.open(0, origin=None, ticket=ticket).close_code() == 4401
    browser.close()


def test_ticket_counts_and_the_cookie_beside_it_does_not(stage: Stage) -> None:
    hub = stage.hub()
    browser = hub.open(1, origin="https://elsewhere.example", ticket=issue_ticket("2"))
    assert browser.subscribe("place:1")["reason"] == "not_allowed"
    browser.close()
    assert hub.open(1, ticket="made-up").close_code() == 4401


def test_ticket_is_stored_as_a_hash_and_lapses(stage: Stage) -> None:
    ticket = issue_ticket("2")
    (key,) = store.client().keys("hub:live:ticket:*")
    assert ticket.encode() not in key
    assert 0 < store.client().ttl(key) <= 30


def test_signed_out_user_is_disconnected_within_a_second_and_nobody_else(stage: Stage) -> None:
    hub = stage.hub()
    tabs, other = [stage.browser(hub, 1), stage.browser(hub, 1)], stage.browser(hub, 2)
    other.subscribe(TOPIC)
    started = time.perf_counter()
    control("signed_out", 1)
    assert [tab.close_code() for tab in tabs] == [4408, 4408]
    assert time.perf_counter() - started < 1
    publish(TOPIC, "changed", id=1, version=1)
    other.event(1)


def test_switched_off_user_is_disconnected_within_a_second(stage: Stage) -> None:
    browser = stage.browser(stage.hub(), 1)
    del stage.house.people[1]
    started = time.perf_counter()
    control("access_changed", 1)
    assert browser.close_code() == 4408
    assert time.perf_counter() - started < 1


def test_lost_role_ends_its_topics_and_keeps_the_others(stage: Stage) -> None:
    browser = stage.browser(stage.hub(), 1)
    browser.subscribe("place:1")
    browser.subscribe("place:3")
    stage.house.people[1] = Watcher(1, frozenset({3}))
    control("access_changed", 1)
    refused = browser.until(lambda said: said["type"] == "refused")
    assert refused == {"type": "refused", "topic": "place:1", "reason": "not_allowed"}
    publish("place:1", "changed", id=1, version=1)
    publish("place:3", "changed", id=1, version=2)
    browser.event(2)
    assert browser.heard_nothing(lambda said: said.get("version") == 1)


def test_won_role_shows_from_now_on_what_was_hidden(stage: Stage) -> None:
    browser = stage.browser(stage.hub(), 2)
    browser.subscribe(TOPIC)
    stage.house.people[2] = Watcher(2, frozenset({1, 3}))
    control("access_changed", 2)
    browser.until(lambda said: said["type"] == "snapshot")
    publish(TOPIC, "changed", id=1, version=1, scope={"board": 1})
    assert browser.event(1)["after"] == 0


def test_rights_are_looked_at_again_by_the_clock(stage: Stage) -> None:
    browser = stage.browser(stage.hub(replace(FAST, refresh=0.5)), 1)
    del stage.house.people[1]
    assert browser.close_code() == 4408


def test_rights_that_cannot_be_checked_for_too_long_end_the_socket(stage: Stage) -> None:
    browser = stage.browser(stage.hub(replace(FAST, refresh=0.3, unrefreshed=0.5)), 1)
    stage.house.broken = True
    assert browser.close_code() == 1013


def test_garbage_is_answered_and_the_socket_goes_on(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    reasons = []
    for garbage in ("{", "[]", '{"type":"subscribe"}', '{"type":"delete","topic":"place:1"}', "[" * 10_000):
        browser.connection.send(garbage)
        reasons.append(browser.next()["reason"])
    assert reasons == ["not_json", "not_an_object", "no_such_topic", "unknown_request", "not_json"]
    assert browser.subscribe("nowhere:1")["reason"] == "no_such_topic"
    assert browser.subscribe("place:abc")["reason"] == "not_allowed"  # the topic's own rule fails on it
    assert browser.subscribe(TOPIC)["type"] == "snapshot"


def test_bytes_and_long_frames_end_the_socket(stage: Stage) -> None:
    hub = stage.hub()
    bytes_sender, long_sender = stage.browser(hub), stage.browser(hub)
    bytes_sender.connection.send(b"{}")
    assert bytes_sender.close_code() == 1003
    long_sender.connection.send("ä" * (wire.LONGEST_FRAME // 2 + 1))
    assert long_sender.close_code() == 1009


def test_a_huge_frame_ends_its_socket_before_the_hub_has_it_and_nothing_else(stage: Stage) -> None:
    hub = stage.hub()
    sender, other = stage.browser(hub), stage.browser(hub, 2)
    other.subscribe(TOPIC)
    sender.connection.send("x" * (LONGEST_MESSAGE + 1))
    assert sender.close_code() == 1009
    assert "16 kB" not in (sender.connection.close_reason or "")  # the hub's own words, for shorter ones
    publish(TOPIC, "changed", id=1, version=1)
    other.event(1)
    assert stage.browser(hub).subscribe(TOPIC)["type"] == "snapshot"


def test_too_many_messages_end_the_socket(stage: Stage) -> None:
    browser = stage.browser(stage.hub())
    try:
        for _ in range(2000):
            browser.say(type="unsubscribe", topic=TOPIC)
    except ConnectionClosed:
        pass  # the close arrived while we were still sending
    assert browser.close_code() == 1008


def test_two_hundred_topics_are_enough(stage: Stage) -> None:
    stage.house.people[1] = Watcher(1, frozenset(range(300)))
    browser = stage.browser(stage.hub())
    for number in range(201):
        browser.say(type="subscribe", topic=f"place:{number}")
    refused = browser.until(lambda said: said["type"] == "refused")
    assert (refused["topic"], refused["reason"]) == ("place:200", "too_many_topics")


def test_leaving_server_tells_browsers_to_come_back(stage: Stage) -> None:
    hub = stage.hub()
    browser = stage.browser(hub)
    browser.subscribe(TOPIC)
    hub.stop()
    assert browser.close_code() == 1012


def test_closed_sockets_are_forgotten(stage: Stage) -> None:
    hub = stage.hub()
    browser = stage.browser(hub)
    browser.subscribe(TOPIC)
    assert hub.live.hub.sockets == 1
    browser.close()
    assert wait_until(lambda: hub.live.hub.sockets == 0, 5)
