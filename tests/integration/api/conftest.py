"""Clients of the native API."""

import pytest
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from tests.factories.accounts import OrganisationFactory, technician
from tests.factories.tickets import BoardFactory
from tickets.models import Board


@pytest.fixture
def ben(db: None) -> User:
    return technician(email="ben@hub.example", name="Ben Carter")


@pytest.fixture
def api(ben: User) -> APIClient:
    """A client signed in as Ben, a technician for every organisation."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(ben)
    return client


@pytest.fixture
def board(db: None) -> Board:
    board: Board = BoardFactory.create(slug="helpdesk", is_default=True, goes_out=True)
    return board


@pytest.fixture
def contoso(db: None) -> Organisation:
    organisation: Organisation = OrganisationFactory.create(slug="contoso", name="Contoso")
    return organisation
