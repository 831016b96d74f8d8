"""What a fresh Entra holds: the tenants, people and technicians of the hub's sample, and three app registrations."""

import json

from tests.sandbox.store import Store

CONTOSO, FABRIKAM = "6f1f8e9a-4b5c-4d6e-8f70-000000000001", "6f1f8e9a-4b5c-4d6e-8f70-000000000002"
HUB_APP, TRAY_APP, GATEWAY_APP = (f"5b0c4d2e-7a31-4c8f-9d10-00000000a{number:03d}" for number in (1, 2, 3))
TECHNICIANS_GROUP, LEADS_GROUP = (f"77d3c1b0-2f4e-4a6b-8c9d-00000000b{number:03d}" for number in (1, 2))
TENANTS = ((CONTOSO, "Contoso", "contoso.example"), (FABRIKAM, "Fabrikam", "fabrikam.example"))
APPS = ((HUB_APP, "Support Hub"), (TRAY_APP, "Tray client"), (GATEWAY_APP, "API gateway"))
Person = tuple[str, str, str, list[str], list[str]]
"""Tenant, user principal name, name, app roles, groups."""
PEOPLE: tuple[Person, ...] = (
    (CONTOSO, "ann.baker@contoso.example", "Ann Baker", [], []),
    (CONTOSO, "joerg.mueller@contoso.example", "Jörg Müller", [], []),
    (FABRIKAM, "zoe.angstrom@fabrikam.example", "Zoë Ångström", [], []),
    (FABRIKAM, "omar.haddad@fabrikam.example", "Omar Haddad", [], []),
    (CONTOSO, "ben@hub.example", "Ben Carter", ["Hub.Technician"], [TECHNICIANS_GROUP]),
    (CONTOSO, "mia@hub.example", "Mia Novak", ["Hub.Lead"], [TECHNICIANS_GROUP, LEADS_GROUP]),
)


def oid(number: int) -> str:
    """The object id of the person at this place of :data:`PEOPLE`, counted from 1."""
    return f"0d9e2c51-6a47-4b38-9f20-{number:012d}"


def seed(store: Store) -> None:
    """Fill the empty tables; the caller holds the transaction. Keys are made when they are first asked for."""
    for tenant in TENANTS:
        store.run("INSERT INTO entra_tenant VALUES (?, ?, ?)", *tenant)
    for client_id, name in APPS:
        store.run("INSERT INTO entra_app VALUES (?, ?, 1, NULL, '[]')", client_id, name)
    for number, person in enumerate(PEOPLE, 1):
        add_person(store, oid(number), person)


def add_person(store: Store, object_id: str, person: Person) -> None:
    """One more account; the caller holds the transaction."""
    *named, roles, groups = person
    sql = "INSERT INTO entra_person VALUES (?, ?, ?, ?, ?, ?)"
    store.run(sql, object_id, *named, json.dumps(roles), json.dumps(groups))
