"""Who gets in, by which door, and what the browser may run inside."""

from typing import Any

import pytest
from django.test import Client

from accounts.choices import Role
from tests.factories.accounts import UserFactory
from tests.integration.admin.conftest import Browse, Hub

pytestmark = pytest.mark.django_db


def test_signing_in_happens_at_the_hubs_own_door() -> None:
    answer = Client().get("/admin/tickets/ticket/?status=new", follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in/?next=/admin/tickets/ticket/%3Fstatus%3Dnew"


def test_the_admin_has_no_password_form_of_its_own(browse: Browse) -> None:
    user = UserFactory(is_superuser=True)
    answer = Client().post("/admin/login/", {"username": user.email, "password": "correct horse battery staple"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")
    assert "sessionid" not in answer.cookies


def test_signing_out_ends_the_session(browse: Browse) -> None:
    client = browse(Role.LEAD)
    assert client.post("/admin/logout/")["Location"] == "/sign-in/"
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("role", [Role.TECHNICIAN, None])
def test_who_may_see_no_settings_is_refused_without_a_loop(role: Role | None, browse: Browse) -> None:
    answer = browse(role).get("/admin/", follow=True)
    assert answer.status_code == 403


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN, Role.AUDITOR])
def test_a_role_on_one_board_is_enough_to_enter(role: Role, hub: Hub, browse: Browse) -> None:
    assert browse(role, hub.helpdesk).get("/admin/").status_code == 200


def test_a_switched_off_lead_is_out(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD)
    client.user.is_active = False
    client.user.save()
    assert client.get("/admin/").status_code == 302


def test_the_themes_exceptions_end_at_the_admins_border(hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN)
    inside, outside = (client.get(path)["Content-Security-Policy"] for path in ("/admin/", "/sign-in/"))
    assert "script-src 'self' 'unsafe-eval';" in inside + ";"
    assert "style-src-attr 'unsafe-inline'" in inside
    assert "style-src 'self'" in inside
    assert "unsafe" not in outside


def test_admin_pages_hold_no_inline_script_or_style_element(hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN)
    for path in (
        "/admin/",
        "/admin/tickets/ticket/",
        "/admin/accounts/hold/add/",
        f"/admin/accounts/user/{client.user.pk}/change/",
    ):
        page = client.get(path).content.decode()
        assert "<style" not in page
        assert all(
            "src=" in part.split(">")[0] or 'type="application/json"' in part.split(">")[0]
            for part in page.split("<script")[1:]
        )


def test_the_sandbox_is_announced_in_the_admin_too(settings: Any, hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD)
    assert "hub-banner" not in client.get("/admin/").content.decode()
    settings.SANDBOX_ACTIVE = ["Jira"]
    page = client.get("/admin/tickets/board/").content.decode()
    assert "hub-banner" in page
    assert "Jira" in page


def test_the_palette_finds_only_places_that_the_role_opens(hub: Hub, browse: Browse) -> None:
    assert (
        "/admin/accounts/tenantconnection/" in browse(Role.LEAD).get("/admin/search/", {"s": "tenant"}).content.decode()
    )
    assert (
        "tenantconnection"
        not in browse(Role.LEAD, hub.helpdesk).get("/admin/search/", {"s": "tenant"}).content.decode()
    )
    assert browse(Role.LEAD).get("/admin/search/", {"s": "no such place", "extended": "1"}).status_code == 200
