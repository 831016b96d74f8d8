"""The rule of numbers: whatever is hidden, late, doubled or lost, who follows `after` knows what was missed."""

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from supporthub.core.live.client import Client, Pump
from supporthub.core.live.feed import Feed
from supporthub.core.live.presence import Person
from supporthub.core.live.topics import Topic


@dataclass(frozen=True)
class Watcher:
    user_id: int
    boards: frozenset[int]
    name: str = "Ada"
    is_active: bool = True

    @property
    def key(self) -> frozenset[int]:
        return self.boards


@dataclass
class World:
    """Redis's position, and a browser that follows the documented rule."""

    seq: int = 0
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def position(self, topic: str) -> tuple[str, int] | None:
        answer = self.seq
        await asyncio.sleep(0)  # the answer's way back, in which more may happen
        return "e", answer

    async def digest(self, feed: Feed) -> Sequence[int] | None:
        await asyncio.sleep(0)
        return [0, 0, 0]

    async def people(self, topic: str) -> list[Person] | None:
        return None

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


@dataclass
class Browser:
    """Knows what it has seen: everything up to its position, from a snapshot or by events."""

    position: int = -1
    covered: set[int] = field(default_factory=set)
    holes: int = 0

    async def take(self, frame: Any) -> None:
        said = json.loads(frame["text"])
        if said["type"] == "snapshot":
            self.position = said["seq"]
            self.covered |= set(range(1, said["seq"] + 1))
        elif said["after"] > self.position:
            self.holes += 1
        elif said["seq"] > self.position:
            self.position = said["seq"]
            self.covered.add(said["seq"])


Step = tuple[Literal["send", "delay", "lose", "double", "turn"], int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["send", "send", "delay", "lose", "double", "turn", "turn"]), st.sampled_from([1, 3])),
    max_size=15,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.integers(0, 15))
def test_every_visible_event_is_covered_by_a_snapshot_or_shown(steps: list[Step], second_joins_at: int) -> None:
    asyncio.run(_play(steps, second_joins_at))


@dataclass
class Play:
    """One topic, two watchers with different rights, and publishers that are late, killed or doubled."""

    world: World = field(default_factory=World)
    boards: dict[int, int] = field(default_factory=dict)
    delayed: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        topic = Topic("t", lambda *_: True, _may_see, lambda _: (0, 0, 0))
        self.feed = Feed("t:1", topic, "1", self.world, patience=0.001)
        self.browsers = [Browser(), Browser()]
        self.watchers = [Watcher(1, frozenset({1, 3})), Watcher(2, frozenset({3}))]
        pump = Pump(self.world.spawn)
        self.clients = [
            Client(watcher, browser.take, str(watcher.user_id), pump)
            for watcher, browser in zip(self.watchers, self.browsers, strict=True)
        ]

    def publish(self, what: str, board: int) -> None:
        self.world.seq += 1
        self.boards[self.world.seq] = board
        numbers = {"epoch": "e", "seq": self.world.seq, "version": self.world.seq}
        event = {**numbers, "topic": "t:1", "kind": "k", "id": 1, "data": {}, "scope": {"board": board}}
        if what == "delay":
            self.delayed.append(event)
        elif what != "lose":
            for _ in range(2 if what == "double" else 1):
                self.feed.take(event)
            while self.delayed:
                self.feed.take(self.delayed.pop())

    async def settle(self) -> None:
        await asyncio.sleep(0.005)  # longer than the feed's patience
        while self.world.tasks:
            await asyncio.gather(*self.world.tasks)


def _may_see(watcher: Watcher, event: Mapping[str, Any]) -> bool:
    return event["scope"]["board"] in watcher.boards


async def _play(steps: list[Step], second_joins_at: int) -> None:
    play = Play()
    play.feed.admit(play.clients[0])
    for index, (what, board) in enumerate([*steps, ("turn", 3), ("send", 3)]):
        if index == min(second_joins_at, len(steps)):
            play.feed.admit(play.clients[1])
        if what == "turn":
            for _ in range(board):
                await asyncio.sleep(0)
        else:
            play.publish(what, board)
    await play.settle()
    for watcher, browser in zip(play.watchers, play.browsers, strict=True):
        assert {seq for seq, board in play.boards.items() if board in watcher.boards} <= browser.covered
        assert browser.holes == 0


async def test_slow_client_holds_up_nobody_else() -> None:
    world, free = World(), asyncio.Event()
    reached: list[str] = []

    async def slow(_: Any) -> None:
        await free.wait()
        reached.append("slow")

    async def brisk(_: Any) -> None:
        reached.append("brisk")

    pump = Pump(world.spawn)
    senders = (slow, brisk, slow, brisk)
    clients = [Client(Watcher(1, frozenset()), send, str(number), pump) for number, send in enumerate(senders)]
    for client in clients:
        client.offer({"type": "websocket.send", "text": "{}"})
    await asyncio.sleep(0.01)
    assert reached == ["brisk", "brisk"]
    free.set()
    await asyncio.gather(*world.tasks)
    assert reached == ["brisk", "brisk", "slow", "slow"]
