"""Where people are signed in: listed, noted seldom, ended at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts import credentials, middleware
from accounts.choices import Role
from accounts.events import AccessChanged
from accounts.models import ApiKey, AuditEntry, SignIn, User
from accounts.services.clients import create_client
from accounts.services.sign_ins import end_sign_ins, note_seen
from supporthub.core import events
from tests.factories.accounts import PASSWORD, OrganisationFactory, RoleGrantFactory, UserFactory, admin, lead
from tests.integration.signin.conftest import SigningIn, is_in

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAGE, END, TOKEN, ME = "/profile/security/", "/profile/security/sign-out/", "/api/v1/auth/token/", "/api/v1/me/"


def tokens(user: User) -> dict[str, str]:
    answer = APIClient().post(TOKEN, {"email": user.email, "password": PASSWORD}, format="json")
    assert answer.status_code == 200
    body: dict[str, str] = answer.json()
    return body


def with_token(access: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


class TestList:
    def test_each_way_in_is_listed_and_this_one_marked(self, ben: User, signing_in: SigningIn) -> None:
        here = signing_in(ben, user_agent=FIREFOX)
        signing_in(ben)
        tokens(ben)
        page = here.get(PAGE)
        rows = list(page.context["sign_ins"])
        assert {(row.kind, row.way) for row in rows} == {("browser", "password"), ("token", "password")}
        assert len(rows) == 3
        text = page.content.decode()
        assert "Firefox, Windows" in text
        assert "127.0.0.1" in text
        assert text.count("this one") == 1

    def test_a_session_that_django_dropped_is_not_listed(self, ben: User, signing_in: SigningIn) -> None:
        here, other = signing_in(ben), signing_in(ben)
        Session.objects.filter(session_key=other.session.session_key).delete()
        assert len(here.get(PAGE).context["sign_ins"]) == 1

    def test_nobody_sees_the_sign_ins_of_others(self, ben: User, ann: User, signing_in: SigningIn) -> None:
        signing_in(ann)
        assert {row.user for row in signing_in(ben).get(PAGE).context["sign_ins"]} == {ben}

    def test_the_page_costs_the_same_queries_however_many_places(
        self, ben: User, signing_in: SigningIn, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        here = signing_in(ben)
        here.get(PAGE)
        with django_assert_num_queries(9):
            here.get(PAGE)
        for _ in range(6):
            signing_in(ben)
        with django_assert_num_queries(9):
            assert len(here.get(PAGE).context["sign_ins"]) == 7

    def test_long_ended_ones_are_forgotten_at_the_next_sign_in(self, ben: User, signing_in: SigningIn) -> None:
        signing_in(ben)
        SignIn.objects.update(ended_at=timezone.now() - timedelta(days=31))
        signing_in(ben)
        assert SignIn.objects.count() == 1


class TestSeen:
    def test_use_is_noted_at_most_once_a_minute(
        self, ben: User, signing_in: SigningIn, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        here = signing_in(ben)
        long_ago = timezone.now() - timedelta(minutes=5)
        SignIn.objects.update(last_seen_at=long_ago)
        here.get("/profile/")
        assert SignIn.objects.get().last_seen_at == long_ago  # this process noted it when the session began
        middleware._noted.clear()
        here.get("/profile/")
        seen = SignIn.objects.get().last_seen_at
        assert seen > long_ago
        middleware._noted.clear()  # another process
        here.get("/profile/")
        assert SignIn.objects.get().last_seen_at == seen

    def test_a_token_in_use_is_noted_too(self, ben: User) -> None:
        access = tokens(ben)["access"]
        long_ago = timezone.now() - timedelta(minutes=5)
        SignIn.objects.update(last_seen_at=long_ago)
        with_token(access).get(ME)
        assert SignIn.objects.get().last_seen_at > long_ago

    def test_a_token_costs_one_query_to_believe(
        self, ben: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        caller = with_token(tokens(ben)["access"])
        with django_assert_num_queries(1):  # the sign-in with its user and the roles
            caller.get(ME)

    def test_noting_a_sign_in_that_is_gone_is_nothing(self, ben: User, signing_in: SigningIn) -> None:
        signing_in(ben)
        gone = SignIn.objects.get()
        gone.delete()
        note_seen(gone.pk)
        assert not SignIn.objects.exists()


class TestEnding:
    def test_one_place_is_ended_and_the_others_stay(self, ben: User, signing_in: SigningIn) -> None:
        here, other, third = (signing_in(ben) for _ in range(3))
        wanted = SignIn.objects.get(session_key=other.session.session_key)
        here.post(END, {"id": wanted.pk})
        assert [is_in(client) for client in (here, other, third)] == [True, False, True]
        assert SignIn.objects.get(pk=wanted.pk).ended_by == ben

    def test_everywhere_else_is_ended_tokens_included(self, ben: User, signing_in: SigningIn) -> None:
        here, other = signing_in(ben), signing_in(ben)
        pair = tokens(ben)
        here.post(END, {"id": "others"})
        assert [is_in(here), is_in(other)] == [True, False]
        assert with_token(pair["access"]).get(ME).status_code == 401
        renewed = APIClient().post(f"{TOKEN}refresh/", {"refresh": pair["refresh"]}, format="json")
        assert renewed.status_code == 401

    def test_nobody_ends_a_sign_in_of_somebody_else(self, ben: User, ann: User, signing_in: SigningIn) -> None:
        theirs = signing_in(ann)
        here = signing_in(ben)
        here.post(END, {"id": SignIn.objects.get(user=ann).pk})
        assert is_in(theirs)

    @pytest.mark.parametrize("odd", ["", "x", "1", "00000000-0000-0000-0000-000000000000"])
    def test_an_odd_id_ends_nothing(self, odd: str, ben: User, signing_in: SigningIn) -> None:
        here = signing_in(ben)
        assert here.post(END, {"id": odd}).status_code == 302
        assert is_in(here)

    def test_ending_needs_a_button(self, ben: User, signing_in: SigningIn) -> None:
        assert signing_in(ben).get(END).status_code == 405

    def test_signing_out_closes_the_row(self, ben: User, signing_in: SigningIn) -> None:
        signing_in(ben).post("/sign-out/")
        assert SignIn.objects.get().ended_at is not None

    def test_it_is_in_the_trail_who_ended_what(self, ben: User, signing_in: SigningIn) -> None:
        signing_in(ben)
        boss = admin(email="boss@hub.example")
        end_sign_ins(user_id=ben.pk, actor=boss)
        entry = AuditEntry.objects.get(action="user.sign_in_ended")
        assert (entry.actor_id, entry.target_id) == (str(boss.pk), str(ben.pk))
        assert entry.data["sign_ins"] == [str(SignIn.objects.get().pk)]

    def test_a_switched_off_account_is_out_everywhere(
        self, ben: User, signing_in: SigningIn, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        browser, pair = signing_in(ben), tokens(ben)
        User.objects.filter(pk=ben.pk).update(is_active=False)
        with django_capture_on_commit_callbacks(execute=True):
            events.publish(AccessChanged(ben.pk))
        assert not is_in(browser)
        assert with_token(pair["access"]).get(ME).status_code == 401
        assert not SignIn.objects.filter(ended_at=None).exists()

    def test_a_role_that_was_taken_away_is_gone_with_the_next_request(self, ben: User) -> None:
        caller = with_token(tokens(ben)["access"])
        assert caller.get("/api/v1/tickets/HUB-1/").status_code == 404
        assert "work_ticket" in caller.get(ME).json()["may"]
        ben.grants.all().delete()
        assert caller.get(ME).json()["may"] == []

    def test_a_token_that_names_no_sign_in_is_refused(self, ben: User) -> None:
        """As those of a release before."""

        assert with_token(str(AccessToken.for_user(ben))).get(ME).status_code == 401


class TestLeads:
    def browser(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def end(self, client: Client, row: SignIn) -> Any:
        return client.post(f"/admin/accounts/signin/do/end/?ids={row.pk}", {"ids": row.pk})

    def test_a_lead_ends_one_place_or_all_of_a_person(self, ben: User, signing_in: SigningIn) -> None:
        first, second = signing_in(ben), signing_in(ben)
        lena = self.browser(lead(email="lena@hub.example"))
        assert lena.get("/admin/accounts/signin/").status_code == 200
        self.end(lena, SignIn.objects.get(session_key=first.session.session_key))
        assert [is_in(first), is_in(second)] == [False, True]
        lena.post(f"/admin/accounts/user/do/sign-out/?ids={ben.pk}", {"ids": ben.pk})
        assert not is_in(second)

    def test_an_auditor_looks_and_ends_nothing(self, ben: User, signing_in: SigningIn) -> None:
        browser = signing_in(ben)
        eve: User = UserFactory.create()
        RoleGrantFactory.create(user=eve, role=Role.AUDITOR)
        assert self.browser(eve).get("/admin/accounts/signin/").status_code == 200
        self.end(self.browser(eve), SignIn.objects.get())
        assert is_in(browser)

    def test_a_lead_of_one_organisation_reaches_only_its_people(self, ben: User, signing_in: SigningIn) -> None:
        browser = signing_in(ben)
        here: User = UserFactory.create()
        RoleGrantFactory.create(user=here, role=Role.LEAD, organisation=OrganisationFactory.create())
        self.end(self.browser(here), SignIn.objects.get())
        assert is_in(browser)


class TestSockets:
    """What the live hub asks about an open socket; the hub itself asks within a second, or a minute without Redis."""

    def test_a_socket_of_a_session_ends_with_it(self, ben: User, signing_in: SigningIn) -> None:
        browser = signing_in(ben)
        credential = f"session:{browser.session.session_key}"
        assert credentials.principal_of_credential(credential) is not None
        end_sign_ins(user_id=ben.pk, actor=None)
        assert credentials.principal_of_credential(credential) is None

    def test_a_socket_of_a_token_ends_with_its_sign_in(self, ben: User) -> None:
        tokens(ben)
        credential = f"sign_in:{SignIn.objects.get().pk}"
        assert credentials.principal_of_credential(credential) is not None
        end_sign_ins(user_id=ben.pk, actor=None)
        assert credentials.principal_of_credential(credential) is None

    def test_a_socket_of_a_client_ends_with_its_key(self) -> None:
        client, _key = create_client(name="Board", scopes=["tickets:read"], actor=None)
        credential = f"key:{client.keys.get().pk}"
        who = credentials.principal_of_credential(credential)
        assert who is not None
        assert (who.client_id, who.user_id) == (client.pk, client.user_id)
        ApiKey.objects.update(revoked_at=timezone.now())
        assert credentials.principal_of_credential(credential) is None

    @pytest.mark.parametrize(
        "odd", ["", "x", "key:", "key:x", "key:0", "sign_in:x", "session:", "session:nothing", "user:1"]
    )
    def test_an_unknown_credential_is_nobody(self, odd: str) -> None:
        assert credentials.principal_of_credential(odd) is None

    def test_two_clients_with_the_same_scopes_may_hear_the_same(self) -> None:
        keys = set()
        for name in ("One", "Two"):
            client, _key = create_client(name=name, scopes=["tickets:read"], actor=None)
            who = credentials.principal_of_credential(f"key:{client.keys.get().pk}")
            assert who is not None
            keys.add(who.key)
        assert len(keys) == 1
