"""The one way to believe a token. Nothing else in the hub reads an Entra token's claims."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from jwt.algorithms import RSAAlgorithm

from supporthub.integrations.entra.claims import AccessToken, Expected, read_claims, tenant_of
from supporthub.integrations.entra.envelope import open_envelope
from supporthub.integrations.entra.errors import TokenRefused
from supporthub.integrations.entra.keys import KeyRing

_RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens count. `client_ids` gives our app registrations for a tenant (GUIDs), none for a stranger's."""

    keys: KeyRing
    client_ids: Callable[[str], frozenset[str]]


def verify(raw: str, trust: Trust, *, now: float | None = None, allow_expired: bool = False) -> AccessToken:
    """Return what a token says, after everything about it was checked. `now`: seconds since 1970, by default the clock.

    In order: form and header; the tenant is one of ours (before anything is fetched for it); the key, by the token's
    key id, from the tenant's own set; the signature; the claims. May wait for Entra when the keys are not known yet.

    Raises TokenRefused (401) with a code that says why, KeysUnavailable (503). An expired token is accepted with
    `allow_expired`, as long as its key is still published: polling clients keep the token they submitted with.
    """
    envelope = open_envelope(raw)
    tenant_id = tenant_of(envelope.claims)
    client_ids = trust.client_ids(tenant_id)
    if not client_ids:
        raise TokenRefused("The token is of a tenant that is not known here.", code="wrong_tenant")
    key, issuer = trust.keys.find(tenant_id, envelope.key_id)
    if not _RS256.verify(envelope.signed, key, envelope.signature):
        raise TokenRefused("The token's signature is wrong.", code="wrong_signature")
    expected = Expected(tenant_id, issuer, client_ids)
    moment = time.time() if now is None else now
    return read_claims(envelope.claims, expected, envelope.fingerprint, moment, allow_expired=allow_expired)
