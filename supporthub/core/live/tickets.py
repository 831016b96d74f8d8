"""One-time tickets for sockets: an API client never puts its key into an address.

The ticket is 32 random bytes; Redis keeps its SHA-256, for 30 seconds, and gives it out once.
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


def issue_ticket(user_id: int) -> str:
    """Return a ticket that opens one socket as this user within 30 seconds; LiveUnavailableError when Redis is away."""
    ticket = secrets.token_urlsafe(32)
    try:
        store.client().set(_key(ticket), user_id, ex=LIFETIME)
    except redis.RedisError as error:
        raise LiveUnavailableError("Live updates are not available at the moment. Try again, or poll.") from error
    return ticket


async def redeem(connection: redis.asyncio.Redis, ticket: str) -> int | None:
    """Use the ticket up and return its user's id; None when unknown, used or expired. Raises `redis.RedisError`."""
    user_id = await connection.getdel(_key(ticket))
    return int(user_id) if user_id is not None else None


def _key(ticket: str) -> str:
    return f"{store.PREFIX}:ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
