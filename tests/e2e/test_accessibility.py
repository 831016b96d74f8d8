"""Everybody can use every page: no serious finding of axe, and nothing that must be scrolled sideways on a phone."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.api import Api
from tests.e2e.browser import Guard, wait_live
from tests.e2e.conftest import ADMIN_USER, BEN, Contexts, SignedIn, Somebody

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SEVERE = {"serious", "critical"}
PHONE = {"width": 360, "height": 740}


@dataclass(frozen=True)
class Place:
    """A page: its address, who looks at it (None: nobody is signed in), and the status that it answers with."""

    name: str
    path: str
    who: Somebody | None = BEN
    status: int = 200


PLACES = [
    Place("sign-in", "/sign-in/", None),
    Place("queue", "/?view=all"),
    Place("queue with the filter open", "/?view=all#filter"),
    Place("empty queue", "/?view=all&label=nobody-has-this-label"),
    Place("ticket", "/tickets/HUB-1/"),
    Place("new ticket", "/tickets/new/"),
    Place("profile", "/profile/"),
    Place("404", "/there/is/no/such/page/", status=404),
    Place("admin", "/admin/", ADMIN_USER),
    Place("list of the admin", "/admin/tickets/submission/", ADMIN_USER),
]
each_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name.replace(" ", "-"))

Visit = Callable[..., Page]


@pytest.fixture(scope="module", autouse=True)
def _something_to_see(api: Api) -> None:
    """A ticket with every kind of message, in a queue with every priority."""
    key = next((one["key"] for one in api.tickets() if one["key"] == "HUB-1"), None) or api.open("The first")["key"]
    assert key == "HUB-1"
    api.say(key, "We look at it this afternoon.")
    api.say(key, "The toner is empty, again.", kind="internal")
    for priority in ("low", "normal", "high", "urgent"):
        api.open(f"Something {priority}", priority=priority, labels=["a-label"], board="office")


@pytest.fixture
def visit(signed_in: SignedIn, contexts: Contexts, guard: Guard) -> Visit:
    """Return the page of a place, fully loaded."""

    def go(place: Place, **options: object) -> Page:
        if place.status != 200:
            guard.expect_status(place.status)
        page = signed_in(place.who, **options) if place.who else contexts(**options).new_page()
        answer = page.goto(place.path, wait_until="load")
        assert answer
        assert answer.status == place.status
        if place.who is BEN and place.status == 200:
            wait_live(page)
        if place.path.endswith("#filter"):
            page.locator(".queue-tools summary").first.click()
        return page

    return go


def severe_findings(page: Page) -> list[str]:
    """What axe finds serious or critical, with the rule and the elements."""
    found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    "
        + "\n    ".join(f"{node['html'][:160]} {node.get('failureSummary', '')[:300]}" for node in rule["nodes"][:5])
        for rule in found.response["violations"]
        if rule["impact"] in SEVERE
    ]


@each_place
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visit, place: Place, theme: str) -> None:
    page = visit(place, color_scheme=theme, reduced_motion="reduce")
    found = severe_findings(page)
    assert not found, "\n".join(found)


@each_place
def test_a_phone_never_scrolls_sideways(visit: Visit, place: Place) -> None:
    page = visit(place, viewport=PHONE, has_touch=True, is_mobile=True)
    wide = page.evaluate(
        """() => [document.documentElement.scrollWidth, ...[...document.querySelectorAll("body *")]
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && one.checkVisibility())
            .slice(0, 5).map((one) => one.outerHTML.slice(0, 120))]"""
    )
    assert wide[0] <= PHONE["width"], wide


def test_axe_finds_nothing_serious_in_the_dialogs(visit: Visit) -> None:
    page = visit(PLACES[1], reduced_motion="reduce")
    for key, dialog in (("?", "#help"), ("Control+k", "#palette")):
        page.keyboard.press(key)
        page.locator(dialog).wait_for(state="visible")
        found = severe_findings(page)
        assert not found, "\n".join(found)
        page.keyboard.press("Escape")
