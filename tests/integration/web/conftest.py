"""Signed-in browsers and a small queue."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.choices import Role
from accounts.models import User
from tests.factories.accounts import OrganisationFactory, RoleGrantFactory, UserFactory, technician
from tests.factories.tickets import BoardFactory


@pytest.fixture
def tech(db: None) -> User:
    return technician(name="Anna Lindqvist", email="anna@hub.example")


@pytest.fixture
def browser_of() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def browser(tech: User, browser_of: Callable[[User], Client]) -> Client:
    return browser_of(tech)


@pytest.fixture
def contoso_only(db: None, browser_of: Callable[[User], Client]) -> Client:
    """A technician of one organisation, Contoso."""
    user: User = UserFactory(name="Cem", email="cem@hub.example")
    contoso = OrganisationFactory(name="Contoso", slug="contoso")
    RoleGrantFactory(user=user, role=Role.TECHNICIAN, organisation=contoso)
    return browser_of(user)


@pytest.fixture
def board(db: None) -> object:
    return BoardFactory(slug="office", name="Office", is_default=True)
