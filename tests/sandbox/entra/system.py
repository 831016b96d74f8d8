"""Entra ID as one played system: the tenant in the path, then what is asked of it."""

import re
from collections.abc import Callable, Mapping
from sqlite3 import Row
from typing import Any

from tests.sandbox.entra.authorise import authorise, sign_out
from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.grants import token
from tests.sandbox.entra.site import ROOT, EntraSite
from tests.sandbox.exchange import Answer, Call, json_answer

PATH = re.compile(re.escape(ROOT) + r"/(?P<tenant>[^/]+)(?P<rest>/.+)")
CACHED = (("cache-control", "max-age=86400, private"),)

Handler = Callable[[EntraSite, Row, Call], Answer]


def discovery_v2(site: EntraSite, tenant: Row, _call: Call) -> Answer:
    """The document of version 2."""
    return json_answer(_document(site, tenant["id"], 2, "/v2.0"), headers=CACHED)


def discovery_v1(site: EntraSite, tenant: Row, _call: Call) -> Answer:
    """The document of version 1."""
    return json_answer(_document(site, tenant["id"], 1, ""), headers=CACHED)


def _document(site: EntraSite, tenant_id: str, version: int, infix: str) -> dict[str, Any]:
    """Only the key set differs by version here; authorisation and tokens are version 2's in both documents."""
    base = site.url(tenant_id)
    return {
        "issuer": site.issuer(tenant_id, version),
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "jwks_uri": f"{base}/discovery{infix}/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_modes_supported": ["query"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "code_challenge_methods_supported": ["S256"],
    }


def keys(version: int) -> Handler:
    """The key set as one version shows it."""

    def answer(site: EntraSite, tenant: Row, _call: Call) -> Answer:
        issuer = site.issuer(tenant["id"], version)
        shown = [key.jwk(issuer) for key in site.keys.published(tenant["id"])]
        return json_answer({"keys": shown}, headers=CACHED)

    return answer


ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/v2.0/.well-known/openid-configuration"): discovery_v2,
    ("GET", "/.well-known/openid-configuration"): discovery_v1,
    ("GET", "/discovery/v2.0/keys"): keys(2),
    ("GET", "/discovery/keys"): keys(1),
    ("GET", "/oauth2/v2.0/authorize"): authorise,
    ("POST", "/oauth2/v2.0/token"): token,
    ("GET", "/oauth2/v2.0/logout"): sign_out,
}


class EntraSystem:
    """``System`` for Entra ID."""

    name = "entra"

    def __init__(self, site: EntraSite) -> None:
        self._site = site

    def answer(self, call: Call) -> Answer:
        """Do what is asked; refusals come back as answers."""
        match = PATH.fullmatch(call.path)
        handler = ROUTES.get((call.method, match["rest"])) if match else None
        if match is None or handler is None:
            return Answer(404, b"", keep_effects=False)
        try:
            return handler(self._site, self._site.tenant(match["tenant"]), call)
        except EntraError as error:
            return error.as_answer()
