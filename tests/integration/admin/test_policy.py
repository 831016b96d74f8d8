"""One policy: what a role may see and change in the admin, and that nobody lifts themselves above it."""

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.admin.users import may_give
from accounts.choices import ALLOWED, Action, Role
from accounts.models import Organisation, RoleGrant, User
from accounts.permissions import Grant, Principal
from directory.models import Person
from tests.factories.accounts import RoleGrantFactory, UserFactory
from tests.integration.admin.conftest import Browse, Hub
from tickets.models import Board, BoardGrant, Category, Submission, Ticket, Tracker

pytestmark = pytest.mark.django_db


def shown(client: Any, model: Any) -> set[str]:
    page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    assert page.status_code == 200
    return {str(row) for row in page.context["cl"].result_list}


def grants_form(*rows: dict[str, Any], prefix: str = "grants") -> dict[str, Any]:
    """The part of a user's form that holds roles; rows with an id come first, as Django wants them."""
    form: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": sum("id" in row for row in rows),
    }
    for number, row in enumerate(rows):
        form.update({f"{prefix}-{number}-{name}": value for name, value in row.items()})
    return form


def save_user(
    client: Any, user: User, *grants: dict[str, Any], boards: tuple[dict[str, Any], ...] = (), **fields: Any
) -> Any:
    form = {
        "email": user.email,
        "name": user.name,
        "is_active": "on",
        "language": "",
        "time_zone": "",
        "shortcuts": "on",
    }
    rows = [{"user": user.pk, **grant} for grant in grants]
    on_boards = [{"user": user.pk, **grant} for grant in boards]
    return client.post(
        f"/admin/accounts/user/{user.pk}/change/",
        {
            **form,
            **grants_form(*rows),
            **grants_form(*on_boards, prefix="board_grants"),
            **grants_form(prefix="entra_identity"),
            **fields,
        },
    )


# --- What is seen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.LEAD, Role.AUDITOR])
def test_a_role_on_one_organisation_sees_only_what_belongs_to_it(role: Role, hub: Hub, browse: Browse) -> None:
    client = browse(role, hub.contoso)
    assert shown(client, Organisation) == {"Contoso"}
    assert shown(client, Ticket) == {str(hub.ours)}
    assert shown(client, Submission) == {str(hub.ours.submission)}
    assert {person.organisation for person in Person.objects.all() if str(person) in shown(client, Person)} == {
        hub.contoso
    }


def test_a_role_on_one_board_sees_the_tickets_there_and_no_customers(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.network)
    assert shown(client, Ticket) == {str(hub.theirs)}
    assert shown(client, Board) == {str(hub.network)}
    assert shown(client, Tracker) == {str(hub.network.tracker)}
    assert client.get("/admin/directory/person/").status_code == 403
    assert client.get("/admin/accounts/tenantconnection/").status_code == 403


def test_what_belongs_elsewhere_cannot_be_opened_by_its_address(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.contoso)
    for model, row in (("organisation", hub.fabrikam),):
        assert client.get(f"/admin/accounts/{model}/{row.pk}/change/").status_code == 302
        assert client.get(f"/admin/accounts/{model}/{row.pk}/history/").status_code == 302
    assert client.get(f"/admin/tickets/ticket/{hub.theirs.pk}/change/").status_code == 302
    assert client.get(f"/admin/tickets/submission/{hub.theirs.submission.pk}/change/").status_code == 302


def test_filters_and_choices_do_not_name_other_customers(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.contoso)
    query = {"app_label": "tickets", "model_name": "ticket", "field_name": "organisation"}
    found = client.get("/admin/autocomplete/", query).json()["results"]
    assert [entry["text"] for entry in found] == ["Contoso"]
    for page in ("/admin/tickets/ticket/", "/admin/directory/person/add/", "/admin/accounts/hold/add/"):
        assert "Fabrikam" not in client.get(page).content.decode()


def test_an_auditor_looks_and_changes_nothing(hub: Hub, browse: Browse) -> None:
    client = browse(Role.AUDITOR)
    for model, model_admin in admin.site._registry.items():
        assert (
            client.post(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"), {}).status_code == 403
        ), model_admin
    answer = client.post(f"/admin/accounts/organisation/{hub.contoso.pk}/change/", {"name": "Mine", "slug": "mine"})
    assert answer.status_code == 403
    assert client.post(f"/admin/accounts/hold/{hub.hold.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"/admin/tickets/submission/do/retry/?ids={hub.ours.submission.pk}").status_code == 403


# --- What is changed --------------------------------------------------------------------------------------------------


def test_nothing_with_a_history_can_be_deleted(hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN)
    for path in (
        f"accounts/user/{UserFactory().pk}", f"accounts/organisation/{hub.contoso.pk}", f"tickets/ticket/{hub.ours.pk}",
        f"tickets/submission/{hub.ours.submission.pk}", f"directory/person/{hub.person.pk}",
        f"tickets/board/{hub.helpdesk.pk}",
    ):  # fmt: skip
        assert client.post(f"/admin/{path}/delete/", {"post": "yes"}).status_code == 403


def test_a_lead_of_one_organisation_changes_it_and_adds_no_other(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.contoso)
    form = {"name": "Contoso Ltd", "slug": "contoso", "is_active": "on", **grants_form(prefix="tenants")}
    assert client.post(f"/admin/accounts/organisation/{hub.contoso.pk}/change/", form).status_code == 302
    hub.contoso.refresh_from_db()
    assert hub.contoso.name == "Contoso Ltd"
    assert client.get("/admin/accounts/organisation/add/").status_code == 403


def test_a_person_cannot_be_put_into_an_organisation_out_of_reach(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.contoso)
    form = {"email": "new@fabrikam.example", "name": "New", "organisation": hub.fabrikam.pk}
    assert client.post("/admin/directory/person/add/", form).status_code == 200
    assert not Person.objects.filter(email="new@fabrikam.example").exists()
    assert client.post("/admin/directory/person/add/", {**form, "organisation": hub.contoso.pk}).status_code == 302


def test_a_lead_of_a_board_changes_that_board_and_sees_no_secret_of_its_tracker(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.helpdesk)
    assert client.get(f"/admin/tickets/board/{hub.helpdesk.pk}/change/").context["has_change_permission"]
    page = client.get(f"/admin/tickets/tracker/{hub.helpdesk.tracker_id}/change/")
    assert not page.context["has_change_permission"]
    assert "not-a-real-token" not in page.content.decode()


def test_a_category_for_every_board_needs_a_role_everywhere(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, hub.helpdesk)
    form = {"name": "Doors", "slug": "doors", "is_active": "on"}
    assert client.post("/admin/tickets/category/add/", form).status_code == 200
    assert client.post("/admin/tickets/category/add/", {**form, "board": hub.network.pk}).status_code == 200
    assert not Category.objects.filter(slug="doors").exists()
    assert client.post("/admin/tickets/category/add/", {**form, "board": hub.helpdesk.pk}).status_code == 302


# --- Nobody lifts themselves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["everywhere", "contoso", "helpdesk"])
def test_a_lead_gives_no_roles_at_all(place: str, hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD, None if place == "everywhere" else getattr(hub, place))
    me, other = client.user, UserFactory()
    for user in (me, other):
        before = user.grants.count()
        assert save_user(client, user, {"role": "admin", "organisation": ""}).status_code in (302, 403)
        assert user.grants.count() == before
    assert client.get("/admin/accounts/user/add/").status_code == 403
    assert client.get(f"/admin/accounts/user/{other.pk}/password/").status_code in (403, 404)


def test_an_admin_of_one_organisation_gives_roles_there(hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN, hub.contoso), UserFactory()
    assert save_user(client, user, {"role": "lead", "organisation": hub.contoso.pk}).status_code == 302
    assert list(user.grants.values_list("role", "organisation")) == [("lead", hub.contoso.pk)]


@pytest.mark.parametrize(
    ("role", "place"), [("technician", "fabrikam"), ("technician", ""), ("admin", ""), ("auditor", "fabrikam")]
)
def test_an_admin_of_one_organisation_gives_no_role_elsewhere(role: str, place: str, hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN, hub.contoso), UserFactory()
    where = getattr(hub, place).pk if place else ""
    assert save_user(client, user, {"role": role, "organisation": where}).status_code == 200
    assert not user.grants.exists()


@pytest.mark.parametrize("role", ["technician", "lead", "admin", "auditor"])
def test_being_admin_here_and_lead_there_gives_no_roles_there(role: str, hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN, hub.contoso), UserFactory()
    browse(Role.LEAD, hub.fabrikam, user=client.user)
    assert save_user(client, user, {"role": role, "organisation": hub.fabrikam.pk}).status_code == 200
    assert not user.grants.exists()


@given(
    mine=st.builds(Grant, st.sampled_from(Role.values), st.none() | st.integers(1, 2)),
    role=st.sampled_from(Role.values),
    place=st.none() | st.integers(1, 2),
)
def test_nobody_gives_a_right_that_they_do_not_have_there(mine: Grant, role: str, place: int | None) -> None:
    actor = Principal(1, "", is_active=True, grants=frozenset({mine}))
    if may_give(actor, role, organisation=place):
        assert all(actor.may(action, organisation=place) for action in ALLOWED[role])
        assert actor.may(Action.CHANGE_PEOPLE, organisation=place)


def test_an_admin_of_one_organisation_gives_no_role_on_a_board(hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN, hub.contoso), UserFactory()
    assert save_user(client, user, boards=({"role": "technician", "board": hub.helpdesk.pk},)).status_code == 200
    assert not user.board_grants.exists()


def test_an_admin_of_one_board_gives_roles_on_it_only(hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN, hub.helpdesk), UserFactory()
    assert save_user(client, user, boards=({"role": "technician", "board": hub.network.pk},)).status_code == 200
    assert save_user(client, user, {"role": "technician", "organisation": ""}).status_code == 200
    assert not user.board_grants.exists()
    assert not user.grants.exists()
    assert save_user(client, user, boards=({"role": "lead", "board": hub.helpdesk.pk},)).status_code == 302
    assert BoardGrant.objects.filter(user=user, role="lead", board=hub.helpdesk).exists()


def test_a_role_out_of_reach_cannot_be_taken_away_or_bent(hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN, hub.contoso), UserFactory()
    RoleGrantFactory(user=user, role=Role.TECHNICIAN, organisation=hub.contoso)
    far = RoleGrantFactory(user=user, role=Role.TECHNICIAN, organisation=hub.fabrikam)
    for row in ({"DELETE": "on", "role": "technician"}, {"role": "admin"}):
        answer = save_user(client, user, {"id": far.pk, "organisation": hub.fabrikam.pk, **row})
        assert answer.status_code == 403  # a person with roles elsewhere is not this admin's to change
    far.refresh_from_db()
    assert far.role == Role.TECHNICIAN


def test_removing_ones_peers_role_by_an_admin_everywhere_works(hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN), UserFactory()
    grant = RoleGrantFactory(user=user, role=Role.ADMIN)
    answer = save_user(client, user, {"id": grant.pk, "role": "admin", "organisation": "", "DELETE": "on"})
    assert answer.status_code == 302
    assert not RoleGrant.objects.filter(pk=grant.pk).exists()


def test_nobody_changes_their_own_roles_or_switches_themselves_off(hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN, hub.contoso)
    me = client.user
    grant = me.grants.get()
    save_user(
        client,
        me,
        {"id": grant.pk, "role": "admin", "organisation": "", "DELETE": "on"},
        is_active="",
        is_superuser="on",
    )
    me.refresh_from_db()
    assert list(me.grants.values_list("role", "organisation")) == [("admin", hub.contoso.pk)]
    assert me.is_active
    assert not me.is_superuser


@pytest.mark.parametrize("subject", ["superuser", "admin everywhere", "technician elsewhere"])
def test_an_admin_of_one_organisation_sets_no_password_of_who_may_more(subject: str, hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN, hub.contoso)
    user = UserFactory(is_superuser=subject == "superuser")
    RoleGrantFactory(user=user, role=Role.TECHNICIAN, organisation=hub.contoso)
    if subject == "admin everywhere":
        RoleGrantFactory(user=user, role=Role.ADMIN)
    if subject == "technician elsewhere":
        RoleGrantFactory(user=user, role=Role.TECHNICIAN, organisation=hub.fabrikam)
    form = {"password1": "a-new-and-long-secret", "password2": "a-new-and-long-secret", "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{user.pk}/password/", form).status_code == 403
    assert save_user(client, user, email="mine@hub.example").status_code == 403
    user.refresh_from_db()
    assert user.check_password("correct horse battery staple")
    assert user.email != "mine@hub.example"


def test_an_admin_sets_the_password_of_who_may_less(hub: Hub, browse: Browse) -> None:
    client, user = browse(Role.ADMIN, hub.contoso), UserFactory()
    RoleGrantFactory(user=user, role=Role.LEAD, organisation=hub.contoso)
    form = {"password1": "a-new-and-long-secret", "password2": "a-new-and-long-secret", "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{user.pk}/password/", form).status_code == 302
    user.refresh_from_db()
    assert user.check_password("a-new-and-long-secret")


def test_a_new_user_starts_without_any_role(hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN, hub.contoso)
    form = {"email": "Ben@Hub.Example", "name": "Ben", "usable_password": "true", "is_superuser": "on",
            "password1": "a-new-and-long-secret", "password2": "a-new-and-long-secret",
            **grants_form({"role": "admin", "organisation": ""})}  # fmt: skip
    assert client.post("/admin/accounts/user/add/", form).status_code == 302
    ben = User.objects.get(email="ben@hub.example")
    assert not ben.is_superuser
    assert not ben.grants.exists()
