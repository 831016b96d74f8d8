"""Any access token that a test may want: right ones, and wrong in every way."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.sandbox.control import ControlError
from tests.sandbox.entra import tokens
from tests.sandbox.entra.keys import SigningKey
from tests.sandbox.entra.seeds import HUB_APP, TRAY_APP
from tests.sandbox.entra.site import EntraSite

STRANGER = "stranger"
MEMBERS = frozenset(
    {"tenant", "person", "app", "resource", "version", "client_id", "scopes", "roles", "claims", "header", "key", "alg"}
    | {"issued", "lifetime"}
)
ALGORITHMS = ("RS256", "RS512", "PS256", "HS256", "none")


@dataclass(frozen=True, slots=True)
class Minted:
    """A token and what stands in it."""

    token: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def mint(site: EntraSite, asked: Mapping[str, Any]) -> Minted:
    """A token as :class:`Control` describes it. The caller holds the transaction.

    :raises ControlError: the request makes no sense.
    """
    if unknown := asked.keys() - MEMBERS:
        raise ControlError(f"unknown members: {', '.join(sorted(unknown))}")
    tenant_id, claims, is_graph = _claims(site, asked)
    _shift(claims, asked)
    _override(claims, asked.get("claims"))
    tokens.note(site, tenant_id, claims, "minted")
    key = _key(site, tenant_id, asked.get("key", 0))
    if is_graph:
        return Minted(tokens.graph_token(claims, key), {}, claims)
    alg = str(asked.get("alg", "RS256"))
    header = {"typ": "JWT", "alg": alg, "x5t": key.kid, "kid": key.kid}
    _override(header, asked.get("header"))
    return Minted(tokens.join(header, claims, _signer(key, alg)), header, claims)


def _claims(site: EntraSite, asked: Mapping[str, Any]) -> tuple[str, dict[str, Any], bool]:
    resource = tokens.Resource.of(site, str(asked.get("resource", HUB_APP)), asked.get("version"))
    if "app" in asked:
        tenant_id = site.tenant(str(asked.get("tenant", "contoso.example")))["id"]
        claims = tokens.app_claims(site, tenant_id, resource, str(asked["app"]), asked.get("roles", ()))
        return tenant_id, claims, resource.is_graph
    person = site.person(str(asked.get("person", "ann.baker@contoso.example")))
    if person is None:
        raise ControlError(f"there is nobody called {asked.get('person')}")
    client_id, scopes = str(asked.get("client_id", TRAY_APP)), asked.get("scopes", ["Tickets.Submit"])
    claims = tokens.user_claims(site, person, resource, client_id, scopes)
    if "roles" in asked:
        claims["roles"] = asked["roles"]
    return person["tenant_id"], claims, resource.is_graph


def _shift(claims: dict[str, Any], asked: Mapping[str, Any]) -> None:
    """``issued``: seconds from now, negative for the past; ``lifetime``: seconds from then on."""
    issued = int(time.time()) + int(asked.get("issued", 0))
    claims |= {"iat": issued, "nbf": issued, "exp": issued + int(asked.get("lifetime", tokens.LIFETIME))}


def _override(values: dict[str, Any], changes: Any) -> None:
    if not isinstance(changes, dict | None):
        raise ControlError("claims and header are objects")
    for name, value in (changes or {}).items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value


def _key(site: EntraSite, tenant_id: str, named: Any) -> SigningKey:
    """``named``: a place in the published set (0 is the newest), a key's id, or ``stranger``."""
    if named == STRANGER:
        return site.keys.stranger()
    if isinstance(named, int):
        published = site.keys.published(tenant_id)
        if not 0 <= named < len(published):
            raise ControlError(f"there are {len(published)} published keys")
        return published[named]
    known = site.keys.known(str(named))
    if known is None:
        raise ControlError(f"there is no key {named}")
    return known


def _signer(key: SigningKey, alg: str) -> Callable[[bytes], bytes]:
    if alg not in ALGORITHMS:
        raise ControlError(f"alg is one of {', '.join(ALGORITHMS)}")
    if alg == "none":
        return lambda _signed: b""
    if alg == "HS256":
        return lambda signed: hmac.new(key.public_pem, signed, hashlib.sha256).digest()
    return lambda signed: key.sign(signed, alg)


def random_oid() -> str:
    """An object id for a further person."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
