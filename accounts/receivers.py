"""Registrations of accounts with the kernel, and what follows from its events."""

from accounts.events import AccessChanged, SignedOut
from accounts.selectors import active_holds
from supporthub.core.deliveries import holds
from supporthub.core.events import after_commit
from supporthub.core.live.publish import control

holds.register_source(active_holds)


@after_commit(AccessChanged)
def refresh_sockets(event: AccessChanged) -> None:
    """Whoever lost a right stops hearing of it at once, not at the next refresh."""
    control("access_changed", event.user_id)


@after_commit(SignedOut)
def close_sockets(event: SignedOut) -> None:
    control("signed_out", event.user_id)
