"""Reads of accounts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.choices import ActorKind, SignInKind
from accounts.models import ApiClient, AuditEntry, Hold, Organisation, SignIn, TotpDevice, User
from supporthub.core.compiled import Select
from supporthub.core.deliveries.holds import HoldRule


@Select
def _holds() -> QuerySet[Hold]:
    return Hold.objects.all()


def active_holds() -> Iterable[HoldRule]:
    """Every hold, as the delivery engine wants it; one query over a table of a handful of rows."""
    for hold in _holds():
        yield HoldRule((hold.scope, hold.value), hold.reason, observe=hold.observe)


def unknown_organisation() -> Organisation:
    """Return the organisation that takes what could not be placed; made by the first migration."""
    named = {"name": "Unknown: needs a person", "slug": "unknown"}
    return Organisation.objects.get_or_create(is_unknown=True, defaults=named)[0]


def organisation_of_address(address: str) -> Organisation | None:
    """Return the active organisation whose verified domain the address has."""
    domain = address.rpartition("@")[2].lower()
    return Organisation.objects.filter(is_active=True, tenants__domains__name__iexact=domain).first()


@dataclass(frozen=True, slots=True)
class Codes:
    """What a person may know of their one-time codes; `since` None: off."""

    since: datetime | None
    recovery_left: int


def codes_of(user_id: int) -> Codes:
    """Return the state of a person's one-time codes; one query."""
    device = (
        TotpDevice.objects.filter(user=user_id, confirmed_at__isnull=False)
        .annotate(left=Count("recovery_codes", filter=Q(recovery_codes__used_at=None)))
        .first()
    )
    return Codes(device.confirmed_at, device.left) if device else Codes(None, 0)


def open_sign_ins(user_id: int) -> QuerySet[SignIn]:
    """Where a person is signed in now, the latest first. A session that Django has dropped does not count."""
    now = timezone.now()
    session = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    there = Q(kind=SignInKind.TOKEN, expires_at__gt=now) | Q(Exists(session), kind=SignInKind.BROWSER)
    return SignIn.objects.filter(there, user=user_id, ended_at=None).order_by("-last_seen_at")


# --- The audit trail -------------------------------------------------------------------------------------------------

_THING = re.compile(r"([a-z]+):([A-Za-z0-9_.-]{1,64})")


def audit_entries_like(words: str) -> Q:
    """What a search in the audit trail means: `ticket:12` and `user:7` are things (or who acted), an address is a
    colleague, a ticket's key is the ticket, everything else a request id. Each is answered by an index."""
    if thing := _THING.fullmatch(words):
        kind, number = thing.groups()
        return Q(target_type=kind, target_id=number) | Q(actor_kind=kind, actor_id=number)
    if key := re.fullmatch(rf"{re.escape(settings.TICKET_KEY_PREFIX)}-(\d{{1,18}})", words, re.IGNORECASE):
        return Q(target_type="ticket", target_id=key[1])
    if "@" in words:
        user = User.objects.filter(email=words.lower()).values_list("pk", flat=True).first() or 0
        return Q(target_type="user", target_id=str(user)) | Q(actor_kind=ActorKind.USER, actor_id=str(user))
    return Q(request_id=words)


def names_of_actors(entries: Iterable[AuditEntry]) -> dict[tuple[str, str], str]:
    """The names of the people and API clients who acted, by (kind, id): at most one query for each."""
    acted = {(entry.actor_kind, entry.actor_id) for entry in entries}
    names: dict[tuple[str, str], str] = {}
    for kind, model in ((ActorKind.USER, User), (ActorKind.CLIENT, ApiClient)):
        ids = [int(number) for found, number in acted if found == kind and number.isdigit()]
        for row in model._default_manager.filter(pk__in=ids) if ids else ():
            names[kind.value, str(row.pk)] = str(row)
    return names


def way_of(sign_in_id: str | None) -> str:
    """Return how somebody came in (a SignInWay); empty when that is not known."""
    found = SignIn.objects.filter(pk=sign_in_id).values_list("way", flat=True).first() if sign_in_id else None
    return found or ""
