"""Passwords: whom they let in, counted by the lockout, the same answer for every refusal."""

import structlog
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import register_actions
from accounts.models import User
from accounts.services import audit
from supporthub.core.middleware import client_address

register_actions({"user.break_glass_used": _("account for emergencies used")})

logger = structlog.get_logger(__name__)


def passwords_open_to(user: User) -> bool:
    """Return whether a password may let this person in.

    While people sign in with Microsoft, only accounts for emergencies keep theirs (PASSWORD_SIGN_IN can say otherwise).
    """
    return passwords_open_to_all() or user.break_glass


def passwords_open_to_all() -> bool:
    return settings.PASSWORD_SIGN_IN == "always" or not settings.ENTRA_SIGN_IN  # noqa: S105  (a word)


def check_password(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Return the person whom this password lets in, as far as passwords go; None otherwise, whatever the reason.

    The right password of somebody who may not use one is refused, and counted, as a wrong one is.
    """
    name = email.strip().lower()
    user = authenticate(request, username=name, password=password)
    if not isinstance(user, User):
        return None
    if not passwords_open_to(user):
        logger.warning("sign_in.password_not_open", user=user.pk)
        count_failure(request, name)
        return None
    return user


def count_failure(request: HttpRequest, name: str) -> None:
    """Let the lockout, and whoever else listens, know of a failed attempt that Django did not see."""
    user_login_failed.send(sender=__name__, credentials={"username": name}, request=request)


def log_break_glass(request: HttpRequest, user: User) -> None:
    """Say loudly that an account for emergencies was used while people sign in with Microsoft."""
    if settings.ENTRA_SIGN_IN and user.break_glass:
        with transaction.atomic():
            audit.record(
                actor=audit.actor_of(user), action="user.break_glass_used", target_type="user", target_id=user.pk,
                organisation_id=None,
            )  # fmt: skip
        logger.error("sign_in.break_glass_used", user=user.pk, address=client_address(request))
