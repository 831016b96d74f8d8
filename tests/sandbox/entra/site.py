"""What every Entra call needs: the store, the keys, tenants, apps, people, addresses."""

import sqlite3
from dataclasses import dataclass

from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.keys import Keys
from tests.sandbox.options import Options
from tests.sandbox.store import Store

ROOT = "/entra"
GRAPH = "https://graph.microsoft.com"
GRAPH_ID = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True, slots=True)
class EntraSite:
    """One Entra ID with all its tenants."""

    store: Store
    options: Options
    keys: Keys

    def url(self, tenant_id: str) -> str:
        """The base address of a tenant, without a slash at the end."""
        return f"{self.options.base_url}{ROOT}/{tenant_id}"

    def issuer(self, tenant_id: str, version: int) -> str:
        """What ``iss`` says; that of version 1 never has the login host's name."""
        return f"https://sts.windows.net/{tenant_id}/" if version == 1 else f"{self.url(tenant_id)}/v2.0"

    def tenant(self, name: str) -> sqlite3.Row:
        """A tenant by id or domain.

        :raises EntraError: AADSTS90002, when there is none.
        """
        row = self.store.row("SELECT * FROM entra_tenant WHERE id = ? OR domain = ?", name.lower(), name.lower())
        if row is None:
            raise EntraError("invalid_tenant", 90002, f"Tenant '{name}' not found.")
        return row

    def app(self, name: str) -> sqlite3.Row:
        """An app registration by client id or ``api://`` address.

        :raises EntraError: AADSTS700016, when there is none.
        """
        row = self.find_app(name)
        if row is None:
            text = f"Application with identifier '{name}' was not found in the directory."
            raise EntraError("unauthorized_client", 700016, text)
        return row

    def find_app(self, name: str) -> sqlite3.Row | None:
        """As :meth:`app`, without a refusal."""
        return self.store.row("SELECT * FROM entra_app WHERE client_id = ?", name.removeprefix("api://").lower())

    def people(self, tenant_id: str) -> list[sqlite3.Row]:
        """Everybody of a tenant."""
        return self.store.rows("SELECT * FROM entra_person WHERE tenant_id = ? ORDER BY upn", tenant_id)

    def person(self, name: str) -> sqlite3.Row | None:
        """An account by object id or user principal name."""
        sql = "SELECT * FROM entra_person WHERE oid = ? OR lower(upn) = ?"
        return self.store.row(sql, name.lower(), name.lower())
