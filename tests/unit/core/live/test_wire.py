"""Whatever a browser sends is a request or a refusal, and what the hub sends is JSON with its own envelope."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.live import wire
from supporthub.core.live.topics import find_topic, register_topic

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ALMOST = st.fixed_dictionaries(
    {"type": st.sampled_from(["subscribe", "unsubscribe", "resync", "presence", "look", "publish", None])},
    optional={
        "topic": st.sampled_from(["board:3", "board", ":", "Board:3", "b:\n"]) | JSON,
        "topics": st.lists(st.sampled_from(["board:3", "ticket:1", "board"]) | JSON, max_size=3) | JSON,
        "state": JSON,
    },
)


@given(st.text() | (JSON | ALMOST).map(json.dumps))
def test_every_frame_is_a_request_or_is_misunderstood(text: str) -> None:
    try:
        request = wire.parse(text)
    except wire.MisunderstoodError:
        return
    said = json.loads(text)
    assert request.type == said["type"]
    if request.type == "look":
        assert request.topics == set(said["topics"])
    else:
        assert request.topic == said["topic"]


def test_presence_names_a_known_state() -> None:
    assert wire.parse('{"type":"presence","topic":"ticket:12","state":"typing"}').state == "typing"
    with pytest.raises(wire.MisunderstoodError):
        wire.parse('{"type":"presence","topic":"ticket:12","state":["typing"]}')


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_data_never_replaces_the_envelope(data: dict[str, Any]) -> None:
    fixed = {"topic": "board:3", "epoch": "e", "seq": 5, "kind": "taken", "id": 1, "version": 9}
    frame = wire.event({**fixed, "type": "event", "data": data, "scope": {"board": 3}}, after=3)
    said = json.loads(frame["text"])
    envelope = {**fixed, "type": "event", "after": 3}
    assert said == {**data, **envelope}


@pytest.mark.parametrize("prefix", ["", "Board", "a:b", "board ", "x" * 40])
def test_malformed_prefix_cannot_be_registered(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        register_topic(
            prefix=prefix, may_subscribe=lambda *_: True, may_see=lambda *_: True, snapshot=lambda _: (0, 0, 0)
        )


@given(st.text())
def test_nothing_is_found_that_is_not_registered(name: str) -> None:
    assert find_topic(name) is None or name.partition(":")[0] in {"queue", "ticket", "board"}
