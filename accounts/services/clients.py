"""API clients and their keys: made, changed, ended. A key is returned once and never again."""

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.audit_actions import register_actions
from accounts.choices import SCOPES, Action, ClientScope
from accounts.events import AccessChanged
from accounts.models import ApiClient, ApiKey, Organisation, User
from accounts.parsing import PREFIX_LENGTH, SECRET_LENGTH, KeyText, base62
from accounts.permissions import Principal
from accounts.services import audit
from supporthub.core import events, text
from supporthub.core.errors import Conflicted, InvalidInput, NotAllowed

MOST_KEYS: Final = 2
GRACE: Final = timedelta(hours=24)
_BITS: Final = 256

register_actions(
    {
        "client.made": _lazy("API client made"),
        "client.changed": _lazy("API client changed"),
        "client.revoked": _lazy("API client revoked"),
        "client.key_made": _lazy("API key made"),
        "client.key_revoked": _lazy("API key revoked"),
    }
)


class TooManyKeys(Conflicted):
    code = "too_many_keys"


def demand_may_give(actor: Principal, scopes: Iterable[str], organisation_id: int | None) -> None:
    """Raise NotAllowed unless `actor` may manage clients there and has every right that these scopes open."""
    needed = {Action.MANAGE_CLIENTS}.union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
    # A right to the public side of own tickets comes with every client; people have the larger right.
    if not all(actor.may(action, organisation=organisation_id) for action in needed - {Action.VIEW_OWN_TICKET}):
        raise NotAllowed(_("Your own roles do not cover what this client may do, or where."))


@transaction.atomic
def create_client(
    *, name: str, scopes: Iterable[str], organisation: Organisation | None = None, expires_at: datetime | None = None,
    actor: User | None,
) -> tuple[ApiClient, str]:  # fmt: skip
    """Make a client with its first key. Raises InvalidInput for a name that is taken, unknown scopes, a past end."""
    name = text.one_line(name, 100)
    _check(name=name, scopes=scopes, expires_at=expires_at)
    user = User(email=f"client-{uuid.uuid4().hex}@api-clients.invalid", name=name, is_client=True)
    user.set_unusable_password()
    user.save()
    client = ApiClient.objects.create(
        name=name, user=user, organisation=organisation, scopes=sorted(set(scopes)), expires_at=expires_at,
        created_by=actor,
    )  # fmt: skip
    _record("client.made", client, actor, scopes=client.scopes)
    return client, _new_key(client, actor)


@transaction.atomic
def change_client(
    *, client_id: int, name: str, scopes: Iterable[str], organisation: Organisation | None, is_active: bool,
    expires_at: datetime | None, actor: User | None,
) -> ApiClient:  # fmt: skip
    """Store what a client may do, from the next request on; its open sockets are judged again. Raises InvalidInput."""
    client = _locked(client_id)
    name = text.one_line(name, 100)
    _check(name=name, scopes=scopes, expires_at=None if expires_at == client.expires_at else expires_at, known=client)
    client.name, client.scopes, client.organisation = name, sorted(set(scopes)), organisation
    client.is_active, client.expires_at = is_active, expires_at
    client.save()
    User.everybody.filter(pk=client.user_id).update(name=name)
    _record("client.changed", client, actor, scopes=client.scopes, active=is_active)
    events.publish(AccessChanged(client.user_id))
    return client


@transaction.atomic
def add_key(*, client_id: int, actor: User | None, grace: timedelta | None = None) -> str:
    """Return a further key. Keys that are valid now end after `grace`; without one they stay as they are.

    Raises TooManyKeys when two keys would be valid beside the new one.
    """
    client, now = _locked(client_id), timezone.now()
    valid = ApiKey.objects.filter(_valid(now), client=client)
    if grace is not None and grace <= timedelta(0):
        valid.update(revoked_at=now)
    if valid.count() >= MOST_KEYS:
        raise TooManyKeys(_("Two keys of this client are valid already. Revoke one of them first."))
    if grace is not None:
        valid.filter(Q(expires_at=None) | Q(expires_at__gt=now + grace)).update(expires_at=now + grace)
    key = _new_key(client, actor)
    events.publish(AccessChanged(client.user_id))
    return key


@transaction.atomic
def revoke_key(*, key_id: int, actor: User | None) -> ApiKey:
    """End a key at once; what it opened closes. Repeating changes nothing."""
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("client").get(pk=key_id)
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        _record("client.key_revoked", key.client, actor, key=key.prefix)
        events.publish(AccessChanged(key.client.user_id))
    return key


@transaction.atomic
def revoke_client(*, client_id: int, actor: User | None) -> int:
    """Switch a client off and end all its keys; returns how many keys ended."""
    client, now = _locked(client_id), timezone.now()
    ended = ApiKey.objects.filter(client=client, revoked_at=None).update(revoked_at=now)
    client.is_active = False
    client.save(update_fields=["is_active", "updated_at"])
    _record("client.revoked", client, actor, keys=ended)
    events.publish(AccessChanged(client.user_id))
    return ended


def valid_keys(client: ApiClient) -> int:
    return ApiKey.objects.filter(_valid(timezone.now()), client=client).count()


def _valid(now: datetime) -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def _locked(client_id: int) -> ApiClient:
    return ApiClient.objects.select_for_update(no_key=True).get(pk=client_id)


def _new_key(client: ApiClient, actor: User | None) -> str:
    key = KeyText(
        prefix=base62(secrets.randbits(_BITS), PREFIX_LENGTH), secret=base62(secrets.randbits(_BITS), SECRET_LENGTH)
    )
    ApiKey.objects.create(client=client, prefix=key.prefix, digest=key.digest, created_by=actor)
    _record("client.key_made", client, actor, key=key.prefix)
    return str(key)


def _record(action: str, client: ApiClient, actor: User | None, **data: Any) -> None:
    audit.record(
        actor=audit.actor_of(actor), action=action, target_type="apiclient", target_id=client.pk,
        organisation_id=client.organisation_id, data=data,
    )  # fmt: skip


def _check(*, name: str, scopes: Iterable[str], expires_at: datetime | None, known: ApiClient | None = None) -> None:
    errors: dict[str, list[str]] = {}
    if not name:
        errors["name"] = [_("A client needs a name.")]
    elif ApiClient.objects.filter(name__iexact=name).exclude(pk=known.pk if known else 0).exists():
        errors["name"] = [_("There is a client with this name already.")]
    unknown = sorted(set(scopes) - set(ClientScope.values))
    if unknown or not set(scopes):
        named = ", ".join(ClientScope.values)
        errors["scopes"] = [_("Give one or more of these scopes: %(scopes)s.") % {"scopes": named}]
    if expires_at is not None and expires_at <= timezone.now():
        errors["expires_at"] = [_("This time has passed.")]
    if errors:
        raise InvalidInput(_("Not accepted: %(name)s.") % {"name": ", ".join(errors)}, errors=errors)
