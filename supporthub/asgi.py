"""The ASGI application: Django for HTTP, the live hub for `/ws/live/`, nothing else.

This is where the hub's sockets learn who a principal is: `supporthub.core.live` knows no app.
"""

# ruff: noqa: E402  (models can be imported only after Django is set up)
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supporthub.settings.local")
django_application = get_asgi_application()

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare

from accounts.models import User
from accounts.permissions import Principal, principal_of
from supporthub.core.live.socket import LiveSocket

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LIVE_PATH = "/ws/live/"


@dataclass(frozen=True, slots=True)
class SocketPrincipal(Principal):
    """A principal that remembers by which session its socket was opened (empty: by a one-time ticket)."""

    session_key: str = ""


async def authenticate(scope: Scope) -> SocketPrincipal | None:
    """Return who opens the socket: the one-time ticket's user, or the session cookie's."""
    if "live_user_id" in scope:
        return await _in_thread(principal_of_user)(scope["live_user_id"])
    cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie")
    session_key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
    return await _in_thread(principal_of_session)(session_key) if session_key else None


async def refresh(principal: SocketPrincipal) -> SocketPrincipal | None:
    """Return the same person with today's rights; None when the session or the account has ended."""
    if principal.session_key:
        return await _in_thread(principal_of_session)(principal.session_key)
    return await _in_thread(principal_of_user)(principal.user_id)


def principal_of_user(user_id: int) -> SocketPrincipal | None:
    """Return the user's principal; None when the account is gone or switched off."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return _socket_principal(user) if user else None


def principal_of_session(session_key: str) -> SocketPrincipal | None:
    """Return the principal of the session's user; None when the session, its sign-in or the account has ended.

    Only reads: Django's own `get_user` may flush the session or give it a new key, which no socket can tell a browser.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = User.objects.filter(pk=session[SESSION_KEY], is_active=True).first()
    if user is None:
        return None
    proofs = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    held = session.get(HASH_SESSION_KEY, "")
    # An unknown key is loaded as an empty session, and has failed above already.
    return _socket_principal(user, session_key) if any(constant_time_compare(held, proof) for proof in proofs) else None


def _socket_principal(user: User, session_key: str = "") -> SocketPrincipal:
    principal = principal_of(user)
    known = {field.name: getattr(principal, field.name) for field in fields(Principal)}
    return SocketPrincipal(**known, session_key=session_key)


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
