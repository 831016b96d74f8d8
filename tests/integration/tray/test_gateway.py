"""The same two calls behind an API gateway that names the person."""

import hashlib
from typing import Any

import pytest
from pytest_django import Settings

from tests.integration.tray.conftest import Tray, at_once, refused
from tests.sandbox.entra.seeds import CONTOSO, GATEWAY_APP, oid
from tickets.models import Board, Ticket

pytestmark = pytest.mark.django_db
SECRET = "the-gateways-own-secret"


@pytest.fixture
def gateway(tray: Tray, settings: Settings) -> Tray:
    settings.AUTH_MODE = "gateway"
    settings.GATEWAY_SECRET_HEADER = "X-Gateway-Key"
    settings.GATEWAY_SECRETS = [SECRET]
    settings.GATEWAY_APP_IDS = frozenset({GATEWAY_APP})
    return tray


def ann(issued: int = 1, upn: str = "Ann.Baker@contoso.example", **more: str) -> dict[str, str]:
    digest = hashlib.sha256(f"{upn}:{issued}".encode()).hexdigest()
    return {"X-Gateway-Key": SECRET, "X-User-UPN": upn, "X-Auth-Hash": digest, **more}


def test_person_whom_the_gateway_names_submits_and_asks(gateway: Tray, helpdesk: Board) -> None:
    instance = gateway.accepted(headers=ann())
    assert gateway.accepted(headers=ann()) == instance
    other = gateway.accepted(headers=ann(), title="Mouse")
    assert gateway.status(instance, headers=ann())["status"] == "success"
    assert gateway.status(other, headers=ann())["message"] == "Token has already been exchanged."
    assert gateway.status(instance, headers=ann(2))["status"] == "success", "another token of the same person"
    assert gateway.accepted(headers=ann(2), title="Mouse") != other
    ticket = Ticket.objects.earliest("pk")
    assert ticket.organisation == gateway.entra.organisation
    assert ticket.requester
    assert (ticket.requester.upn, ticket.requester.object_id) == ("ann.baker@contoso.example", None)


def test_gateways_own_token_proves_it_too(gateway: Tray, helpdesk: Board) -> None:
    headers = {name: value for name, value in ann().items() if name != "X-Gateway-Key"}
    own = gateway.token(app=GATEWAY_APP)
    instance = gateway.accepted(own, headers=headers)
    assert gateway.status(instance, own, headers=headers)["status"] == "success"


@pytest.mark.parametrize("change", [{"X-Gateway-Key": "a guess"}, {"X-Gateway-Key": ""}, {"X-Auth-Hash": "x"}])
def test_who_does_not_prove_to_be_the_gateway_is_refused(gateway: Tray, helpdesk: Board, change: Any) -> None:
    refused(gateway.submit(headers=ann(**change)), 401)
    refused(gateway.ask("x", headers=ann(**change)), 401)
    assert not Ticket.objects.exists()


def test_persons_own_token_opens_nothing(gateway: Tray, helpdesk: Board) -> None:
    refused(gateway.submit(gateway.token()), 401)
    named = {name: value for name, value in ann().items() if name != "X-Gateway-Key"}
    refused(gateway.submit(gateway.token(), headers=named), 401)
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("upn", ["", "ann", "ann@contoso.example,eve@contoso.example"])
def test_gateway_that_names_nobody_is_a_bad_request(gateway: Tray, helpdesk: Board, upn: str) -> None:
    refused(gateway.submit(headers=ann(upn=upn)), 400)
    assert not Ticket.objects.exists()


def test_another_persons_submission_is_not_shown(gateway: Tray, helpdesk: Board) -> None:
    instance = gateway.accepted(headers=ann())
    refused(gateway.ask(instance, headers=ann(upn="eve@contoso.example")), 401)


def test_person_is_known_again_when_their_tokens_come_directly(
    gateway: Tray, helpdesk: Board, settings: Settings
) -> None:
    first = gateway.accepted(headers=ann())
    refusal = gateway.accepted(headers=ann(), title="Mouse")
    settings.AUTH_MODE = "jwt"
    token = gateway.token()
    assert gateway.status(first, token)["status"] == "success"
    assert gateway.status(refusal, token)["status"] == "error"
    second = gateway.accepted(token)
    one, two = (ticket.requester for ticket in Ticket.objects.order_by("pk"))
    assert one == two
    assert two
    assert (str(two.tenant_id), str(two.object_id)) == (CONTOSO, oid(1))
    settings.AUTH_MODE = "gateway"
    assert gateway.status(second, headers=ann(9))["status"] == "success"


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one_ticket(gateway: Tray, helpdesk: Board) -> None:
    ids = at_once([lambda: Tray(gateway.entra).accepted(headers=ann())] * 20)
    assert len(set(ids)) == 1
    assert Ticket.objects.count() == 1
