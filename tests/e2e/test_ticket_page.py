"""One ticket: what is said and done shows at once, nothing typed is lost, and two people never overwrite each other."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.api import Api, unique
from tests.e2e.browser import Guard, is_marked, mark, wait_live
from tests.e2e.conftest import BEN, IDA, SignedIn
from tests.sandbox.client import rule
from tests.stack import Stack


def open_ticket(page: Page, key: str) -> None:
    page.goto(f"/tickets/{key}/")
    wait_live(page)
    mark(page)


def shape_of(message: Locator) -> list[str]:
    """What of its look is not colour: how its border is drawn, its corners, its indents."""
    names = ("borderStyle", "borderWidth", "borderRadius", "marginLeft", "paddingLeft")
    return [str(message.evaluate(f"(element) => getComputedStyle(element).{name}")) for name in names]


def test_a_reply_is_sent_and_read_by_a_colleague_without_a_reload(api: Api, signed_in: SignedIn) -> None:
    key = api.open("Needs an answer", board="office")["key"]
    mine, hers = signed_in(BEN), signed_in(IDA)
    for page in (mine, hers):
        open_ticket(page, key)
    mine.locator("#body").fill("We swapped the toner.")
    expect(mine.locator(".composer-to.for-public")).to_contain_text("Ann Baker")
    mine.get_by_role("button", name="Send reply").click()
    for page in (mine, hers):
        said = page.locator("#part-stream .message").last
        expect(said).to_contain_text("We swapped the toner.")
        expect(said).to_contain_text(BEN.name)
        assert is_marked(page)
    expect(mine.locator("#body")).to_have_value("")
    assert [(one["kind"], one["text"]) for one in api.messages(key)][-1] == ("public", "We swapped the toner.")


def test_an_internal_note_differs_from_a_reply_in_shape_and_word_not_only_in_colour(
    api: Api, signed_in: SignedIn
) -> None:
    key = api.open("Needs a note", board="office")["key"]
    api.say(key, "Visible to the requester.")
    page = signed_in()
    open_ticket(page, key)
    page.locator(".composer-tab.tab-internal").click()
    expect(page.locator("#composer")).to_have_attribute("data-kind", "internal")
    expect(page.locator(".composer-to.for-internal")).to_be_visible()
    expect(page.locator(".composer-to.for-public")).to_be_hidden()
    page.locator("#body").fill("He is the owner's brother.")
    expect(page.get_by_role("button", name="Send reply")).to_be_hidden()
    page.get_by_role("button", name="Save note").click()

    note, reply = (
        page.locator("#part-stream .message-internal"),
        page.locator("#part-stream .message-public.message-ours"),
    )
    expect(note).to_have_count(1)
    expect(note).to_contain_text("He is the owner's brother.")
    expect(note).to_have_attribute("aria-label", "Internal note")
    expect(note.locator(".message-kind")).to_contain_text("Internal note")
    expect(note.locator(".message-kind svg")).to_have_count(1)
    expect(reply).to_have_attribute("aria-label", "Reply")
    assert shape_of(note) != shape_of(reply)
    assert [one["kind"] for one in api.messages(key)][-1] == "internal"


def test_a_draft_survives_a_reload_and_is_gone_once_it_is_sent(api: Api, signed_in: SignedIn) -> None:
    key = api.open("Half an answer", board="office")["key"]
    page = signed_in()
    open_ticket(page, key)
    page.locator(".composer-tab.tab-internal").click()
    page.locator("#body").fill("This took me ten minutes to write.")
    expect(page.locator("[data-kept]")).not_to_be_empty()
    page.reload()
    expect(page.locator("#body")).to_have_value("This took me ten minutes to write.")
    expect(page.locator("#composer")).to_have_attribute("data-kind", "internal")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#part-stream .message-internal")).to_contain_text("ten minutes")
    expect(page.locator("#body")).to_have_value("")
    page.reload()
    expect(page.locator("#body")).to_have_value("")


def test_each_step_of_the_workflow_is_offered_and_done(api: Api, signed_in: SignedIn) -> None:
    key = api.open("Through all states", board="office")["key"]
    page = signed_in()
    open_ticket(page, key)
    head = page.locator("#part-head")
    for button, status in (
        ("Start", "in_progress"), ("Wait for requester", "waiting_on_requester"), ("Put on hold", "on_hold"),
        ("Resolve", "resolved"), ("Reopen", "in_progress"), ("Resolve", "resolved"), ("Close", "closed"),
    ):  # fmt: skip
        head.get_by_role("button", name=button, exact=True).click()
        expect(head.locator(f".state-{status}")).to_be_visible()
        assert api.ticket(key)["status"] == status
    expect(head.get_by_role("button", name="Resolve")).to_have_count(0)
    assert is_marked(page)


def test_a_ticket_is_taken_given_away_and_given_back(api: Api, signed_in: SignedIn) -> None:
    key = api.open("Whose is it?", board="office")["key"]
    page = signed_in()
    open_ticket(page, key)
    page.get_by_role("button", name="Assign to me").click()
    chosen = page.locator("#p-assignee option:checked")
    expect(chosen).to_have_text(BEN.name)
    page.locator("#p-assignee").select_option(label=IDA.name)
    expect(page.locator("#part-stream")).to_contain_text(f"assigned this ticket to {IDA.name}")
    expect(page.get_by_role("button", name=f"Take over from {IDA.name}")).to_be_visible()
    page.locator("#p-assignee").select_option(label="Nobody")
    expect(page.get_by_role("button", name="Assign to me")).to_be_visible()
    assert api.ticket(key)["assignee"] is None


def retitle(page: Page, title: str) -> None:
    page.locator("[data-do=retitle]").first.click()
    page.locator(".retitle [name=value]").fill(title)


def press(button: Locator) -> None:
    """Click as a hand does: the pointer goes down, the field loses the focus, and only then the pointer goes up."""
    button.click(delay=150)


def test_two_people_who_change_one_field_are_both_asked_and_neither_is_lost(
    api: Api, signed_in: SignedIn, guard: Guard
) -> None:
    guard.expect_status(409)
    key = api.open("First words", board="office")["key"]
    mine, hers = signed_in(BEN), signed_in(IDA)
    for page in (mine, hers):
        open_ticket(page, key)
    # Both are writing at the same time; she saves first.
    retitle(mine, "What Ben means")
    retitle(hers, "What Ida means")
    hers.locator(".retitle").get_by_role("button", name="Save").click()
    expect(hers.get_by_role("heading", level=1)).to_have_text("What Ida means")
    # He hears of it while he still writes: his words stay where they are.
    expect(mine.locator("#part-stream")).to_contain_text(f"{IDA.name} changed the title")
    expect(mine.locator(".retitle [name=value]")).to_have_value("What Ben means")
    press(mine.locator(".retitle").get_by_role("button", name="Save"))
    dialog = mine.locator("#ask")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text(f"{IDA.name} changed")
    expect(dialog).to_contain_text("What Ida means")
    expect(dialog).to_contain_text("What Ben means")
    assert api.ticket(key)["title"] == "What Ida means"

    dialog.get_by_role("button", name="Use mine").click()
    for page in (mine, hers):
        expect(page.get_by_role("heading", level=1)).to_have_text("What Ben means")
    # Her words stand in the ticket's story: nothing of either is gone.
    changes = [
        fact["data"] for fact in api.call("GET", f"/tickets/{key}/timeline/")["results"] if "old" in fact["data"]
    ]
    assert [(one["old"], one["new"]) for one in changes] == [
        ("First words", "What Ida means"),
        ("What Ida means", "What Ben means"),
    ]


def test_keeping_theirs_in_a_conflict_leaves_their_value(
    hub: Stack, api: Api, signed_in: SignedIn, guard: Guard
) -> None:
    guard.expect_status(409)
    key = api.open("Again both", board="office")["key"]
    mine, hers = signed_in(BEN), signed_in(IDA)
    for page in (mine, hers):
        open_ticket(page, key)
    retitle(mine, "Mine, given up")
    retitle(hers, "Hers, kept")
    with hub.frozen("redis"):  # he does not hear of her change in time
        hers.locator(".retitle").get_by_role("button", name="Save").click()
        hub.wait_for(lambda: api.ticket(key)["title"] == "Hers, kept")
        mine.locator(".retitle").get_by_role("button", name="Save").click()
        mine.locator("#ask").get_by_text("Keep theirs").click()
    expect(mine.locator("#ask")).to_be_hidden()
    expect(mine.get_by_role("heading", level=1)).to_have_text("Hers, kept")
    assert api.ticket(key)["title"] == "Hers, kept"


def test_changes_of_different_fields_are_no_conflict(api: Api, signed_in: SignedIn) -> None:
    key = api.open("Two hands", board="office")["key"]
    mine, hers = signed_in(BEN), signed_in(IDA)
    for page in (mine, hers):
        open_ticket(page, key)
    retitle(mine, "Title by Ben")
    hers.locator("#p-priority").select_option("urgent")
    expect(hers.locator("#part-stream")).to_contain_text("urgent")
    mine.locator(".retitle").get_by_role("button", name="Save").click()
    for page in (mine, hers):
        expect(page.get_by_role("heading", level=1)).to_have_text("Title by Ben")
        expect(page.locator("#p-priority option:checked")).to_have_text("Urgent")
    assert (api.ticket(key)["title"], api.ticket(key)["priority"]) == ("Title by Ben", "urgent")


def test_a_parked_submission_says_why_and_goes_through_when_it_is_tried_again(
    hub: Stack, api: Api, signed_in: SignedIn
) -> None:
    hub.control.faults(rule("no_permission", permission="CREATE_ISSUES"))
    title = unique("Jira does not want this")
    key = api.open(title)["key"]
    page = signed_in()
    open_ticket(page, key)
    way = page.locator("#part-submission")
    expect(way).to_have_class(re.compile(r"\bway-parked\b"))
    expect(way.locator(".way-words")).not_to_be_empty()
    reason = api.submission(key)["reason"]
    assert reason
    expect(way).to_contain_text(reason.rstrip("."))
    way.locator("summary").click()
    expect(way.locator(".tries-table tbody tr")).to_have_count(1)

    hub.control.clear_faults()
    way.get_by_role("button", name="Try again now").click()
    expect(way).to_have_class(re.compile(r"\bway-done\b"))
    expect(way.get_by_role("button", name="Try again now")).to_have_count(0)
    assert is_marked(page)
    made = api.submission(key)
    assert made["state"] == "done"
    assert len(made["attempts"]) == 2
    mine = [issue["key"] for issue in hub.control.issues() if title in str(issue)]
    assert mine == [api.ticket(key)["external_key"]]


def test_two_people_on_one_ticket_see_each_other_and_who_types(api: Api, signed_in: SignedIn) -> None:
    key = api.open("Who is here?", board="office")["key"]
    mine, hers = signed_in(BEN), signed_in(IDA)
    open_ticket(mine, key)
    open_ticket(hers, key)
    expect(mine.locator("#part-head [data-here]")).to_contain_text(f"{IDA.name} is looking at this")
    expect(hers.locator("#part-head [data-here]")).to_contain_text(f"{BEN.name} is looking at this")
    hers.locator("#body").press_sequentially("I think")
    expect(mine.locator("[data-typing]")).to_contain_text(f"{IDA.name} is typing")
    # She stops: after a while she only looks again, and when she leaves she is gone.
    expect(mine.locator("[data-typing]")).to_be_empty()
    hers.goto("/profile/")
    expect(mine.locator("#part-head [data-here]")).to_be_empty()
