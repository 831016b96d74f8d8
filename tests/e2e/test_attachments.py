"""Files in the composer and the new-ticket form: chosen, pasted, dropped; progress, refusal, removal; then shown."""

import base64

from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.e2e.api import Api, Json
from tests.e2e.browser import Guard, is_marked, mark, wait_live
from tests.e2e.conftest import BEN, IDA, SignedIn
from tests.factories.files import PDF, picture
from tests.stack import Stack

SHOT = picture(size=(640, 400), colour="steelblue")
# What a system puts into the clipboard, or a person drags from a folder; no page may do either for a test.
_GIVE = """
(target, {event, files, text}) => {
  const given = new DataTransfer();
  for (const {name, type, base64} of files) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    given.items.add(new File([bytes], name, {type}));
  }
  if (text) given.setData("text/plain", text);
  const about = {bubbles: true, cancelable: true};
  if (event === "paste") target.dispatchEvent(new ClipboardEvent("paste", {...about, clipboardData: given}));
  else for (const kind of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(kind, {...about, dataTransfer: given}));
}
"""


def give(target: Locator, event: str, *files: FilePayload, text: str = "") -> None:
    """Paste or drop files on the element."""
    coded = [
        {"name": file["name"], "type": file["mimeType"], "base64": base64.b64encode(file["buffer"]).decode()}
        for file in files
    ]
    target.evaluate(_GIVE, {"event": event, "files": coded, "text": text})


def file(name: str, content: bytes, kind: str = "") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def open_ticket(page: Page, key: str) -> None:
    page.goto(f"/tickets/{key}/")
    wait_live(page)
    mark(page)


def lines(page: Page) -> Locator:
    return page.locator(".attach-item")


def test_a_pasted_screenshot_is_sent_and_seen_by_a_colleague_without_a_reload(api: Api, signed_in: SignedIn) -> None:
    key = api.open("Needs a picture", board="office")["key"]
    mine, hers = signed_in(BEN), signed_in(IDA)
    for page in (mine, hers):
        open_ticket(page, key)
    give(mine.locator("#body"), "paste", file("image.png", SHOT, "image/png"))
    line = lines(mine)
    expect(line.locator(".attach-name")).to_contain_text("Screenshot")
    expect(line.locator(".attach-face img")).to_be_visible()
    # Files alone need no words.
    mine.get_by_role("button", name="Send reply").click()
    for page in (mine, hers):
        shown = page.locator("#part-stream .message").last.locator(".file-picture img")
        expect(shown).to_be_visible()
        assert shown.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
        assert is_marked(page)
    expect(lines(mine)).to_have_count(0)
    (sent,) = api.messages(key)[-1]["attachments"]
    assert (sent["media_type"], sent["size"]) == ("image/png", len(SHOT))


def test_a_table_copied_from_a_spreadsheet_is_pasted_as_words(api: Api, signed_in: SignedIn) -> None:
    page = signed_in()
    open_ticket(page, api.open("Needs a table", board="office")["key"])
    give(page.locator("#body"), "paste", file("image.png", SHOT, "image/png"), text="a\tb")
    expect(lines(page)).to_have_count(0)


def test_dropped_files_are_listed_each_with_its_own_fate(api: Api, signed_in: SignedIn, guard: Guard) -> None:
    guard.expect_status(400)
    key = api.open("Needs many files", board="office")["key"]
    page = signed_in()
    open_ticket(page, key)
    give(
        page.locator(".ticket-side"), "drop", file("report.pdf", PDF), file("empty.log", b""),
        file("error.png", b"<!doctype html><script>alert(1)</script>", "image/png"), file("error.png", SHOT),
    )  # fmt: skip
    expect(lines(page)).to_have_count(4)
    expect(page.locator(".attach-item.is-ready")).to_have_count(2)
    refused = page.locator(".attach-item.is-refused")
    expect(refused.nth(0).locator(".attach-why")).to_have_text("This file is empty.")
    expect(refused.nth(1).locator(".attach-why")).to_contain_text("The name says that this is a picture")
    said = page.locator("[data-attach-said]")
    expect(said).not_to_be_empty()
    page.get_by_role("button", name="Remove report.pdf").click()
    expect(lines(page)).to_have_count(3)
    page.locator("#body").fill("See the picture.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#part-stream .message").last.locator(".file")).to_have_count(1)
    assert [one["name"] for one in api.messages(key)[-1]["attachments"]] == ["error.png"]


def test_too_large_a_file_is_refused_before_it_is_sent(api: Api, signed_in: SignedIn) -> None:
    page = signed_in()
    open_ticket(page, api.open("Needs a film", board="office")["key"])
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/uploads/") else None)
    page.evaluate(
        """() => {
            const given = new DataTransfer();
            given.items.add(new File([new Uint8Array(26 * 1024 * 1024)], "film.mp4"));
            document.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: given}));
        }"""
    )
    expect(lines(page).locator(".attach-why")).to_have_text("This file is larger than 25 MB.")
    assert sent == []


def test_an_upload_shows_its_progress_and_can_be_cancelled(api: Api, signed_in: SignedIn, guard: Guard) -> None:
    guard.expect(r"ERR_FAILED", r"ERR_ABORTED")
    key = api.open("Slow line", board="office")["key"]
    page = signed_in()
    open_ticket(page, key)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/uploads/", hold)
    page.locator("[data-attach] input").set_input_files([file("report.pdf", PDF), file("bad-day.log", b"words\n")])
    expect(page.get_by_role("progressbar", name="Upload of report.pdf")).to_be_visible()
    page.wait_for_function("() => document.querySelectorAll('.attach-item progress').length === 2")
    page.get_by_role("button", name="Cancel the upload of report.pdf").click()
    expect(lines(page)).to_have_count(1)
    # Sent while the other is still on its way: it waits, and goes by itself.
    page.locator("#body").fill("See the log.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("[data-attach-said]")).to_contain_text("still being uploaded")
    assert api.messages(key)[-1]["text"] != "See the log."
    held[1].continue_()
    expect(page.locator("#part-stream .message").last.locator(".file-name")).to_contain_text("bad-day.log")
    expect(lines(page)).to_have_count(0)


def test_a_broken_upload_says_so_and_keeps_the_text(api: Api, signed_in: SignedIn, guard: Guard) -> None:
    guard.expect(r"ERR_FAILED", r"ERR_CONNECTION")
    page = signed_in()
    open_ticket(page, api.open("Bad line", board="office")["key"])
    page.locator("#body").fill("This took me ten minutes.")
    page.route("**/uploads/", lambda route: route.abort("connectionreset"))
    page.locator("[data-attach] input").set_input_files([file("report.pdf", PDF)])
    expect(lines(page).locator(".attach-why")).to_have_text("The upload broke off. Attach the file again.")
    expect(page.locator("#body")).to_have_value("This took me ten minutes.")


def test_a_new_ticket_takes_files_by_keyboard_alone(hub: Stack, api: Api, signed_in: SignedIn) -> None:
    page = signed_in()
    page.goto("/tickets/new/")
    page.locator("#id_title").fill("A ticket with a picture")
    page.locator("#id_body").fill("Look.")
    chooser = page.get_by_label("Attach files")
    chooser.focus()
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Space")
    chosen.value.set_files([file("error.png", SHOT), file("bad-day.log", b"words\n")])
    expect(page.locator(".attach-item.is-ready")).to_have_count(2)
    remove = page.get_by_role("button", name="Remove bad-day.log")
    remove.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".attach-item")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove error.png")).to_be_focused()
    page.get_by_role("button", name="Create and open").click()
    page.wait_for_url("**/tickets/HUB-*/")
    expect(page.locator(".file-picture img")).to_be_visible()
    expect(page.locator(".file-about")).to_contain_text("PNG")


def test_a_file_that_jira_does_not_take_says_so_on_the_page_while_it_is_open(
    hub: Stack, api: Api, signed_in: SignedIn
) -> None:
    hub.control.set_upload_limit(10)
    try:
        key = api.open("Into Jira")["key"]
        page = signed_in()
        open_ticket(page, key)
        page.locator("[data-attach] input").set_input_files([file("report.pdf", PDF)])
        expect(page.locator(".attach-item.is-ready")).to_have_count(1)
        page.get_by_role("button", name="Send reply").click()
        stopped = page.locator(".file-stopped")
        expect(stopped).to_contain_text("Not in the tracker")
    finally:
        hub.control.set_upload_limit(1_000_000_000)
    stopped.get_by_role("button", name="Try again now").click()
    expect(page.locator(".file-stopped")).to_have_count(0)
    external = api.ticket(key)["external_key"]
    hub.wait_for(lambda: [file["size"] for file in files_in_jira(hub, external)] == [len(PDF)])
    assert is_marked(page)


def files_in_jira(hub: Stack, key: str) -> list[Json]:
    return [file for issue in hub.control.issues() if issue["key"] == key for file in issue["attachments"]]
