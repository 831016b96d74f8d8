"""One-time tickets for sockets: an API client never puts its key into an address.

The ticket is 32 random bytes; Redis keeps its SHA-256, for 30 seconds, and gives it out once. It stands for the
credential that asked for it, a word that only the application understands; the socket ends when that credential does.
"""

import hashlib
import secrets
from typing import Final

import redis
import redis.asyncio

from supporthub.core.errors import HubError
from supporthub.core.live import store

LIFETIME: Final = 30


class LiveUnavailableError(HubError):
    """Live updates are away for the moment; everything else works."""

    code = "live_unavailable"
    status = 503


def issue_ticket(credential: str) -> str:
    """Return a ticket that opens one socket within 30 seconds; LiveUnavailableError when Redis is away."""
    ticket = secrets.token_urlsafe(32)
    try:
        store.client().set(_key(ticket), credential, ex=LIFETIME)
    except redis.RedisError as error:
        raise LiveUnavailableError("Live updates are not available at the moment. Try again, or poll.") from error
    return ticket


async def redeem(connection: redis.asyncio.Redis, ticket: str) -> str | None:
    """Use the ticket up and return its credential; None when unknown, used or expired. Raises `redis.RedisError`."""
    credential = await connection.getdel(_key(ticket))
    return credential.decode() if isinstance(credential, bytes) else None


def _key(ticket: str) -> str:
    return f"{store.PREFIX}:ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
