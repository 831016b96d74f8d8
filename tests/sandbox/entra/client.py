"""For tests: the control calls of the played Entra."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.sandbox.entra.seeds import CONTOSO

Json = dict[str, Any]
Call = Callable[..., Any]


class EntraCalls:
    """Tokens, keys, apps and people. Every method raises ``httpx.HTTPStatusError`` when the sandbox refuses."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def state(self) -> Json:
        """Tenants with the ids of their published keys (newest first), apps, people."""
        return dict(self._call("GET", "/entra/state"))

    def keys(self, tenant: str = CONTOSO) -> list[str]:
        """The ids of the published keys, newest first."""
        return [str(kid) for row in self.state()["tenants"] if row["id"] == tenant for kid in row["keys"]]

    def token(self, **asked: Any) -> str:
        """An access token; ``EntraControl.mint_token`` names the members of ``asked``."""
        return str(self.mint(**asked)["access_token"])

    def mint(self, **asked: Any) -> Json:
        """As :meth:`token`, with ``header`` and ``claims`` beside it."""
        return dict(self._call("POST", "/entra/tokens", asked))

    def rotate(self, tenant: str = CONTOSO) -> str:
        """Publish one more key, which signs from now on; returns its id."""
        return str(self._call("POST", "/entra/keys", {"tenant": tenant})["kid"])

    def withdraw(self, kid: str) -> None:
        """Take a key out of the set."""
        self._call("DELETE", f"/entra/keys/{kid}")

    def put_app(self, client_id: str, **given: Any) -> None:
        """Register or change an app (``name``, ``token_version``, ``secret``, ``redirect_uris``)."""
        self._call("PUT", f"/entra/apps/{client_id}", given)

    def add_certificate(self, client_id: str, pem: str) -> Json:
        """Let an app prove itself with a certificate; returns its thumbprints."""
        return dict(self._call("POST", f"/entra/apps/{client_id}/certificates", {"certificate": pem}))

    def put_person(self, person: str, *, roles: Sequence[str] | None = None, **given: Any) -> Json:
        """Make or change an account (``tenant``, ``name``, ``groups``, ``oid``, ``upn`` to rename it)."""
        if roles is not None:
            given["roles"] = list(roles)
        return dict(self._call("PUT", f"/entra/people/{person}", given))

    def delete_person(self, person: str) -> None:
        """An account leaves the directory."""
        self._call("DELETE", f"/entra/people/{person}")
