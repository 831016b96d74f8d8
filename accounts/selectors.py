"""Reads of accounts."""

from collections.abc import Iterable

from accounts.models import Hold, Organisation
from supporthub.core.deliveries.holds import HoldRule


def active_holds() -> Iterable[HoldRule]:
    """Every hold, as the delivery engine wants it; one query over a table of a handful of rows."""
    for hold in Hold.objects.all():
        yield HoldRule((hold.scope, hold.value), hold.reason, observe=hold.observe)


def unknown_organisation() -> Organisation:
    """Return the organisation that takes what could not be placed; made by the first migration."""
    named = {"name": "Unknown: needs a person", "slug": "unknown"}
    return Organisation.objects.get_or_create(is_unknown=True, defaults=named)[0]


def organisation_of_address(address: str) -> Organisation | None:
    """Return the active organisation whose verified domain the address has."""
    domain = address.rpartition("@")[2].lower()
    return Organisation.objects.filter(is_active=True, tenants__domains__name__iexact=domain).first()
