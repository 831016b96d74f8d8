"""What a browser sees: the page that asks who signs in, and the page after signing out. Nothing is remembered.

The page shows everybody of the tenant; choosing is one click and needs no password, because this is a stand-in.
"""

import json
from collections.abc import Mapping
from sqlite3 import Row
from urllib.parse import urlencode, urlsplit

from tests.sandbox.entra.errors import EntraError
from tests.sandbox.entra.grants import CODE_MS, keep_grant
from tests.sandbox.entra.site import EntraSite
from tests.sandbox.exchange import Answer, Call
from tests.sandbox.html import Html, el
from tests.sandbox.options import is_loopback
from tests.sandbox.page import document

CHOICE = "sandbox_person"
DENIED = "nobody"


def authorise(site: EntraSite, tenant: Row, call: Call) -> Answer:
    """``GET /<tenant>/oauth2/v2.0/authorize``: without a choice the page, with one back to where the client asked."""
    asked = {name: values[0] for name, values in call.query.items()}
    try:
        app = site.app(asked.get("client_id", ""))
        back = _reply_address(app, asked)
    except EntraError as error:
        return _page("Sign in", el("p", error.text), status=400)  # nobody may be sent to an unknown address
    fault = _fault(asked)
    if fault is not None:
        return _redirect(back, {"error": fault.error, "error_description": fault.text, **_state(asked)})
    choice = asked.get(CHOICE, "")
    if not choice:
        return _people(site, tenant, app, asked)
    if choice == DENIED:
        text = "AADSTS65004: User declined to consent to access the app."
        return _redirect(back, {"error": "access_denied", "error_description": text, **_state(asked)})
    person = site.person(choice)
    if person is None or person["tenant_id"] != tenant["id"]:
        return _page("Sign in", el("p", "There is nobody of this name in the tenant."), status=400)
    call.subject = person["upn"]
    detail = {
        "client_id": app["client_id"], "oid": person["oid"], "redirect_uri": asked["redirect_uri"],
        "challenge": asked["code_challenge"], "nonce": asked.get("nonce", ""), "scopes": asked["scope"].split(),
    }  # fmt: skip
    code = keep_grant(site, "code", detail, CODE_MS)
    return _redirect(back, {"code": code, **_state(asked), "session_state": tenant["id"]})


def sign_out(site: EntraSite, tenant: Row, call: Call) -> Answer:
    """``GET /<tenant>/oauth2/v2.0/logout``: there is no session to end, so straight back when that is asked."""
    back = call.one("post_logout_redirect_uri")
    if not back:
        return _page(
            "You signed out of your account", el("p", f"It is a good idea to close all windows. {tenant['name']}")
        )
    if not is_loopback(urlsplit(back).hostname or ""):
        return _page("Sign out", el("p", "AADSTS50011: this address to go back to is not registered."), status=400)
    given = {"state": call.one("state")} if call.one("state") else {}
    return _redirect(back, given)


def _reply_address(app: Row, asked: Mapping[str, str]) -> str:
    """Registered addresses, or, for an app without any, every address of this machine."""
    address = asked.get("redirect_uri", "")
    registered = json.loads(app["redirect_uris"])
    if address in registered or (not registered and is_loopback(urlsplit(address).hostname or "")):
        return address
    text = f"The redirect URI '{address}' specified in the request does not match the ones of the application."
    raise EntraError("invalid_request", 50011, text)


def _fault(asked: Mapping[str, str]) -> EntraError | None:
    if asked.get("response_type") != "code":
        return EntraError("unsupported_response_type", 700054, "response_type is not enabled for the application.")
    if asked.get("response_mode", "query") != "query":
        return EntraError("invalid_request", 70007, "Only the response_mode 'query' is played.")
    if not asked.get("scope"):
        return EntraError("invalid_request", 900144, "The request must contain the parameter: 'scope'.")
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        text = "Proof Key for Code Exchange is required for cross-origin authorization code redemption."
        return EntraError("invalid_request", 9002325, text)
    if asked.get("prompt") == "none":
        return EntraError("login_required", 50058, "A silent sign-in request was sent but no user is signed in.")
    return None


def _people(site: EntraSite, tenant: Row, app: Row, asked: Mapping[str, str]) -> Answer:
    people = site.people(tenant["id"])
    hint = asked.get("login_hint", "").lower()
    people.sort(key=lambda person: person["upn"].lower() != hint)
    links = [
        el("li", _link(call_with(asked, person["oid"]), f"{person['name']} <{person['upn']}>")) for person in people
    ]
    intro = f"{app['name']} asks who you are. This is a stand-in for Entra ID: choose somebody of {tenant['name']}."
    refuse = el("p", _link(call_with(asked, DENIED), "Sign in as nobody"))
    return _page("Sign in", el("p", intro), el("ul", links), refuse)


def call_with(asked: Mapping[str, str], choice: str) -> str:
    """The same request with somebody chosen."""
    return "?" + urlencode({**asked, CHOICE: choice})


def _link(address: str, text: str) -> Html:
    return el("a", text, href=address)


def _state(asked: Mapping[str, str]) -> dict[str, str]:
    return {"state": asked["state"]} if "state" in asked else {}


def _page(title: str, *content: object, status: int = 200) -> Answer:
    made = document(title, *content, status=status)
    skipped = {"content-length"}
    headers = tuple((name, value) for name, value in made.headers.items() if name not in skipped)
    return Answer(status, bytes(made.body), headers)


def _redirect(address: str, query: Mapping[str, str]) -> Answer:
    joined = address + (("&" if urlsplit(address).query else "?") + urlencode(query) if query else "")
    return Answer(302, b"", (("location", joined), ("cache-control", "no-store, no-cache")))
