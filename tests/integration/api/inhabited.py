"""A hub with something at every address, so that generated requests reach what lies behind the doors."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts.choices import ClientScope
from accounts.models import ApiClient, User
from accounts.services.clients import create_client
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import PASSWORD, OrganisationFactory, admin
from tests.factories.directory import PersonFactory
from tests.factories.files import picture, stored
from tests.factories.tickets import BoardFactory, CategoryFactory, IssueLinkFactory, TicketFactory
from tickets.choices import MessageKind
from tickets.models import Submission, SubmissionAttempt, Ticket
from tickets.services.attachments import add_files
from tickets.services.conversation import add_message, add_watcher
from tickets.services.workflow import transition_ticket

CALLER = "ada@hub.example"


@dataclass(frozen=True, slots=True)
class Hub:
    """Credentials, and what may be put into the places of the API's description."""

    token: str
    refresh: str
    key: str
    paths: dict[tuple[str, str], list[Any]]  # by the end of the path, and the parameter
    fields: dict[str, list[Any]]

    def places(self, path: str, parameter: str) -> list[Any]:
        """Return what exists for this parameter of this path."""
        return next(
            (found for (end, name), found in self.paths.items() if name == parameter and path.endswith(end)), []
        )


def inhabit() -> Hub:
    """Fill an empty database; files go into the present storage."""
    contoso = OrganisationFactory.create(slug="contoso", name="Contoso")
    board = BoardFactory.create(slug="helpdesk", is_default=True, goes_out=True)
    inside = BoardFactory.create(slug="inside")
    CategoryFactory.create(slug="printers", board=board)
    PersonFactory.create(email="zoe@contoso.example", organisation=contoso)
    ada = admin(email=CALLER, name="Ada")
    linked = IssueLinkFactory.create(ticket__board=board, ticket__organisation=contoso).ticket
    parked = TicketFactory.create(board=board, organisation=contoso)
    _stop(parked)
    talked = TicketFactory.create(board=inside, organisation=contoso, requester=None)
    files = _talk(talked, ada)
    client, key = create_client(name="Monitoring", scopes=[ClientScope.TICKETS_SUBMIT], organisation=contoso, actor=ada)
    other, _key = create_client(
        name="Old", scopes=[ClientScope.ADMIN], expires_at=timezone.now() + timedelta(days=1), actor=ada
    )
    tokens = APIClient().post("/api/v1/auth/token/", {"email": CALLER, "password": PASSWORD}, format="json").json()
    return Hub(
        token=tokens["access"], refresh=tokens["refresh"], key=key,
        paths=_paths([linked.key, parked.key, talked.key, linked.issue.key], talked, files, [client, other]),
        fields={
            "board": ["helpdesk", "inside"], "category": ["printers", ""], "organisation": ["contoso", ""],
            "email": [CALLER, "zoe@contoso.example"], "password": [PASSWORD, "wrong"], "refresh": [tokens["refresh"]],
            "assignee": [CALLER, None], "version": [talked.version],
        },
    )  # fmt: skip


def _stop(ticket: Ticket) -> None:
    submission = ticket.submission
    Submission.objects.filter(pk=submission.pk).update(
        state=DeliveryState.PARKED, reason="Jira refused it.", reason_code="rejected"
    )
    SubmissionAttempt.objects.create(
        delivery=submission, fence=1, mode="act", result="parked", code="rejected", reason="Jira refused it.",
        started_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip


def _talk(ticket: Ticket, actor: User) -> list[str]:
    """Messages, watchers, steps and files; returns the files' ids."""
    add_message(ticket_id=ticket.pk, kind=MessageKind.PUBLIC, body="Is it plugged in?", actor=actor)
    add_message(ticket_id=ticket.pk, kind=MessageKind.INTERNAL, body="It never is.", actor=actor, files=[stored()])
    add_watcher(ticket_id=ticket.pk, email="zoe@contoso.example", actor=actor)
    transition_ticket(ticket_id=ticket.pk, verb="start", actor=actor)
    add_files(ticket_id=ticket.pk, stored=[stored(picture(), "error.png")], actor=actor)
    return [str(row.public_id) for row in ticket.attachments.order_by("pk")]


def _paths(
    keys: list[str], talked: Ticket, files: list[str], clients: list[ApiClient]
) -> dict[tuple[str, str], list[Any]]:
    """The first that fits counts."""
    return {
        ("/content/", "key"): [talked.key],
        ("/content/", "attachment"): files,
        ("/keys/{key}/", "key"): [key.pk for client in clients for key in client.keys.all()],
        ("/", "key"): keys,
        ("/", "id"): [client.pk for client in clients],
    }
