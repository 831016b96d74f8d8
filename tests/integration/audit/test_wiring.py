"""What people do leaves its entry: signing in, roles, settings, holds, tickets. None of it in words."""

from typing import Any

import pytest
from django.test import Client

from accounts.choices import HoldScope, Role
from accounts.models import AuditEntry, AuditText, Hold, Organisation
from accounts.services.holds import lift_hold, place_hold
from accounts.services.preferences import save_preferences
from supporthub.core.compiled import together
from tests.factories.accounts import PASSWORD, OrganisationFactory, UserFactory, admin, lead
from tests.factories.tickets import BoardFactory, TicketFactory
from tests.integration.admin.test_policy import save_user as save
from tickets.choices import TimelineKind
from tickets.models import Board
from tickets.services import trail

pytestmark = pytest.mark.django_db


def save_user(client: Client, user: Any, *grants: dict[str, Any], **fields: Any) -> Any:
    """Save a person's page; it has to succeed."""
    other_rows: dict[str, Any] = {"entra_identity-TOTAL_FORMS": "0", "entra_identity-INITIAL_FORMS": "0"}
    answer = save(client, user, *grants, **other_rows, **fields)
    assert answer.status_code == 302, answer.context["errors"]
    return answer


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def entries(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("pk"))


def only(action: str) -> AuditEntry:
    (entry,) = entries(action)
    return entry


def texts_of(entry: AuditEntry) -> dict[str, str]:
    found: dict[str, str] = AuditText.objects.get(pk=entry.pk).texts
    return found


# --- Signing in ------------------------------------------------------------


def test_signing_in_and_out_is_recorded_with_the_address_beside_it() -> None:
    user = UserFactory.create(email="ben@hub.example")
    client = Client()
    client.post("/sign-in/", {"username": "Ben@hub.example", "password": PASSWORD})
    entry = only("user.signed_in")
    assert (entry.actor_kind, entry.actor_id, entry.target_id) == ("user", str(user.pk), str(user.pk))
    assert texts_of(entry) == {"address": "127.0.0.1"}
    client.post("/sign-out/")
    assert only("user.signed_out").actor_id == str(user.pk)


def test_failures_are_recorded_up_to_the_lockout_and_not_one_by_one_after_it(settings: Any) -> None:
    user = UserFactory.create(email="ben@hub.example")
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT + 4):
        client.post("/sign-in/", {"username": "ben@hub.example", "password": "wrong"})
    failures = entries("user.sign_in_failed")
    assert len(failures) == settings.AXES_FAILURE_LIMIT - 1
    assert only("user.locked_out").target_id == str(user.pk)
    assert texts_of(failures[0]) == {"name": "ben@hub.example", "address": "127.0.0.1"}
    assert "ben" not in str(failures[0].data)


def test_a_failure_of_somebody_unknown_names_nobody() -> None:
    Client().post("/sign-in/", {"username": "nobody@hub.example", "password": "wrong"})
    assert only("user.sign_in_failed").target_id == ""


# --- The admin ------------------------------------------------------------


def test_a_role_that_is_given_and_taken_is_recorded_with_role_and_place() -> None:
    organisation: Organisation = OrganisationFactory.create()
    actor, user = admin(), UserFactory.create()
    client = browser(actor)
    save_user(client, user, {"role": Role.LEAD, "organisation": organisation.pk})
    granted = only("role.granted")
    assert granted.actor_id == str(actor.pk)
    assert granted.data == {
        "of": "user", "of_id": str(user.pk), "role": "lead", "user": user.pk, "organisation_id": organisation.pk,
    }  # fmt: skip
    grant = user.grants.get()
    save_user(client, user, {"id": grant.pk, "role": Role.LEAD, "organisation": organisation.pk, "DELETE": "on"})
    revoked = only("role.revoked")
    assert (revoked.target_type, revoked.target_id) == ("rolegrant", str(grant.pk))
    assert revoked.data["role"] == "lead"


def test_a_changed_user_names_the_fields_and_keeps_the_values_beside() -> None:
    user = UserFactory.create(name="Ben")
    save_user(browser(admin()), user, name="Benjamin")
    entry = only("user.changed")
    assert (entry.target_id, entry.data) == (str(user.pk), {"fields": ["name"]})
    assert "Benjamin" in texts_of(entry)["change"]


def test_saving_without_a_change_leaves_no_entry() -> None:
    user = UserFactory.create()
    save_user(browser(admin()), user)
    assert not entries("user.changed")


def test_a_password_set_by_somebody_else_is_recorded_and_never_shown() -> None:
    user = UserFactory.create()
    given = {"password1": "a rather long new password", "password2": "a rather long new password"}
    browser(admin()).post(f"/admin/accounts/user/{user.pk}/password/", {"usable_password": "true", **given})
    assert only("user.password_set").target_id == str(user.pk)
    assert not AuditText.objects.filter(texts__icontains="rather long").exists()


def test_a_new_board_and_a_removed_category_are_recorded() -> None:
    client = browser(lead())
    client.post(
        "/admin/tickets/board/add/",
        {"slug": "network", "name": "Network", "is_active": "on", "worked_in": "hub", "labels": "",
         "categories-TOTAL_FORMS": "0", "categories-INITIAL_FORMS": "0"},
    )  # fmt: skip
    assert only("board.added").target_id == str(Board.objects.get(slug="network").pk)


def test_a_tenants_secret_is_named_and_never_kept() -> None:
    organisation: Organisation = OrganisationFactory.create(slug="contoso")
    tenant = organisation.tenants.create(tenant_id="6f1f8e9a-4b5c-4d6e-8f70-000000000001")
    browser(lead()).post(
        f"/admin/accounts/tenantconnection/{tenant.pk}/change/",
        {"organisation": organisation.pk, "tenant_id": tenant.tenant_id, "client_secret": "very-secret-value",
         "requests_per_second": "10.0", "domains-TOTAL_FORMS": "1", "domains-INITIAL_FORMS": "0",
         "domains-0-name": "contoso.com", "domains-0-tenant": tenant.pk,
         "role_rules-TOTAL_FORMS": "0", "role_rules-INITIAL_FORMS": "0"},
    )  # fmt: skip
    entry = only("tenantconnection.changed")
    assert (entry.organisation_id, entry.data) == (organisation.pk, {"fields": ["client_secret"]})
    assert "very-secret" not in str(texts_of(entry))
    assert only("verifieddomain.added").organisation_id == organisation.pk


# --- Services ------------------------------------------------------------


def test_placing_and_lifting_a_hold_is_recorded_once_each() -> None:
    organisation: Organisation = OrganisationFactory.create(slug="contoso")
    actor = lead()
    hold = place_hold(scope=HoldScope.ORGANISATION, value="contoso", reason="They asked.", actor=actor)
    lift_hold(hold_id=hold.pk, actor=actor)
    lift_hold(hold_id=hold.pk, actor=actor)
    placed, lifted = only("hold.placed"), only("hold.lifted")
    assert placed.data == {"scope": "organisation", "value": "contoso", "observe": False}
    assert placed.organisation_id == lifted.organisation_id == organisation.pk
    assert texts_of(placed) == {"reason": "They asked."}
    assert lifted.target_id == str(hold.pk)


def test_a_hold_from_the_admin_is_recorded_once() -> None:
    client = browser(lead())
    client.post("/admin/accounts/hold/add/", {"what": "all:", "reason": "Moving house.", "_confirmed": "1"})
    client.post(f"/admin/accounts/hold/{Hold.objects.get().pk}/delete/", {"post": "yes"})
    assert [entry.action for entry in AuditEntry.objects.filter(target_type="hold").order_by("pk")] == [
        "hold.placed",
        "hold.lifted",
    ]


def test_own_preferences_are_recorded_by_name_of_field() -> None:
    user = UserFactory.create(name="Ben")
    save_preferences(user=user, name="Ben C.", language="de", time_zone="", shortcuts=True)
    assert only("user.preferences_changed").data == {"fields": ["name", "language"]}


# --- Tickets ------------------------------------------------------------


def _write(*fact: Any, **proofs: Any) -> None:
    together(*trail.parts(*fact, **proofs))


@pytest.mark.parametrize("kind", TimelineKind)
def test_every_fact_of_a_timeline_can_be_written_into_the_trail_without_words(kind: TimelineKind) -> None:
    ticket = TicketFactory.create(board=BoardFactory.create())
    words = "Ann Baker <ann@contoso.example>"
    data = {"verb": "resolve", "old": "new", "new": 7, "message": 3, "person": 4, "code": "no_such_field",
            "reason": words, "name": words, "field": "issue type", "keys": ["HELP-1", words],
            "source": "api"}  # fmt: skip
    _write(ticket, kind, None, data, proofs={"text": words})
    entry = only(kind.value)
    assert (entry.target_type, entry.target_id) == ("ticket", str(ticket.pk))
    assert entry.organisation_id == ticket.organisation_id
    assert "Ann Baker" not in str(entry.data)
    assert "ann@" not in str(entry.data)
    assert words not in str(AuditText.objects.get(pk=entry.pk).texts)


def test_titles_and_labels_lie_in_the_side_row() -> None:
    ticket = TicketFactory.create(board=BoardFactory.create())
    _write(ticket, TimelineKind.TITLE_CHANGED, None, {"old": "Printer hums", "new": "Printer sings"})
    _write(ticket, TimelineKind.LABELS_CHANGED, None, {"old": [], "new": ["vip", "ann baker"]})
    assert texts_of(only("ticket.title_changed")) == {"old": "Printer hums", "new": "Printer sings"}
    assert texts_of(only("ticket.labels_changed")) == {"old": "", "new": "vip, ann baker"}
    assert only("ticket.labels_changed").data == {}
