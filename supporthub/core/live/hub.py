"""One process's live hub: one subscription in, many sockets out.

Everything but the database's digests runs on the event loop, without locks. The hub starts with its first socket.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Final

import redis
import structlog
from channels.db import database_sync_to_async

from supporthub.core.live import presence, store, wire
from supporthub.core.live.client import Client, Pump
from supporthub.core.live.crowds import Crowds
from supporthub.core.live.desk import PresenceDesk
from supporthub.core.live.feed import Feed
from supporthub.core.live.presence import Person
from supporthub.core.live.subscription import Pace, Subscription
from supporthub.core.live.topics import LivePrincipal, Topic, find_topic, may_subscribe, may_subscribe_to

logger = structlog.get_logger(__name__)

TICK: Final = 0.25
SETTLING: Final = 1.0  # seconds that the first watchers wait for the subscription
STOP_TRIES: Final = 5
AT_ONCE: Final = 4  # threads that read the database for the hub

Refresh = Callable[[Any], Awaitable[LivePrincipal | None]]


class LiveHub:
    """Sockets, topics, and what keeps them honest: digests, refreshed principals, presence."""

    def __init__(self, refresh: Refresh, pace: Pace | None = None) -> None:
        self._refresh = refresh
        self._pace = pace or Pace()
        self._clients: dict[int, set[Client]] = defaultdict(set)
        self._feeds: dict[str, Feed] = {}
        self._crowds = Crowds()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._state = ""
        self._sockets = 0
        self.pump = Pump(self.spawn)
        self.changes = 0  # control messages so far; tells a socket that rights changed while it was let in

    @property
    def sockets(self) -> int:
        return self._sockets

    def start(self) -> None:
        """Begin, once, on the running loop."""
        if self._tasks:
            return
        self.redis = store.async_client()
        self._settled = asyncio.Event()
        self._reading = asyncio.Semaphore(AT_ONCE)
        self._judging = asyncio.Semaphore(AT_ONCE)
        self._desk = PresenceDesk(self.redis)
        self.spawn(Subscription(self.redis, self._pace, self._take, self._change).run())
        self.spawn(self._keep_time())
        self.spawn(self._desk.run())

    async def stop(self) -> None:
        """Leave Redis. The server closes the sockets (1012), and browsers come back to another process."""
        if not self._tasks:
            return
        for _ in range(STOP_TRIES):  # the layer and the Redis client may swallow a cancellation
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=1.0)
            if not self._tasks:
                break
        await self.redis.aclose()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run in the background; a failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    # --- what sockets ask -----------------------------------------------------------------------------------------

    def join(self, client: Client, known_changes: int) -> None:
        """Let a socket in whose principal was read when `changes` was `known_changes`."""
        self._sockets += 1
        self._clients[client.principal.user_id].add(client)
        client.on_behind = self._catch_up
        self._plan_refresh(client)
        if self._state:
            client.offer(wire.state(self._state))
        if self.changes != known_changes:
            self.spawn(self._refresh_client(client))

    def leave(self, client: Client) -> None:
        """Forget the socket. May be called twice."""
        clients = self._clients.get(client.principal.user_id)
        if clients is None or client not in clients:
            return
        self._sockets -= 1
        clients.discard(client)
        if not clients:
            del self._clients[client.principal.user_id]
        for topic in list(client.topics):
            self._unwatch(client, topic)
        self._crowds.set_looks(client, ())

    async def ask(self, client: Client, request: wire.Request) -> None:
        """Do what a browser asked for, or refuse it; in the order in which one browser asks."""
        if request.type == "unsubscribe":
            self._unwatch(client, request.topic)
        elif request.type == "presence":
            self._announce(client, request.topic, request.state)
        elif request.type == "look":
            await self._look(client, request.topics, known=client.looks)
        else:
            await self._watch(client, request.topic)

    async def _may_subscribe(self, topic: Topic, principal: LivePrincipal, argument: str) -> bool:
        if not topic.reads:
            return may_subscribe(topic, principal, argument)
        async with self._reading:
            return bool(await database_sync_to_async(may_subscribe, thread_sensitive=False)(topic, principal, argument))

    async def _watch(self, client: Client, name: str) -> None:
        found = find_topic(name)
        if found is None:
            client.offer(wire.refused(name, "no_such_topic"))
        elif not await self._may_subscribe(found[0], client.principal, found[1]):
            self._unwatch(client, name)
            client.offer(wire.refused(name, "not_allowed"))
        elif name not in client.topics and len(client.topics) >= wire.MOST_TOPICS:
            client.offer(wire.refused(name, "too_many_topics"))
        elif not client.closed:
            client.topics.add(name)
            feed = self._feeds.get(name)
            if feed is None:
                feed = self._feeds[name] = Feed(name, *found, self)
                feed.digest_at = self._next_digest()
            feed.admit(client)

    def _unwatch(self, client: Client, name: str) -> None:
        if name in client.presence:
            self._announce(client, name, "gone")
        client.topics.discard(name)
        feed = self._feeds.get(name)
        if feed is not None:
            feed.remove(client)
            if feed.is_empty:
                del self._feeds[name]

    def _announce(self, client: Client, name: str, state: str) -> None:
        if name not in client.topics:
            client.offer(wire.refused(name, "not_subscribed"))
            return
        (client.presence.discard if state == "gone" else client.presence.add)(name)
        if self._state == "live":
            person = {"id": client.principal.user_id, "name": client.principal.name}
            self._desk.announce(name, client.key, person, state)

    async def _look(self, client: Client, names: Collection[str], known: Collection[str] = ()) -> None:
        """Let the client see who is on those of the topics that it may see; `known` were judged for it before."""
        principal = client.principal
        asked: dict[Topic, dict[str, str]] = defaultdict(dict)
        for name in names:
            if name not in known and (found := find_topic(name)) is not None:
                asked[found[0]][found[1]] = name
        allowed = set(names) & set(known)
        for topic, arguments in asked.items():
            allowed |= {arguments[one] for one in await self._may_subscribe_to(topic, principal, arguments)}
        if client.principal is not principal:  # refreshed while we asked
            await self._look(client, names)
        elif not client.closed:
            self._crowds.set_looks(client, allowed)
            self.spawn(self._show_crowd(client))

    async def _may_subscribe_to(self, topic: Topic, principal: LivePrincipal, arguments: Collection[str]) -> set[str]:
        if not topic.reads:
            return may_subscribe_to(topic, principal, arguments)
        async with self._reading:
            judge = database_sync_to_async(may_subscribe_to, thread_sensitive=False)
            return set(await judge(topic, principal, arguments))

    async def _show_crowd(self, client: Client) -> None:
        await self._wait_settled()
        await self._read_people(client.looks, [client])

    def _catch_up(self, client: Client) -> None:
        logger.info("live.client_behind", user=client.principal.user_id)
        for name in client.topics:
            self._feeds[name].admit(client)
        if client.looks:
            self.spawn(self._show_crowd(client))

    # --- what comes from Redis ------------------------------------------------------------------------------------

    def _take(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "events":
                for event in message["events"]:
                    feed = self._feeds.get(event["topic"])
                    if feed is not None:
                        feed.take(event)
            case "presence":
                feed = self._feeds.get(message["topic"])
                if feed is not None:
                    feed.show_people(message["people"])
                self._crowds.tell(message["topic"], message["people"])
            case "control":
                self._obey(message["kind"], message["user_id"])

    def _obey(self, kind: str, user_id: int) -> None:
        self.changes += 1
        for client in list(self._clients.get(user_id, ())):
            if kind == "signed_out":
                # Every socket of the user: those with another, valid session come back by themselves.
                self._close(client, wire.SIGNED_OUT, "signed out")
            else:
                self.spawn(self._refresh_client(client))

    def _change(self, is_live: bool) -> None:
        """The subscription is new (events were missed before it), or is lost."""
        was, self._state = self._state, "live" if is_live else "degraded"
        if is_live and was:
            for feed in self._feeds.values():
                feed.readmit_everybody()
            self.spawn(self._read_people(self._crowds.topics))
        self._settled.set()
        if self._state != was:
            frame = wire.state(self._state)
            for clients in self._clients.values():
                for client in clients:
                    client.offer(frame)

    # --- what feeds ask -------------------------------------------------------------------------------------------

    async def position(self, topic: str) -> tuple[str, int] | None:
        await self._wait_settled()
        try:
            return await store.read_position(self.redis, topic) if self._state == "live" else None
        except (redis.RedisError, OSError):
            return None

    async def _wait_settled(self) -> None:
        """Wait a moment for the first subscription."""
        try:
            async with asyncio.timeout(SETTLING):
                await self._settled.wait()
        except TimeoutError:
            logger.info("live.not_settled")

    async def people(self, topic: str) -> list[Person] | None:
        if self._state != "live":
            return None
        try:
            return (await presence.read(self.redis, [topic]))[topic]
        except (redis.RedisError, OSError):
            return None

    async def digest(self, feed: Feed) -> Sequence[int] | None:
        """Read the topic's digest in a thread. An app's fault, or a database that is away, costs this digest only."""
        read = database_sync_to_async(feed.topic.snapshot, thread_sensitive=False)
        async with self._reading:
            try:
                return list(await read(feed.argument))
            except Exception as error:  # noqa: BLE001  (boundary: whatever an app's query raises)
                logger.warning("live.digest_failed", topic=feed.name, error=type(error).__name__)
                return None

    # --- what happens by the clock --------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        presence_at = 0.0
        while True:
            await asyncio.sleep(min(TICK, self._pace.digest / 4))
            now = time.monotonic()
            for feed in list(self._feeds.values()):
                if feed.digest_at <= now:
                    feed.digest_at = self._next_digest()
                    self.spawn(self._show_digest(feed))
            for client in [one for clients in self._clients.values() for one in clients if one.refresh_at <= now]:
                self._plan_refresh(client)
                self.spawn(self._refresh_client(client))
            if presence_at <= now and self._state == "live":
                presence_at = now + self._pace.presence
                self.spawn(self._look_for_people())

    async def _show_digest(self, feed: Feed) -> None:
        digest = await self.digest(feed)
        if digest is not None:
            feed.show(wire.digest(feed.name, digest))

    async def _look_for_people(self) -> None:
        """Somebody whose process died says no goodbye: their presence lapses, and nobody sends that."""
        await self._read_people({*(feed.name for feed in self._feeds.values() if feed.people), *self._crowds.peopled})

    async def _read_people(self, topics: Collection[str], arrived: Collection[Client] = ()) -> None:
        """Show who is on the topics to those who watch or look; those who just arrived get all that they look at."""
        mark = self._crowds.begin_reading()
        found: dict[str, list[Person]] = {}
        if self._state == "live":
            try:
                found = await presence.read(self.redis, list(topics))
            except (redis.RedisError, OSError) as error:
                logger.info("live.presence_not_read", error=type(error).__name__)
        for name, people in found.items():
            if (feed := self._feeds.get(name)) is not None:
                feed.show_people(people)
        self._crowds.read(found, mark, arrived)

    async def _refresh_client(self, client: Client) -> None:
        """Ask who this is now: close, or go on with today's rights."""
        client.asked += 1
        turn = client.asked
        try:
            async with self._judging:
                principal = await self._refresh(client.principal)
        except Exception as error:  # noqa: BLE001  (boundary: the database is away, or the app's function failed)
            logger.warning("live.refresh_failed", error=type(error).__name__)
            if time.monotonic() - client.refreshed_at > self._pace.unrefreshed:
                self._close(client, wire.OVERLOADED, "your rights could not be checked")
            return
        if client.closed or turn < client.applied:
            return
        client.applied = turn
        if principal is None or not principal.is_active:
            self._close(client, wire.SIGNED_OUT, "signed out")
            return
        client.refreshed_at = time.monotonic()
        changed = principal.key != client.principal.key
        client.principal = principal
        if changed:
            for name in list(client.topics):
                await self._watch(client, name)
        if client.looks:  # what it looks at may have moved out of its sight, too
            await self._look(client, client.looks)

    def _close(self, client: Client, code: int, reason: str) -> None:
        self.leave(client)
        client.close(code, reason)

    def _plan_refresh(self, client: Client) -> None:
        client.refresh_at = time.monotonic() + self._pace.refresh * random.uniform(0.8, 1.0)  # noqa: S311

    def _next_digest(self) -> float:
        return time.monotonic() + self._pace.digest * random.uniform(0.8, 1.0)  # noqa: S311

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("live.task_failed", error=type(error).__name__, exc_info=error)
