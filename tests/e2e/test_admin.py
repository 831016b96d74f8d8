"""What a lead does in the admin: see what needs a person, try again, and hold what goes out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import Api, unique
from tests.e2e.browser import Guard
from tests.e2e.conftest import BEN, LEAD, SignedIn
from tests.sandbox.client import rule
from tests.stack import Stack


@pytest.fixture
def lead(signed_in: SignedIn) -> Page:
    return signed_in(LEAD)


@pytest.fixture
def parked(hub: Stack, api: Api) -> str:
    """The key of a ticket that Jira refused; its fault is gone again."""
    hub.control.faults(rule("no_permission", permission="CREATE_ISSUES"))
    key = str(api.open(unique("Refused by Jira"))["key"])
    hub.wait_for(lambda: api.submission(key)["state"] == "parked")
    hub.control.clear_faults()
    return key


@pytest.fixture
def _no_holds_left(hub: Stack) -> Iterator[None]:
    yield
    with hub.connect() as database:
        database.execute("DELETE FROM accounts_hold")
        database.execute("UPDATE tickets_submission SET state = 'pending', not_before = now() WHERE state = 'held'")


def test_a_lead_finds_a_parked_submission_and_tries_it_again(hub: Stack, lead: Page, parked: str, api: Api) -> None:
    lead.goto("/admin/")
    card = lead.locator(".hub-card").filter(has_text="Stopped deliveries")
    expect(card).to_have_attribute("data-tone", "person")
    expect(card).to_contain_text("need a person")
    card.get_by_role("link", name="Look and decide").click()
    lead.wait_for_url(re.compile(r"/admin/tickets/submission/\?state=parked"))
    lead.get_by_role("link", name=re.compile(parked)).first.click()
    lead.get_by_role("link", name=re.compile("Try .*again")).first.click()

    # First what will be done, and to which rows; nothing has happened yet.
    lead.wait_for_url(re.compile(r"/do/retry/\?ids="))
    expect(lead.locator(".hub-table")).to_contain_text(parked)
    expect(lead.locator(".hub-effect")).to_contain_text("nothing happens twice")
    assert api.submission(parked)["state"] == "parked"
    lead.get_by_role("button", name="Try again now").click()
    expect(lead.locator("body")).to_contain_text("1 are on their way")
    hub.wait_for(lambda: api.submission(parked)["state"] == "done")
    assert len([issue for issue in hub.control.issues() if api.ticket(parked)["title"] in str(issue)]) == 1


@pytest.mark.parametrize(("width", "least"), [(360, 150), (1440, 220)])
def test_a_reason_has_room_and_breaks_between_words(
    width: int, least: int, hub: Stack, signed_in: SignedIn, parked: str
) -> None:
    with hub.connect() as database:
        database.execute(
            "UPDATE tickets_submission SET reason = %s WHERE ticket_id = %s",
            ["Jira refused the field 'customfield_10042': “Abteilungsverantwortlichkeit fehlt”", parked.split("-")[1]],
        )
    page = signed_in(LEAD, viewport={"width": width, "height": 900})
    page.goto(f"/admin/tickets/submission/?q={parked}")
    reason = page.locator("#result_list .hub-reason").first
    box = reason.bounding_box()
    assert box is not None
    assert box["width"] >= least
    assert reason.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
    assert page.evaluate("document.querySelector('#result_list').getBoundingClientRect().width <= innerWidth")


@pytest.mark.usefixtures("_no_holds_left")
def test_a_hold_shows_first_what_it_touches_then_holds_until_it_is_lifted(hub: Stack, lead: Page, api: Api) -> None:
    lead.goto("/admin/accounts/hold/add/")
    lead.get_by_label("What").select_option(label="Fabrikam")
    lead.get_by_label("Reason").fill("They move their project today.")
    lead.get_by_role("button", name="Save").click()
    expect(lead.locator(".hub-heading")).to_contain_text("Hold fabrikam")
    expect(lead.locator(".hub-effect").first).to_contain_text("Intake goes on; nothing is lost.")
    expect(lead.locator("body")).to_contain_text("They move their project today.")
    lead.get_by_role("button", name="Hold", exact=True).click()
    lead.wait_for_url("**/admin/accounts/hold/")
    expect(lead.locator("#result_list, main")).to_contain_text("They move their project today.")

    held = api.open(unique("Waits on purpose"), requester="omar.haddad@fabrikam.example")["key"]
    free = api.open(unique("Goes on"), requester="ann.baker@contoso.example")["key"]
    hub.wait_for(lambda: api.submission(held)["state"] == "held" and api.submission(free)["state"] == "done")
    lead.goto(f"/tickets/{held}/")
    expect(lead.locator("#part-submission")).to_have_class(re.compile(r"\bway-held\b"))

    lead.goto("/admin/")
    lead.locator(".hub-card").filter(has_text="Holds").get_by_role("link", name=re.compile("fabrikam")).click()
    lead.get_by_role("link", name=re.compile("Delete|Lift")).first.click()
    expect(lead.locator(".hub-heading")).to_contain_text("Lift the hold on fabrikam")
    expect(lead.locator(".hub-effect").first).to_contain_text("One held delivery goes on")
    lead.get_by_role("button", name="Lift the hold").click()
    lead.wait_for_url("**/admin/accounts/hold/")
    hub.wait_for(lambda: api.submission(held)["state"] == "done")


def test_a_technician_is_refused_and_not_sent_round_in_circles(signed_in: SignedIn, guard: Guard) -> None:
    guard.expect_status(403)
    page = signed_in(BEN)
    for path in ("/admin/", "/admin/accounts/hold/add/", "/admin/tickets/submission/"):
        answer = page.goto(path)
        assert answer
        assert answer.status == 403
        assert page.url.endswith(path)
    page.goto("/")
    page.locator(".menu summary.tool-face").click()
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)
