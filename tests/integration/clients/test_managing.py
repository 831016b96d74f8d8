"""Making and ending clients: over the API, in the admin, from a shell. Nobody gives more than they have."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import ApiClient, ApiKey, AuditEntry, Organisation, User
from accounts.parsing import parse_key
from tests.factories.accounts import RoleGrantFactory, UserFactory, admin, lead, technician
from tests.integration.clients.conftest import Calling, Making

pytestmark = pytest.mark.django_db
CLIENTS = "/api/v1/api-clients/"
WANTED = {"name": "Web form", "scopes": ["tickets:submit"]}


def as_user(user: User) -> APIClient:
    caller = APIClient(raise_request_exception=False)
    caller.force_authenticate(user)
    return caller


def admin_of(organisation: Organisation) -> User:
    user: User = UserFactory.create()
    RoleGrantFactory.create(user=user, role=Role.ADMIN, organisation=organisation)
    return user


class TestApi:
    def test_an_admin_makes_a_client_and_sees_its_key_once(self, calling: Calling) -> None:
        boss = admin(email="boss@hub.example")
        made = as_user(boss).post(CLIENTS, WANTED, format="json")
        assert made.status_code == 201
        assert made["Cache-Control"] == "no-store"
        assert calling(made.json()["key"]).get("/api/v1/me/").status_code == 200
        shown = as_user(boss).get(made["Location"]).json()
        assert "key" not in shown
        assert shown["keys"][0]["begins_with"] == parse_key(made.json()["key"]).prefix
        assert ApiClient.objects.get().created_by == boss

    @pytest.mark.parametrize("who", [technician, lead])
    def test_only_admins_manage_clients(self, who: Any) -> None:
        caller = as_user(who(email="someone@hub.example"))
        assert caller.get(CLIENTS).status_code == 403
        assert caller.post(CLIENTS, WANTED, format="json").status_code == 403
        assert not ApiClient.objects.exists()

    def test_a_repetition_makes_no_second_client_and_shows_no_key(self) -> None:
        caller = as_user(admin(email="boss@hub.example"))
        first = caller.post(CLIENTS, WANTED, format="json", HTTP_IDEMPOTENCY_KEY="once")
        again = caller.post(CLIENTS, WANTED, format="json", HTTP_IDEMPOTENCY_KEY="once")
        assert (first.status_code, again.status_code) == (201, 201)
        assert (again["Idempotent-Replayed"], again.json()["key"]) == ("true", "")
        assert ApiClient.objects.count() == 1

    def test_an_admin_of_one_organisation_manages_only_its_clients(
        self, contoso: Organisation, fabrikam: Organisation, make: Making
    ) -> None:
        theirs, _key = make(name="Theirs", organisation=fabrikam)
        everywhere, _key = make(name="Everywhere")
        caller = as_user(admin_of(contoso))
        assert caller.get(CLIENTS).json()["results"] == []
        for other in (theirs, everywhere):
            assert caller.get(f"{CLIENTS}{other.pk}/").status_code == 404
            assert caller.delete(f"{CLIENTS}{other.pk}/").status_code == 404
            assert caller.post(f"{CLIENTS}{other.pk}/keys/", {}, format="json").status_code == 404
        assert caller.post(CLIENTS, WANTED, format="json").status_code == 403
        assert caller.post(CLIENTS, {**WANTED, "organisation": "fabrikam"}, format="json").status_code == 403
        mine = caller.post(CLIENTS, {**WANTED, "organisation": "contoso"}, format="json")
        assert mine.status_code == 201
        away = caller.patch(mine["Location"], {"organisation": None}, format="json")
        assert away.status_code == 403

    def test_a_client_with_every_scope_gives_no_more_than_its_place(
        self, contoso: Organisation, make: Making, calling: Calling
    ) -> None:
        _client, key = make("admin", organisation=contoso)
        assert calling(key).post(CLIENTS, WANTED, format="json").status_code == 403
        made = calling(key).post(CLIENTS, {**WANTED, "organisation": "contoso"}, format="json")
        assert made.status_code == 201

    def test_a_client_is_changed_rotated_and_ended(self, calling: Calling) -> None:
        caller = as_user(admin(email="boss@hub.example"))
        made = caller.post(CLIENTS, WANTED, format="json")
        where, first = made["Location"], made.json()["key"]
        changed = caller.patch(where, {"scopes": ["tickets:read"]}, format="json").json()
        assert (changed["scopes"], changed["name"]) == (["tickets:read"], "Web form")
        second = caller.post(f"{where}keys/", {"grace_hours": 1}, format="json").json()["key"]
        assert caller.post(f"{where}keys/", {}, format="json").json()["code"] == "too_many_keys"
        old = ApiKey.objects.order_by("pk")[0]
        assert old.expires_at is not None
        assert caller.delete(f"{where}keys/{old.pk}/").status_code == 204
        assert [calling(key).get("/api/v1/me/").status_code for key in (first, second)] == [401, 200]
        assert caller.delete(where).status_code == 204
        assert calling(second).get("/api/v1/me/").status_code == 401

    @pytest.mark.parametrize(
        "odd",
        [
            {"scopes": []}, {"scopes": ["tickets:all"]}, {"scopes": "tickets:read"}, {"name": ""},
            {"expires_at": "2001-01-01T00:00:00Z"}, {"organisation": "nowhere"}, {"expires_at": "soon"},
        ],
    )  # fmt: skip
    def test_odd_wishes_are_a_clear_400(self, odd: dict[str, Any]) -> None:
        answer = as_user(admin(email="boss@hub.example")).post(CLIENTS, {**WANTED, **odd}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert next(iter(answer.json()["errors"])).split("[")[0] == next(iter(odd))

    def test_a_page_costs_the_same_queries_however_many_clients(
        self, make: Making, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        caller = as_user(admin(email="boss@hub.example"))
        make(name="First")
        caller.get(CLIENTS)
        for number in range(12):
            make(name=f"Client {number}")
        with django_assert_num_queries(3):  # count, page, keys; the roles were read with the user
            assert len(caller.get(CLIENTS).json()["results"]) == 13

    def test_what_was_done_to_a_client_is_in_the_trail_without_the_key(self) -> None:
        boss = admin(email="boss@hub.example")
        made = as_user(boss).post(CLIENTS, WANTED, format="json")
        as_user(boss).delete(made["Location"])
        entries = AuditEntry.objects.filter(target_type="apiclient").order_by("pk")
        assert [entry.action for entry in entries] == ["client.made", "client.key_made", "client.revoked"]
        assert {entry.actor_id for entry in entries} == {str(boss.pk)}
        secret = parse_key(made.json()["key"]).secret
        assert all(secret not in str(entry.data) for entry in entries)


class TestAdmin:
    ADD = "/admin/accounts/apiclient/add/"
    FORM = {"name": "Web form", "scopes": ["tickets:submit"], "organisation": "", "is_active": "on"}

    def browser(self, user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def form(self, **changes: Any) -> dict[str, Any]:
        return {**self.FORM, "expires_at_0": "", "expires_at_1": "", **changes}

    def test_the_key_is_on_the_page_after_making_and_never_again(self, calling: Calling) -> None:
        browser = self.browser(admin(email="boss@hub.example"))
        page = browser.post(self.ADD, self.form())
        assert page.status_code == 200
        key = page.context["key"]
        assert key in page.content.decode()
        assert "no-store" in page["Cache-Control"]
        assert calling(key).get("/api/v1/me/").status_code == 200
        client = ApiClient.objects.get()
        later = browser.get(f"/admin/accounts/apiclient/{client.pk}/change/").content.decode()
        assert parse_key(key).prefix in later
        assert parse_key(key).secret not in later

    def test_a_lead_sees_clients_and_changes_none(self, make: Making) -> None:
        client, _key = make()
        browser = self.browser(lead(email="lena@hub.example"))
        assert browser.get("/admin/accounts/apiclient/").status_code == 200
        assert browser.get(self.ADD).status_code == 403
        assert browser.get(f"/admin/accounts/apiclient/{client.pk}/new-key/").status_code == 403
        where = f"/admin/accounts/apikey/do/revoke/?ids={client.keys.get().pk}"
        assert browser.post(where, {"ids": client.keys.get().pk}).status_code in {302, 403}
        assert client.keys.get().revoked_at is None

    def test_an_admin_of_one_organisation_cannot_make_one_for_all(self, contoso: Organisation) -> None:
        browser = self.browser(admin_of(contoso))
        assert browser.post(self.ADD, self.form()).status_code == 200
        assert not ApiClient.objects.exists()
        browser.post(self.ADD, self.form(organisation=contoso.pk))
        assert ApiClient.objects.get().organisation == contoso

    def test_a_new_key_and_revoking_the_old_one(self, make: Making, calling: Calling) -> None:
        client, first = make()
        browser = self.browser(admin(email="boss@hub.example"))
        page = browser.post(f"/admin/accounts/apiclient/{client.pk}/new-key/", {"old": "keep"})
        assert calling(page.context["key"]).get("/api/v1/me/").status_code == 200
        refused = browser.post(f"/admin/accounts/apiclient/{client.pk}/new-key/", {"old": "keep"})
        assert "Revoke one of them first" in refused.content.decode()
        old = client.keys.order_by("pk")[0]
        browser.post(f"/admin/accounts/apikey/do/revoke/?ids={old.pk}", {"ids": old.pk})
        assert calling(first).get("/api/v1/me/").status_code == 401

    def test_a_changed_client_is_changed_for_its_program(self, make: Making, calling: Calling) -> None:
        client, key = make()
        browser = self.browser(admin(email="boss@hub.example"))
        form = {**self.form(name="Renamed"), "keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}
        assert browser.post(f"/admin/accounts/apiclient/{client.pk}/change/", form).status_code == 302
        me = calling(key).get("/api/v1/me/").json()
        assert (me["name"], me["may"]) == ("Renamed", ["open_ticket", "view_own_ticket"])


class TestCommand:
    def run(self, *words: str) -> str:
        out = StringIO()
        call_command("api_client", *words, stdout=out, stderr=StringIO())
        return out.getvalue()

    def test_add_prints_the_key_alone(self, calling: Calling, contoso: Organisation) -> None:
        key = self.run("add", "Probe", "--scope", "tickets:read", "--scope", "monitoring:write",
                       "--organisation", "contoso", "--expires", "2999-12-31").strip()  # fmt: skip
        assert calling(key).get("/api/v1/me/").status_code == 200
        client = ApiClient.objects.get()
        assert (client.scopes, client.organisation) == (["monitoring:write", "tickets:read"], contoso)
        assert client.expires_at is not None
        assert client.expires_at.isoformat() == "3000-01-01T00:00:00+00:00"

    def test_list_rotate_revoke(self, calling: Calling) -> None:
        first = self.run("add", "Probe", "--scope", "tickets:read").strip()
        second = self.run("rotate", "probe", "--grace", "0").strip()
        assert [calling(key).get("/api/v1/me/").status_code for key in (first, second)] == [401, 200]
        assert "Probe  active  all organisations  tickets:read  1 valid keys" in self.run("list")
        assert "1 keys were revoked" in self.run("revoke", "Probe")
        assert calling(second).get("/api/v1/me/").status_code == 401
        assert "Probe  off" in self.run("list")

    @pytest.mark.parametrize(
        "words",
        [
            ("add", "Probe"),
            ("add", "Probe", "--scope", "everything"),
            ("add", "Probe", "--scope", "tickets:read", "--organisation", "nowhere"),
            ("add", "Probe", "--scope", "tickets:read", "--expires", "2001-01-01"),
            ("add", "Probe", "--scope", "tickets:read", "--expires", "2999-13-01"),
            ("rotate", "nobody"),
            ("revoke", "nobody"),
        ],
    )
    def test_a_wrong_command_is_one_line_and_changes_nothing(self, words: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            self.run(*words)
        assert not ApiClient.objects.exists()
