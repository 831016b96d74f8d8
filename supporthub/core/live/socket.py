"""The ASGI application behind `/ws/live/`.

A browser proves itself with its session cookie, and must come from our own pages; an API client brings a one-time
ticket (`?ticket=`), and may come from anywhere. Sockets only read: nothing said here changes a row.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from django.conf import settings

from supporthub.core.live import tickets, wire
from supporthub.core.live.client import Client, Send
from supporthub.core.live.hub import LiveHub, Refresh
from supporthub.core.live.origins import origin_is_ours
from supporthub.core.live.subscription import Pace
from supporthub.core.live.topics import LivePrincipal

logger = structlog.get_logger(__name__)

MOST_SOCKETS: Final = 5000  # a process; more are asked to come back later

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Authenticate = Callable[[Scope], Awaitable[LivePrincipal | None]]


class RefusedError(Exception):
    """This socket is closed at once, with a code that the browser can read."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class LiveSocket:
    """Accepts sockets and connects each with the process's hub.

    `authenticate(scope)` returns who is there, or None; when `scope["live_credential"]` is set, it comes from a
    one-time ticket, and no cookie counts. `refresh(principal)` returns the same person with today's rights, or None
    when the sign-in has ended. Both may raise: a new socket is then asked to come back later, an open one goes on for
    two minutes at most.
    """

    def __init__(self, authenticate: Authenticate, refresh: Refresh, pace: Pace | None = None) -> None:
        self._authenticate = authenticate
        self.hub = LiveHub(refresh, pace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it closes."""
        await receive()  # websocket.connect
        # Accepted before it is judged: a browser cannot read why a handshake was refused.
        await send({"type": "websocket.accept"})
        self.hub.start()
        known = self.hub.changes
        try:
            principal = await self._who(scope)
        except RefusedError as refusal:
            await send({"type": "websocket.close", "code": refusal.code, "reason": refusal.reason})
            return
        client = Client(principal, send, secrets.token_hex(6), self.hub.pump)
        self.hub.join(client, known)
        try:
            async with asyncio.timeout(None) as client.limit:
                await self._read(client, receive)
        except TimeoutError:
            logger.info("live.client_stuck", user=principal.user_id)
        finally:
            self.hub.leave(client)
            client.closed = True

    async def _who(self, scope: Scope) -> LivePrincipal:
        if self.hub.sockets >= MOST_SOCKETS:
            raise RefusedError(wire.OVERLOADED, "too many sockets")
        ticket = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("ticket", [""])[0]
        if not ticket and not _comes_from_us(scope):
            raise RefusedError(wire.FOREIGN_ORIGIN, "this page may not open a socket here")
        try:
            if ticket:
                scope = {**scope, "live_credential": await self._redeem(ticket)}
            principal = await self._authenticate(scope)
        except RefusedError:
            raise
        except Exception as error:  # boundary: the database or Redis is away, or the app's function failed
            logger.warning("live.not_authenticated", error=type(error).__name__)
            raise RefusedError(wire.OVERLOADED, "try again later") from error
        if principal is None or not principal.is_active:
            raise RefusedError(wire.NOT_SIGNED_IN, "not signed in")
        return principal

    async def _redeem(self, ticket: str) -> str:
        credential = await tickets.redeem(self.hub.redis, ticket)
        if credential is None:
            raise RefusedError(wire.NOT_SIGNED_IN, "this ticket is unknown, used or expired")
        return credential

    async def _read(self, client: Client, receive: Receive) -> None:
        """Do what the browser asks until it goes, or must go."""
        while (message := await receive())["type"] != "websocket.disconnect":
            if client.closed:
                continue  # until the server has brought the close frame to the client
            fault = _fault(client, message.get("text"))
            if fault is not None:
                self.hub.leave(client)
                client.close(*fault)
                continue
            try:
                await self.hub.ask(client, wire.parse(message["text"]))
            except wire.MisunderstoodError as refusal:
                client.offer(wire.refused(None, str(refusal)))


def _fault(client: Client, text: str | None) -> tuple[int, str] | None:
    """Return the close code and reason for a frame that ends the socket."""
    if text is None:
        return wire.NOT_TEXT, "only text frames"
    if len(text) > wire.LONGEST_FRAME or len(text.encode()) > wire.LONGEST_FRAME:
        return wire.TOO_LONG, "frames hold at most 16 kB"
    if not client.may_ask():
        return wire.TOO_FAST, "too many messages"
    return None


def _comes_from_us(scope: Scope) -> bool:
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return origin_is_ours(
        headers.get(b"origin", ""),
        headers.get(b"host", ""),
        secure=scope.get("scheme") == "wss",
        allowed_hosts=settings.ALLOWED_HOSTS,
        trusted_origins=settings.CSRF_TRUSTED_ORIGINS,
    )
