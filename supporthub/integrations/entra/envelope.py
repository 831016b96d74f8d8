"""A token's outside: three segments, a header, claims that nobody has verified yet. Pure.

Two spellings of one token are one token: base64url may end in padding, and its last character holds bits that mean
nothing. Segments are decoded and written again in the one canonical way before the signature is checked and the
fingerprint is taken, so that a respelled token is neither refused nor new.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from supporthub.integrations.entra.errors import TokenRefused

LONGEST = 16 * 1024
ALGORITHM = "RS256"
_SEGMENT = re.compile(r"([A-Za-z0-9_-]*)={0,2}")
_SEGMENTS = 3
_TYPES = frozenset({"jwt", "at+jwt"})
_LONGEST_KEY_ID = 256
# Microsoft's own services: nobody else can check their tokens (the header's nonce was hashed before signing).
_FOREIGN_AUDIENCES = frozenset({
    "https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn", "00000003-0000-0000-c000-000000000000",
    "https://graph.windows.net", "00000002-0000-0000-c000-000000000000",
    "00000003-0000-0ff1-ce00-000000000000",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Envelope:
    """A token taken apart. `claims` are not verified; `fingerprint` is the SHA-256 of header and payload, in hex."""

    key_id: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes
    fingerprint: str


def open_envelope(raw: str) -> Envelope:
    """Take a token apart and look at its header.

    Raises TokenRefused: `token_malformed`, `wrong_algorithm`, or `graph_token` for one that is meant for Microsoft.
    """
    if len(raw) > LONGEST:
        raise TokenRefused("The token is too long.", code="token_malformed")
    segments = raw.split(".")
    if len(segments) != _SEGMENTS:
        raise TokenRefused("The token does not have three parts.", code="token_malformed")
    header_bytes, payload, signature = (_decoded(segment) for segment in segments)
    header, claims = _object(header_bytes), _object(payload)
    _refuse_foreign(header, claims)
    return Envelope(
        key_id=_checked_header(header),
        claims=claims,
        signed=b".".join((base64url(header_bytes), base64url(payload))),
        signature=signature,
        fingerprint=hashlib.sha256(b".".join((header_bytes, payload))).hexdigest(),
    )


def base64url(raw: bytes) -> bytes:
    """The canonical spelling: no padding, no stray bits."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decoded(segment: str) -> bytes:
    match = _SEGMENT.fullmatch(segment)
    text = match.group(1) if match else ""
    if match is None or len(text) % 4 == 1:
        raise TokenRefused("A part of the token is not base64url.", code="token_malformed")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TokenRefused("A part of the token is not a JSON object.", code="token_malformed")
    return value


def _refuse_foreign(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    audience = str(claims.get("aud", "")).rstrip("/").lower()
    sharepoint = audience.startswith("https://") and audience.endswith(".sharepoint.com")
    if "nonce" in header or audience in _FOREIGN_AUDIENCES or sharepoint:
        raise TokenRefused(
            "This token is for Microsoft Graph or another service of Microsoft. Ask Entra for a token with a scope of "
            "Support Hub, for example api://<client id>/Tickets.Submit.",
            code="graph_token",
        )


def _checked_header(header: Mapping[str, Any]) -> str:
    """The key's id. Nothing else of the header is believed: no `jku`, `x5u`, `jwk` or `x5c`."""
    if header.get("alg") != ALGORITHM:
        raise TokenRefused("Only tokens signed with RS256 are accepted.", code="wrong_algorithm")
    kind, key_id = header.get("typ"), header.get("kid")
    if not isinstance(kind, str) or kind.lower() not in _TYPES or "crit" in header:
        raise TokenRefused("This is not a token of a type that is known here.", code="token_malformed")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_KEY_ID:
        raise TokenRefused("The token does not name its key.", code="token_malformed")
    return key_id
