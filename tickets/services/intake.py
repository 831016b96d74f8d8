"""Accepting tickets: one transaction, no outside call."""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Action
from accounts.models import Organisation, User
from accounts.permissions import Principal, demand
from accounts.selectors import unknown_organisation
from directory.models import Person
from directory.services.people import ensure_person
from supporthub.core import events, html, text
from supporthub.core.compiled import insert, inserting, together
from supporthub.core.errors import InvalidInput
from tickets.choices import MessageKind, Priority, Source, TimelineKind
from tickets.events import TicketOpened
from tickets.models import Board, Category, Message, Ticket, Watcher
from tickets.selectors import active_board, default_board
from tickets.services import submissions
from tickets.services.common import facts

MAX_WATCHERS = 50


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What a caller asks for; names and addresses as they came, resolved here."""

    title: str
    body: str
    body_format: str = "plain"
    board: str = ""
    category: str = ""
    priority: str = Priority.NORMAL
    requester: str = ""
    requester_name: str = ""
    organisation: str = ""
    watchers: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    source: str = Source.API


_TO_HTML = {"plain": html.from_plain, "markdown": html.from_markdown, "html": html.sanitise}


def body_as_html(body: str, body_format: str) -> str:
    """Return sanitised HTML of a body in one of the accepted formats."""
    return _TO_HTML[body_format](text.clean_text(body))


@transaction.atomic(savepoint=False)  # all or nothing with what the caller writes, such as its idempotency row
def open_ticket(
    *, new: NewTicket, actor: User | None, principal: Principal, requester: Person | None = None,
    organisation: Organisation | None = None,
) -> Ticket:  # fmt: skip
    """Accept a ticket: rows only. Raises InvalidInput naming the field, NotAllowed when this place is not theirs.

    `requester` and `organisation` go before the names in `new`: for who is known by more than an address.
    """
    board = _board(new.board)
    category = _category(new.category, board)
    requester = requester or _requester(new)
    organisation = organisation or _organisation(new.organisation, requester)
    demand(principal, Action.OPEN_TICKET, organisation=organisation.pk, board=board.pk)
    ticket = Ticket(
        organisation=organisation, board=board, category=category, title=text.one_line(new.title, 500),
        priority=new.priority, source=new.source, requester=requester, created_by=actor, labels=list(new.labels),
    )  # fmt: skip
    insert(ticket)
    Ticket.issue.related.set_cached_value(ticket, None)  # known without a query: there is no issue yet
    body = body_as_html(new.body, new.body_format)
    author = None if requester else actor
    message = Message(
        ticket=ticket, kind=MessageKind.PUBLIC, author_person=requester, author_user=author,
        html=body, text=html.to_text(body),
    )  # fmt: skip
    opened = facts(ticket, TimelineKind.OPENED, actor, proofs={"text": message.text}, source=new.source)
    together(inserting(message), *opened)
    if new.watchers:
        people = [ensure_person(email=address) for address in sorted({item.strip().lower() for item in new.watchers})]
        Watcher.objects.bulk_create(Watcher(ticket=ticket, person=person) for person in people)
    submissions.request_submission(ticket, board)
    events.publish(TicketOpened(ticket.pk, ticket.version, organisation.pk, board.pk))
    return ticket


def _refuse(name: str, fault: str) -> InvalidInput:
    return InvalidInput(_("Not accepted: %(name)s.") % {"name": name}, errors={name: [fault]})


def _board(slug: str) -> Board:
    if not slug:
        board = default_board()
        if board is None:
            raise _refuse("board", _("There is no active board yet; a lead can make one in the admin."))
        return board
    board = active_board.first(slug=slug)
    if board is None:
        fault = _("There is no active board %(name)s; /api/v1/boards/ lists them.")
        raise _refuse("board", fault % {"name": repr(slug)})
    return board


def _category(slug: str, board: Board) -> Category | None:
    if not slug:
        return None
    category = Category.objects.filter(slug=slug, is_active=True).first()
    if category is None or category.board_id not in (None, board.pk):
        fault = _("Board %(board)s has no category %(name)s; /api/v1/categories/ lists them.")
        raise _refuse("category", fault % {"board": repr(board.slug), "name": repr(slug)})
    return category


def _requester(new: NewTicket) -> Person | None:
    if not new.requester:
        return None
    given = Organisation.objects.filter(slug=new.organisation, is_active=True).first() if new.organisation else None
    return ensure_person(email=new.requester, name=text.one_line(new.requester_name, 200), organisation=given)


def _organisation(slug: str, requester: Person | None) -> Organisation:
    if slug:
        organisation = Organisation.objects.filter(slug=slug, is_active=True).first()
        if organisation is None:
            fault = _("There is no active organisation %(name)s; /api/v1/organisations/ lists them.")
            raise _refuse("organisation", fault % {"name": repr(slug)})
        return organisation
    return requester.organisation if requester else unknown_organisation()
