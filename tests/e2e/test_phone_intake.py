"""A call comes in: the caller is found while typing, and the ticket is made once."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.api import Api, unique
from tests.e2e.browser import Guard
from tests.e2e.conftest import SignedIn


def open_form(page: Page) -> None:
    page.goto("/tickets/new/")
    expect(page.locator("#id_requester")).to_be_focused()


def test_a_call_becomes_a_ticket_by_the_keyboard_alone(api: Api, signed_in: SignedIn) -> None:
    title = unique("Mailbox is full")
    page = signed_in()
    open_form(page)
    page.keyboard.type("zo")
    people = page.locator("#people [role=option]")
    expect(people.first).to_contain_text("Zoë Ångström")
    expect(people.first).to_contain_text("Fabrikam")
    expect(page.locator("#id_requester")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#id_requester")).to_have_value("zoe.angstrom@fabrikam.example")
    expect(page.locator("[data-known]")).to_contain_text("Fabrikam")
    expect(page.locator("#id_title")).to_be_focused()
    page.keyboard.type(title)
    page.keyboard.press("Tab")
    page.keyboard.type("Outlook says so since this morning.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/tickets/HUB-\d+/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(title)

    made = api.ticket(page.url.rstrip("/").rpartition("/")[2])
    assert made["title"] == title
    assert made["source"] == "phone"
    assert made["requester"]["email"] == "zoe.angstrom@fabrikam.example"
    assert made["organisation"] == "fabrikam"


def test_arrows_move_through_the_people_and_escape_leaves_the_list(signed_in: SignedIn) -> None:
    page = signed_in()
    open_form(page)
    page.keyboard.type("contoso")
    field, people = page.locator("#id_requester"), page.locator("#people [role=option]")
    field.fill("")
    page.keyboard.type("a")
    expect(people).to_have_count(0)
    page.keyboard.type("nn")
    expect(people.first).to_have_attribute("aria-selected", "true")
    field.fill("jo")
    expect(people.first).to_contain_text("Jörg Müller")
    number = people.count()
    page.keyboard.press("ArrowDown")
    chosen = people.nth(1 % number)
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    page.keyboard.press("ArrowUp")
    expect(people.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#people")).to_be_hidden()
    expect(field).to_have_value("jo")


def test_a_double_click_makes_one_ticket(api: Api, signed_in: SignedIn) -> None:
    title = unique("Pressed twice")
    page = signed_in()
    open_form(page)
    page.locator("#id_title").fill(title)
    page.locator("[data-send]").dblclick()
    page.wait_for_url(re.compile(r"/tickets/HUB-\d+/$"))
    assert [ticket["title"] for ticket in api.tickets()].count(title) == 1


def test_the_form_sent_twice_makes_one_ticket(api: Api, signed_in: SignedIn) -> None:
    """A network that repeats the request, or a person who goes back and presses again."""
    title = unique("Sent twice")
    page = signed_in()
    open_form(page)
    page.locator("#id_title").fill(title)
    addresses = page.evaluate(
        """async () => {
            const form = document.getElementById("intake");
            const send = () => fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
            return (await Promise.all([send(), send()])).map((answer) => answer.url);
        }"""
    )
    assert len(set(addresses)) == 1
    assert [ticket["title"] for ticket in api.tickets()].count(title) == 1


def test_somebody_unknown_can_call_too(api: Api, signed_in: SignedIn) -> None:
    title = unique("New colleague has no account")
    address = f"{title.rpartition(' ')[2]}.new@contoso.example"
    page = signed_in()
    open_form(page)
    page.keyboard.type(address)
    expect(page.locator("[data-unknown]")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Nora Lund")
    page.locator("#id_title").fill(title)
    page.locator("[data-send]").click()
    page.wait_for_url(re.compile(r"/tickets/HUB-\d+/$"))
    expect(page.locator("#part-person")).to_contain_text("Nora Lund")
    made = api.ticket(page.url.rstrip("/").rpartition("/")[2])
    assert made["requester"] == {"email": address, "name": "Nora Lund"}
    assert made["organisation"] == "contoso"


def test_a_refused_form_keeps_what_was_typed(signed_in: SignedIn, guard: Guard) -> None:
    guard.expect_status(422)
    page = signed_in()
    open_form(page)
    page.keyboard.type("not an address")
    page.locator("#id_body").fill("The text that must not be lost.")
    page.locator("[data-send]").click()
    expect(page.locator(".field-error").first).to_be_visible()
    expect(page.locator("#id_body")).to_have_value("The text that must not be lost.")
    expect(page.locator("#id_requester")).to_have_value("not an address")
