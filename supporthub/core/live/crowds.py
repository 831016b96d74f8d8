"""Who is on the many topics that a list shows: one request a page, one answer, and then what changes.

A list that subscribed to each of its rows would have every row's digest read from the database again and again. Looking
costs Redis one round trip and no snapshot: there is no number, the newest list of people counts. Whoever looks must be
allowed to subscribe to each topic; those that are not allowed are left out of the answer.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from supporthub.core.live import wire
from supporthub.core.live.client import Client
from supporthub.core.live.presence import Person


class Crowds:
    """Which sockets of this process look at which topics' people. Used on the event loop only."""

    def __init__(self) -> None:
        self._lookers: dict[str, set[Client]] = defaultdict(set)
        self._people: dict[str, list[Person]] = {}
        self._told: dict[str, int] = {}  # when a topic's people were last told by an event
        self._clock = 0

    def set_looks(self, client: Client, topics: Collection[str]) -> None:
        """Let the client look at these topics and no others."""
        for name in client.looks - set(topics):
            lookers = self._lookers[name]
            lookers.discard(client)
            if not lookers:
                self._forget(name)
        for name in topics:
            self._lookers[name].add(client)
        client.looks = set(topics)

    @property
    def topics(self) -> list[str]:
        """All topics that somebody looks at."""
        return list(self._lookers)

    @property
    def peopled(self) -> list[str]:
        """Those on which somebody was seen."""
        return list(self._people)

    def begin_reading(self) -> int:
        """Return a mark for `read`: what events tell from now on is newer than what is about to be read."""
        return self._clock

    def read(self, found: Mapping[str, list[Person]], mark: int, arrived: Iterable[Client] = ()) -> None:
        """Take what Redis held at `mark`; show changes to those who look, and everything to those who arrived."""
        for name, people in found.items():
            if self._told.get(name, 0) <= mark:
                self._take(name, people)
        for client in arrived:
            seen = {name: self._people[name] for name in client.looks if name in self._people}
            client.offer(wire.crowd(seen))

    def tell(self, name: str, people: list[Person]) -> None:
        """Somebody came, went or began to type."""
        if name in self._lookers:
            self._clock += 1
            self._told[name] = self._clock
            self._take(name, people)

    def _take(self, name: str, people: list[Person]) -> None:
        if name not in self._lookers or people == self._people.get(name, []):
            return
        if people:
            self._people[name] = people
        else:
            del self._people[name]
        frame = wire.presence(name, people)
        for client in self._lookers[name]:
            client.offer(frame)

    def _forget(self, name: str) -> None:
        del self._lookers[name]
        self._people.pop(name, None)
        self._told.pop(name, None)
