"""Tokens in the forms of Entra's versions 1 and 2: their claims, and how they are put together."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from tests.sandbox.entra.keys import SigningKey, b64
from tests.sandbox.entra.site import GRAPH, EntraSite
from tests.sandbox.store import now_ms

LIFETIME = 75 * 60
Claims = dict[str, Any]


def join(header: Mapping[str, Any], claims: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A compact JWS; ``sign`` gets the text that is signed."""
    parts = [json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode() for part in (header, claims)]
    signed = ".".join(b64(part) for part in parts)
    return f"{signed}.{b64(sign(signed.encode()))}"


def graph_token(claims: Mapping[str, Any], key: SigningKey) -> str:
    """A token for Graph: the header's nonce was replaced by its hash before signing, so that nobody else can check."""
    nonce = secrets.token_urlsafe(24)
    hidden = b64(hashlib.sha256(nonce.encode()).digest())
    header = {"typ": "JWT", "nonce": nonce, "alg": "RS256", "x5t": key.kid, "kid": key.kid}
    signature = join({**header, "nonce": hidden}, claims, key.sign).rpartition(".")[2]
    unsigned = join(header, claims, lambda _signed: b"")
    return unsigned + signature


@dataclass(frozen=True, slots=True)
class Resource:
    """For whom a token is: an app registration of ours, or another service by its address."""

    audience: str
    version: int
    is_graph: bool = False

    @classmethod
    def of(cls, site: EntraSite, name: str, version: int | None = None) -> "Resource":
        """An app registration decides about its tokens' version; ``version`` overrules it."""
        app = site.find_app(name)
        if app is None:
            return cls(name, version or 1, is_graph=name == GRAPH)
        wanted = version or app["token_version"]
        return cls(f"api://{app['client_id']}" if wanted == 1 else app["client_id"], wanted)


def user_claims(
    site: EntraSite, person: Row, resource: Resource, client_id: str, scopes: Sequence[str]
) -> Claims:  # fmt: skip
    """What a token says that a person's client got for ``resource``."""
    v1 = resource.version == 1
    named = {"upn": person["upn"], "unique_name": person["upn"]} if v1 else {"preferred_username": person["upn"]}
    claims = {
        **_common(site, person["tenant_id"], resource, client_id),
        **named,
        "name": person["name"],
        "oid": person["oid"],
        "sub": pairwise(person["oid"], resource.audience),
        "scp": " ".join(scopes),
    }
    if roles := json.loads(person["roles"]):
        claims["roles"] = roles
    return claims


def app_claims(site: EntraSite, tenant_id: str, resource: Resource, client_id: str, roles: Sequence[str]) -> Claims:
    """What an app-only token says: no scope, no name, and subject and object are the same service principal."""
    principal = service_principal(tenant_id, client_id)
    claims = {**_common(site, tenant_id, resource, client_id), "oid": principal, "sub": principal, "idtyp": "app"}
    if roles:
        claims["roles"] = list(roles)
    return claims


def id_claims(site: EntraSite, person: Row, client_id: str, nonce: str) -> Claims:
    """What an id token of version 2 says."""
    tenant_id = person["tenant_id"]
    claims = {
        **_times(),
        "ver": "2.0", "iss": site.issuer(tenant_id, 2), "aud": client_id, "tid": tenant_id, "oid": person["oid"],
        "sub": pairwise(person["oid"], client_id), "name": person["name"], "preferred_username": person["upn"],
    }  # fmt: skip
    for name in ("roles", "groups"):
        if values := json.loads(person[name]):
            claims[name] = values
    if nonce:
        claims["nonce"] = nonce
    return claims


def signed(site: EntraSite, tenant_id: str, claims: Mapping[str, Any], kind: str, *, graph: bool = False) -> str:
    """A token by the tenant's newest key, noted as issued. The caller holds the transaction."""
    key = site.keys.published(tenant_id)[0]
    note(site, tenant_id, claims, kind)
    if graph:
        return graph_token(claims, key)
    return join({"typ": "JWT", "alg": "RS256", "x5t": key.kid, "kid": key.kid}, claims, key.sign)


def note(site: EntraSite, tenant_id: str, claims: Mapping[str, Any], kind: str) -> None:
    """Write down for the page that a token left."""
    subject = claims.get("upn") or claims.get("preferred_username") or claims.get("azp") or claims.get("appid") or ""
    sql = "INSERT INTO entra_issued (at, tenant_id, kind, subject, audience, uti) VALUES (?, ?, ?, ?, ?, ?)"
    site.store.run(sql, now_ms(), tenant_id, kind, str(subject), str(claims.get("aud")), str(claims.get("uti")))


def pairwise(object_id: str, audience: str) -> str:
    """The subject: stable for one account and one app, another for every other app."""
    return b64(hashlib.sha256(f"{object_id}|{audience}".encode()).digest())


def service_principal(tenant_id: str, client_id: str) -> str:
    """The object id of an app in a tenant."""
    digest = hashlib.sha256(f"{tenant_id}|{client_id}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def _common(site: EntraSite, tenant_id: str, resource: Resource, client_id: str) -> Claims:
    v1 = resource.version == 1
    party = {"appid": client_id, "appidacr": "1"} if v1 else {"azp": client_id, "azpacr": "1"}
    return {
        "aud": resource.audience, "iss": site.issuer(tenant_id, resource.version), **_times(), **party,
        "tid": tenant_id, "ver": f"{resource.version}.0",
    }  # fmt: skip


def _times() -> Claims:
    now = int(time.time())
    return {"iat": now, "nbf": now, "exp": now + LIFETIME, "uti": secrets.token_urlsafe(16)}
