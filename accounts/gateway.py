"""AUTH_MODE=gateway: an API gateway has checked the person's token and says in headers who it is.

A header alone proves nothing, so the gateway proves itself first, by one of what is configured: a secret header, the
certificate that the front server saw, or its own managed-identity token. Only then do its headers count. The gateway
must drop what clients send under these names; names with an underscore never reach us as the hyphenated ones (Django's
ASGI handler leaves them out).
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest

from supporthub.integrations.entra.claims import AccessToken
from supporthub.integrations.entra.errors import TokenRefused, UpnMissing

UPN_HEADER, HASH_HEADER = "X-User-UPN", "X-Auth-Hash"
# What Entra allows in a user principal name, and `#` for guests; no comma, so that a repeated header is refused.
_UPN = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,128}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
_LONGEST_UPN = 254
_HASH = re.compile(r"[0-9a-f]{16,128}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")

Verify = Callable[[HttpRequest], AccessToken]


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Whom the gateway names: `upn` in lower case, `auth_hash` as it came (an opaque id, not a credential)."""

    upn: str
    auth_hash: str


def forwarded_by_gateway(request: HttpRequest, verify: Verify) -> Forwarded:
    """Return whom the gateway names, after it has proven itself. `verify` checks the request's bearer token.

    Raises TokenRefused (`gateway_not_proven`, or what the gateway's own token was refused for; `bad_auth_hash`),
    KeysUnavailable, or UpnMissing (400).
    """
    if not (_knows_secret(request) or _has_certificate(request)):
        _check_own_token(request, verify)
    return Forwarded(upn=_upn(request), auth_hash=_auth_hash(request))


def _knows_secret(request: HttpRequest) -> bool:
    """Both secrets are always compared, in constant time: which of them fits is not to be measured."""
    if not settings.GATEWAY_SECRET_HEADER:
        return False
    given = request.headers.get(settings.GATEWAY_SECRET_HEADER, "").encode()
    fits = [hmac.compare_digest(given, secret.encode()) for secret in settings.GATEWAY_SECRETS if secret]
    return any(fits)


def _has_certificate(request: HttpRequest) -> bool:
    """The front server ended TLS, checked the client's certificate, and says which one it saw."""
    if not settings.GATEWAY_CERT_HEADER:
        return False
    given = certificate_fingerprint(request.headers.get(settings.GATEWAY_CERT_HEADER, ""))
    return bool(given) and given in settings.GATEWAY_CERT_FINGERPRINTS


def certificate_fingerprint(header: str) -> str:
    """The SHA-256 (lower-case hex) of the certificate in a header, or nothing when there is none.

    Read are: the fingerprint itself, with or without colons; the certificate in base64 (Azure's `X-ARR-ClientCert`),
    between colons (RFC 9440), or as PEM in percent-encoding (nginx's `$ssl_client_escaped_cert`).
    """
    text = header.strip()
    if _FINGERPRINT.fullmatch(plain := text.replace(":", "").lower()):
        return plain
    if "BEGIN" in text:
        text = "".join(line for line in unquote(text).splitlines() if "-----" not in line)
    try:
        der = base64.b64decode("".join(text.strip(":").split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return hashlib.sha256(der).hexdigest() if der else ""


def _check_own_token(request: HttpRequest, verify: Verify) -> None:
    refused = TokenRefused("The gateway did not prove itself.", code="gateway_not_proven")
    if not settings.GATEWAY_APP_IDS or "Authorization" not in request.headers:
        raise refused
    token = verify(request)
    # A person's token must not open the door for a name in a header, whichever client it was issued to.
    if not token.is_app_only or token.app_id not in settings.GATEWAY_APP_IDS:
        raise refused


def _upn(request: HttpRequest) -> str:
    given = request.headers.get(UPN_HEADER, "").strip().lower()
    if len(given) > _LONGEST_UPN or not _UPN.fullmatch(given):
        text = "UPN Claim Missing" if not given else "UPN Claim Malformed"
        raise UpnMissing(text)
    return given


def _auth_hash(request: HttpRequest) -> str:
    given = request.headers.get(HASH_HEADER, "")
    if not _HASH.fullmatch(given):
        raise TokenRefused("X-Auth-Hash is missing or no lower-case hexadecimal.", code="bad_auth_hash")
    return given
