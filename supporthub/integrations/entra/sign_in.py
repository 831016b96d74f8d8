"""Sign-in of people by Entra's own page: authorisation code with PKCE, through msal.

msal insists on https, also for an Entra that is played on this machine over plain http (accepted on loopback only, by
the settings): the wire below shows it https addresses and asks the plain ones. msal returns most errors and raises the
rest; here every one becomes a refusal or a TransientError. Tokens are not kept: the ID token is read once.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msal  # type: ignore[import-untyped]
import structlog
from msal.exceptions import MsalError  # type: ignore[import-untyped]

from supporthub.core.errors import TransientError
from supporthub.integrations.entra.discovery import Authority

logger = structlog.get_logger(__name__)

LARGEST_ANSWER: Final = 512 * 1024
_UNREACHABLE: Final = "Microsoft's sign-in does not answer."


class SignInRefused(Exception):
    """Entra, or a check of its answer, said no. `code` is for logs: Entra's error, or ours."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class App:
    """Our app registration. Either `secret`, or `certificate` with `private_key` (PEM; `thumbprint` for AD FS)."""

    authority: Authority
    tenant_id: str
    client_id: str
    secret: str = field(default="", repr=False)
    certificate: str = ""
    private_key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    thumbprint: str = ""

    def credential(self) -> Any:
        if not self.private_key:
            return self.secret
        parts = {
            "private_key": self.private_key, "public_certificate": self.certificate, "thumbprint": self.thumbprint,
            "passphrase": self.passphrase,
        }  # fmt: skip
        return {name: value for name, value in parts.items() if value}


@dataclass(frozen=True, slots=True)
class IdToken:
    """What came back: the token as it was sent, for whoever verifies its signature, and its claims."""

    raw: str
    claims: Mapping[str, Any]


def begin(app: App, redirect_uri: str) -> tuple[str, dict[str, Any]]:
    """Return where the browser goes, and what must be kept on our side until it comes back.

    May fetch Entra's document, once a process. Raises TransientError.
    """
    flow = _guarded(lambda: _ready(app).initiate_auth_code_flow([], redirect_uri=redirect_uri))
    return _Wire(app.authority).outward(flow["auth_uri"]), flow


def finish(app: App, flow: Mapping[str, Any], answer: Mapping[str, str]) -> IdToken:
    """Exchange what the browser brought back for an ID token. The caller verifies its signature.

    State, nonce and PKCE are checked by msal. Raises SignInRefused, TransientError.
    """
    try:
        result = _guarded(lambda: _ready(app).acquire_token_by_auth_code_flow(dict(flow), dict(answer)))
    except ValueError as error:
        raise SignInRefused("state_mismatch") from error
    if "id_token_claims" not in result or "id_token" not in result:
        detail = f"{result.get('error_codes', '')} {result.get('correlation_id', '')}".strip()
        raise SignInRefused(str(result.get("error") or "no_id_token"), detail)
    return IdToken(result["id_token"], result["id_token_claims"])


def sign_out_address(app: App, back: str) -> str:
    """Return where a browser ends its sign-in at Entra; Entra then leads `back`."""
    query = urlencode({"post_logout_redirect_uri": back})
    return f"{app.authority.url}/{app.tenant_id}/oauth2/v2.0/logout?{query}"


class _NothingKept(msal.TokenCache):  # type: ignore[misc]  # the library has no types
    """Nobody uses the tokens of a sign-in afterwards, so none stay in memory."""

    def add(self, event: Mapping[str, Any], now: float | None = None) -> None:
        pass  # what the class is for


def _ready(app: App) -> Any:
    try:
        return _application(os.getpid(), app)
    except ValueError as error:  # an unknown tenant, or a certificate that is none
        logger.warning("entra.sign_in_misconfigured", hint="check ENTRA_TENANT_ID and the certificate")
        raise TransientError("Microsoft's sign-in is not set up rightly.", detail=type(error).__name__) from error


@lru_cache(maxsize=4)
def _application(pid: int, app: App) -> Any:
    """One for a process (`pid`: not shared across a fork), made when it is first needed: making it fetches."""
    wire = _Wire(app.authority)
    where = wire.inward(f"{app.authority.url}/{app.tenant_id}")
    return msal.ConfidentialClientApplication(
        app.client_id, client_credential=app.credential(), authority=where,
        token_cache=_NothingKept(), http_client=wire, instance_discovery=False, exclude_scopes=["offline_access"],
    )  # fmt: skip


def _guarded(work: Any) -> Any:
    try:
        return work()
    except (MsalError, httpx.HTTPError) as error:
        logger.warning("entra.sign_in_unreachable", error=type(error).__name__)
        raise TransientError(_UNREACHABLE, detail=type(error).__name__) from error
    except RuntimeError as error:  # an ID token that msal does not believe, or a document that it cannot get
        raise SignInRefused("bad_id_token", type(error).__name__) from error


@dataclass(frozen=True, slots=True)
class _Answer:
    """The few members of a `requests` answer that msal looks at."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        if self.status_code >= httpx.codes.BAD_REQUEST:
            raise httpx.HTTPError(f"HTTP {self.status_code}")


class _Wire:
    """msal's `http_client`: time-outs always, no redirects, no cookies, answers bounded."""

    def __init__(self, authority: Authority) -> None:
        self._plain = str(httpx.URL(authority.url).copy_with(path="/", query=None, fragment=None)).rstrip("/")
        self._shown = self._plain.replace("http://", "https://", 1)
        self._timeout = httpx.Timeout(authority.read_timeout, connect=authority.connect_timeout)

    def inward(self, text: str) -> str:
        """Addresses as msal may see them."""
        return text.replace(self._plain, self._shown)

    def outward(self, text: str) -> str:
        """Addresses as they are."""
        return text.replace(self._shown, self._plain)

    def get(self, url: str, params: Any = None, headers: Any = None, **_more: Any) -> _Answer:
        return self._ask("GET", url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_more: Any) -> _Answer:
        return self._ask("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Nothing is kept open between sign-ins."""

    def _ask(self, method: str, url: str, **parts: Any) -> _Answer:
        trust_env = self._shown == self._plain  # never ask a proxy for an address of this machine
        with (
            httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=trust_env) as client,
            client.stream(method, self.outward(url), **parts) as response,
        ):
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise httpx.HTTPError("the answer is too large")
        text = self.inward(body.decode("utf-8", "replace"))
        return _Answer(response.status_code, text, dict(response.headers))
