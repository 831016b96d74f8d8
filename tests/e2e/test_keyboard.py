"""The whole hub by keyboard, and none of it in the way of somebody who types or dictates."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.api import Api, unique
from tests.e2e.browser import wait_live
from tests.e2e.conftest import BEN, IDA, SignedIn


@pytest.fixture
def label(api: Api) -> str:
    """Three tickets of one label: the newest is “Third”."""
    name = unique("keys").replace(" ", "")
    for title in ("First", "Second", "Third"):
        api.open(title, board="office", labels=[name])
    return name


@pytest.fixture
def queue(signed_in: SignedIn, label: str) -> Page:
    page = signed_in(viewport={"width": 1000, "height": 800})  # too narrow for the preview: nothing is chosen at first
    page.goto(f"/?view=open&label={label}")
    wait_live(page)
    return page


def current(page: Page) -> Locator:
    return page.locator(".row-line.is-current .row-link")


_OUTLINED = """
(element) => [element, element.closest(".row-line"), element.parentElement].some((one) => {
  const style = one && getComputedStyle(one);
  return style && ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none");
})
"""


def has_visible_focus(element: Locator) -> bool:
    """Whether the focused element, or the row or box it stands in, is outlined or shadowed."""
    return bool(element.evaluate(_OUTLINED))


def test_the_help_sheet_is_made_from_the_real_keys_and_gives_the_focus_back(queue: Page) -> None:
    before = queue.locator(".queue-tools summary").first
    before.focus()
    queue.keyboard.press("?")
    sheet = queue.locator("#help")
    expect(sheet).to_be_visible()
    for words in ("Next ticket", "Previous ticket", "Assign to me", "Search tickets", "Open the command palette"):
        expect(sheet).to_contain_text(words)
    assert sheet.evaluate("(sheet) => sheet.contains(document.activeElement)")
    queue.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(before).to_be_focused()


def test_j_and_k_move_and_enter_opens(queue: Page) -> None:
    queue.keyboard.press("j")
    expect(current(queue)).to_have_text("Third")
    expect(current(queue)).to_be_focused()
    assert has_visible_focus(current(queue))
    queue.keyboard.press("j")
    expect(current(queue)).to_have_text("Second")
    queue.keyboard.press("k")
    expect(current(queue)).to_have_text("Third")
    queue.keyboard.press("j")
    queue.keyboard.press("Enter")
    queue.wait_for_url(re.compile(r"/tickets/HUB-\d+/$"))
    expect(queue.get_by_role("heading", level=1)).to_have_text("Second")
    queue.keyboard.press("u")
    queue.wait_for_url(re.compile(r"/\?view=open"))
    expect(current(queue)).to_have_text("Second")


def test_x_selects_a_takes_and_e_resolves(queue: Page, label: str, api: Api) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("x")
    expect(queue.locator("#bulk")).to_contain_text("1 selected")
    queue.keyboard.press("a")
    third = queue.locator(".row-line").filter(has_text="Third")
    expect(third.locator(".c-who")).to_contain_text("BC")
    queue.keyboard.press("e")
    expect(third).to_have_count(0)
    found = {one["title"]: one for one in api.tickets() if label in one["labels"]}
    assert found["Third"]["status"] == "resolved"
    assert found["Third"]["assignee"]["name"] == BEN.name
    assert found["Second"]["status"] == "new"


def test_r_n_and_e_work_in_a_ticket_and_dot_goes_to_the_next(queue: Page, label: str, api: Api) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("o")
    queue.wait_for_url(re.compile(r"/tickets/"))
    wait_live(queue)
    body, composer = queue.locator("#body"), queue.locator("#composer")
    queue.keyboard.press("n")
    expect(body).to_be_focused()
    expect(composer).to_have_attribute("data-kind", "internal")
    queue.keyboard.type("jknre. are letters here")
    expect(body).to_have_value("jknre. are letters here")
    body.fill("")
    queue.keyboard.press("Escape")
    expect(body).not_to_be_focused()
    queue.keyboard.press("r")
    expect(composer).to_have_attribute("data-kind", "public")
    expect(body).to_be_focused()
    queue.keyboard.press("Escape")

    queue.keyboard.press(".")
    expect(queue.get_by_role("heading", level=1)).to_have_text("Second")
    wait_live(queue)
    queue.keyboard.press("e")
    expect(queue.locator("#part-head .state-resolved")).to_be_visible()
    found = {one["title"]: one["status"] for one in api.tickets() if label in one["labels"]}
    assert found == {"Third": "resolved", "Second": "resolved", "First": "new"}


def test_slash_searches_and_nothing_fires_while_typing(queue: Page) -> None:
    queue.keyboard.press("/")
    field = queue.locator("#search")
    expect(field).to_be_focused()
    queue.keyboard.type("jxa?c")
    expect(field).to_have_value("jxa?c")
    expect(queue.locator("#help")).to_be_hidden()
    expect(current(queue)).to_have_count(0)
    expect(queue.locator("#bulk")).to_be_hidden()


def test_the_palette_finds_tickets_and_commands_and_gives_the_focus_back(queue: Page, label: str, api: Api) -> None:
    title = unique("Findable")
    key = api.open(title, board="office")["key"]
    before = queue.locator(".queue-tools summary").first
    before.focus()
    queue.keyboard.press("Control+k")
    palette = queue.locator("#palette")
    expect(palette).to_be_visible()
    expect(palette.get_by_role("combobox")).to_be_focused()
    queue.keyboard.press("Escape")
    expect(before).to_be_focused()

    queue.keyboard.press("Control+k")
    queue.keyboard.type(key)
    expect(palette.locator("a.palette-item").first).to_contain_text(title)
    queue.keyboard.press("Enter")
    queue.wait_for_url(f"**/tickets/{key}/")

    queue.keyboard.press("Control+k")
    queue.keyboard.type("new tick")
    expect(palette.get_by_role("option").first).to_contain_text("New ticket")
    queue.keyboard.press("Enter")
    queue.wait_for_url("**/tickets/new/")


def test_g_then_a_letter_goes_to_a_place(signed_in: SignedIn) -> None:
    page = signed_in()
    page.goto("/profile/")
    wait_live(page)
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/")


@pytest.fixture
def without_shortcuts(signed_in: SignedIn) -> Iterator[Page]:
    """Somebody who has switched the shortcuts off in the profile; switched on again afterwards."""
    page = signed_in(IDA)
    set_shortcuts(page, on=False)
    yield page
    set_shortcuts(page, on=True)


def set_shortcuts(page: Page, *, on: bool) -> None:
    page.goto("/profile/")
    page.locator("#id_shortcuts").set_checked(on)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved")


def test_shortcuts_can_be_switched_off_in_the_profile(without_shortcuts: Page, label: str) -> None:
    page = without_shortcuts
    page.set_viewport_size({"width": 1000, "height": 800})
    page.goto(f"/?view=open&label={label}")
    wait_live(page)
    for key in ("j", "?", "/", "c"):
        page.keyboard.press(key)
    expect(page.locator("#help")).to_be_hidden()
    expect(current(page)).to_have_count(0)
    expect(page.locator("#search")).not_to_be_focused()
    page.keyboard.press("Control+k")  # a combination disturbs nobody who dictates: it stays
    expect(page.locator("#palette")).to_be_visible()


def test_the_tab_key_goes_through_a_page_with_the_focus_always_in_sight(queue: Page) -> None:
    seen = set()
    for _ in range(25):
        queue.keyboard.press("Tab")
        focused = queue.locator(":focus")
        if focused.count() == 0:
            break
        seen.add(focused.evaluate("(element) => element.outerHTML.slice(0, 120)"))
        assert has_visible_focus(focused), focused.evaluate("(element) => element.outerHTML.slice(0, 300)")
    assert len(seen) > 10
