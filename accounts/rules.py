"""Decisions about people who come in. Pure."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.choices import EntraValue


@dataclass(frozen=True, slots=True)
class RoleRule:
    """An app role or group of a tenant, and the role that it gives here (`organisation` None: everywhere)."""

    tenant_id: uuid.UUID
    kind: str
    value: str
    role: str
    organisation: int | None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who comes from Entra, as its verified ID token says."""

    tenant_id: uuid.UUID
    object_id: uuid.UUID
    upn: str
    email: str
    name: str
    roles: frozenset[str]
    groups: frozenset[str]
    groups_left_out: bool  # Entra names no groups of people who are in very many


class BadClaims(ValueError):
    """The token lacks what a sign-in needs; `args[0]` names the claim."""


def newcomer_of(claims: Mapping[str, Any]) -> Newcomer:
    """Read a verified ID token (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference)."""
    address = _text(claims, "email") or _text(claims, "preferred_username")
    return Newcomer(
        tenant_id=_id(claims, "tid"),
        object_id=_id(claims, "oid"),
        upn=_text(claims, "preferred_username")[:254],
        email=address.strip().lower()[:254],
        name=_text(claims, "name")[:150],
        roles=_words(claims, "roles"),
        groups=frozenset(word.lower() for word in _words(claims, "groups")),
        groups_left_out=_groups_left_out(claims),
    )


def roles_of(newcomer: Newcomer, rules: Iterable[RoleRule]) -> frozenset[tuple[str, int | None]]:
    """Return (role, organisation) for each rule of this tenant that fits. Without groups, no rule of a group fits."""
    return frozenset(
        (rule.role, rule.organisation)
        for rule in rules
        if rule.tenant_id == newcomer.tenant_id and _fits(newcomer, rule)
    )


def _fits(newcomer: Newcomer, rule: RoleRule) -> bool:
    if rule.kind == EntraValue.ROLE:
        return rule.value in newcomer.roles
    return rule.kind == EntraValue.GROUP and rule.value.lower() in newcomer.groups


def _groups_left_out(claims: Mapping[str, Any]) -> bool:
    """Entra says so in either of two ways, by the number of groups and the kind of flow."""
    elsewhere = claims.get("_claim_names")
    return bool(claims.get("hasgroups")) or (isinstance(elsewhere, dict) and "groups" in elsewhere)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.replace("\x00", "") if isinstance(value, str) else ""


def _words(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name)
    return frozenset(word for word in value if isinstance(word, str)) if isinstance(value, list) else frozenset()


def _id(claims: Mapping[str, Any], name: str) -> uuid.UUID:
    try:
        return uuid.UUID(_text(claims, name))
    except ValueError as error:
        raise BadClaims(name) from error
