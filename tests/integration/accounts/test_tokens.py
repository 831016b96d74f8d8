"""Passwords of the API: tokens, lockout, and nothing that tells who exists."""

import pytest
from axes.models import AccessAttempt
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories.accounts import PASSWORD, technician

pytestmark = pytest.mark.django_db
URL = "/api/v1/auth/token/"


@pytest.fixture
def ben(db: None) -> User:
    return technician(email="ben@hub.example")


def ask(email: str, password: str) -> tuple[int, str]:
    answer = APIClient().post(URL, {"email": email, "password": password}, format="json")
    return answer.status_code, answer.json().get("code", "")


def test_a_token_opens_the_api_and_email_case_does_not_matter(ben: User) -> None:
    tokens = APIClient().post(URL, {"email": "BEN@hub.example", "password": PASSWORD}, format="json").json()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert client.get("/api/v1/me/").json()["email"] == "ben@hub.example"
    renewed = APIClient().post(f"{URL}refresh/", {"refresh": tokens["refresh"]}, format="json")
    assert "access" in renewed.json()


def test_a_wrong_password_and_an_unknown_person_look_the_same(ben: User) -> None:
    assert ask("ben@hub.example", "wrong") == ask("nobody@hub.example", "wrong") == (401, "no_active_account")


def test_five_wrong_passwords_lock_even_the_right_one_out(ben: User) -> None:
    for _ in range(5):
        ask("ben@hub.example", "wrong")
    assert ask("ben@hub.example", PASSWORD)[0] in {401, 403, 429}
    assert AccessAttempt.objects.get().failures_since_start >= 5


def test_the_lockout_is_of_this_person_and_not_of_everybody(ben: User) -> None:
    technician(email="mia@hub.example")
    for _ in range(6):
        ask("ben@hub.example", "wrong")
    assert ask("mia@hub.example", PASSWORD)[0] == 200


def test_a_deactivated_person_has_no_token_and_the_old_one_ends(ben: User) -> None:
    tokens = APIClient().post(URL, {"email": ben.email, "password": PASSWORD}, format="json").json()
    User.objects.filter(pk=ben.pk).update(is_active=False)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert client.get("/api/v1/me/").status_code == 401
    assert ask(ben.email, PASSWORD)[0] == 401


def test_a_changed_password_ends_every_token(ben: User) -> None:
    tokens = APIClient().post(URL, {"email": ben.email, "password": PASSWORD}, format="json").json()
    ben.set_password("another good long password")
    ben.save()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert client.get("/api/v1/me/").status_code == 401


@pytest.mark.parametrize("token", ["x", "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoxfQ.", "a.b.c", "é" * 10])
def test_a_made_up_token_is_401(token: str) -> None:
    answer = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"email": "x"}, {"email": ["a"], "password": {}}, [], "x", {"email": "a\x00", "password": "b"}]
)
def test_odd_credentials_are_a_clear_400(body: object) -> None:
    answer = APIClient(raise_request_exception=False).post(URL, body, format="json")
    assert answer.status_code == 400, answer.content
