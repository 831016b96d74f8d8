"""Who gets in, who does not, and what an open page shows when its session ends."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.browser import Guard, wait_live
from tests.e2e.conftest import ADMIN_USER, BEN, LEAVER, LOCKED, SWITCHED_OFF, Contexts, SignedIn, sign_in
from tests.stack import PASSWORD, Stack

WRONG = "This address and password do not fit together"


def attempt(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_password_is_said_in_words_that_do_not_tell_which_part_is_wrong(
    contexts: Contexts, guard: Guard
) -> None:
    guard.expect_status(422)
    page = contexts().new_page()
    page.goto("/sign-in/")
    said = []
    for email in (BEN.email, "nobody.at.all@hub.example"):
        attempt(page, email, "not the password")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(WRONG)
        expect(page.get_by_label("E-mail")).to_have_value(email)
        expect(page.get_by_label("Password")).to_have_value("")
        expect(page.get_by_label("Password")).to_be_focused()
        said.append(alert.inner_text())
    assert said[0] == said[1]
    attempt(page, BEN.email, PASSWORD)
    page.wait_for_url("**/")


def test_five_wrong_passwords_lock_this_address_and_no_other(contexts: Contexts, guard: Guard) -> None:
    guard.expect_status(422, 429)
    page = contexts().new_page()
    page.goto("/sign-in/")
    for _ in range(4):
        attempt(page, LOCKED.email, "not the password")
        expect(page.get_by_role("alert")).to_contain_text(WRONG)
    attempt(page, LOCKED.email, "not the password")
    expect(page.get_by_role("heading")).to_have_text("Locked for a while")
    expect(page.locator("main")).to_contain_text("15 minutes")

    page.get_by_role("link", name="Back to signing in").click()
    attempt(page, LOCKED.email, PASSWORD)
    expect(page.get_by_role("heading")).to_have_text("Locked for a while")
    page.goto("/sign-in/")
    attempt(page, BEN.email, PASSWORD)
    page.wait_for_url("**/")


def test_signing_in_leads_to_the_page_that_was_asked_for(contexts: Contexts) -> None:
    page = contexts().new_page()
    page.goto("/profile/")
    page.wait_for_url(re.compile(r"/sign-in/\?next=/profile/$"))
    attempt(page, BEN.email, PASSWORD)
    page.wait_for_url("**/profile/")


def test_signing_in_never_leads_to_another_host(contexts: Contexts, hub: Stack) -> None:
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        page = contexts().new_page()
        page.goto(f"/sign-in/?next={target}")
        attempt(page, BEN.email, PASSWORD)
        page.wait_for_url(f"{hub.url}/")


def test_signing_out_ends_every_open_page_of_the_session(contexts: Contexts) -> None:
    context = contexts()
    first, second = context.new_page(), context.new_page()
    sign_in(first, LEAVER)
    second.goto("/?view=all")
    wait_live(second)
    first.locator(".menu summary.tool-face").click()
    first.get_by_role("button", name="Sign out").click()
    first.wait_for_url("**/sign-in/")
    # The server closes the other page's socket, and that page leads to the sign-in, remembering where it was.
    second.wait_for_url(re.compile(r"/sign-in/\?next=%2F%3Fview%3Dall$"))


def test_somebody_who_is_switched_off_hears_nothing_any_more(signed_in: SignedIn, contexts: Contexts) -> None:
    theirs = contexts().new_page()
    sign_in(theirs, SWITCHED_OFF)
    wait_live(theirs)
    admins = signed_in(ADMIN_USER)
    admins.goto("/admin/accounts/user/")
    admins.get_by_role("link", name=SWITCHED_OFF.email).click()
    admins.locator("#id_is_active").uncheck()
    admins.get_by_role("button", name="Save", exact=True).click()
    admins.wait_for_url("**/admin/accounts/user/")
    theirs.wait_for_url(re.compile(r"/sign-in/"))
    theirs.goto("/")
    theirs.wait_for_url(re.compile(r"/sign-in/"))


def test_the_live_state_says_when_the_hub_is_away(hub: Stack, signed_in: SignedIn, guard: Guard) -> None:
    guard.expect_outage()
    page = signed_in()
    page.goto("/")
    wait_live(page)
    with hub.frozen("supervisor"):
        hub.kill("web")
        expect(page.locator("#live")).to_have_attribute("data-state", re.compile("reconnecting|offline"))
        expect(page.locator("#live")).to_contain_text(re.compile(r"Reconnecting|Offline since \d\d:\d\d"))
    hub.wait_ready()
    wait_live(page)
