"""Registrations of accounts with the kernel, and what follows from its events."""

from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.choices import ActorKind
from accounts.clients.sign_in_doctor import sign_in_findings
from accounts.events import AccessChanged, SignedOut
from accounts.lockout import sign_in_name
from accounts.models import User
from accounts.selectors import active_holds
from accounts.services import audit_checkup  # noqa: F401  (registers the doctor's checks)
from accounts.services.audit import Actor, actor_of, record
from accounts.services.sign_ins import end_sign_ins
from supporthub.core import doctor
from supporthub.core.deliveries import holds
from supporthub.core.events import after_commit, in_transaction
from supporthub.core.live.publish import control
from supporthub.core.middleware import client_address

holds.register_source(active_holds)
doctor.register(sign_in_findings)


@after_commit(AccessChanged)
def refresh_sockets(event: AccessChanged) -> None:
    """Whoever lost a right stops hearing of it at once, not at the next refresh."""
    control("access_changed", event.user_id)


@after_commit(SignedOut)
def close_sockets(event: SignedOut) -> None:
    control("signed_out", event.user_id)


# --- The audit trail: who came, who left, who failed to come in ------------------------------------------------------


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    _record_entrance("user.signed_in", actor_of(user), user.pk, {"address": client_address(request)})


@receiver(user_logged_out)
def record_sign_out(user: User | None, **_signal: Any) -> None:
    if user is not None:
        _record_entrance("user.signed_out", actor_of(user), user.pk, {})


@receiver(user_login_failed)
def record_failed_sign_in(credentials: dict[str, Any], request: Any = None, **_signal: Any) -> None:
    """One entry for each attempt whose password was looked at.

    While somebody is locked out nothing is looked at and nothing is recorded: a flood must not fill the trail. axes,
    whose receiver runs before this one, has counted this attempt already.
    """
    failures = getattr(request, "axes_failures_since_start", None)
    if failures is None or failures > settings.AXES_FAILURE_LIMIT:
        return
    name = sign_in_name(request, credentials)
    user_id = User.objects.filter(email=name).values_list("pk", flat=True).first()
    action = "user.locked_out" if request.axes_locked_out else "user.sign_in_failed"
    _record_entrance(action, Actor(ActorKind.PERSON), user_id or "", {"name": name, "address": client_address(request)})


def _record_entrance(action: str, actor: Actor, user_id: int | str, personal: dict[str, str]) -> None:
    with transaction.atomic():
        record(
            actor=actor, action=action, target_type="user", target_id=user_id, organisation_id=None, personal=personal
        )  # fmt: skip


@in_transaction(AccessChanged)
def end_sign_ins_of_who_is_switched_off(event: AccessChanged) -> None:
    """Tokens and sessions of a switched-off account would be refused anyway; the list should say that they ended."""
    if User.objects.filter(pk=event.user_id, is_active=False).exists():
        end_sign_ins(user_id=event.user_id, actor=None)
