"""One-time codes, sign-in with Microsoft, ending a sign-in elsewhere, and a key for a program: as people do it."""

import base64
import re

import httpx
import pytest
from django_otp.oath import TOTP  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.e2e.browser import Guard, wait_live
from tests.e2e.conftest import ADMIN_USER, Contexts, SignedIn, Somebody, sign_in
from tests.stack import PASSWORD, Stack

CODY = Somebody("cody@hub.example", "Cody Ray", "technician")
TESS = Somebody("tess@hub.example", "Tess Must", "technician")
_MAKE = """
from accounts.models import Organisation, RoleGrant, TotpDevice, User
for email, name in {people!r}:
    user, _made = User.objects.get_or_create(email=email, defaults={{"name": name}})
    user.set_password({password!r})
    user.save()
    TotpDevice.objects.filter(user=user).delete()
    RoleGrant.objects.get_or_create(user=user, role="technician", organisation=None)
strict, _made = Organisation.objects.get_or_create(slug="strict", defaults={{"name": "Strict"}})
Organisation.objects.filter(pk=strict.pk).update(require_totp=True)
RoleGrant.objects.get_or_create(user=User.objects.get(email="tess@hub.example"), role="auditor", organisation=strict)
"""
_FORGET_USED = "from accounts.models import TotpDevice; TotpDevice.objects.update(last_step=-1)"


@pytest.fixture(autouse=True)
def _people(hub: Stack) -> None:
    people = [(one.email, one.name) for one in (CODY, TESS)]
    hub.shell(_MAKE.format(people=people, password=PASSWORD))


def code_of(secret: str) -> str:
    return f"{TOTP(base64.b32decode(secret.replace(' ', ''))).token():06d}"


def give_password(page: Page, who: Somebody) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")


def test_codes_are_set_up_by_keyboard_and_asked_for_at_the_next_sign_in(
    contexts: Contexts, hub: Stack, guard: Guard
) -> None:
    guard.expect_status(422)
    page = contexts().new_page()
    sign_in(page, CODY)
    page.goto("/profile/")
    page.get_by_role("link", name="Sign-in and security").click()
    page.get_by_role("link", name="Set up").press("Enter")
    picture = page.get_by_role("img", name="QR code with the secret for your app")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 0  # the policy lets it be shown
    secret = page.locator(".secret code").text_content() or ""
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    recovery = page.locator(".recovery code")
    expect(recovery).to_have_count(10)
    first = recovery.first.text_content() or ""
    page.get_by_role("link", name="I have kept them, go on").click()
    expect(page.locator("main")).to_contain_text("10 recovery codes left")

    hub.shell(_FORGET_USED)
    other = contexts().new_page()
    give_password(other, CODY)
    other.wait_for_url("**/sign-in/code/")
    expect(other.get_by_label("Code")).to_be_focused()
    other.keyboard.type("000 000")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("not right")
    other.get_by_label("Code").fill(code_of(secret))
    other.keyboard.press("Enter")
    other.wait_for_url("**/")

    third = contexts().new_page()
    give_password(third, CODY)
    third.get_by_label("Code").fill(first.lower())
    third.get_by_role("button", name="Sign in").click()
    third.wait_for_url("**/")
    third.goto("/profile/security/")
    expect(third.locator("main")).to_contain_text("9 recovery codes left")


def test_who_must_have_codes_sets_them_up_on_the_way_in(contexts: Contexts) -> None:
    page = contexts(viewport={"width": 360, "height": 740}).new_page()
    give_password(page, TESS)
    page.wait_for_url("**/sign-in/set-up/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/")
    page.wait_for_url(re.compile("/sign-in/"))
    give_password(page, TESS)
    page.get_by_label("Code").fill(code_of(page.locator(".secret code").text_content() or ""))
    page.get_by_role("button", name="Switch on and sign in").click()
    expect(page.locator(".recovery code")).to_have_count(10)
    page.get_by_role("link", name="I have kept them, go on").click()
    page.wait_for_url("**/")


def test_ending_a_sign_in_elsewhere_closes_its_open_page(contexts: Contexts) -> None:
    here, there = contexts().new_page(), contexts().new_page()
    sign_in(here, CODY)
    sign_in(there, CODY)
    wait_live(there)
    here.goto("/profile/security/")
    rows = here.locator(".place-row")
    expect(rows.filter(has_text="this one")).to_have_count(1)
    here.get_by_role("button", name="Sign out everywhere else").click()
    there.wait_for_url(re.compile(r"/sign-in/"))
    here.goto("/profile/security/")
    expect(here.locator(".place-row")).to_have_count(1)


def test_sign_in_with_microsoft_and_out_again(contexts: Contexts, hub: Stack, guard: Guard) -> None:
    guard.expect(rf"another host: http://127\.0\.0\.1:{hub.sandbox_port}/entra/")
    guard.expect_status(403)
    page = contexts().new_page()
    page.goto("/sign-in/?next=/profile/security/")
    page.get_by_role("link", name="Sign in with Microsoft").click()
    page.get_by_role("link", name="Ben Carter").click()
    page.wait_for_url(f"{hub.url}/profile/security/")
    expect(page.locator(".place-row").filter(has_text="this one")).to_contain_text("Microsoft")
    page.locator(".menu summary.tool-face").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{hub.url}/sign-in/")
    page.goto("/profile/")
    page.wait_for_url(re.compile("/sign-in/"))

    page.get_by_role("link", name="Sign in with Microsoft").click()
    page.get_by_role("link", name="Ann Baker").click()
    expect(page.get_by_role("heading")).to_have_text("Sign-in did not work")
    expect(page.locator("main")).to_contain_text("Nobody has given you a role here yet")


def test_an_admin_makes_a_key_for_a_program_and_ends_it(signed_in: SignedIn, hub: Stack) -> None:
    page = signed_in(ADMIN_USER)
    page.goto("/admin/accounts/apiclient/add/")
    page.get_by_label("Name").fill("Wall board")
    page.get_by_label("tickets:read").check()
    page.get_by_role("button", name="Save", exact=True).click()
    key = page.locator("#key").text_content() or ""
    with httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as program:
        assert program.get("/api/v1/me/").json()["name"] == "Wall board"
        assert program.post("/api/v1/tickets/", json={"title": "x", "body": "y"}).json()["code"] == "scope_missing"
        page.get_by_role("link", name="I have copied it").click()
        expect(page.locator("body")).not_to_contain_text(key)
        page.get_by_role("link", name="Revoke …").click()
        page.get_by_role("button", name="Revoke").click()
        page.wait_for_url("**/admin/accounts/apikey/")
        assert program.get("/api/v1/me/").json()["code"] == "key_revoked"
