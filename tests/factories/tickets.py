"""Rows of tickets for tests. A ticket comes with its first message and its submission, as intake makes it."""

import uuid
from typing import Any

import factory
from factory.django import DjangoModelFactory

from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.ids import marker
from tests.factories.accounts import OrganisationFactory
from tests.factories.directory import PersonFactory
from tickets.choices import MessageKind
from tickets.models import Board, Category, IssueLink, Message, Submission, Ticket, Tracker


class TrackerFactory(DjangoModelFactory[Tracker]):
    class Meta:
        model = Tracker

    slug = factory.Sequence(lambda n: f"jira-{n}")
    name = factory.Sequence(lambda n: f"Jira {n}")
    base_url = "http://127.0.0.1:1/jira"
    account = "hub@sandbox.example"
    token = "not-a-real-token"


class BoardFactory(DjangoModelFactory[Board]):
    """A board that the hub itself works; `goes_out=True` gives it a tracker."""

    class Meta:
        model = Board

    class Params:
        goes_out = factory.Trait(tracker=factory.SubFactory(TrackerFactory), project_key="HELP")

    slug = factory.Sequence(lambda n: f"board-{n}")
    name = factory.Sequence(lambda n: f"Board {n}")


class CategoryFactory(DjangoModelFactory[Category]):
    class Meta:
        model = Category

    slug = factory.Sequence(lambda n: f"category-{n}")
    name = factory.Sequence(lambda n: f"Category {n}")


class SubmissionFactory(DjangoModelFactory[Submission]):
    class Meta:
        model = Submission

    tag = factory.LazyFunction(lambda: marker(uuid.uuid4().hex))
    tracker = factory.LazyAttribute(lambda row: row.ticket.board.tracker)
    project_key = factory.LazyAttribute(lambda row: row.ticket.board.project_key)
    state = factory.LazyAttribute(
        lambda row: DeliveryState.PENDING if row.ticket.board.tracker_id else DeliveryState.DONE
    )


class TicketFactory(DjangoModelFactory[Ticket]):
    class Meta:
        model = Ticket
        skip_postgeneration_save = True

    organisation = factory.SubFactory(OrganisationFactory)
    board = factory.SubFactory(BoardFactory)
    title = factory.Sequence(lambda n: f"Printer {n} does not print")
    requester = factory.SubFactory(PersonFactory, organisation=factory.SelfAttribute("..organisation"))

    @factory.post_generation
    def body(self: Ticket, create: bool, extracted: str | None, **_kwargs: Any) -> None:
        if create:
            words = extracted or "It is on, and nothing comes out."
            Message.objects.create(
                ticket=self, kind=MessageKind.PUBLIC, author_person=self.requester, html=f"<p>{words}</p>", text=words
            )

    @factory.post_generation
    def with_submission(self: Ticket, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        if create and extracted is not False:
            SubmissionFactory(ticket=self, **kwargs)


class IssueLinkFactory(DjangoModelFactory[IssueLink]):
    class Meta:
        model = IssueLink

    ticket = factory.SubFactory(TicketFactory, board__goes_out=True)
    tracker = factory.LazyAttribute(lambda row: row.ticket.board.tracker)
    issue_id = factory.Sequence(lambda n: str(10_000 + n))
    project_key = "HELP"
    number = factory.Sequence(lambda n: n + 1)
    key = factory.LazyAttribute(lambda row: f"{row.project_key}-{row.number}")
    url = factory.LazyAttribute(lambda row: f"http://127.0.0.1:1/jira/browse/{row.key}")
