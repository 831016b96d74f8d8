"""The words on the socket: what a browser may say, and what the hub answers. Pure.

All frames are JSON text. A browser says `subscribe`, `unsubscribe`, `resync`, `presence` or `look`; nothing is written
through a socket. The hub says `snapshot`, `event`, `digest`, `crowd` and `refused`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from supporthub.core.live.topics import NAME

# Close codes; 1003, 1008, 1009 and 1013 are RFC 6455's and IANA's, 4xxx are ours.
NOT_TEXT: Final = 1003
TOO_FAST: Final = 1008
TOO_LONG: Final = 1009
OVERLOADED: Final = 1013
NOT_SIGNED_IN: Final = 4401
FOREIGN_ORIGIN: Final = 4403
SIGNED_OUT: Final = 4408

LONGEST_FRAME: Final = 16 * 1024
MOST_TOPICS: Final = 200

Frame = dict[str, Any]  # an ASGI `websocket.send` message; one object serves all sockets


@dataclass(frozen=True, slots=True)
class Request:
    """A frame from a browser that is well-formed. `state` is set for `presence` only, `topics` for `look` only."""

    type: str
    topic: str
    state: str = ""
    topics: frozenset[str] = frozenset()


class MisunderstoodError(ValueError):
    """A frame that is no request; the text is the reason to answer."""


def parse(text: str) -> Request:
    """Read a browser's frame; raises MisunderstoodError."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise MisunderstoodError("not_json") from None
    if not isinstance(said, dict):
        raise MisunderstoodError("not_an_object")
    kind, topic, state = said.get("type"), said.get("topic"), said.get("state", "")
    if kind == "look":
        return Request(kind, "", topics=_topics(said.get("topics")))
    if not isinstance(topic, str) or not NAME.fullmatch(topic):
        raise MisunderstoodError("no_such_topic")
    if kind in ("subscribe", "unsubscribe", "resync"):  # a tuple: what a browser says need not be hashable
        return Request(kind, topic)
    if kind == "presence" and state in ("viewing", "typing", "gone"):
        return Request(kind, topic, state)
    raise MisunderstoodError("unknown_request")


def _topics(said: object) -> frozenset[str]:
    if not isinstance(said, list) or not all(isinstance(name, str) and NAME.fullmatch(name) for name in said):
        raise MisunderstoodError("no_such_topic")
    if len(said) > MOST_TOPICS:
        raise MisunderstoodError("too_many_topics")
    return frozenset(said)


def snapshot(topic: str, epoch: str, seq: int, digest: Sequence[int] | None) -> Frame:
    """The position from which events count. `digest` is null when the database could not be read."""
    return _frame({"type": "snapshot", "topic": topic, "epoch": epoch, "seq": seq, "digest": digest})


def event(said: Mapping[str, Any], after: int) -> Frame:
    """`after` is the last number before this event that the receiver was allowed to see, or was not concerned by."""
    fixed = {name: said[name] for name in ("topic", "epoch", "seq", "kind", "id", "version")}
    return _frame({**said["data"], "type": "event", **fixed, "after": after})


def digest(topic: str, digest: Sequence[int]) -> Frame:
    return _frame({"type": "digest", "topic": topic, "digest": digest})


def presence(topic: str, people: Sequence[Mapping[str, Any]]) -> Frame:
    return _frame({"type": "event", "topic": topic, "kind": "presence", "people": people})


def crowd(people: Mapping[str, Sequence[Mapping[str, Any]]]) -> Frame:
    """Who is on the topics that the browser looks at; nobody is on those that are not named."""
    return _frame({"type": "crowd", "people": people})


def refused(topic: str | None, reason: str) -> Frame:
    return _frame({"type": "refused", "topic": topic, "reason": reason})


def state(state: str) -> Frame:
    """`live` or `degraded`: whether events flow, or only digests."""
    return _frame({"type": "event", "kind": "live", "state": state})


def _frame(content: Mapping[str, Any]) -> Frame:
    return {"type": "websocket.send", "text": json.dumps(content, separators=(",", ":"), ensure_ascii=False)}
