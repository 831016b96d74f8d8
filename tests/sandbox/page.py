"""The page at ``/``: what the systems hold, the journal, and forms for faults."""

import json
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.sandbox.control import COOKIE, ControlError, Guard
from tests.sandbox.faults import KINDS
from tests.sandbox.html import Html, el, join
from tests.sandbox.rules import RuleBook
from tests.sandbox.store import Store

JOURNAL_LINES = 50
STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; }
body { overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; overflow-wrap: normal; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top; }
code, pre { font: 13px/1.4 ui-monospace, monospace; } pre { overflow-x: auto; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; } label { display: grid; gap: .2rem; }
input, select, button { font: inherit; padding: .3rem .5rem; max-width: 100%; min-height: 2.2rem; }
blockquote, aside { border-left: 3px solid var(--line); margin-left: 0; padding-left: 1rem; }
"""
SECURITY = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Section(Protocol):
    """A system's part of the page."""

    def section(self) -> Html:
        """What the system now holds."""
        ...


def document(title: str, *content: object, status: int = 200) -> HTMLResponse:
    """A whole page, without any asset from elsewhere."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", Html(STYLE)),
    )
    page = el("html", head, el("body", el("h1", title), *content), lang="en")
    return HTMLResponse("<!DOCTYPE html>" + page, status, headers=SECURITY)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """A table that scrolls sideways inside itself on a narrow screen."""
    head = el("tr", *(el("th", name, scope="col") for name in heads))
    body = [el("tr", *(el("td", cell) for cell in row)) for row in rows]
    return el("div", el("table", el("thead", head), el("tbody", body)), class_="wide")


class Page:
    """The page and its forms."""

    def __init__(self, store: Store, rules: RuleBook, guard: Guard, sections: Sequence[Section]) -> None:
        self._store = store
        self._rules = rules
        self._guard = guard
        self._sections = sections

    def routes(self) -> list[Route]:
        """The page and what its forms post to."""
        return [
            Route("/", self.show),
            Route("/faults", self._guard.guarded(self.switch_on), methods=["POST"]),
            Route("/faults/off", self._guard.guarded(self.switch_off), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page; ``?secret=`` is exchanged for a cookie, so that it does not stay in the address."""
        if secret := request.query_params.get("secret"):
            response = RedirectResponse("/", 303)
            if self._guard.knows(secret):
                response.set_cookie(COOKIE, self._guard.cookie, httponly=True, samesite="strict")
            return response
        may = self._guard.admits(request)
        content = [section.section() for section in self._sections]
        return document("Sandbox", *content, self._faults(may), self._journal())

    def _faults(self, may: bool) -> Html:
        rows = []
        for rule in self._rules.listed():
            match, button = rule["match"], None
            if may:
                hidden = el("input", type="hidden", name="id", value=rule["id"])
                button = el("form", hidden, el("button", "Switch off"), method="post", action="/faults/off")
            which = f"{match['method'] or 'any'} {match['path_regex'] or 'any path'}"
            params, count = el("code", json.dumps(rule["params"])), f"{rule['fired']} of {rule['count'] or 'unlimited'}"
            rows.append((rule["kind"], which, params, f"{rule['probability']:g}", count, button))
        heads = ("Kind", "Requests", "Parameters", "Probability", "Fired", "")
        shown = table(heads, rows) if rows else el("p", "None is switched on.")
        note = el("p", "Open this page once with ?secret=… to switch faults.")
        return join(el("h2", "Faults"), shown, self._form() if may else note)

    def _form(self) -> Html:
        kinds = el("select", [el("option", kind) for kind in sorted(KINDS)], name="kind")
        return el(
            "form",
            el("label", "Kind", kinds),
            el("label", "Method", el("input", name="method", size=6, placeholder="any")),
            el("label", "Path contains (regular expression)", el("input", name="path_regex", size=24)),
            el("label", "Parameters (JSON)", el("input", name="params", size=24, placeholder='{"ms": 500}')),
            el("label", "Probability", el("input", name="probability", size=5, value="1")),
            el("label", "Times", el("input", name="count", size=5, placeholder="always")),
            el("button", "Switch on"),
            method="post",
            action="/faults",
        )

    def _journal(self) -> Html:
        rows = self._store.rows("SELECT * FROM journal ORDER BY id DESC LIMIT ?", JOURNAL_LINES)
        lines = [
            (row["id"], row["method"], el("code", row["path"]), row["status"] or "none", row["fault"], row["subject"])
            for row in rows
        ]
        heads = ("No.", "Method", "Path", "Answer", "Fault", "About")
        return join(el("h2", f"Last {JOURNAL_LINES} requests"), table(heads, lines))

    async def switch_on(self, request: Request) -> Response:
        """Add a rule from the form."""
        given = await form(request)
        try:
            params = json.loads(given.get("params") or "{}")
            count = int(given["count"]) if given.get("count") else None
            probability = float(given.get("probability") or 1)
        except ValueError as error:
            raise ControlError("parameters are JSON, times and probability are numbers") from error
        match = {"method": given.get("method", ""), "path_regex": given.get("path_regex", "")}
        rule = {"kind": given.get("kind"), "match": match, "params": params, "count": count, "probability": probability}
        self._rules.add(rule)
        return RedirectResponse("/", 303)

    async def switch_off(self, request: Request) -> Response:
        """Remove a rule."""
        self._rules.remove((await form(request)).get("id", ""))
        return RedirectResponse("/", 303)


async def form(request: Request) -> dict[str, str]:
    """The fields of a posted form, the first value of each."""
    raw = (await request.body()).decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(raw).items()}
