"""The token endpoint: client credentials, authorisation code with PKCE, refresh token."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from sqlite3 import Row
from typing import Any
from urllib.parse import parse_qs

from tests.sandbox.entra import tokens
from tests.sandbox.entra.clients import authenticated
from tests.sandbox.entra.errors import EntraError, invalid_grant, missing
from tests.sandbox.entra.keys import b64
from tests.sandbox.entra.site import GRAPH, GRAPH_ID, EntraSite
from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.store import now_ms

OPENID = frozenset({"openid", "profile", "email", "offline_access"})
CODE_MS, REFRESH_MS = 10 * 60_000, 90 * 24 * 3600_000
DEFAULT = "/.default"
SERVICES = frozenset({GRAPH, GRAPH_ID, "https://outlook.office365.com"})

Form = Mapping[str, str]
Grant = Callable[[EntraSite, Row, Row, Form], dict[str, Any]]


def token(site: EntraSite, tenant: Row, call: Call) -> Answer:
    """``POST /<tenant>/oauth2/v2.0/token``."""
    form = {name: values[0] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
    if "grant_type" not in form:
        raise missing("grant_type")
    app = authenticated(site, call, form, f"{site.url(tenant['id'])}/oauth2/v2.0/token")
    call.subject = app["name"]
    grant = GRANTS.get(form["grant_type"])
    if grant is None:
        text = f"The app requested an unsupported grant type '{form['grant_type']}'."
        raise EntraError("unsupported_grant_type", 70003, text)
    return json_answer(grant(site, tenant, app, form), headers=(("cache-control", "no-store, no-cache"),))


def _client_credentials(site: EntraSite, tenant: Row, app: Row, form: Form) -> dict[str, Any]:
    scope = form.get("scope", "")
    if not scope.endswith(DEFAULT) or " " in scope:
        text = f"The provided request must include a 'scope' input parameter of the form resource/.default: '{scope}'."
        raise EntraError("invalid_scope", 1002012, text)
    resource = _resource(site, scope.removesuffix(DEFAULT))
    claims = tokens.app_claims(site, tenant["id"], resource, app["client_id"], ())
    access = tokens.signed(site, tenant["id"], claims, "app", graph=resource.is_graph)
    return {
        "token_type": "Bearer",
        "expires_in": _left(claims),
        "ext_expires_in": _left(claims),
        "access_token": access,
    }


def _authorization_code(site: EntraSite, tenant: Row, app: Row, form: Form) -> dict[str, Any]:
    if "code" not in form:
        raise missing("code")
    kept = _redeem(site, form["code"], "code", app)
    site.store.run("UPDATE entra_grant SET used = 1 WHERE value = ?", form["code"])
    if kept["redirect_uri"] != form.get("redirect_uri"):
        text = "The reply address differs from the one of the authorization request."
        raise invalid_grant(500112, text)
    challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    if not hmac.compare_digest(challenge, kept["challenge"]):
        raise invalid_grant(501481, "The Code_Verifier does not match the code_challenge supplied earlier.")
    return _answer(site, tenant, app, kept, kept["scopes"])


def _refresh_token(site: EntraSite, tenant: Row, app: Row, form: Form) -> dict[str, Any]:
    if "refresh_token" not in form:
        raise missing("refresh_token")
    kept = _redeem(site, form["refresh_token"], "refresh", app)
    return _answer(site, tenant, app, {**kept, "nonce": ""}, form.get("scope", "").split() or kept["scopes"])


def _redeem(site: EntraSite, value: str, kind: str, app: Row) -> dict[str, Any]:
    row = site.store.row("SELECT * FROM entra_grant WHERE value = ? AND kind = ?", value, kind)
    if row is None:
        raise invalid_grant(9002313, "Invalid request. Request is malformed or invalid.")
    kept: dict[str, Any] = json.loads(row["detail"])
    if kept["client_id"] != app["client_id"]:
        raise invalid_grant(700005, "The code was issued to another application.")
    if row["used"]:
        raise invalid_grant(54005, "OAuth2 Authorization code was already redeemed.")
    if row["expires"] < now_ms():
        raise invalid_grant(70008, "The provided authorization code or refresh token has expired due to inactivity.")
    return kept


def _answer(site: EntraSite, tenant: Row, app: Row, kept: dict[str, Any], scopes: Sequence[str]) -> dict[str, Any]:
    """Access token, and as asked for id and refresh token."""
    person = site.person(kept["oid"])
    if person is None or person["tenant_id"] != tenant["id"]:
        raise invalid_grant(50034, "The user account does not exist in the directory.")
    resource, wanted = _asked(site, scopes)
    claims = tokens.user_claims(site, person, resource, app["client_id"], wanted)
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(scopes),
        "expires_in": _left(claims),
        "ext_expires_in": _left(claims),
        "access_token": tokens.signed(site, tenant["id"], claims, "user", graph=resource.is_graph),
        "client_info": b64(json.dumps({"uid": person["oid"], "utid": tenant["id"]}).encode()),
    }
    if "openid" in scopes:
        said = tokens.id_claims(site, person, app["client_id"], kept.get("nonce", ""))
        answer["id_token"] = tokens.signed(site, tenant["id"], said, "id")
    if "offline_access" in scopes:
        answer["refresh_token"] = keep_grant(site, "refresh", {**kept, "scopes": list(scopes)}, REFRESH_MS)
    return answer


def _asked(site: EntraSite, scopes: Sequence[str]) -> tuple[tokens.Resource, list[str]]:
    """The one resource that the scopes name, and what is wanted there; without any it is Graph."""
    named = [scope for scope in scopes if scope not in OPENID]
    resources = {scope.rpartition("/")[0] or GRAPH for scope in named} or {GRAPH}
    if len(resources) > 1:
        raise EntraError("invalid_scope", 28000, "The scopes name more than one resource.")
    wanted = [scope.rpartition("/")[2] for scope in named if not scope.endswith(DEFAULT)]
    return _resource(site, resources.pop()), wanted or ["User.Read"]


def _resource(site: EntraSite, name: str) -> tokens.Resource:
    if name not in SERVICES and site.find_app(name) is None:
        text = f"The resource principal named {name} was not found in the tenant."
        raise EntraError("invalid_resource", 500011, text)
    return tokens.Resource.of(site, GRAPH if name == GRAPH_ID else name)


def _left(claims: Mapping[str, Any]) -> int:
    return int(claims["exp"]) - int(claims["iat"])


def keep_grant(site: EntraSite, kind: str, detail: Mapping[str, Any], lifetime_ms: int) -> str:
    """Remember what a code or refresh token stands for; returns it. The caller holds the transaction."""
    value = f"0.{secrets.token_urlsafe(48)}"
    sql = "INSERT INTO entra_grant VALUES (?, ?, ?, ?, 0)"
    site.store.run(sql, value, kind, json.dumps(dict(detail)), now_ms() + lifetime_ms)
    return value


GRANTS: Mapping[str, Grant] = {
    "client_credentials": _client_credentials,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
}
