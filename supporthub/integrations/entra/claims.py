"""What a verified token says, and whether it is for us. Pure: no clock, no settings, no network.

The order and the rules are those of Microsoft's "validate tokens"; `exp - iat` is capped because tokens of clients that
can be told of a withdrawal live up to 28 hours, and none lives longer.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from supporthub.integrations.entra.errors import ScopeMissing, TokenRefused

LEEWAY = 60
LONGEST_LIFETIME = 30 * 3600
_V1, _V2 = 1, 2
_LATEST = 253_402_300_799  # the last second of the year 9999, beyond which there are no dates


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that Entra signed for us.

    `tid` and `oid` name the principal for ever (lower-case GUIDs); `upn` and `name` are for showing and may be given
    to somebody else tomorrow. `upn` may be empty. `fingerprint` is equal for every spelling of this token.
    """

    tid: str
    oid: str
    sub: str
    upn: str
    name: str
    scopes: frozenset[str]
    roles: frozenset[str]
    app_id: str
    uti: str
    is_app_only: bool
    version: int
    issued_at: datetime
    expires_at: datetime
    fingerprint: str

    def require_scope(self, scope: str) -> None:
        """Raise ScopeMissing unless a person granted `scope` to the calling client."""
        if scope not in self.scopes:
            raise ScopeMissing(f"The token lacks the scope {scope}.")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token of one tenant must say. `client_ids`: our registrations, lower-case GUIDs."""

    tenant_id: str
    v2_issuer: str
    client_ids: frozenset[str]

    @property
    def v1_issuer(self) -> str:
        return v1_issuer(self.tenant_id)

    def audiences(self, version: int) -> frozenset[str]:
        """Version 1 names us by our address, version 2 by the bare id; no other pairs are accepted."""
        return frozenset(f"api://{one}" for one in self.client_ids) if version == _V1 else self.client_ids


def v1_issuer(tenant_id: str) -> str:
    return f"https://sts.windows.net/{tenant_id}/"


def tenant_of(claims: Mapping[str, Any]) -> str:
    """The tenant that the token claims to be of, before anything is verified: it says whose keys to look at."""
    return _guid(claims, "tid")


def read_claims(
    claims: Mapping[str, Any], expected: Expected, fingerprint: str, now: float, *, allow_expired: bool = False
) -> AccessToken:
    """Check the claims of a token whose signature holds; `now` in seconds since 1970.

    Raises TokenRefused: `wrong_issuer`, `wrong_audience`, `wrong_tenant`, `token_malformed`, `token_expired`,
    `token_not_yet_valid`, `token_lives_too_long`. With `allow_expired`, only the end of its life is not looked at.
    """
    version = _version(claims, expected)
    audience = claims.get("aud")
    if not isinstance(audience, str) or audience not in expected.audiences(version):
        raise TokenRefused("The token is for another application.", code="wrong_audience")
    if tenant_of(claims) != expected.tenant_id:
        raise TokenRefused("The token's tenant and issuer differ.", code="wrong_tenant")
    issued, expires = _times(claims, now, allow_expired=allow_expired)
    scopes, subject, oid = _scopes(claims), _text(claims, "sub"), _guid(claims, "oid")
    return AccessToken(
        tid=expected.tenant_id,
        oid=oid,
        sub=subject,
        upn=(_text(claims, "upn") or _text(claims, "preferred_username")).strip(),
        name=_text(claims, "name").strip(),
        scopes=scopes,
        roles=_roles(claims),
        app_id=_text(claims, "appid" if version == _V1 else "azp").lower(),
        uti=_text(claims, "uti"),
        is_app_only=_is_app_only(claims, has_scope="scp" in claims, same=subject.lower() == oid),
        version=version,
        issued_at=issued,
        expires_at=expires,
        fingerprint=fingerprint,
    )


def _version(claims: Mapping[str, Any], expected: Expected) -> int:
    """The issuer decides about the version; a `ver` that says otherwise is a contradiction."""
    versions = {expected.v1_issuer: _V1, expected.v2_issuer: _V2}
    issuer = claims.get("iss")
    version = versions.get(issuer) if isinstance(issuer, str) else None
    if version is None or claims.get("ver", f"{version}.0") != f"{version}.0":
        raise TokenRefused("The token was issued by somebody else.", code="wrong_issuer")
    return version


def _times(claims: Mapping[str, Any], now: float, *, allow_expired: bool) -> tuple[datetime, datetime]:
    expires, begins, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if not 0 < expires - issued <= LONGEST_LIFETIME:
        raise TokenRefused("The token lives longer than Entra's do.", code="token_lives_too_long")
    if max(begins, issued) > now + LEEWAY:
        raise TokenRefused("The token is not valid yet; compare the clocks.", code="token_not_yet_valid")
    if expires <= now - LEEWAY and not allow_expired:
        raise TokenRefused("The token has expired.", code="token_expired")
    return datetime.fromtimestamp(issued, UTC), datetime.fromtimestamp(expires, UTC)


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise TokenRefused(f"The token has no usable {name}.", code="token_malformed")
    return value


def _guid(claims: Mapping[str, Any], name: str) -> str:
    try:
        return str(uuid.UUID(_text(claims, name)))
    except ValueError as error:
        raise TokenRefused(f"The token has no usable {name}.", code="token_malformed") from error


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise TokenRefused(f"The token has no usable {name}.", code="token_malformed")
    return value


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(_text(claims, "scp").split(" ")) - {""}


def _roles(claims: Mapping[str, Any]) -> frozenset[str]:
    value = claims.get("roles", [])
    if not isinstance(value, list) or not all(isinstance(role, str) for role in value):
        raise TokenRefused("The token has no usable roles.", code="token_malformed")
    return frozenset(value)


def _is_app_only(claims: Mapping[str, Any], *, has_scope: bool, same: bool) -> bool:
    """`idtyp` says it where the registration asks for it; else: no scope, and the object is its own subject."""
    kind = claims.get("idtyp")
    return kind == "app" or (kind != "user" and not has_scope and same)
