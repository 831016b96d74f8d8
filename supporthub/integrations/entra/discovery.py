"""A tenant's documents at Entra: where things are, and which keys sign. Both are asked for over `OutsideHttp`.

The tenant's own document of version 2 is read, never `common`, whose issuer is a template. Its key set also holds the
keys of version 1 tokens (Microsoft publishes one set under two addresses).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from supporthub.core.errors import Rejected
from supporthub.integrations.entra.claims import v1_issuer
from supporthub.integrations.http import Endpoint, OutsideHttp

LARGEST_DOCUMENT = 512 * 1024
SMALLEST_MODULUS = 256  # bytes: 2048 bits
SYSTEM = "Entra ID"


@dataclass(frozen=True, slots=True)
class Authority:
    """Where Entra is. `url` has no tenant and no slash at its end; times in seconds."""

    url: str
    connect_timeout: float
    read_timeout: float

    @property
    def patience(self) -> float:
        """How long the two documents may take together."""
        return 2 * (self.connect_timeout + self.read_timeout)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The tenant's document. `server_time` is the answer's `Date`, None when it had none."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str
    server_time: datetime | None


def fetch_metadata(authority: Authority, tenant_id: str) -> Metadata:
    """Ask for the tenant's document.

    Raises an IntegrationError; Rejected also when the document speaks for another tenant or sends us elsewhere.
    """
    document, date = _ask(authority, f"{authority.url}/{tenant_id}/v2.0/.well-known/openid-configuration")
    names = ("issuer", "jwks_uri", "authorization_endpoint", "token_endpoint")
    values = {name: document.get(name) for name in names}
    if not all(isinstance(value, str) and value for value in values.values()):
        raise Rejected("Entra ID's document lacks an address", code="unreadable_answer")
    issuer, jwks_uri = str(values["issuer"]), str(values["jwks_uri"])
    if tenant_id not in urlsplit(issuer).path.split("/"):
        raise Rejected("Entra ID's document speaks for another tenant", code="unreadable_answer")
    if _origin(jwks_uri) != _origin(authority.url):
        raise Rejected("Entra ID's document names keys at another host", code="bad_address")
    return Metadata(
        issuer=issuer,
        jwks_uri=jwks_uri,
        authorization_endpoint=str(values["authorization_endpoint"]),
        token_endpoint=str(values["token_endpoint"]),
        end_session_endpoint=str(document.get("end_session_endpoint") or ""),
        server_time=date,
    )


def fetch_keys(authority: Authority, tenant_id: str, metadata: Metadata) -> dict[str, tuple[str, str]]:
    """Ask for the tenant's keys: modulus and exponent (base64url) by key id.

    Raises an IntegrationError; Rejected also for a set without any usable key, which proves a fault, not a withdrawal.
    """
    document, _date = _ask(authority, metadata.jwks_uri)
    entries = document.get("keys")
    found = {
        entry["kid"]: (entry["n"], entry["e"])
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and _is_usable(entry, tenant_id, metadata.issuer)
    }
    if not found:
        raise Rejected("Entra ID shows no usable key", code="unreadable_answer")
    return found


def _is_usable(entry: Mapping[str, Any], tenant_id: str, issuer: str) -> bool:
    """An RSA signing key of this tenant. A set may hold keys of other issuers (personal accounts); entries of tenants
    say whose they are, or hold a template."""
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return False
    if not all(isinstance(entry.get(name), str) and entry[name] for name in ("kid", "n", "e")):
        return False
    owner = str(entry.get("issuer") or issuer).replace("{tenantid}", tenant_id)
    if owner not in {issuer, v1_issuer(tenant_id)}:
        return False
    try:
        modulus = base64.urlsafe_b64decode(entry["n"] + "=" * (-len(entry["n"]) % 4))
    except ValueError:
        return False
    return len(modulus.lstrip(b"\0")) >= SMALLEST_MODULUS


def _ask(authority: Authority, address: str) -> tuple[Mapping[str, Any], datetime | None]:
    origin = _origin(address)
    endpoint = Endpoint(
        system=SYSTEM, base_url=origin, headers=(), connect_timeout=authority.connect_timeout,
        read_timeout=authority.read_timeout, max_response_bytes=LARGEST_DOCUMENT,
    )  # fmt: skip
    reply = OutsideHttp(endpoint).ask("GET", address.removeprefix(origin), effect=False)
    if not isinstance(reply.body, dict):
        raise Rejected("Entra ID gave an answer that is no document", code="unreadable_answer")
    return reply.body, _date(reply.headers.get("date", ""))


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header)
    except ValueError:
        return None
