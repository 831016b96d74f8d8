"""What can be watched: each app registers its topics here when it starts.

A topic's name is `prefix:argument` (`queue:3`, `ticket:12`). `may_see` judges a cached principal without a query;
`snapshot`, and `may_subscribe` where the topic says so, read the database and run in a thread.
"""

import re
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

logger = structlog.get_logger(__name__)

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}:[A-Za-z0-9_.-]{1,64}", re.ASCII)


class LivePrincipal(Protocol):
    """Who is listening. Principals with equal `key` may see the same, so one of them is asked for all of them."""

    @property
    def key(self) -> Hashable: ...
    @property
    def user_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def is_active(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of topic.

    `may_see(principal, event)` is pure; `event` has `topic`, `kind`, `id`, `version`, `data` and `scope` (the
    publisher's `scope`, never sent to browsers). `may_subscribe(principal, argument)` is pure unless `reads` is set.
    `snapshot(argument)` returns the digest of the topic's contents, not the contents: `(highest version, number of
    rows, check)`. A browser fetches the contents over HTTP, together with the digest that this same function gave, and
    fetches again when the two differ. `may_subscribe_to(principal, arguments)` returns those of the arguments that
    `may_subscribe` allows; a topic that reads has it, so that a list of many costs one query.
    """

    prefix: str
    may_subscribe: Callable[[Any, str], bool]
    may_see: Callable[[Any, Mapping[str, Any]], bool]
    snapshot: Callable[[str], tuple[int, ...]]
    reads: bool = False
    may_subscribe_to: Callable[[Any, Collection[str]], Collection[str]] | None = None


_topics: dict[str, Topic] = {}


def register_topic(
    *,
    prefix: str,
    may_subscribe: Callable[[Any, str], bool],
    may_see: Callable[[Any, Mapping[str, Any]], bool],
    snapshot: Callable[[str], tuple[int, ...]],
    reads: bool = False,
    may_subscribe_to: Callable[[Any, Collection[str]], Collection[str]] | None = None,
) -> Topic:
    """Register a kind of topic; ValueError when the prefix is malformed or taken."""
    if not NAME.fullmatch(f"{prefix}:0"):
        raise ValueError(f"{prefix!r} is no topic prefix")
    if prefix in _topics:
        raise ValueError(f"the topic {prefix!r} is registered already")
    topic = Topic(prefix, may_subscribe, may_see, snapshot, reads, may_subscribe_to)
    _topics[prefix] = topic
    return topic


def find_topic(name: str) -> tuple[Topic, str] | None:
    """Return the topic's kind and the argument in its name; None when nothing of that name can be watched."""
    if not NAME.fullmatch(name):
        return None
    prefix, _, argument = name.partition(":")
    topic = _topics.get(prefix)
    return (topic, argument) if topic else None


def may_subscribe(topic: Topic, principal: LivePrincipal, argument: str) -> bool:
    """Ask the topic; a rule that fails refuses."""
    if not principal.is_active:
        return False
    try:
        return bool(topic.may_subscribe(principal, argument))
    except Exception:  # boundary: an app's fault must not open a door, nor end the hub
        logger.exception("live.rule_failed", topic=topic.prefix, rule="may_subscribe")
        return False


def may_subscribe_to(topic: Topic, principal: LivePrincipal, arguments: Collection[str]) -> set[str]:
    """Return those of the arguments to which the principal may subscribe; a rule that fails refuses all."""
    if topic.may_subscribe_to is None:
        return {argument for argument in arguments if may_subscribe(topic, principal, argument)}
    try:
        return set(topic.may_subscribe_to(principal, arguments)) & set(arguments) if principal.is_active else set()
    except Exception:  # boundary: an app's fault must not open a door, nor end the hub
        logger.exception("live.rule_failed", topic=topic.prefix, rule="may_subscribe_to")
        return set()


def may_see(topic: Topic, principal: LivePrincipal, event: Mapping[str, Any]) -> bool:
    """Ask the topic; a rule that fails hides."""
    try:
        return principal.is_active and bool(topic.may_see(principal, event))
    except Exception:  # boundary: an app's fault must not open a door, nor end the hub
        logger.exception("live.rule_failed", topic=topic.prefix, rule="may_see")
        return False
