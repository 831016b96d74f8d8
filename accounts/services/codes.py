"""One-time codes (TOTP, RFC 6238) as the second step after a password, and recovery codes for a lost phone."""

import base64
import secrets
import time
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django_otp.oath import TOTP  # type: ignore[import-untyped]

from accounts.audit_actions import register_actions
from accounts.choices import Role, SignInWay
from accounts.models import RecoveryCode, TotpDevice, User
from accounts.parsing import CODE_DIGITS, RECOVERY_LENGTH, read_code, recovery_digest
from accounts.services import audit
from supporthub.core.errors import Conflicted, HubError

ISSUER: Final = "Support Hub"
STEP: Final = 30  # seconds; what every authenticator app uses
DRIFT: Final = 1  # steps that a phone's clock may be early or late
RECOVERY_CODES: Final = 10
_SECRET_BYTES: Final = 20  # RFC 4226, section 4: 160 bits
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MUST_HAVE: Final = (Role.LEAD, Role.ADMIN)

register_actions(
    {
        "user.codes_on": _lazy("one-time codes switched on"),
        "user.codes_off": _lazy("one-time codes switched off"),
        "user.recovery_codes_made": _lazy("new recovery codes made"),
        "user.recovery_code_used": _lazy("recovery code used"),
        "user.codes_locked": _lazy("one-time codes locked after wrong ones"),
    }
)


class WrongCode(HubError):
    code = "otp_wrong"
    status = 401


class CodesLocked(HubError):
    """Too many wrong codes; even the right one is refused for a while."""

    code = "locked_out"
    status = 429


def has_codes(user: User) -> bool:
    """Return whether this person has confirmed an authenticator app."""
    return TotpDevice.objects.filter(user=user, confirmed_at__isnull=False).exists()


def must_have_codes(user: User) -> bool:
    """Return whether this person must have an app: by REQUIRE_TOTP (leads, admins), or by an organisation of theirs."""
    if settings.REQUIRE_TOTP and (user.is_superuser or user.grants.filter(role__in=_MUST_HAVE).exists()):
        return True
    return user.grants.filter(organisation__require_totp=True).exists()


@transaction.atomic
def begin_codes(*, user: User) -> TotpDevice:
    """Return the secret to be confirmed; the same one until it is. Raises Conflicted when codes are on already."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    device = TotpDevice.objects.filter(user=user).first()
    if device is None:
        secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        device = TotpDevice.objects.create(user=user, secret=secret)
    if device.confirmed_at is not None:
        raise Conflicted(_("One-time codes are on already."))
    return device


def app_address(device: TotpDevice) -> str:
    """Return what the picture holds (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
    facts = {"secret": device.secret, "issuer": ISSUER, "algorithm": "SHA1", "digits": CODE_DIGITS, "period": STEP}
    return f"otpauth://totp/{quote(f'{ISSUER}:{device.user.email}')}?{urlencode(facts, quote_via=quote)}"


def confirm_codes(*, user: User, typed: str) -> list[str]:
    """Switch codes on with the app's first code; returns the recovery codes. Raises WrongCode, CodesLocked."""
    _use(user, typed, confirmed=False)
    with transaction.atomic():
        device = _locked(user)
        device.confirmed_at = timezone.now()
        device.save(update_fields=["confirmed_at", "updated_at"])
        _record("user.codes_on", user.pk, user)
        return _fresh_recovery_codes(device)


def use_code(*, user: User, typed: str) -> SignInWay:
    """Use up a one-time or recovery code of this person; raises WrongCode, CodesLocked. No code works twice."""
    return _use(user, typed, confirmed=True)


@transaction.atomic
def renew_recovery_codes(*, user: User, actor: User) -> list[str]:
    """Return new recovery codes; the old ones end."""
    codes = _fresh_recovery_codes(_locked(user))
    _record("user.recovery_codes_made", user.pk, actor)
    return codes


@transaction.atomic
def switch_codes_off(*, user: User, actor: User | None) -> bool:
    """Forget this person's secret and recovery codes; False when there were none.

    Used by themselves (after password and code), and by an admin for somebody who has lost phone and recovery codes.
    """
    gone, _rows = TotpDevice.objects.filter(user=user).delete()
    if gone:
        _record("user.codes_off", user.pk, actor)
    return bool(gone)


def _use(user: User, typed: str, *, confirmed: bool) -> SignInWay:
    """Judge in one transaction that always commits: a wrong code must be counted."""
    with transaction.atomic():
        device = _locked(user) if confirmed == has_codes(user) else None
        if device is not None and device.locked_until and device.locked_until > timezone.now():
            raise CodesLocked(_("There were too many wrong codes. Try again later, or ask an admin."))
        way = _judge(device, read_code(typed), confirmed=confirmed) if device is not None else None
    if way is None:
        raise WrongCode(_("This code is not right, or was used before. Wait for the next one and try again."))
    return way


def _judge(device: TotpDevice, code: str, *, confirmed: bool) -> SignInWay | None:
    if len(code) == CODE_DIGITS:
        totp = TOTP(base64.b32decode(device.secret), step=STEP, digits=CODE_DIGITS)
        totp.time = time.time()
        if totp.verify(int(code), tolerance=DRIFT, min_t=device.last_step + 1):
            device.last_step, device.failures, device.locked_until = totp.t(), 0, None
            device.save(update_fields=["last_step", "failures", "locked_until", "updated_at"])
            return SignInWay.CODE
    elif confirmed and len(code) == RECOVERY_LENGTH:
        unused = RecoveryCode.objects.filter(device=device, digest=recovery_digest(device.user_id, code), used_at=None)
        if unused.update(used_at=timezone.now()):
            _record("user.recovery_code_used", device.user_id, device.user)
            return SignInWay.RECOVERY
    device.failures += 1
    if device.failures >= settings.AXES_FAILURE_LIMIT:
        device.failures, device.locked_until = 0, timezone.now() + settings.AXES_COOLOFF_TIME
        _record("user.codes_locked", device.user_id, None)
    device.save(update_fields=["failures", "locked_until", "updated_at"])
    return None


def _record(action: str, user_id: int, actor: User | None) -> None:
    audit.record(
        actor=audit.actor_of(actor), action=action, target_type="user", target_id=user_id, organisation_id=None
    )


def _locked(user: User) -> TotpDevice:
    device = TotpDevice.objects.select_for_update(of=("self",)).select_related("user").filter(user=user).first()
    if device is None:
        raise Conflicted(_("One-time codes are not on."))
    return device


def _fresh_recovery_codes(device: TotpDevice) -> list[str]:
    device.recovery_codes.all().delete()
    codes = ["".join(secrets.choice(_BASE32) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(device=device, digest=recovery_digest(device.user_id, code)) for code in codes
    )
    return ["-".join(code[start : start + 4] for start in range(0, RECOVERY_LENGTH, 4)) for code in codes]
