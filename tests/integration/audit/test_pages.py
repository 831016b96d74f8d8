"""The trail in the admin and in the API: whoever may see it sees it, nobody changes it, taking a copy is recorded."""

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.exports import check_export
from accounts.models import AuditEntry, Organisation, User
from accounts.services.audit import Actor, erase_texts
from accounts.services.sealing import seal_all
from tests.factories.accounts import OrganisationFactory, RoleGrantFactory, UserFactory
from tests.integration.audit.conftest import as_owner, write

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/auditentry/"


def somebody(role: Role | None, organisation: Organisation | None = None) -> User:
    user: User = UserFactory.create(name="Dana Reyes")
    if role:
        RoleGrantFactory.create(user=user, role=role, organisation=organisation)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def shown(client: Any, query: str = "") -> list[int]:
    return [entry.pk for entry in client.get(LIST + query).context["cl"].result_list]


@pytest.fixture
def contoso() -> Organisation:
    organisation: Organisation = OrganisationFactory.create(slug="contoso")
    return organisation


# --- Who may ------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.LEAD, True), (Role.ADMIN, True), (Role.AUDITOR, True), (Role.TECHNICIAN, False), (None, False)],
)
def test_only_roles_with_the_right_read_the_trail(role: Role | None, may: bool) -> None:
    user = somebody(role)
    assert browser(user).get(LIST, follow=True).status_code == (200 if may else 403)
    assert api(user).get("/api/v1/audit/").status_code == (200 if may else 403)


def test_nobody_at_all_gets_a_refusal() -> None:
    assert Client().get(LIST).status_code == 302
    assert APIClient().get("/api/v1/audit/").status_code == 401


def test_a_role_on_one_organisation_reads_only_what_belongs_to_it(contoso: Organisation) -> None:
    (ours,) = write(organisation_id=contoso.pk)
    (theirs,) = write(organisation_id=OrganisationFactory.create().pk)
    (nobodys,) = write()
    user = somebody(Role.AUDITOR, contoso)
    assert shown(browser(user)) == [ours]
    assert [entry["id"] for entry in api(user).get("/api/v1/audit/").json()["results"]] == [ours]
    for entry in (theirs, nobodys):
        assert browser(user).get(f"{LIST}{entry}/change/").status_code in (302, 403)


def test_nobody_adds_changes_or_deletes_an_entry() -> None:
    (entry,) = write()
    client = browser(somebody(Role.ADMIN))
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{entry}/change/", {"actor_id": "8"}).status_code == 403
    assert client.post(f"{LIST}{entry}/delete/", {"post": "yes"}).status_code == 403
    assert api(somebody(Role.ADMIN)).post("/api/v1/audit/", {}).status_code == 405


# --- Finding ------------------------------------------------------------


def test_a_search_finds_a_thing_an_actor_a_request_and_a_colleague() -> None:
    viewer = somebody(Role.ADMIN)
    client = browser(viewer)
    (ticket,) = write(action="hold.placed", target_type="ticket", target_id=12)
    (by_user,) = write(actor=Actor("user", str(viewer.pk)), target_id=99)
    assert shown(client, "?q=ticket:12") == [ticket]
    assert shown(client, "?q=hub-12") == [ticket]
    assert by_user in shown(client, f"?q=user:{viewer.pk}")
    assert by_user in shown(client, f"?q={viewer.email}")
    assert shown(client, "?q=no-such-request") == []
    assert ticket in shown(client, "?action=hold.placed")
    assert shown(client, "?since=2100-01-01") == shown(client, "?until=2000-01-01+08:15") == []
    assert ticket in shown(client, "?since=2000-01-01T08:15&until=2100-01-01")
    assert shown(client, "?since=yesterday") == []


def test_the_api_filters_by_each_of_its_parameters(contoso: Organisation) -> None:
    (wanted,) = write(
        action="hold.placed", target_type="ticket", target_id=12, organisation_id=contoso.pk, actor=Actor("user", "8"),
        data={"scope": "all"}, personal={"reason": "A quiet day."},
    )  # fmt: skip
    write(3)
    client = api(somebody(Role.ADMIN))
    for query in ("action=hold.placed", "target=ticket:12", "actor=user:8", "organisation=contoso",
                  "target=ticket:12&since=2020-01-01T00:00:00Z",
                  "actor=user:8&until=2100-01-01T00:00:00%2B02:00"):  # fmt: skip
        answer = client.get(f"/api/v1/audit/?{query}").json()
        assert [entry["id"] for entry in answer["results"]] == [wanted], query
        assert (answer["count"], answer["count_is_capped"]) == (1, False)
    entry = client.get("/api/v1/audit/?action=hold.placed").json()["results"][0]
    assert entry["actor"] == {"kind": "user", "id": "8"}
    assert entry["target"] == {"type": "ticket", "id": "12"}
    assert (entry["organisation"], entry["data"], entry["texts"]) == (
        "contoso",
        {"scope": "all"},
        {"reason": "A quiet day."},
    )
    assert (entry["seal"], entry["mac"]) == (None, None)
    assert client.get("/api/v1/audit/?since=2100-01-01T00:00:00Z").json()["results"] == []


@pytest.mark.parametrize("query", ["since=soon", "actor=7", "until=2026-13-01T00:00:00Z", "action=%00"])
def test_a_filter_that_cannot_be_read_is_named(query: str) -> None:
    answer = api(somebody(Role.ADMIN)).get(f"/api/v1/audit/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


def test_pages_follow_each_other_and_cost_the_same_however_many_entries() -> None:
    write(5, personal={"name": "Ann"})
    client = api(somebody(Role.ADMIN))
    client.get("/api/v1/audit/")
    with CaptureQueriesContext(connection) as few:
        client.get("/api/v1/audit/?limit=2")
    write(120, personal={"name": "Ann"})
    with CaptureQueriesContext(connection) as many:
        first = client.get("/api/v1/audit/?limit=100").json()
    assert len(many) == len(few)
    second = client.get(first["next"]).json()
    assert len(first["results"]) == 100
    assert len(second["results"]) == 25


def test_the_list_in_the_admin_costs_the_same_however_many_entries() -> None:
    users = [UserFactory.create() for _ in range(10)]
    client = browser(somebody(Role.ADMIN))
    write(2, actor=Actor("user", str(users[0].pk)))
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for user in users:
        write(4, actor=Actor("user", str(user.pk)))
    with CaptureQueriesContext(connection) as many:
        client.get(LIST)
    assert len(many) == len(few)


# --- One entry ------------------------------------------------------------


def test_an_entry_is_told_in_words_with_its_place_in_the_chain() -> None:
    viewer = somebody(Role.ADMIN)
    (entry,) = write(actor=Actor("user", str(viewer.pk)), target_id=viewer.pk, personal={"address": "192.0.2.7"})
    client = browser(viewer)
    assert "not sealed yet" in client.get(f"{LIST}{entry}/change/").content.decode()
    seal_all()
    page = client.get(f"{LIST}{entry}/change/").content.decode()
    assert f"Dana Reyes: signed in, user {viewer.pk}." in page
    assert "192.0.2.7" in page
    assert "as it was sealed" in page
    assert reverse("admin:accounts_user_change", args=[viewer.pk]) in page


def test_an_entry_that_was_changed_behind_our_back_says_so() -> None:
    (entry,) = write()
    seal_all()
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET actor_id = '8'")
    assert "NOT as sealed" in browser(somebody(Role.ADMIN)).get(f"{LIST}{entry}/change/").content.decode()


def test_an_erased_text_is_gone_from_every_page() -> None:
    (entry,) = write(personal={"name": "Ann Baker"})
    erase_texts(entry_ids=[entry], actor=Actor("user", "7"))
    user = somebody(Role.ADMIN)
    page = browser(user).get(f"{LIST}{entry}/change/").content.decode()
    assert "Ann Baker" not in page
    assert "Erased" in page
    assert api(user).get("/api/v1/audit/?target=user:7").json()["results"][0]["texts"] is None


# --- Taking a copy ------------------------------------------------------------


def test_a_table_holds_what_the_filters_show_and_no_formula_and_is_recorded() -> None:
    (wanted,) = write(action="hold.placed", data={"value": "a"}, target_id="=1+1", actor=Actor("user", "-7"))
    write(3)
    user = somebody(Role.AUDITOR)
    answer = browser(user).get(f"{LIST}export/csv/?action=hold.placed")
    assert answer["Content-Disposition"] == 'attachment; filename="audit-trail.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["id"] for row in rows] == [str(wanted)]
    assert (rows[0]["target_id"], rows[0]["actor_id"], rows[0]["data"]) == ("'=1+1", "'-7", '{"value":"a"}')
    entry = AuditEntry.objects.get(action="audit.exported")
    assert (entry.actor_id, entry.data) == (str(user.pk), {"form": "csv", "entries": 1, "all": False})


def test_a_selection_as_json_lines_can_be_verified_entry_by_entry(settings: Any) -> None:
    write(2)
    (wanted,) = write(action="hold.placed", personal={"reason": "A quiet day."})
    write(2)
    seal_all()
    client = browser(somebody(Role.ADMIN))
    lines = client.get(f"{LIST}export/jsonl/?action=hold.placed").content.splitlines(keepends=True)
    report = check_export(lines, settings.AUDIT_KEYS)
    assert (report.intact, report.entries, report.texts) == (True, 1, 1)
    entry = json.loads(lines[1])
    assert entry["id"] == wanted
    lines[1] = lines[1].replace(b'"target_id":"7"', b'"target_id":"8"')
    assert {fault.code for fault in check_export(lines, settings.AUDIT_KEYS).faults} == {"edited", "manifest"}


def test_a_copy_holds_only_what_its_taker_may_see(contoso: Organisation) -> None:
    (ours,) = write(organisation_id=contoso.pk)
    write(2)
    answer = browser(somebody(Role.AUDITOR, contoso)).get(f"{LIST}export/csv/")
    assert [row["id"] for row in csv.DictReader(io.StringIO(answer.content.decode()))] == [str(ours)]
    assert browser(somebody(Role.TECHNICIAN)).get(f"{LIST}export/csv/", follow=True).status_code == 403
    assert browser(somebody(Role.ADMIN)).get(f"{LIST}export/pdf/").status_code == 403
