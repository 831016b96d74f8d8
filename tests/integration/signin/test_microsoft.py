"""Sign-in with Microsoft, against the played Entra: who comes in, as whom, with which roles, and who does not."""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.choices import EntraValue
from accounts.models import (
    AuditEntry,
    EntraIdentity,
    EntraRoleRule,
    RoleGrant,
    SignIn,
    SignInFlow,
    TenantConnection,
    User,
)
from accounts.views.entra import COOKIE
from tests.factories.accounts import (
    PASSWORD,
    OrganisationFactory,
    RoleGrantFactory,
    UserFactory,
    admin,
    lead,
    technician,
)
from tests.integration.signin.conftest import Microsoft, first_step, is_in
from tests.sandbox.client import rule
from tests.sandbox.entra.seeds import CONTOSO, LEADS_GROUP, oid

pytestmark = pytest.mark.django_db
BEN, MIA, ANN, ZOE = oid(5), oid(6), oid(1), oid(3)
BEGIN, BACK = "/sign-in/microsoft/", "/sign-in/microsoft/callback/"


def link(user: User, person: str) -> None:
    EntraIdentity.objects.create(user=user, tenant_id=CONTOSO, object_id=person)


class TestComingIn:
    def test_a_newcomer_with_a_role_comes_in_and_is_made(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        client = Client()
        answer = microsoft.sign_in(client, BEN, "/profile/security/")
        assert (answer.status_code, answer["Location"]) == (302, "/profile/security/")
        assert is_in(client)
        ben = User.objects.get()
        assert (ben.email, ben.name, ben.has_usable_password()) == ("ben@hub.example", "Ben Carter", False)
        assert str(ben.entra_identity.object_id) == BEN
        assert SignIn.objects.get().way == "entra"
        actions = set(AuditEntry.objects.filter(target_id=str(ben.pk)).values_list("action", flat=True))
        assert {"user.made_by_entra", "role.granted", "user.signed_in"} <= actions

    def test_who_was_here_comes_in_as_the_same_person_whatever_the_address_is_now(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        microsoft.sign_in(Client(), BEN)
        microsoft.control.entra.put_person("ben@hub.example", upn="benjamin@hub.example")
        microsoft.sign_in(Client(), BEN)
        ben = User.objects.get()
        assert (ben.email, ben.entra_identity.upn) == ("ben@hub.example", "benjamin@hub.example")

    def test_an_address_that_was_given_to_somebody_else_gives_nothing_with_it(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        microsoft.sign_in(Client(), BEN)
        microsoft.control.entra.delete_person("ben@hub.example")
        roles = ["Hub.Technician"]
        other = microsoft.control.entra.put_person("ben@hub.example", tenant=CONTOSO, name="B", roles=roles)
        client = Client()
        assert microsoft.sign_in(client, other["oid"]).status_code == 403
        assert not is_in(client)

    def test_an_address_is_no_proof_for_an_account_that_is_here(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        here = admin(email="ben@hub.example")
        client = Client()
        answer = microsoft.sign_in(client, BEN)
        assert answer.status_code == 403
        assert BEN in answer.content.decode()  # what a lead needs to link them
        assert not is_in(client)
        link(here, BEN)
        microsoft.sign_in(client, BEN)
        assert client.get("/profile/").wsgi_request.user == here

    def test_a_lead_of_people_links_by_object_id_in_the_admin(self, microsoft: Microsoft) -> None:
        here = technician(email="ben@hub.example")
        browser = Client()
        browser.force_login(admin(email="boss@hub.example"))
        form = {
            "email": here.email, "name": "Ben", "is_active": "on", "language": "", "time_zone": "",
            "grants-TOTAL_FORMS": "0", "grants-INITIAL_FORMS": "0", "board_grants-TOTAL_FORMS": "0",
            "board_grants-INITIAL_FORMS": "0", "boardgrant_set-TOTAL_FORMS": "0", "boardgrant_set-INITIAL_FORMS": "0",
            "entra_identity-TOTAL_FORMS": "1", "entra_identity-INITIAL_FORMS": "0",
            "entra_identity-0-tenant_id": CONTOSO, "entra_identity-0-object_id": BEN,
        }  # fmt: skip
        assert browser.post(f"/admin/accounts/user/{here.pk}/change/", form).status_code == 302
        client = Client()
        microsoft.sign_in(client, BEN)
        assert client.get("/profile/").wsgi_request.user == here

    def test_without_a_role_a_newcomer_is_refused_and_leaves_nothing(self, microsoft: Microsoft) -> None:
        client = Client()
        answer = microsoft.sign_in(client, ANN)
        assert answer.status_code == 403
        assert "a role here yet" in answer.content.decode()
        assert not is_in(client)
        assert not User.objects.exists()

    def test_a_switched_off_account_stays_outside(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        microsoft.sign_in(Client(), BEN)
        User.objects.update(is_active=False)
        client = Client()
        assert microsoft.sign_in(client, BEN).status_code == 403
        assert not is_in(client)

    def test_people_of_another_tenant_do_not_get_that_far(self, microsoft: Microsoft) -> None:
        client = Client()
        address = microsoft.begin(client)
        with pytest.raises(KeyError):  # the page of our tenant knows nobody of theirs, and sends nobody back
            microsoft.choose(address, ZOE)


class TestRoles:
    def roles(self) -> set[tuple[str, object]]:
        return set(RoleGrant.objects.values_list("role", "organisation__slug"))

    def test_roles_and_groups_give_what_the_rules_say(self, microsoft: Microsoft) -> None:
        contoso = microsoft.tenant.organisation
        microsoft.rule("Hub.Lead", "technician")
        microsoft.rule(LEADS_GROUP, "lead", kind=EntraValue.GROUP, organisation=contoso)
        microsoft.rule("Hub.Auditor", "auditor")
        microsoft.sign_in(Client(), MIA)
        assert self.roles() == {("technician", None), ("lead", "contoso")}

    def test_roles_are_computed_anew_at_each_sign_in(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        microsoft.rule("Hub.Lead", "lead")
        microsoft.sign_in(Client(), BEN)
        assert self.roles() == {("technician", None)}
        microsoft.control.entra.put_person("ben@hub.example", roles=["Hub.Lead"])
        microsoft.sign_in(Client(), BEN)
        assert self.roles() == {("lead", None)}
        microsoft.control.entra.put_person("ben@hub.example", roles=[])
        microsoft.sign_in(Client(), BEN)
        assert self.roles() == set()

    def test_roles_given_by_hand_are_kept_also_when_a_rule_gave_the_same(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        ben: User = UserFactory.create(email="ben@hub.example")
        link(ben, BEN)
        RoleGrantFactory.create(user=ben, role="technician")
        RoleGrantFactory.create(user=ben, role="auditor", organisation=OrganisationFactory.create(slug="fabrikam"))
        microsoft.sign_in(Client(), BEN)
        microsoft.control.entra.put_person("ben@hub.example", roles=[])
        microsoft.sign_in(Client(), BEN)
        assert self.roles() == {("technician", None), ("auditor", "fabrikam")}

    def test_a_rule_of_another_tenant_gives_nothing(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        microsoft.tenant.tenant_id = uuid.uuid4()
        microsoft.tenant.save()
        assert microsoft.sign_in(Client(), BEN).status_code == 403


class TestTheWay:
    def test_the_request_is_a_code_flow_with_pkce_state_and_nonce_and_asks_for_no_refresh_token(
        self, microsoft: Microsoft
    ) -> None:
        asked = parse_qs(urlsplit(microsoft.begin(Client())).query)
        assert asked["response_type"] == ["code"]
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["state"]
        assert asked["nonce"]
        assert "offline_access" not in asked["scope"][0]
        assert asked["redirect_uri"] == [f"http://127.0.0.1:8000{BACK}"]

    @pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1"])
    def test_it_never_leads_to_another_host(self, where: str, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        assert microsoft.sign_in(Client(), BEN, where)["Location"] == "/"

    def test_another_browser_cannot_finish_what_this_one_began(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        mine, theirs = Client(), Client()
        back = microsoft.choose(microsoft.begin(mine), BEN)
        assert theirs.get(back).status_code == 403
        assert not is_in(theirs)
        microsoft.begin(theirs)  # with a flow of its own, the state is still another one's
        assert theirs.get(back).status_code == 403
        assert not is_in(theirs)

    def test_a_flow_works_once(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        client = Client()
        back = microsoft.choose(microsoft.begin(client), BEN)
        cookie = client.cookies[COOKIE].value
        client.get(back)
        again = Client()
        again.cookies[COOKIE] = cookie
        assert again.get(back).status_code == 403
        assert not is_in(again)
        assert not SignInFlow.objects.exists()

    def test_a_made_up_cookie_is_no_flow(self, microsoft: Microsoft) -> None:
        client = Client()
        back = microsoft.choose(microsoft.begin(client), BEN)
        for value in ("x", str(SignInFlow.objects.get().pk), signing.dumps(str(uuid.uuid4()), salt=COOKIE)):
            client.cookies[COOKIE] = value
            assert client.get(back).status_code == 403

    @pytest.mark.parametrize("query", ["", "?code=x", "?state=x&code=y", "?error=access_denied&state=x"])
    def test_odd_answers_are_refused(self, query: str, microsoft: Microsoft) -> None:
        client = Client()
        microsoft.begin(client)
        assert client.get(f"{BACK}{query}").status_code == 403

    def test_who_declines_is_told_so(self, microsoft: Microsoft) -> None:
        client = Client()
        answer = client.get(microsoft.choose(microsoft.begin(client), "nobody"))
        assert answer.status_code == 403
        assert "you went back" in answer.content.decode()

    def test_a_session_from_before_is_not_kept(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        client = Client()
        session = client.session
        session["planted"] = "by somebody else"
        session.save()
        planted = session.session_key
        microsoft.sign_in(client, BEN)
        assert client.session.session_key != planted
        assert "planted" not in client.session

    def test_a_stolen_code_is_worthless_without_the_verifier(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        victim, thief = Client(), Client()
        stolen = parse_qs(urlsplit(microsoft.choose(microsoft.begin(victim), BEN)).query)["code"][0]
        state = parse_qs(urlsplit(microsoft.begin(thief)).query)["state"][0]
        assert thief.get(BACK, {"code": stolen, "state": state}).status_code == 403
        assert not is_in(thief)

    @pytest.mark.parametrize("path", ["openid-configuration", "oauth2/v2.0/token", "discovery"])
    def test_an_outage_there_is_said_and_nobody_comes_in(self, path: str, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        client = Client()
        if path == "openid-configuration":
            microsoft.control.faults(rule("status", path=path, status=503))
            answer = client.get(BEGIN)
        else:
            back = microsoft.choose(microsoft.begin(client), BEN)
            microsoft.control.faults(rule("status", path=path, status=503))
            answer = client.get(back)
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert not is_in(client)

    @pytest.mark.parametrize(
        ("name", "value"), [("ENTRA_TENANT_ID", str(uuid.UUID(int=9))), ("ENTRA_PRIVATE_KEY", "no key")]
    )
    def test_wrong_settings_are_an_outage_and_no_crash(
        self, name: str, value: str, microsoft: Microsoft, settings: Settings
    ) -> None:
        setattr(settings, name, value)
        assert Client().get(BEGIN).status_code == 503

    def test_a_wrong_secret_lets_nobody_in(self, microsoft: Microsoft, settings: Settings) -> None:
        microsoft.rule("Hub.Technician", "technician")
        settings.ENTRA_CLIENT_SECRET = "not the secret of this registration"
        client = Client()
        assert microsoft.sign_in(client, BEN).status_code == 403
        assert not is_in(client)

    def test_signing_out_also_leads_to_the_end_there(self, microsoft: Microsoft) -> None:
        microsoft.rule("Hub.Technician", "technician")
        client = Client()
        microsoft.sign_in(client, BEN)
        page = client.post("/sign-out/")
        address = page.context["address"]
        assert address.startswith(f"{microsoft.process.entra_url}/{CONTOSO}/oauth2/v2.0/logout?")
        assert parse_qs(urlsplit(address).query)["post_logout_redirect_uri"] == ["http://127.0.0.1:8000/sign-in/"]
        assert 'http-equiv="refresh"' in page.content.decode()
        assert not is_in(client)

    def test_switched_off_it_is_not_there(self) -> None:
        assert Client().get(BEGIN).status_code == 404
        assert Client().get(BACK).status_code == 404
        assert "Microsoft" not in Client().get("/sign-in/").content.decode()


class TestPasswords:
    def test_only_accounts_for_emergencies_keep_their_password_and_its_use_is_loud(self, microsoft: Microsoft) -> None:
        ben, spare = technician(email="ben@hub.example"), admin(email="spare@hub.example", break_glass=True)
        refused = first_step(Client(), ben)
        wrong = first_step(Client(), spare, password="wrong")
        assert (refused.status_code, wrong.status_code) == (422, 422)
        errors = [answer.context["form"].non_field_errors() for answer in (refused, wrong)]
        assert errors[0] == errors[1]
        client = Client()
        assert first_step(client, spare)["Location"] == "/profile/"
        assert is_in(client)
        assert AuditEntry.objects.filter(action="user.break_glass_used", target_id=str(spare.pk)).exists()

    def test_refused_passwords_count_for_the_lockout(self, microsoft: Microsoft) -> None:
        ben = technician(email="ben@hub.example")
        answers = [first_step(Client(), ben).status_code for _ in range(5)]
        assert answers[-1] == 429

    def test_the_api_gives_tokens_to_accounts_for_emergencies_only(self, microsoft: Microsoft) -> None:
        ben, spare = technician(email="ben@hub.example"), admin(email="spare@hub.example", break_glass=True)
        codes = [
            APIClient().post("/api/v1/auth/token/", {"email": user.email, "password": PASSWORD}, format="json")
            for user in (ben, spare)
        ]
        assert [answer.status_code for answer in codes] == [401, 200]
        assert codes[0].json()["code"] == "no_active_account"

    def test_a_setting_keeps_passwords_for_everybody(self, microsoft: Microsoft, settings: Settings) -> None:
        settings.PASSWORD_SIGN_IN = "always"
        assert first_step(Client(), technician(email="ben@hub.example"))["Location"] == "/profile/"


class TestRules:
    """In the admin: rules give no more than their author could give by hand."""

    def add(self, user: User, **fields: object) -> int:
        browser = Client()
        browser.force_login(user)
        form = {"kind": "role", "value": "Hub.Boss", "role": "technician", "organisation": "", **fields}
        return browser.post("/admin/accounts/entrarolerule/add/", form).status_code

    def small_admin(self, microsoft: Microsoft) -> User:
        user: User = UserFactory.create()
        RoleGrantFactory.create(user=user, role="admin", organisation=microsoft.tenant.organisation)
        return user

    def test_an_admin_makes_one(self, microsoft: Microsoft) -> None:
        assert self.add(admin(), tenant=microsoft.tenant.pk, role="admin") == 302
        assert EntraRoleRule.objects.get().role == "admin"

    def test_a_lead_does_not(self, microsoft: Microsoft) -> None:
        assert self.add(lead(), tenant=microsoft.tenant.pk) == 403
        assert not EntraRoleRule.objects.exists()

    def test_an_admin_of_one_organisation_gives_roles_there_to_people_of_its_tenants(
        self, microsoft: Microsoft
    ) -> None:
        small, here = self.small_admin(microsoft), microsoft.tenant.organisation
        foreign = TenantConnection.objects.create(organisation=OrganisationFactory.create(), tenant_id=uuid.uuid4())
        assert self.add(small, tenant=microsoft.tenant.pk) == 200  # everywhere: not offered
        assert self.add(small, tenant=foreign.pk, organisation=here.pk) == 200
        assert not EntraRoleRule.objects.exists()
        assert self.add(small, tenant=microsoft.tenant.pk, organisation=here.pk) == 302
