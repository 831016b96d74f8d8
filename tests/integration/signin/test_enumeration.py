"""Nobody learns from a refusal who has an account: the same words, and the same work."""

from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories.accounts import technician
from tests.integration.signin.conftest import Microsoft, first_step

pytestmark = pytest.mark.django_db
NAMES = (
    "ben@hub.example",
    "with.codes@hub.example",
    "off@hub.example",
    "no.password@hub.example",
    "nobody@hub.example",
)


@pytest.fixture(autouse=True)
def _everybody(ann: User, ben: User) -> None:
    """Somebody with a password, with codes, switched off, without a password; the last name is nobody's."""
    User.objects.filter(pk=ann.pk).update(email=NAMES[1])
    technician(email=NAMES[2], is_active=False)
    spare = technician(email=NAMES[3])
    spare.set_unusable_password()
    spare.save()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every time that a password was hashed: what a refusal costs."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def noted(self: Any, password: str, salt: str) -> str:
        seen.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", noted)
    return seen


def test_the_form_says_the_same_and_works_as_long_for_everybody(hashed: list[str]) -> None:
    pages, costs = set(), []
    for name in NAMES:
        hashed.clear()
        answer = Client().post("/sign-in/", {"username": name, "password": "wrong"})
        pages.add((answer.status_code, str(answer.context["form"].non_field_errors())))
        costs.append(len(hashed))
    assert len(pages) == 1
    assert costs == [1] * len(NAMES)


def test_the_api_says_the_same_and_works_as_long_for_everybody(hashed: list[str]) -> None:
    bodies, costs = set(), []
    for name in NAMES:
        hashed.clear()
        answer = APIClient().post("/api/v1/auth/token/", {"email": name, "password": "wrong"}, format="json")
        bodies.add((answer.status_code, str(answer.json())))
        costs.append(len(hashed))
    assert len(bodies) == 1
    assert costs == [1] * len(NAMES)


def test_the_first_admin_is_an_account_for_emergencies(microsoft: Microsoft) -> None:
    """Else nobody could make the rules by which others come in."""
    first = User.objects.create_superuser("first@hub.example", "a long enough password")
    assert first_step(Client(), first, password="a long enough password")["Location"] == "/profile/"
