"""The doctor's questions to Entra, and to the settings around it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings

from accounts.callers import authority
from accounts.models import TenantConnection
from supporthub.core.doctor import Finding, Verdict
from supporthub.core.errors import IntegrationError
from supporthub.integrations.entra.claims import LEEWAY
from supporthub.integrations.entra.discovery import Metadata, fetch_keys, fetch_metadata

NAME = "entra"


def entra_findings() -> Iterable[Finding]:
    """Whether tokens can be checked: settings, tenants, documents, keys, clocks."""
    yield from _settings()
    if settings.AUTH_MODE == "gateway":
        yield from _gateway()
    tenants = [str(tenant) for tenant in TenantConnection.objects.order_by("pk").values_list("tenant_id", flat=True)]
    wanted = settings.ENTRA_TENANT_ID
    if wanted and tenants and wanted not in tenants:
        yield Finding(
            NAME, Verdict.WARNING, f"ENTRA_TENANT_ID is {wanted}, the tenants are: {', '.join(tenants)}",
            "The rows win. Add the tenant to its organisation in the admin, or change the variable.",
        )  # fmt: skip
    if settings.ENTRA_CLIENT_ID or settings.GATEWAY_APP_IDS:
        for tenant in tenants or filter(None, [wanted]):
            yield from _tenant(tenant)


def _settings() -> Iterable[Finding]:
    if not settings.ENTRA_CONFIGURED:
        yield Finding(
            NAME, Verdict.SKIPPED, "tokens are not checked: there is no app registration",
            "Set ENTRA_TENANT_ID and ENTRA_CLIENT_ID for the tray calls.",
        )  # fmt: skip
    elif not settings.ENTRA_SIGN_IN:
        yield Finding(
            NAME, Verdict.SKIPPED, "sign-in with Entra is off: there is no secret and no certificate",
            "Set ENTRA_CLIENT_SECRET, or ENTRA_CERTIFICATE and ENTRA_PRIVATE_KEY, to switch it on.",
        )  # fmt: skip


def _gateway() -> Iterable[Finding]:
    proofs = {
        "GATEWAY_APP_IDS": settings.GATEWAY_APP_IDS,
        "GATEWAY_SECRET_HEADER": settings.GATEWAY_SECRET_HEADER and settings.GATEWAY_SECRETS,
        "GATEWAY_CERT_HEADER": settings.GATEWAY_CERT_HEADER and settings.GATEWAY_CERT_FINGERPRINTS,
    }
    active = [name for name, value in proofs.items() if value]
    if not active:
        yield Finding(
            NAME, Verdict.BAD, "AUTH_MODE is gateway, and no gateway can prove itself: every tray call is refused",
            f"Set one of {', '.join(proofs)}.",
        )  # fmt: skip
        return
    yield Finding(NAME, Verdict.GOOD, f"the gateway proves itself by {' or '.join(active)}")
    if len(settings.GATEWAY_SECRETS) > 1:
        yield Finding(
            NAME, Verdict.WARNING, "two gateway secrets are accepted",
            "Take the old one out of GATEWAY_SECRETS once the gateway sends the new one.",
        )  # fmt: skip
    if active == ["GATEWAY_CERT_HEADER"]:
        yield Finding(
            NAME, Verdict.WARNING, f"{settings.GATEWAY_CERT_HEADER} is believed as it comes",
            "Make sure that the front server checks the client's certificate and overwrites this header.",
        )  # fmt: skip


def _tenant(tenant_id: str) -> Iterable[Finding]:
    where = authority()
    try:
        metadata = fetch_metadata(where, tenant_id)
        keys = fetch_keys(where, tenant_id, metadata)
    except IntegrationError as error:
        yield Finding(
            NAME, Verdict.BAD, f"tenant {tenant_id}: {error.reason}",
            f"Check the tenant's id, ENTRA_AUTHORITY ({where.url}) and the way there. {error.detail}".strip(),
        )  # fmt: skip
        return
    yield Finding(NAME, Verdict.GOOD, f"tenant {tenant_id}: {len(keys)} signing keys")
    expected = f"{where.url}/{tenant_id}/v2.0"
    if metadata.issuer != expected:
        yield Finding(
            NAME, Verdict.WARNING, f"tenant {tenant_id}: the issuer is {metadata.issuer}, expected {expected}",
            "Tokens of this issuer are accepted. Check that ENTRA_AUTHORITY names the cloud that you mean.",
        )  # fmt: skip
    yield from _clocks(metadata)


def _clocks(metadata: Metadata) -> Iterable[Finding]:
    if metadata.server_time is None:
        return
    apart = abs((datetime.now(UTC) - metadata.server_time).total_seconds())
    # The header has whole seconds and travelled for a while: half of the leeway is noticed, and leaves time to act.
    if apart > LEEWAY / 2:
        yield Finding(
            NAME, Verdict.BAD if apart > LEEWAY else Verdict.WARNING,
            f"this machine's clock and Entra's are {apart:.0f} s apart",
            f"Switch on time synchronisation (NTP): beyond {LEEWAY} s good tokens are refused.",
        )  # fmt: skip
