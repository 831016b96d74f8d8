"""Entra's part of the page."""

import json
from datetime import UTC, datetime

from tests.sandbox.entra.site import EntraSite
from tests.sandbox.html import Html, el, join
from tests.sandbox.page import table

NEWEST = 25


def clock(at: int) -> str:
    """The time of day of a moment in milliseconds, UTC."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%H:%M:%S}"


class EntraPages:
    """What a person sees of the played Entra."""

    def __init__(self, site: EntraSite) -> None:
        self._store = site.store

    def section(self) -> Html:
        """Tenants, people, apps, keys, and the newest tokens (never the tokens themselves)."""
        names = {row["id"]: row["name"] for row in self._store.rows("SELECT * FROM entra_tenant ORDER BY name")}
        people = [
            (row["name"], row["upn"], names[row["tenant_id"]], ", ".join(json.loads(row["roles"])), row["oid"])
            for row in self._store.rows("SELECT * FROM entra_person ORDER BY upn")
        ]
        apps = [
            (row["name"], row["client_id"], row["token_version"])
            for row in self._store.rows("SELECT * FROM entra_app ORDER BY client_id")
        ]
        keys = [
            (names[row["tenant_id"]], el("code", row["kid"]), "published" if row["published"] else "withdrawn")
            for row in self._store.rows("SELECT * FROM entra_key ORDER BY tenant_id, id DESC")
        ]
        issued = [
            (
                clock(row["at"]),
                names.get(row["tenant_id"]),
                *(row[name] for name in ("kind", "subject", "audience", "uti")),
            )
            for row in self._store.rows("SELECT * FROM entra_issued ORDER BY id DESC LIMIT ?", NEWEST)
        ]
        return join(
            el("h2", "Entra ID: tenants"),
            table(("Name", "Id"), [(name, el("code", key)) for key, name in names.items()]),
            el("h2", "Entra ID: people"),
            table(("Name", "User principal name", "Tenant", "App roles", "Object id"), people),
            el("h2", "Entra ID: app registrations"),
            table(("Name", "Client id", "Token version"), apps),
            el("h2", "Entra ID: signing keys"),
            table(("Tenant", "Key", "State"), keys) if keys else el("p", "None was asked for yet."),
            el("h2", f"Entra ID: newest {NEWEST} tokens"),
            table(("At (UTC)", "Tenant", "Kind", "For", "Audience", "Id"), issued) if issued else el("p", "None yet."),
        )
