"""Where people are signed in: rows beside Django's sessions and the API's tokens, noted and ended."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from importlib import import_module
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import register_actions
from accounts.choices import SignInKind
from accounts.events import AccessChanged
from accounts.models import SignIn, User
from accounts.services import audit
from supporthub.core import events

SEEN_EVERY: Final = timedelta(minutes=1)
KEPT: Final = timedelta(days=30)  # how long an ended sign-in can still be looked at

register_actions({"user.sign_in_ended": _("signed out somewhere, or by somebody")})


@transaction.atomic
def note_sign_in(
    *, user: User, kind: SignInKind, way: str, device: str, address: str, expires_at: datetime, session_key: str = "",
) -> SignIn:  # fmt: skip
    """Write down that somebody has come in, and forget what has long ended."""
    now = timezone.now()
    long_ago = now - KEPT
    SignIn.objects.filter(Q(ended_at__lt=long_ago) | Q(expires_at__lt=long_ago), user=user).delete()
    return SignIn.objects.create(
        user=user, kind=kind, way=way, device=device[:120], address=address[:45], expires_at=expires_at,
        session_key=session_key,
    )  # fmt: skip


def seen_lately(last_seen_at: datetime) -> bool:
    """Return whether `note_seen` would write nothing."""
    return last_seen_at > timezone.now() - SEEN_EVERY


def note_seen(sign_in_id: uuid.UUID) -> None:
    """Write that it is in use now; at most once a minute, whoever asks."""
    now = timezone.now()
    stale = Q(last_seen_at__lt=now - SEEN_EVERY)
    rows = SignIn.objects.filter(stale, pk=sign_in_id)
    rows.filter(kind=SignInKind.BROWSER).update(
        last_seen_at=now, expires_at=now + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    )
    rows.exclude(kind=SignInKind.BROWSER).update(last_seen_at=now)


@transaction.atomic
def end_sign_ins(
    *, user_id: int, actor: User | None, only: Collection[uuid.UUID] | None = None, keep: uuid.UUID | None = None,
) -> int:  # fmt: skip
    """End sign-ins of a person: all, or `only` these; never `keep`. Returns how many ended.

    Sessions are gone with the commit, tokens are refused from the next request on, and open sockets are judged again
    within a second (within a minute while Redis is away).
    """
    rows = SignIn.objects.select_for_update().filter(user_id=user_id, ended_at=None)
    if keep is not None:
        rows = rows.exclude(pk=keep)
    if only is not None:
        rows = rows.filter(pk__in=only)
    ended = {row.pk: row.session_key for row in rows}
    if not ended:
        return 0
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for session_key in filter(None, ended.values()):
        store().delete(session_key)
    SignIn.objects.filter(pk__in=ended).update(ended_at=timezone.now(), ended_by=actor)
    audit.record(
        actor=audit.actor_of(actor), action="user.sign_in_ended", target_type="user", target_id=user_id,
        organisation_id=None, data={"sign_ins": [str(pk) for pk in ended]},
    )  # fmt: skip
    events.publish(AccessChanged(user_id))
    return len(ended)


@transaction.atomic
def close_sign_in(*, sign_in_id: uuid.UUID) -> None:
    """The person has signed out by themselves; Django has ended the session already."""
    SignIn.objects.filter(pk=sign_in_id, ended_at=None).update(ended_at=timezone.now())
