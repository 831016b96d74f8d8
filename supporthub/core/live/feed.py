"""One watched topic in this process: who watches it, where it is, and how its events reach them.

Watchers are grouped by their principal's key, so that each event is judged once a group and written out once. A watcher
joins its group in the same step in which its snapshot is queued; so every later event of the topic is in its queue.
"""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog

from supporthub.core.live import wire
from supporthub.core.live.client import Client
from supporthub.core.live.presence import Person
from supporthub.core.live.topics import Topic, may_see

logger = structlog.get_logger(__name__)

PATIENCE: Final = 0.1  # seconds to wait for an earlier number: two publishers may overtake each other
MOST_EARLY: Final = 1000

Event = Mapping[str, Any]


class Sources(Protocol):
    """What a feed asks of its hub. Each answers None when it cannot be known at the moment; none raises."""

    async def position(self, topic: str) -> tuple[str, int] | None: ...
    async def digest(self, feed: "Feed") -> Sequence[int] | None: ...
    async def people(self, topic: str) -> list[Person] | None: ...
    def spawn(self, work: Any) -> None: ...


class Feed:
    """The topic's watchers, and its stream put in order."""

    def __init__(self, name: str, topic: Topic, argument: str, sources: Sources, patience: float = PATIENCE) -> None:
        self.name = name
        self.topic = topic
        self.argument = argument
        self.people: list[Person] = []
        self.digest_at = 0.0
        self._sources = sources
        self._patience = patience
        self._groups: dict[Hashable, set[Client]] = {}
        self._waiting: set[Client] = set()
        self._epoch = ""
        self._seq: int | None = None  # None: not placed, an admission will ask
        self._early: dict[int, Event] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._hidden: dict[Hashable, int] = {}  # a group's last number before the events now hidden from it
        self._backlog: list[Event] = []  # what came while an admission was under way
        self._admitting = False
        self._turn = 0  # raised whenever the position is thrown away

    @property
    def is_empty(self) -> bool:
        return not self._groups and not self._waiting

    def admit(self, client: Client) -> None:
        """Let the client (again) have a snapshot and what follows it."""
        self._leave_group(client)
        self._waiting.add(client)
        self._start_admission()

    def remove(self, client: Client) -> None:
        self._waiting.discard(client)
        self._leave_group(client)

    def readmit_everybody(self) -> None:
        """Events were missed: everybody gets a fresh snapshot, at the position that Redis tells."""
        self._turn += 1
        self._seq = None
        self._forget_early()
        for clients in self._groups.values():
            self._waiting |= clients
        self._groups.clear()
        self._hidden.clear()
        self._start_admission()

    def show(self, frame: wire.Frame) -> None:
        """Send something without a number to everybody who watches."""
        for clients in self._groups.values():
            for client in clients:
                client.offer(frame)

    def show_people(self, people: list[Person]) -> None:
        if people != self.people:
            self.people = people
            self.show(wire.presence(self.name, people))

    def take(self, event: Event) -> None:
        """Accept an event in whatever order it comes; deliver in the order of the numbers."""
        seq = event["seq"]
        if self._seq is None or event["epoch"] != self._epoch:
            if self._seq is not None or not self._admitting:
                self.readmit_everybody()
            self._keep_early(event)
        elif seq == self._seq + 1:
            self._deliver(event)
            self._deliver_early()
        elif seq > self._seq:
            self._keep_early(event)

    def _keep_early(self, event: Event) -> None:
        if len(self._early) >= MOST_EARLY:
            self.readmit_everybody()
            return
        self._early[event["seq"]] = event
        if self._timer is None and self._seq is not None:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._give_up_waiting)

    def _deliver_early(self) -> None:
        while self._early and self._seq is not None and (event := self._early.pop(self._seq + 1, None)) is not None:
            self._deliver(event)
        if not self._early:
            self._forget_early()

    def _give_up_waiting(self) -> None:
        self._timer = None
        if self._early:
            logger.info("live.gap", topic=self.name)
            self.readmit_everybody()

    def _forget_early(self) -> None:
        self._early.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _deliver(self, event: Event) -> None:
        seq = event["seq"]
        self._seq = seq
        if self._admitting:
            self._backlog.append(event)
        frames: dict[int, wire.Frame] = {}
        for key, clients in self._groups.items():
            if not self._visible(clients, event):
                self._hidden.setdefault(key, seq - 1)
                continue
            after = self._hidden.pop(key, seq - 1)
            frame = frames.get(after)
            if frame is None:
                frame = frames[after] = wire.event(event, after)
            for client in clients:
                client.offer(frame)

    def _visible(self, clients: set[Client], event: Event) -> bool:
        return may_see(self.topic, next(iter(clients)).principal, event)

    def _leave_group(self, client: Client) -> None:
        for key, clients in self._groups.items():
            if client in clients:
                clients.discard(client)
                if not clients:
                    del self._groups[key]
                    self._hidden.pop(key, None)
                return

    def _start_admission(self) -> None:
        if self._waiting and not self._admitting:
            self._admitting = True
            self._sources.spawn(self._admit())

    async def _admit(self) -> None:
        try:
            while self._waiting:
                await self._admit_once()
        finally:
            self._admitting = False
            self._backlog.clear()

    async def _admit_once(self) -> None:
        """Position first, digest afterwards: the digest then includes everything up to the position, at least."""
        turn = self._turn
        if self._seq is None:
            position = await self._sources.position(self.name)
            if turn != self._turn:
                return
            self._place(position)
        start = self._seq
        self._backlog.clear()
        digest = await self._sources.digest(self)
        people = await self._sources.people(self.name)
        if turn != self._turn:
            return
        frame = wire.snapshot(self.name, self._epoch, start or 0, digest)
        arrived, self._waiting = self._waiting, set()
        for client in arrived:
            client.offer(frame)
            self._catch_up(client, start or 0)
            self._groups.setdefault(client.principal.key, set()).add(client)
        if people:
            self.people = people
            shown = wire.presence(self.name, people)
            for client in arrived:
                client.offer(shown)

    def _place(self, position: tuple[str, int] | None) -> None:
        """Stand at Redis's position, with the events that arrived meanwhile and are later than it."""
        if position is None:
            self._epoch = ""
            self._forget_early()
            return
        self._epoch, self._seq = position
        later = [event for event in self._early.values() if event["epoch"] == self._epoch and event["seq"] > self._seq]
        self._forget_early()
        for event in sorted(later, key=lambda event: int(event["seq"])):
            self.take(event)

    def _catch_up(self, client: Client, start: int) -> None:
        """Queue what came between the snapshot's position and now, as far as this client may see it."""
        after = start
        for event in self._backlog:
            if may_see(self.topic, client.principal, event):
                client.offer(wire.event(event, after))
                after = event["seq"]
        if self._seq is not None and after != self._seq and client.principal.key not in self._groups:
            self._hidden[client.principal.key] = after
