"""A hub with a bit of everything, and browsers of people with different roles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.choices import HoldScope, Role
from accounts.models import Hold, Organisation, TenantConnection, User
from directory.models import Person
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import OrganisationFactory, RoleGrantFactory, UserFactory
from tests.factories.directory import PersonFactory
from tests.factories.tickets import BoardFactory, CategoryFactory, TicketFactory
from tickets.choices import ChangeVerb
from tickets.models import Board, BoardGrant, IssueChange, Ticket


@dataclass(frozen=True)
class Hub:
    """Two customers with a ticket each, on a board each; both submissions are parked."""

    contoso: Organisation
    fabrikam: Organisation
    helpdesk: Board
    network: Board
    ours: Ticket
    theirs: Ticket
    person: Person
    tenant: TenantConnection
    change: IssueChange
    hold: Hold


@pytest.fixture
def hub(db: None) -> Hub:
    contoso, fabrikam = (
        OrganisationFactory(name="Contoso", slug="contoso"),
        OrganisationFactory(name="Fabrikam", slug="fabrikam"),
    )
    helpdesk, network = BoardFactory(goes_out=True, slug="helpdesk"), BoardFactory(goes_out=True, slug="network")
    ours = TicketFactory(organisation=contoso, board=helpdesk, title="Printer is on fire")
    theirs = TicketFactory(organisation=fabrikam, board=network, title="Tunnel drops at noon")
    for ticket in (ours, theirs):
        ticket.submission.state, ticket.submission.reason, ticket.submission.tries = (
            DeliveryState.PARKED,
            "Field is missing.",
            2,
        )
        ticket.submission.save()
        ticket.submission.attempts.create(
            fence=1, mode="act", started_at=timezone.now(), ended_at=timezone.now(), result="parked"
        )
    change = IssueChange.objects.create(
        ticket=ours,
        tracker=helpdesk.tracker,
        verb=ChangeVerb.ADD_WATCHER,
        payload={"person": 0},
        state=DeliveryState.PARKED,
    )
    CategoryFactory(board=helpdesk)
    interval = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name="Deliveries: sweep", task="tickets.tasks.sweep_deliveries", interval=interval)
    return Hub(
        contoso=contoso, fabrikam=fabrikam, helpdesk=helpdesk, network=network, ours=ours, theirs=theirs,
        person=PersonFactory(organisation=contoso),
        tenant=TenantConnection.objects.create(
            organisation=contoso, tenant_id="6f1f8e9a-4b5c-4d6e-8f70-000000000001", client_secret="tenant-secret-value"
        ),
        change=change,
        hold=Hold.objects.create(scope=HoldScope.ORGANISATION, value="fabrikam", reason="They asked for a quiet day."),
    )  # fmt: skip


Browse = Callable[..., Any]


def _grant(user: User, role: Role, place: Any) -> None:
    if isinstance(place, Board):
        BoardGrant.objects.create(user=user, board=place, role=role)
    else:
        RoleGrantFactory(user=user, role=role, organisation=place)


@pytest.fixture
def browse(db: None) -> Browse:
    """Return a browser in which somebody with this role, everywhere or at `place`, is signed in."""

    def sign_in(role: Role | None, place: Any = None, user: User | None = None) -> Client:
        user = user or UserFactory()
        if role is not None:
            _grant(user, role, place)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.user = user  # type: ignore[attr-defined]  # tests ask who it is
        return client

    return sign_in
