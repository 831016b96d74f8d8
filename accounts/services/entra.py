"""Sign-in with Microsoft: who may come in, as whom, and with which roles.

People are keyed by (tenant, object id). An address is never proof: whoever comes with the address of somebody who is
here already is not let in as them, nor at all, until a lead has linked the two accounts by the object id.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.audit_actions import register_actions
from accounts.callers import authority, trust
from accounts.events import AccessChanged
from accounts.models import EntraIdentity, EntraRoleRule, RoleGrant, SignInFlow, User
from accounts.rules import BadClaims, Newcomer, RoleRule, newcomer_of, roles_of
from accounts.services import audit
from supporthub.core import events
from supporthub.core.errors import HubError
from supporthub.integrations.entra import sign_in as entra
from supporthub.integrations.entra.errors import TokenRefused
from supporthub.integrations.entra.tokens import verify

logger = structlog.get_logger(__name__)

PATIENCE: Final = timedelta(minutes=10)  # at Microsoft's page, with a second step there

register_actions(
    {
        "user.made_by_entra": _lazy("user made at the first sign-in with Microsoft"),
    }
)


class NotAdmitted(HubError):
    """A sign-in with Microsoft that leads nowhere. `object_id` is shown where a lead needs it to link an account."""

    code = "not_admitted"
    status = 403

    def __init__(self, detail: str, *, code: str, object_id: str = "") -> None:
        super().__init__(detail, code=code)
        self.object_id = object_id


def app() -> entra.App:
    """Return our app registration, from the settings."""
    return entra.App(
        authority=authority(),
        tenant_id=settings.ENTRA_TENANT_ID,
        client_id=settings.ENTRA_CLIENT_ID,
        secret=settings.ENTRA_CLIENT_SECRET,
        certificate=settings.ENTRA_CERTIFICATE,
        private_key=settings.ENTRA_PRIVATE_KEY,
        passphrase=settings.ENTRA_PRIVATE_KEY_PASSPHRASE,
        thumbprint=settings.ENTRA_CERTIFICATE_THUMBPRINT,
    )


def begin_flow(where: str) -> tuple[SignInFlow, str]:
    """Keep what is asked of Entra; return it with the address of Microsoft's page. Raises TransientError."""
    address, flow = entra.begin(app(), settings.PUBLIC_URL + reverse("sign-in-entra-back"))
    SignInFlow.objects.filter(created_at__lt=timezone.now() - PATIENCE).delete()
    return SignInFlow.objects.create(flow=json.dumps(flow), next=where), address


def finish_flow(flow_id: uuid.UUID, answer: Mapping[str, str]) -> tuple[Newcomer, str]:
    """Use the flow up and return who came, and where they wanted to go.

    Raises NotAdmitted (`flow_unknown`, `refused_by_entra`, `bad_token`), TransientError, KeysUnavailable.
    """
    with transaction.atomic():
        kept = SignInFlow.objects.select_for_update().filter(
            pk=flow_id, created_at__gt=timezone.now() - PATIENCE
        ).first()  # fmt: skip
        if kept is None:
            raise NotAdmitted(_("This sign-in took too long, or was used before. Start again."), code="flow_unknown")
        SignInFlow.objects.filter(pk=flow_id).delete()
    try:
        token = entra.finish(app(), json.loads(kept.flow), answer)
        verify(token.raw, trust(_our_client))
        newcomer = newcomer_of(token.claims)
    except entra.SignInRefused as refusal:
        logger.warning("sign_in.entra_refused", code=refusal.code, detail=refusal.detail)
        raise NotAdmitted(_("Microsoft did not let you in, or you went back."), code="refused_by_entra") from refusal
    except (TokenRefused, BadClaims) as refusal:
        logger.warning("sign_in.entra_token_refused", error=str(refusal))
        raise NotAdmitted(_("The answer of Microsoft could not be believed."), code="bad_token") from refusal
    return newcomer, kept.next


def _our_client(tenant_id: str) -> frozenset[str]:
    """Only our own tenant signs people in, whichever tenants tray calls are accepted from."""
    return frozenset({settings.ENTRA_CLIENT_ID}) if tenant_id == settings.ENTRA_TENANT_ID else frozenset()


def admit(newcomer: Newcomer) -> User:
    """Return the user that this Entra account is, made now if need be, with today's roles. Raises NotAdmitted."""
    try:
        return _admit(newcomer)
    except IntegrityError:
        return _admit(newcomer)  # the same person came twice at once: now they are there


@transaction.atomic
def _admit(newcomer: Newcomer) -> User:
    found = roles_of(newcomer, _rules(newcomer))
    if newcomer.groups_left_out:
        logger.warning("sign_in.entra_groups_left_out", object_id=str(newcomer.object_id))
    identity = (
        EntraIdentity.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(tenant_id=newcomer.tenant_id, object_id=newcomer.object_id)
        .first()
    )
    user = identity.user if identity else _make(newcomer, has_roles=bool(found))
    if not user.is_active:
        raise NotAdmitted(_("Your account here is switched off. A lead of your team can help."), code="switched_off")
    if identity and identity.upn != newcomer.upn:
        EntraIdentity.objects.filter(pk=identity.pk).update(upn=newcomer.upn)
    _apply(user, found)
    return user


def _make(newcomer: Newcomer, *, has_roles: bool) -> User:
    known = User.objects.filter(email=newcomer.email).exists()
    if known:
        raise NotAdmitted(
            _("Somebody with your address has an account here that is not linked with your Microsoft account. A lead "
              "of your team can link it, with the id below."),
            code="address_known", object_id=f"{newcomer.tenant_id} / {newcomer.object_id}",
        )  # fmt: skip
    if not has_roles:
        raise NotAdmitted(_("Nobody has given you a role here yet. A lead of your team can help."), code="no_role")
    try:
        validate_email(newcomer.email)
    except ValidationError as error:
        raise NotAdmitted(_("Your Microsoft account has no e-mail address."), code="no_address") from error
    user = User.objects.create_user(newcomer.email, None, name=newcomer.name)
    EntraIdentity.objects.create(
        user=user, tenant_id=newcomer.tenant_id, object_id=newcomer.object_id, upn=newcomer.upn
    )
    _record("user.made_by_entra", user)
    return user


def _apply(user: User, found: frozenset[tuple[str, int | None]]) -> None:
    """Make the roles given by rules those that fit now. Roles given by hand stay, also equal ones."""
    present = {(grant.role, grant.organisation_id): grant for grant in RoleGrant.objects.filter(user=user)}
    gone = [grant for key, grant in present.items() if grant.from_entra and key not in found]
    new = [key for key in sorted(found, key=str) if key not in present]
    for grant in gone:
        _record("role.revoked", user, role=grant.role, organisation_id=grant.organisation_id)
        grant.delete()
    for role, organisation_id in new:
        RoleGrant.objects.create(user=user, role=role, organisation_id=organisation_id, from_entra=True)
        _record("role.granted", user, role=role, organisation_id=organisation_id)
    if gone or new:
        events.publish(AccessChanged(user.pk))


def _rules(newcomer: Newcomer) -> list[RoleRule]:
    rows = EntraRoleRule.objects.filter(tenant__tenant_id=newcomer.tenant_id)
    return [RoleRule(newcomer.tenant_id, row.kind, row.value, row.role, row.organisation_id) for row in rows]


def _record(action: str, user: User, *, role: str = "", organisation_id: int | None = None) -> None:
    audit.record(
        actor=audit.SYSTEM, action=action, target_type="user", target_id=user.pk, organisation_id=organisation_id,
        data={"role": role, "by": "entra"} if role else {},
    )  # fmt: skip
