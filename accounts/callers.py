"""Who makes a tray call. AUTH_MODE decides between two ways, and there is no third and no falling back.

`jwt`: the person's own access token, checked here; identity headers are not looked at. `gateway`: a gateway that proves
itself names the person; a person's token is not looked at.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from accounts.gateway import forwarded_by_gateway
from accounts.models import Organisation, TenantConnection
from supporthub.integrations.entra.claims import LONGEST_LIFETIME, AccessToken
from supporthub.integrations.entra.discovery import Authority
from supporthub.integrations.entra.errors import ScopeMissing, TokenRefused, UpnMissing
from supporthub.integrations.entra.keys import KeyRing
from supporthub.integrations.entra.tokens import Trust, verify

logger = structlog.get_logger(__name__)

TRAY_SCOPE = "Tickets.Submit"
_LONGEST_UPN = 254


@dataclass(frozen=True, slots=True)
class TrayCaller:
    """A person at a tray client.

    `tenant_id` and `object_id` are lower-case GUIDs; `object_id` is None in gateway mode, where `upn` (lower case) is
    all that is known. `scope_key` (64 hex digits) is equal for every use of one token: what buys one submission.
    `organisation` is that of the tenant, None while no row names the tenant. `expires_at`: after it the token buys
    nothing more; it may lie in the past when the caller was asked for with `allow_expired`.
    """

    tenant_id: str
    object_id: str | None
    upn: str
    name: str
    scope_key: str
    organisation: Organisation | None
    expires_at: datetime

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()


def tray_caller(request: HttpRequest, *, allow_expired: bool = False) -> TrayCaller:
    """Return who calls, by AUTH_MODE. One query; may wait for Entra's keys the first time.

    `allow_expired` is for polling: in `jwt` mode a token whose life is over still names its person; compare
    `has_expired` and `scope_key` before showing anything but what that very token submitted.

    Raises TokenRefused (401), ScopeMissing (403, the legacy calls answer 401), UpnMissing (400),
    KeysUnavailable (503, with `retry_after`).
    """
    try:
        if settings.AUTH_MODE == "gateway":
            return _forwarded(request)
        return _own_token(request, allow_expired=allow_expired)
    except (TokenRefused, ScopeMissing) as error:
        logger.info("tray.refused", code=error.code)
        raise


def _own_token(request: HttpRequest, *, allow_expired: bool) -> TrayCaller:
    tenants = Tenants()
    token = verify(bearer(request), trust(tenants.client_ids), allow_expired=allow_expired)
    if token.is_app_only:
        raise TokenRefused("An application's own token names no person.", code="app_only_token")
    token.require_scope(TRAY_SCOPE)
    upn = token.upn.lower()
    if not upn or len(upn) > _LONGEST_UPN or "@" not in upn:
        raise UpnMissing("The token names neither upn nor preferred_username.")
    logger.info("tray.token", digest=token.fingerprint[:8], uti=token.uti)
    return TrayCaller(
        tenant_id=token.tid,
        object_id=token.oid,
        upn=upn,
        name=token.name,
        scope_key=token.fingerprint,
        organisation=tenants.organisation(token.tid),
        expires_at=token.expires_at,
    )


def _forwarded(request: HttpRequest) -> TrayCaller:
    tenants = Tenants()
    named = forwarded_by_gateway(request, lambda seen: verify(bearer(seen), trust(tenants.client_ids)))
    scope = "\n".join(("gateway", named.upn, named.auth_hash))
    return TrayCaller(
        tenant_id=settings.ENTRA_TENANT_ID,
        object_id=None,
        upn=named.upn,
        name="",
        scope_key=hashlib.sha256(scope.encode()).hexdigest(),
        organisation=tenants.organisation(settings.ENTRA_TENANT_ID),
        # The gateway does not say when the token ends; none lives longer than this.
        expires_at=timezone.now().astimezone(UTC) + timedelta(seconds=LONGEST_LIFETIME),
    )


def bearer(request: HttpRequest) -> str:
    """The one bearer token of the request. Tokens in addresses are not looked at: addresses are logged.

    Raises TokenRefused: `token_missing`.
    """
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    token = token.strip()
    # A repeated header arrives joined by a comma, which is in no token.
    if scheme.lower() != "bearer" or not token or "," in token or " " in token:
        raise TokenRefused("There is no bearer token in the header Authorization.", code="token_missing")
    return token


def trust(client_ids: Callable[[str], frozenset[str]]) -> Trust:
    """Entra as the settings name it."""
    return Trust(KeyRing(authority(), settings.ENTRA_KEY_REFRESH_SECONDS), client_ids)


def authority() -> Authority:
    return Authority(settings.ENTRA_AUTHORITY, settings.ENTRA_CONNECT_TIMEOUT, settings.ENTRA_READ_TIMEOUT)


def verify_token(raw: str) -> AccessToken:
    """Check a token of any of our tenants, a person's or an app's; raises as `integrations.entra.tokens.verify`."""
    return verify(raw, trust(Tenants().client_ids))


class Tenants:
    """The tenants whose tokens count: the rows. ENTRA_TENANT_ID stands in only while there are no rows at all."""

    def __init__(self) -> None:
        self._seen: dict[str, TenantConnection | None] = {}

    def client_ids(self, tenant_id: str) -> frozenset[str]:
        """Our app registrations for this tenant; none when its tokens do not count."""
        row = self._row(tenant_id)
        if row is None and (tenant_id != settings.ENTRA_TENANT_ID or TenantConnection.objects.exists()):
            return frozenset()
        own = {str(row.client_id)} if row is not None and row.client_id else set()
        return frozenset({settings.ENTRA_CLIENT_ID, *own} - {""})

    def organisation(self, tenant_id: str) -> Organisation | None:
        """Whose people the tenant's are."""
        row = self._row(tenant_id)
        return None if row is None else row.organisation

    def _row(self, tenant_id: str) -> TenantConnection | None:
        if tenant_id not in self._seen:
            rows = TenantConnection.objects.select_related("organisation")
            self._seen[tenant_id] = rows.filter(tenant_id=tenant_id).first()
        return self._seen[tenant_id]
