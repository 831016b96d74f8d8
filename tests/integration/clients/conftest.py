"""API clients as programs use them."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.choices import ClientScope
from accounts.models import ApiClient, Organisation
from accounts.services.clients import create_client
from tests.factories.accounts import OrganisationFactory
from tests.factories.tickets import BoardFactory
from tickets.models import Board

Calling = Callable[[str], APIClient]
Making = Callable[..., tuple[ApiClient, str]]


@pytest.fixture
def calling() -> Calling:
    """A program that sends this key."""

    def call(key: str) -> APIClient:
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        return client

    return call


@pytest.fixture
def make(db: None) -> Making:
    def make_client(*scopes: ClientScope | str, **fields: Any) -> tuple[ApiClient, str]:
        facts = {"name": "Monitoring", "actor": None, **fields}
        return create_client(scopes=[str(scope) for scope in scopes or (ClientScope.TICKETS_READ,)], **facts)

    return make_client


@pytest.fixture
def board(db: None) -> Board:
    board: Board = BoardFactory.create(slug="helpdesk", is_default=True)
    return board


@pytest.fixture
def contoso(db: None) -> Organisation:
    organisation: Organisation = OrganisationFactory.create(slug="contoso", name="Contoso")
    return organisation


@pytest.fixture
def fabrikam(db: None) -> Organisation:
    organisation: Organisation = OrganisationFactory.create(slug="fabrikam", name="Fabrikam")
    return organisation
