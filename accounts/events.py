"""What happens in accounts that others may want to know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """Somebody's roles, activity or sign-in changed: cached principals of `user_id` are stale."""

    user_id: int


@dataclass(frozen=True, slots=True)
class SignedOut:
    user_id: int
    session_key: str
