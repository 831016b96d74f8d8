"""Control calls for Entra: tokens of every kind, key rollover, apps, people."""

import json
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.sandbox.control import ControlError, Guard, Handler, json_object
from tests.sandbox.entra.clients import register_certificate
from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.forge import mint, random_oid
from tests.sandbox.entra.seeds import add_person
from tests.sandbox.entra.site import EntraSite

BASE = "/_control/entra"


class EntraControl:
    """The control calls of the Entra part."""

    def __init__(self, site: EntraSite) -> None:
        self._site = site
        self._store = site.store

    def routes(self, guard: Guard) -> list[Route]:
        """Routes below ``/_control/entra``."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/state", self.state),
            ("POST", "/tokens", self.mint_token),
            ("POST", "/keys", self.rotate),
            ("DELETE", "/keys/{kid}", self.withdraw),
            ("PUT", "/apps/{client_id}", self.put_app),
            ("POST", "/apps/{client_id}/certificates", self.add_certificate),
            ("PUT", "/people/{upn}", self.put_person),
            ("DELETE", "/people/{upn}", self.delete_person),
        ]
        return [
            Route(BASE + path, guard.guarded(self._kept(handler)), methods=[method]) for method, path, handler in table
        ]

    def _kept(self, handler: Handler) -> Handler:
        """The handler in one transaction, Entra's refusals turned into the control API's own."""

        async def translated(request: Request) -> Response:
            await request.body()  # read before the transaction: nothing may interleave inside it
            try:
                with self._store.transaction():
                    return await handler(request)
            except (EntraError, sqlite3.IntegrityError, ValueError) as error:
                raise ControlError(str(error)) from error

        return translated

    async def state(self, request: Request) -> Response:
        """Tenants with their keys, apps, people, and how many tokens were issued."""
        tenants = [
            {**dict(row), "keys": [key.kid for key in self._site.keys.published(row["id"])]}
            for row in self._store.rows("SELECT * FROM entra_tenant ORDER BY id")
        ]
        people = [dict(row) for row in self._store.rows("SELECT oid, tenant_id, upn, name FROM entra_person")]
        apps = [dict(row) for row in self._store.rows("SELECT client_id, name, token_version FROM entra_app")]
        issued = self._store.value("SELECT count(*) FROM entra_issued")
        return JSONResponse({"tenants": tenants, "people": people, "apps": apps, "issued": issued})

    async def mint_token(self, request: Request) -> Response:
        """An access token.

        ``person`` (upn or object id), or ``app`` with ``tenant`` for an app-only one; ``version`` 1 or 2, ``resource``
        (client id, ``https://graph.microsoft.com``), ``client_id``, ``scopes``, ``roles``; ``issued`` seconds from now,
        ``lifetime``; ``claims`` and ``header`` overrule (null removes); ``key`` (place in the set, id, ``stranger``);
        ``alg`` (RS256, RS512, PS256, HS256 with the public key as secret, none).
        """
        made = mint(self._site, await json_object(request))
        return JSONResponse({"access_token": made.token, "header": made.header, "claims": made.claims})

    async def rotate(self, request: Request) -> Response:
        """``{"tenant"}``: publish one more key, which signs from now on."""
        tenant = self._site.tenant(str((await json_object(request)).get("tenant", "contoso.example")))
        self._site.keys.published(tenant["id"])
        return JSONResponse({"kid": self._site.keys.add(tenant["id"])})

    async def withdraw(self, request: Request) -> Response:
        """Take a key out of the set."""
        if not self._site.keys.withdraw(request.path_params["kid"]):
            raise ControlError("no such key")
        return JSONResponse({})

    async def put_app(self, request: Request) -> Response:
        """``{"name", "token_version", "secret", "redirect_uris"}``: register or change an app."""
        given = await json_object(request)
        client_id = request.path_params["client_id"].lower()
        old: dict[str, Any] = dict(self._site.find_app(client_id) or {"name": client_id, "token_version": 1})
        uris = json.dumps(given["redirect_uris"]) if "redirect_uris" in given else old.get("redirect_uris", "[]")
        values = (given.get("name", old["name"]), given.get("token_version", old["token_version"]))
        secret = given.get("secret", old.get("secret"))
        self._store.run("INSERT OR REPLACE INTO entra_app VALUES (?, ?, ?, ?, ?)", client_id, *values, secret, uris)
        return JSONResponse({"client_id": client_id})

    async def add_certificate(self, request: Request) -> Response:
        """``{"certificate"}`` in PEM: the app may prove itself with its key."""
        app = self._site.app(request.path_params["client_id"])
        pem = str((await json_object(request)).get("certificate", ""))
        sha1, sha256 = register_certificate(self._site, app["client_id"], pem)
        return JSONResponse({"x5t": sha1, "x5t#S256": sha256})

    async def put_person(self, request: Request) -> Response:
        """``{"tenant", "name", "roles", "groups", "oid", "upn"}``: make or change an account; ``upn`` renames it."""
        given = await json_object(request)
        known = self._site.person(request.path_params["upn"])
        old: dict[str, Any] = (
            dict(known) if known else {"upn": request.path_params["upn"], "roles": "[]", "groups": "[]"}
        )
        if known:
            self._store.run("DELETE FROM entra_person WHERE oid = ?", known["oid"])
        tenant_id = self._site.tenant(given["tenant"])["id"] if "tenant" in given else old.get("tenant_id")
        if tenant_id is None:
            raise ControlError("a new person needs a tenant")
        object_id = str(given.get("oid", old.get("oid") or random_oid()))
        upn, name = str(given.get("upn", old["upn"])), str(given.get("name", old.get("name", "")))
        roles, groups = (given.get(which, json.loads(old[which])) for which in ("roles", "groups"))
        add_person(self._store, object_id, (tenant_id, upn, name, roles, groups))
        return JSONResponse({"oid": object_id, "tenant": tenant_id, "upn": upn})

    async def delete_person(self, request: Request) -> Response:
        """An account leaves the directory; its name may be given to somebody else."""
        known = self._site.person(request.path_params["upn"])
        if known is None:
            raise ControlError("there is nobody of this name")
        self._store.run("DELETE FROM entra_person WHERE oid = ?", known["oid"])
        return JSONResponse({})
