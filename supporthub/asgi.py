"""The ASGI application: Django for HTTP, the live hub for `/ws/live/`, nothing else.

This is where the hub's sockets learn who a principal is: `supporthub.core.live` knows no app.
"""

# ruff: noqa: E402  (models can be imported only after Django is set up)
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supporthub.settings.local")
django.setup(set_prefix=False)

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, fields
from typing import Any

from channels.db import database_sync_to_async
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.http import parse_cookie

from accounts.credentials import principal_of_credential
from accounts.permissions import Principal
from supporthub.core.bodies import BoundedHandler
from supporthub.core.live.socket import LiveSocket

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LIVE_PATH = "/ws/live/"
django_application = BoundedHandler(settings.WEB_THREADS)


@dataclass(frozen=True, slots=True)
class SocketPrincipal(Principal):
    """A principal that remembers what opened its socket; see accounts.credentials."""

    credential: str = ""


async def authenticate(scope: Scope) -> SocketPrincipal | None:
    """Return who opens the socket: by the credential of a one-time ticket, or by the session cookie."""
    if "live_credential" in scope:
        return await _in_thread(socket_principal)(scope["live_credential"])
    cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie")
    session_key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
    return await _in_thread(socket_principal)(f"session:{session_key}") if session_key else None


async def refresh(principal: SocketPrincipal) -> SocketPrincipal | None:
    """Return the same caller with today's rights; None when the session, key or account has ended."""
    return await _in_thread(socket_principal)(principal.credential)


def socket_principal(credential: str) -> SocketPrincipal | None:
    """Return who has this credential now; None when it has ended."""
    principal = principal_of_credential(credential)
    if principal is None:
        return None
    known = {field.name: getattr(principal, field.name) for field in fields(Principal)}
    return SocketPrincipal(**known, credential=credential)


def _in_thread(read: Callable[[Any], SocketPrincipal | None]) -> Callable[[Any], Awaitable[SocketPrincipal | None]]:
    """Run a query in any thread of the loop's pool, and give its database connection back."""
    in_thread: Callable[[Any], Awaitable[SocketPrincipal | None]] = database_sync_to_async(read, thread_sensitive=False)
    return in_thread


live_socket = LiveSocket(authenticate, refresh)


async def websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """Only one path has a socket; any other handshake is refused."""
    if scope["path"] == LIVE_PATH:
        await live_socket(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close"})


async def lifespan(_scope: Scope, receive: Receive, send: Send) -> None:
    """Nothing is needed to start (the hub starts with its first socket); at the end it leaves Redis."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await live_socket.hub.stop()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


application = ProtocolTypeRouter({"http": django_application, "websocket": websocket, "lifespan": lifespan})
