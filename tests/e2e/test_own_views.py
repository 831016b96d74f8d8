"""A technician's own views, and the moment in which a bulk action can be taken back: with the mouse and with keys."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.api import Api, unique
from tests.e2e.browser import wait_live
from tests.e2e.conftest import SignedIn


def test_a_view_is_named_found_in_the_sidebar_renamed_and_deleted_with_keys_alone(
    api: Api, signed_in: SignedIn
) -> None:
    label = unique("own").replace(" ", "")
    api.open("In the named list", board="office", labels=[label])
    page = signed_in()
    page.goto(f"/?view=open&label={label}")
    wait_live(page)
    page.keyboard.press("s")
    page.keyboard.type("My own list")
    page.keyboard.press("Enter")
    spot = page.locator(".spot")
    expect(spot).to_have_text("My own list")
    expect(spot).to_have_attribute("aria-current", "true")
    page.goto("/?view=mine")
    expect(spot).not_to_have_attribute("aria-current", "true")
    wait_live(page)
    page.keyboard.press("g")
    page.keyboard.press("1")
    page.wait_for_url(re.compile(label))
    expect(page.locator(".crumb")).to_have_text("My own list")
    wait_live(page)
    page.keyboard.press("s")
    page.keyboard.type("Renamed")
    page.keyboard.press("Enter")
    expect(spot).to_have_text("Renamed")
    page.locator("#own-view > summary").press("Enter")
    page.get_by_role("button", name="Delete this view").press("Enter")
    expect(spot).to_have_count(0)


def _resolve_both(page: Page, api: Api) -> list[str]:
    label = unique("undo").replace(" ", "")
    keys = [api.open(f"Resolved by mistake {number}", board="office", labels=[label])["key"] for number in range(2)]
    page.goto(f"/?view=open&label={label}")
    wait_live(page)
    for key in keys:
        page.locator(f'.row-line[data-key="{key}"] .c-tick input').check()
    page.locator("#bulk").get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    return keys


def test_what_was_resolved_by_mistake_is_back_after_one_key(api: Api, signed_in: SignedIn) -> None:
    page = signed_in()
    keys = _resolve_both(page, api)
    expect(page.locator(".row-line")).to_have_count(0)
    page.keyboard.press("z")
    expect(page.locator(".row-line")).to_have_count(2)
    expect(page.locator("#toasts")).to_contain_text("2 changes undone.")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert {api.ticket(key)["status"] for key in keys} == {"new"}


def test_undo_refuses_what_somebody_changed_meanwhile_and_says_which(api: Api, signed_in: SignedIn) -> None:
    page = signed_in()
    kept, changed = _resolve_both(page, api)
    api.say(changed, "I looked at this already", kind="internal")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator('.toast-line[data-level="warning"]')).to_contain_text(f"{changed}: Somebody changed this")
    assert [api.ticket(key)["status"] for key in (kept, changed)] == ["new", "resolved"]


def test_the_line_below_a_title_never_begins_with_a_dot_on_a_phone(api: Api, signed_in: SignedIn) -> None:
    ticket = api.open("Words enough for two lines on a phone", board="helpdesk", requester="ann.baker@contoso.example")
    page = signed_in(viewport={"width": 360, "height": 740})
    page.goto(f"/tickets/{ticket['key']}/")
    wait_live(page)
    begins = page.evaluate(
        """() => [...document.querySelectorAll(".ticket-line .dot-list > span")]
            .map((part) => getComputedStyle(part, "::before").content)"""
    )
    assert len(begins) > 2
    assert set(begins) == {"none"}
    title, details = page.locator("h1").bounding_box(), page.locator(".jump").bounding_box()
    assert title is not None
    assert details is not None
    assert abs(title["x"] - details["x"]) < 2
