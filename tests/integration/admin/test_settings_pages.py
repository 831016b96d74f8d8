"""Holds, secrets, lockouts, history, and the dashboard."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.utils import timezone, translation

from accounts.choices import HoldScope, Role
from accounts.events import AccessChanged
from accounts.models import Hold, TenantConnection, User
from supporthub.core import events
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.tickets import TicketFactory
from tests.integration.admin.conftest import Browse, Hub
from tests.integration.admin.test_policy import grants_form, save_user
from tickets.models import Submission, Tracker

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    seen: list[object] = []
    publish = events.publish

    def noted(event: object) -> None:
        seen.append(event)
        publish(event)

    monkeypatch.setattr(events, "publish", noted)
    return seen


# --- Holds ------------------------------------------------------------------------------------------


def place(client: Any, what: str, **fields: str) -> Any:
    return client.post("/admin/accounts/hold/add/", {"what": what, "reason": "Jira is being moved.", **fields})


def test_a_hold_is_placed_only_after_its_preview(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD)
    Submission.objects.filter(pk=hub.ours.submission.pk).update(state=DeliveryState.PENDING)
    page = place(client, "board:helpdesk")
    assert page.status_code == 200
    assert page.context["touched"].total == 1
    assert not Hold.objects.filter(scope=HoldScope.BOARD).exists()
    assert place(client, "board:helpdesk", _confirmed="1").status_code == 302
    hold = Hold.objects.get(scope=HoldScope.BOARD)
    assert (hold.value, hold.reason, hold.created_by) == ("helpdesk", "Jira is being moved.", client.user)


def test_lifting_shows_how_many_go_on_and_then_releases(hub: Hub, browse: Browse) -> None:
    client, path = browse(Role.LEAD), f"/admin/accounts/hold/{hub.hold.pk}/delete/"
    Submission.objects.filter(pk=hub.theirs.submission.pk).update(state=DeliveryState.HELD)
    assert client.get(path).context["touched"].total == 1
    assert Hold.objects.filter(pk=hub.hold.pk).exists()
    assert client.post(path, {"post": "yes"}).status_code == 302
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    ("place_of_lead", "may"),
    [
        (None, {"all:", "kind:submission", "organisation:contoso", "board:helpdesk"}),
        ("contoso", {"organisation:contoso"}),
        ("helpdesk", {"board:helpdesk"}),
    ],
)
def test_a_lead_holds_only_what_the_role_covers(
    place_of_lead: str | None, may: set[str], hub: Hub, browse: Browse
) -> None:
    client = browse(Role.LEAD, getattr(hub, place_of_lead) if place_of_lead else None)
    for what in ("all:", "kind:submission", "organisation:contoso", "board:helpdesk", "organisation:nowhere", ""):
        assert place(client, what, _confirmed="1").status_code == (302 if what in may else 200), what
    assert {f"{hold.scope}:{hold.value}" for hold in Hold.objects.exclude(pk=hub.hold.pk)} == may


def test_a_lead_elsewhere_sees_a_hold_and_cannot_lift_it(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.contoso)
    assert client.get(f"/admin/accounts/hold/{hub.hold.pk}/change/").status_code == 200
    assert client.post(f"/admin/accounts/hold/{hub.hold.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/accounts/hold/{hub.hold.pk}/change/", {"reason": "Mine."}).status_code == 403


def test_the_reason_of_a_hold_can_be_changed(hub: Hub, browse: Browse) -> None:
    assert (
        browse(Role.LEAD).post(f"/admin/accounts/hold/{hub.hold.pk}/change/", {"reason": "Until Monday."}).status_code
        == 302
    )
    hub.hold.refresh_from_db()
    assert (hub.hold.reason, hub.hold.scope, hub.hold.value) == ("Until Monday.", "organisation", "fabrikam")


# --- Secrets ------------------------------------------------------------------------------------------


def tracker_form(tracker: Any, **fields: str) -> dict[str, Any]:
    return {"name": tracker.name, "slug": tracker.slug, "kind": tracker.kind, "base_url": "https://jira.example",
            "account": tracker.account, "max_concurrency": "8", "rate_per_second": "50", "token": "",
            **fields}  # fmt: skip


@pytest.mark.parametrize("role", [Role.ADMIN, Role.LEAD, Role.AUDITOR])
def test_a_secret_never_leaves_the_hub(role: Role, hub: Hub, browse: Browse) -> None:
    client = browse(role)
    for path in (
        f"accounts/tenantconnection/{hub.tenant.pk}/change",
        f"accounts/organisation/{hub.contoso.pk}/change",
        f"tickets/tracker/{hub.helpdesk.tracker_id}/change",
        "accounts/tenantconnection",
        "tickets/tracker",
    ):
        page = client.get(f"/admin/{path}/")
        assert page.status_code == 200
        assert "tenant-secret-value" not in page.content.decode()
        assert "not-a-real-token" not in page.content.decode()


def test_an_empty_secret_keeps_the_stored_one_and_a_new_one_replaces_it(hub: Hub, browse: Browse) -> None:
    client, tracker = browse(Role.LEAD), Tracker.objects.get(boards=hub.helpdesk)
    path = f"/admin/tickets/tracker/{tracker.pk}/change/"
    assert client.post(path, tracker_form(tracker)).status_code == 302
    assert Tracker.objects.get(pk=tracker.pk).token == "not-a-real-token"
    assert client.post(path, tracker_form(tracker, token="a-renewed-token")).status_code == 302
    assert Tracker.objects.get(pk=tracker.pk).token == "a-renewed-token"
    assert "a-renewed-token" not in "".join(LogEntry.objects.values_list("change_message", flat=True))


@pytest.mark.parametrize(
    "query", ["accounts/tenantconnection/?client_secret__startswith=t", "accounts/user/?password__startswith=p"]
)
def test_secrets_cannot_be_guessed_through_filters(query: str, hub: Hub, browse: Browse) -> None:
    assert browse(Role.ADMIN).get(f"/admin/{query}").status_code == 400


def test_a_list_of_tenants_does_not_need_the_key_of_their_secrets(hub: Hub, browse: Browse) -> None:
    TenantConnection.objects.filter(pk=hub.tenant.pk).update(client_secret="x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("supporthub.core.crypto.decrypt", lambda _stored: pytest.fail("decrypted for a list"))
        assert browse(Role.LEAD).get("/admin/accounts/tenantconnection/").status_code == 200


# --- Sign-ins ------------------------------------------------------------------------------------------


def lock_out(email: str, address: str = "203.0.113.7", ago: timedelta = timedelta()) -> None:
    attempt = AccessAttempt.objects.create(username=email, ip_address=address, user_agent="x", failures_since_start=9)
    AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=timezone.now() - ago)


def listed(client: Any, user: Any) -> Any:
    """The person's row of the list."""
    (row,) = client.get("/admin/accounts/user/", {"q": user.email}).context["cl"].result_list
    return row


def test_a_lockout_is_shown_and_can_be_released(hub: Hub, browse: Browse) -> None:
    client, ben = browse(Role.ADMIN), UserFactory()
    lock_out(ben.email)
    assert listed(client, ben).is_locked
    assert client.post("/admin/accounts/user/do/release/", {"ids": str(ben.pk)}).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_released_person_can_sign_in_again(hub: Hub, browse: Browse, client: Any) -> None:
    ben = UserFactory()
    for _attempt in range(6):
        client.post("/sign-in/", {"username": ben.email, "password": "wrong"})
    assert client.post("/sign-in/", {"username": ben.email, "password": PASSWORD}).status_code == 429
    browse(Role.ADMIN).post("/admin/accounts/user/do/release/", {"ids": str(ben.pk)})
    assert client.post("/sign-in/", {"username": ben.email, "password": PASSWORD}).status_code == 302


def test_an_old_failure_is_no_lockout(hub: Hub, browse: Browse) -> None:
    ben = UserFactory()
    lock_out(ben.email, ago=timedelta(hours=2))
    assert not listed(browse(Role.ADMIN), ben).is_locked


def test_an_admin_of_one_organisation_releases_nobody_else(hub: Hub, browse: Browse) -> None:
    stranger = browse(Role.TECHNICIAN, hub.fabrikam).user
    lock_out(stranger.email)
    client = browse(Role.ADMIN, hub.contoso)
    client.post("/admin/accounts/user/do/release/", {"ids": str(stranger.pk)})
    assert client.get("/admin/axes/accessattempt/").status_code == 403
    assert AccessAttempt.objects.exists()


# --- What follows from a change, and what is remembered of it -----------------------------------------------


def test_changed_roles_tell_whoever_caches_them(hub: Hub, browse: Browse, published: list[object]) -> None:
    user = UserFactory()
    save_user(browse(Role.ADMIN), user, {"role": "lead", "organisation": hub.contoso.pk})
    assert AccessChanged(user.pk) in published


def test_the_history_says_old_and_new(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD)
    form = {"name": "Contoso Ltd", "slug": "contoso", "is_active": "on", **grants_form(prefix="tenants")}
    client.post(f"/admin/accounts/organisation/{hub.contoso.pk}/change/", form)
    assert (
        "Contoso → Contoso Ltd"
        in client.get(f"/admin/accounts/organisation/{hub.contoso.pk}/history/").content.decode()
    )


# --- The dashboard ------------------------------------------------------------------------------------------


def cards(client: Any) -> dict[str, Any]:
    page = client.get("/admin/")
    assert page.status_code == 200
    return {card.title: card for card in page.context["cards"]}


def test_the_dashboard_counts_what_needs_a_person(hub: Hub, browse: Browse) -> None:
    Tracker.objects.filter(boards=hub.helpdesk).update(
        resting_until=timezone.now() + timedelta(minutes=5), resting_code="credentials_refused",
        resting_reason="Jira refused our credentials.",
    )  # fmt: skip
    late = TicketFactory(board=hub.helpdesk).submission
    Submission.objects.filter(pk=late.pk).update(not_before=timezone.now() - timedelta(hours=1, minutes=12))
    lock_out(UserFactory().email)
    found = cards(browse(Role.ADMIN))
    assert found["Stopped deliveries"].figure == "3"
    assert found["Longest wait"].figure == "1h 12m"
    (line,) = found["Trackers"].lines
    assert line.about.startswith("Jira refused our credentials · <time")
    assert found["Holds"].figure == "1"
    assert found["Locked-out sign-ins"].figure == "1"
    assert found["Tickets of nobody"].is_calm


def test_a_tracker_that_asked_for_a_pause_is_shown_but_needs_nobody(hub: Hub, browse: Browse) -> None:
    Tracker.objects.filter(boards=hub.helpdesk).update(
        resting_until=timezone.now() + timedelta(minutes=15), resting_code="rate_limited",
        resting_reason="Jira asked us to slow down",
    )  # fmt: skip
    client = browse(Role.ADMIN)
    before = client.get("/admin/").context["waiting"]
    card = cards(client)["Trackers"]
    assert (card.figure, card.tone, card.is_calm) == ("1", "waiting", False)
    assert "Jira asked us to slow down" in card.lines[0].about
    Tracker.objects.update(resting_until=None)
    assert client.get("/admin/").context["waiting"] == before


def test_why_a_tracker_rests_is_said_in_german(hub: Hub, browse: Browse) -> None:
    Tracker.objects.filter(boards=hub.helpdesk).update(
        resting_until=timezone.now() + timedelta(minutes=15), resting_code="rate_limited",
        resting_reason="Jira asked us to slow down",
    )  # fmt: skip
    client = browse(Role.ADMIN)
    User.objects.update(language="de")
    with translation.override("en"):  # a request's language stays active in its thread
        assert "Der Tracker bittet um weniger Anfragen" in client.get("/admin/").content.decode()
        tracker = Tracker.objects.exclude(resting_until=None).get()
        page = client.get(f"/admin/tickets/tracker/{tracker.pk}/change/").content.decode()
    assert 'Der Tracker bittet um weniger Anfragen.<span class="hub-as-written" lang="en">Jira asked us' in page


def test_the_dashboard_counts_only_what_the_role_covers(hub: Hub, browse: Browse) -> None:
    lock_out(UserFactory().email)
    found = cards(browse(Role.LEAD, hub.network))
    assert found["Stopped deliveries"].figure == "1"
    assert "Locked-out sign-ins" not in found


def test_every_line_of_the_dashboard_leads_somewhere(hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN)
    for card in cards(client).values():
        for url in (card.url, *(line.url for line in card.lines)):
            assert client.get(url).status_code == 200


def test_a_calm_hub_says_so(db: None, browse: Browse) -> None:
    assert all(card.is_calm for card in cards(browse(Role.ADMIN)).values())
