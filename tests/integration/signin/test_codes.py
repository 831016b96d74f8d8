"""The second step: nobody is in before it, no code works twice, and it cannot be guessed."""

import threading
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import AuditEntry, RecoveryCode, SignIn, TotpDevice, User
from accounts.services.codes import CodesLocked, WrongCode, begin_codes, use_code
from accounts.views.entering import COOKIE
from tests.factories.accounts import PASSWORD, OrganisationFactory, RoleGrantFactory, admin, lead, technician
from tests.integration.signin.conftest import (
    code_for,
    first_step,
    forget_used_codes,
    give_codes,
    is_in,
)

pytestmark = pytest.mark.django_db
CODE = "/sign-in/code/"
TOKEN = "/api/v1/auth/token/"


class TestSecondStep:
    def test_the_password_alone_begins_no_session(self, ann: User) -> None:
        client = Client()
        assert first_step(client, ann)["Location"] == CODE
        assert "sessionid" not in client.cookies
        assert not is_in(client)
        assert not SignIn.objects.exists()

    def test_the_code_leads_on_to_the_page_that_was_asked_for(self, ann: User) -> None:
        client = Client()
        first_step(client, ann)
        assert client.get(CODE).status_code == 200
        answer = client.post(CODE, {"code": code_for(ann)})
        assert (answer.status_code, answer["Location"]) == (302, "/profile/")
        assert is_in(client)
        assert client.cookies[COOKIE].value == ""

    def test_without_the_first_step_there_is_no_second(self, ann: User) -> None:
        client = Client()
        answer = client.post(CODE, {"code": code_for(ann)})
        assert answer["Location"] == "/sign-in/"
        assert not is_in(client)

    @pytest.mark.parametrize("spoil", ["other salt", "cut", "old", "odd"])
    def test_a_made_up_or_old_cookie_is_no_first_step(self, spoil: str, ann: User) -> None:
        client = Client()
        first_step(client, ann)
        good = client.cookies[COOKIE].value
        facts = signing.loads(good, salt=COOKIE)
        client.cookies[COOKIE] = {
            "other salt": signing.dumps(facts, salt="other"),
            "cut": good[:-2],
            "old": signing.dumps(facts, salt=COOKIE)[:-1] + "x",
            "odd": signing.dumps({"user_id": ann.pk}, salt=COOKIE),
        }[spoil]
        assert client.post(CODE, {"code": code_for(ann)})["Location"] == "/sign-in/"
        assert not is_in(client)

    def test_the_cookie_runs_out(self, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
        client = Client()
        first_step(client, ann)
        monkeypatch.setattr("accounts.views.entering.PATIENCE", timedelta(seconds=-1))
        assert client.post(CODE, {"code": code_for(ann)})["Location"] == "/sign-in/"

    @pytest.mark.parametrize("change", ["password", "switched off"])
    def test_a_changed_password_or_a_switched_off_account_ends_a_pending_step(self, change: str, ann: User) -> None:
        client = Client()
        first_step(client, ann)
        code = code_for(ann)
        if change == "password":
            ann.set_password("another good long password")
        ann.is_active = change == "password"
        ann.save()
        assert client.post(CODE, {"code": code})["Location"] == "/sign-in/"

    def test_a_session_from_before_is_not_kept(self, ann: User) -> None:
        client = Client()
        session = client.session
        session["planted"] = "by somebody else"
        session.save()
        planted = session.session_key
        first_step(client, ann)
        client.post(CODE, {"code": code_for(ann)})
        assert client.session.session_key != planted
        assert "planted" not in client.session

    def test_a_wrong_code_is_said_and_counted(self, ann: User) -> None:
        client = Client()
        first_step(client, ann)
        answer = client.post(CODE, {"code": "000000" if code_for(ann) != "000000" else "000001"})
        assert answer.status_code == 422
        assert "not right" in answer.content.decode()
        assert TotpDevice.objects.get().failures == 1

    def test_five_wrong_codes_lock_even_the_right_one_out_from_anywhere(self, ann: User) -> None:
        wrong = "000000" if code_for(ann) != "000000" else "111111"
        for number in range(5):
            client = Client(REMOTE_ADDR=f"10.0.0.{number}")
            first_step(client, ann)
            client.post(CODE, {"code": wrong})
        client = Client(REMOTE_ADDR="10.0.0.99")
        first_step(client, ann)
        assert client.post(CODE, {"code": code_for(ann)}).status_code == 429
        assert not is_in(client)
        TotpDevice.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
        client.post(CODE, {"code": code_for(ann)})
        assert is_in(client)

    def test_wrong_codes_count_for_the_lockout_of_the_address_too(self, ann: User) -> None:
        client = Client()
        for _ in range(4):
            client.post("/sign-in/", {"username": ann.email, "password": "wrong"})
        first_step(client, ann)
        assert client.post(CODE, {"code": "000000"}).status_code == 429
        assert first_step(client, ann).status_code == 429


class TestCodes:
    def test_no_code_works_twice(self, ann: User) -> None:
        code = code_for(ann)
        use_code(user=ann, typed=code)
        with pytest.raises(WrongCode):
            use_code(user=ann, typed=code)

    def test_a_code_from_before_a_used_one_does_not_work(self, ann: User) -> None:
        use_code(user=ann, typed=code_for(ann, steps=1))
        with pytest.raises(WrongCode):
            use_code(user=ann, typed=code_for(ann))

    @pytest.mark.parametrize(("steps", "works"), [(-1, True), (0, True), (1, True), (-3, False), (3, False)])
    def test_a_clock_may_be_half_a_minute_off(self, steps: int, works: bool, ann: User) -> None:
        code = code_for(ann, steps=steps)
        try:
            use_code(user=ann, typed=code)
        except WrongCode:
            assert not works
        else:
            assert works

    def test_the_secret_is_encrypted_at_rest_and_recovery_codes_are_only_digests(self, ben: User) -> None:
        recovery = give_codes(ben)
        secret = TotpDevice.objects.get(user=ben).secret
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM accounts_totpdevice")
            stored = cursor.fetchone()[0]
            cursor.execute("SELECT string_agg(digest, ' ') FROM accounts_recoverycode")
            digests = cursor.fetchone()[0]
        assert secret not in stored
        assert stored.startswith("t1:")
        assert recovery[0].replace("-", "") not in digests

    def test_each_recovery_code_works_once_also_in_small_letters(self, ben: User) -> None:
        recovery = give_codes(ben)
        assert len(set(recovery)) == 10
        client = Client()
        first_step(client, ben)
        assert client.post(CODE, {"code": recovery[0].lower()})["Location"] == "/profile/"
        assert SignIn.objects.get().way == "recovery"
        with pytest.raises(WrongCode):
            use_code(user=ben, typed=recovery[0])
        use_code(user=ben, typed=recovery[1])
        assert RecoveryCode.objects.filter(used_at=None).count() == 8

    def test_somebody_elses_code_does_not_work(self, ann: User, ben: User) -> None:
        theirs = give_codes(ben)
        for typed in (code_for(ben), theirs[0]):
            with pytest.raises(WrongCode):
                use_code(user=ann, typed=typed)

    def test_an_unconfirmed_secret_opens_nothing_and_asks_for_nothing(self, ben: User) -> None:
        begin_codes(user=ben)
        assert first_step(Client(), ben)["Location"] == "/profile/"
        with pytest.raises(WrongCode):
            use_code(user=ben, typed=code_for(ben))

    @pytest.mark.parametrize("typed", ["", "abc", "1" * 40, "\x00", "12345６", "-1"])
    def test_odd_codes_are_wrong_codes(self, typed: str, ann: User) -> None:
        with pytest.raises(WrongCode):
            use_code(user=ann, typed=typed)


@pytest.mark.django_db(transaction=True)
def test_of_many_equal_codes_at_the_same_moment_one_works() -> None:
    ann = technician(email="ann@hub.example")
    give_codes(ann)
    code, ways, gate = code_for(ann), [], threading.Barrier(6)

    def try_it() -> None:
        gate.wait()
        try:
            ways.append(use_code(user=ann, typed=code))
        except (WrongCode, CodesLocked):
            pass  # what five of the six get
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ways) == 1


class TestMustHave:
    def test_leads_and_admins_set_codes_up_before_their_first_session(self, settings: Settings) -> None:
        settings.REQUIRE_TOTP = True
        lena, client = lead(email="lena@hub.example"), Client()
        assert first_step(client, lena)["Location"] == "/sign-in/set-up/"
        assert not is_in(client)
        page = client.get("/sign-in/set-up/").content.decode()
        assert "data:image/svg+xml" in page
        secret = TotpDevice.objects.get().secret
        assert secret[:4] in page
        answer = client.post("/sign-in/set-up/", {"code": code_for(lena)})
        assert len(answer.context["codes"]) == 10
        assert "no-store" in answer["Cache-Control"]
        assert is_in(client)
        assert first_step(Client(), lena)["Location"] == CODE

    def test_a_wrong_first_code_switches_nothing_on(self, settings: Settings) -> None:
        settings.REQUIRE_TOTP = True
        boss, client = admin(email="boss@hub.example"), Client()
        first_step(client, boss)
        client.get("/sign-in/set-up/")
        assert client.post("/sign-in/set-up/", {"code": "12345"}).status_code == 422
        assert not is_in(client)
        assert TotpDevice.objects.get().confirmed_at is None

    def test_technicians_need_none_unless_their_organisation_says_so(self, settings: Settings, ben: User) -> None:
        settings.REQUIRE_TOTP = True
        assert first_step(Client(), ben)["Location"] == "/profile/"
        strict = OrganisationFactory.create(require_totp=True)
        RoleGrantFactory.create(user=ben, organisation=strict)
        assert first_step(Client(), ben)["Location"] == "/sign-in/set-up/"

    def test_the_way_to_set_up_is_closed_to_who_has_codes(self, ann: User, settings: Settings) -> None:
        settings.REQUIRE_TOTP = True
        RoleGrantFactory.create(user=ann, role="lead")
        client = Client()
        first_step(client, ann)
        assert client.get("/sign-in/set-up/")["Location"] == "/sign-in/"

    def test_who_must_have_codes_cannot_switch_them_off(self, ann: User, settings: Settings) -> None:
        settings.REQUIRE_TOTP = True
        RoleGrantFactory.create(user=ann, role="lead")
        client = Client()
        client.force_login(ann)
        answer = client.post("/profile/security/codes/off/", {"password": PASSWORD, "code": code_for(ann)})
        assert answer.status_code == 403
        assert TotpDevice.objects.exists()

    def test_tokens_wait_until_codes_are_set_up(self, settings: Settings) -> None:
        settings.REQUIRE_TOTP = True
        lena = lead(email="lena@hub.example")
        answer = APIClient().post(TOKEN, {"email": lena.email, "password": PASSWORD}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (401, "otp_not_set_up")


class TestProfile:
    def test_codes_are_switched_on_with_the_first_code_and_recovery_codes_shown_once(self, ben: User) -> None:
        client = Client()
        client.force_login(ben)
        assert client.get("/profile/security/codes/").status_code == 200
        answer = client.post("/profile/security/codes/", {"code": code_for(ben)})
        codes = answer.context["codes"]
        assert "no-store" in answer["Cache-Control"]
        page = client.get("/profile/security/").content.decode()
        assert "10 recovery codes left" in page
        assert codes[0] not in page
        assert client.get("/profile/security/codes/").status_code == 409

    @pytest.mark.parametrize(("password", "code"), [("wrong", "right"), (PASSWORD, "wrong"), ("", "right")])
    def test_switching_off_needs_password_and_code(self, password: str, code: str, ann: User) -> None:
        client = Client()
        client.force_login(ann)
        typed = code_for(ann) if code == "right" else "ABCDEFGH"
        answer = client.post("/profile/security/codes/off/", {"password": password, "code": typed})
        assert answer.status_code == 422
        assert TotpDevice.objects.exists()

    def test_switching_off_switches_off_and_the_password_is_enough_again(self, ann: User) -> None:
        client = Client()
        client.force_login(ann)
        client.post("/profile/security/codes/off/", {"password": PASSWORD, "code": code_for(ann)})
        assert not TotpDevice.objects.exists()
        assert first_step(Client(), ann)["Location"] == "/profile/"

    def test_new_recovery_codes_end_the_old_ones(self, ben: User) -> None:
        old = give_codes(ben)
        client = Client()
        client.force_login(ben)
        data = {"password": PASSWORD, "code": code_for(ben)}
        new = client.post("/profile/security/recovery-codes/", data).context["codes"]
        with pytest.raises(WrongCode):
            use_code(user=ben, typed=old[0])
        use_code(user=ben, typed=new[0])

    def test_a_password_cannot_be_guessed_through_this_form(self, ann: User) -> None:
        client = Client()
        client.force_login(ann)
        answers = [
            client.post("/profile/security/codes/off/", {"password": f"guess {n}", "code": "000000"}).status_code
            for n in range(5)
        ]
        assert answers[-1] == 429
        assert TotpDevice.objects.get().failures == 0


class TestTokens:
    def ask(self, user: User, **more: str) -> tuple[int, str]:
        body = {"email": user.email, "password": PASSWORD, **more}
        answer = APIClient().post(TOKEN, body, format="json")
        return answer.status_code, answer.json().get("code", "")

    def test_a_token_needs_the_code_and_says_so(self, ann: User) -> None:
        assert self.ask(ann) == (401, "otp_required")
        assert self.ask(ann, otp="ABC") == (401, "otp_wrong")
        assert self.ask(ann, otp=code_for(ann))[0] == 200
        assert self.ask(ann, otp=code_for(ann)) == (401, "otp_wrong")

    def test_a_wrong_password_does_not_tell_that_there_are_codes(self, ann: User, ben: User) -> None:
        bodies = [
            APIClient().post(TOKEN, {"email": email, "password": "wrong", "otp": "000000"}, format="json").json()
            for email in (ann.email, ben.email, "nobody@hub.example")
        ]
        assert bodies[0] == bodies[1] == bodies[2]

    def test_codes_cannot_be_guessed_through_the_api(self, ann: User) -> None:
        answers = [self.ask(ann, otp="ABC") for _ in range(5)]
        assert answers[-1] == (429, "locked_out")
        assert self.ask(ann, otp=code_for(ann)) == (429, "locked_out")


class TestAdmins:
    def browser(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def reset(self, client: Client, user: User) -> None:
        client.post(f"/admin/accounts/user/do/reset-codes/?ids={user.pk}", {"ids": user.pk})

    def test_an_admin_forgets_the_codes_of_a_lost_phone_and_the_trail_says_so(self, ann: User) -> None:
        boss = admin(email="boss@hub.example")
        self.reset(self.browser(boss), ann)
        assert not TotpDevice.objects.exists()
        entry = AuditEntry.objects.get(action="user.codes_off")
        assert (entry.actor_id, entry.target_id) == (str(boss.pk), str(ann.pk))

    def test_a_lead_cannot(self, ann: User) -> None:
        self.reset(self.browser(lead(email="lena@hub.example")), ann)
        assert TotpDevice.objects.exists()

    def test_an_admin_of_one_organisation_cannot_weaken_somebody_with_more(self, ann: User) -> None:
        here = OrganisationFactory.create()
        small: User = technician(email="small@hub.example")
        small.grants.all().delete()
        RoleGrantFactory.create(user=small, role="admin", organisation=here)
        RoleGrantFactory.create(user=ann, organisation=here)
        self.reset(self.browser(small), ann)
        assert TotpDevice.objects.exists()


def test_setting_up_is_remembered_in_the_trail(ann: User) -> None:
    forget_used_codes(ann)
    assert AuditEntry.objects.filter(action="user.codes_on", target_id=str(ann.pk)).count() == 1
