"""The list stays true and stays calm: nothing jumps under a pointer, nothing waits without need."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import Api, unique
from tests.e2e.browser import is_marked, mark, wait_live
from tests.e2e.conftest import IDA, SignedIn


def open_queue(page: Page, label: str) -> None:
    page.goto(f"/?view=open&label={label}")
    wait_live(page)
    mark(page)


def test_a_new_ticket_slides_in_on_a_page_that_nobody_touches(api: Api, signed_in: SignedIn) -> None:
    label = unique("slide").replace(" ", "")
    api.open("Here before", board="office", labels=[label])
    page = signed_in()
    open_queue(page, label)
    for number in range(2):
        key = api.open(f"Comes by itself {number}", board="office", labels=[label])["key"]
        expect(page.locator(f'.row-line[data-key="{key}"]')).to_be_visible()
    expect(page.locator("[data-do=news]")).to_be_hidden()
    assert is_marked(page)


def test_new_tickets_gather_while_somebody_works_in_the_list(api: Api, signed_in: SignedIn) -> None:
    label = unique("gather").replace(" ", "")
    there = api.open("Chosen just now", board="office", labels=[label])["key"]
    page = signed_in()
    open_queue(page, label)
    page.locator(f'.row-line[data-key="{there}"] .c-tick input').check()
    kept, solved = (
        api.open(title, board="office", labels=[label])["key"]
        for title in ("Stays open", "Is solved before anybody looks")
    )
    expect(page.locator("[data-do=news]")).to_have_text(re.compile(r"^2 "))
    expect(page.locator(".row-line")).to_have_count(1)

    api.step(solved, "resolve")
    expect(page.locator('[data-view-count="open"]')).to_be_visible()
    expect(page.locator("[data-do=news]")).to_have_text(re.compile(r"^1 "))
    page.locator("[data-do=news]").click()
    expect(page.locator(f'.row-line[data-key="{kept}"]')).to_be_visible()
    expect(page.locator(f'.row-line[data-key="{solved}"]')).to_have_count(0)
    assert is_marked(page)


def test_a_click_shows_the_ticket_beside_the_list_and_a_second_one_opens_it(api: Api, signed_in: SignedIn) -> None:
    label = unique("click").replace(" ", "")
    older, _newer = (api.open(title, board="office", labels=[label])["key"] for title in ("The older", "The newer"))
    page = signed_in()
    open_queue(page, label)
    expect(page.locator("#pane h2")).to_have_text("The newer")
    page.locator(f'.row-line[data-key="{older}"] .row-link').click()
    expect(page.locator("#pane h2")).to_have_text("The older")
    assert is_marked(page)
    page.locator(f'.row-line[data-key="{older}"] .row-link').click()
    page.wait_for_url(f"**/tickets/{older}/")


def test_a_row_shows_who_is_on_its_ticket_and_a_page_asks_for_all_its_rows_at_once(
    api: Api, signed_in: SignedIn
) -> None:
    label = unique("here").replace(" ", "")
    keys = [api.open(f"Watched {number}", board="office", labels=[label])["key"] for number in range(5)]
    mine, hers = signed_in(), signed_in(IDA)
    frames: list[str] = []
    mine.on("websocket", lambda socket: socket.on("framesent", lambda text: frames.append(str(text))))
    open_queue(mine, label)
    hers.goto(f"/tickets/{keys[1]}/")
    here = mine.locator(f'.row-line[data-key="{keys[1]}"] [data-here]')
    expect(here).to_contain_text(f"{IDA.name} is looking at this")
    asked = [json.loads(frame) for frame in frames]
    assert max(len(one["topics"]) for one in asked if one["type"] == "look") == len(keys)
    assert not [one for one in asked if one.get("topic", "").startswith("ticket:")]
    hers.goto("/profile/")
    expect(here).to_be_empty()


@pytest.mark.parametrize("width", [1024, 1280, 1440, 1600])
def test_titles_and_states_are_not_cut_while_there_is_room(width: int, api: Api, signed_in: SignedIn) -> None:
    label = unique("columns").replace(" ", "")
    ticket = api.open("Outlook loses the connection once VPN is up", board="helpdesk", labels=[label])
    for verb in ("start", "wait"):
        api.step(ticket["key"], verb)
    page = signed_in(viewport={"width": width, "height": 800})
    open_queue(page, label)
    row = page.locator(f'.row-line[data-key="{ticket["key"]}"]')
    for part in (".row-link", ".c-state .state-word", ".c-key", ".c-org", ".c-sub"):
        one = row.locator(part)
        assert one.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), part
        assert one.evaluate("cell => cell.getBoundingClientRect().right <= innerWidth")


def test_a_change_by_somebody_else_says_who(api: Api, signed_in: SignedIn) -> None:
    label = unique("who").replace(" ", "")
    key = api.open("Somebody changes this", board="office", labels=[label])["key"]
    mine, hers = signed_in(), signed_in(IDA)
    open_queue(mine, label)
    hers.goto(f"/tickets/{key}/")
    hers.get_by_role("button", name="Assign to me").click()
    row = mine.locator(f'.row-line[data-key="{key}"]')
    expect(row.locator("[data-by]")).to_contain_text(IDA.name)
    expect(row.locator(".c-who")).to_contain_text("IH")


def test_several_tickets_are_taken_at_once(api: Api, signed_in: SignedIn) -> None:
    label = unique("bulk").replace(" ", "")
    keys = [api.open(f"One of three, {number}", board="office", labels=[label])["key"] for number in range(3)]
    page = signed_in()
    open_queue(page, label)
    for key in keys[:2]:
        page.locator(f'.row-line[data-key="{key}"] .c-tick input').check()
    expect(page.locator("#bulk")).to_contain_text("2 selected")
    page.locator("#bulk").get_by_role("button", name="Assign to me").click()
    for key in keys[:2]:
        expect(page.locator(f'.row-line[data-key="{key}"] .c-who')).to_contain_text("BC")
    expect(page.locator("#bulk")).to_be_hidden()
    assert [bool(api.ticket(key)["assignee"]) for key in keys] == [True, True, False]


def test_the_filter_stands_in_the_address_and_as_chips(api: Api, signed_in: SignedIn) -> None:
    label = unique("chips").replace(" ", "")
    urgent = api.open("Cannot wait", board="office", labels=[label], priority="urgent")["key"]
    api.open("Can wait", board="office", labels=[label])
    page = signed_in()
    open_queue(page, label)
    page.locator(".queue-tools summary").filter(has_text="Filter").click()
    page.locator(".filter-form input[name=priority][value=urgent]").check()
    page.locator(".filter-form").get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(r"priority=urgent"))
    expect(page.locator(".row-line")).to_have_count(1)
    expect(page.locator(f'.row-line[data-key="{urgent}"]')).to_be_visible()
    page.locator(".chip").filter(has_text="urgent").click()
    expect(page.locator(".row-line")).to_have_count(2)
