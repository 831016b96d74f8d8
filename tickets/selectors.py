"""Reads of tickets. Every list starts at `visible_tickets`, so no view can forget the policy."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Lower
from django.utils.translation import gettext

from accounts.choices import ALLOWED, Action
from accounts.models import User
from accounts.permissions import Principal, Scope, demand
from directory.models import Person
from supporthub.core.compiled import Select
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import NotThere
from tickets.choices import OPEN_STATUSES, MessageKind, Priority, TicketStatus, TimelineKind
from tickets.models import Attachment, Board, IssueLink, Message, SavedView, Ticket, TimelineEntry
from tickets.rules import ME, NOBODY, QueueFilter, prefix_query

LONGEST_NUMBER = 15


def in_scope(scope: Scope) -> Q:
    """The policy as a condition on tickets."""
    if scope.everywhere:
        return Q()
    if scope.nowhere:
        return Q(pk__in=[])
    own = Q(created_by=scope.own_of) if scope.own_of else Q()
    return Q(organisation__in=scope.organisations) | Q(board__in=scope.boards) | own


def visible_tickets(principal: Principal, action: Action = Action.VIEW_TICKET) -> QuerySet[Ticket]:
    """Tickets on which the principal may do `action`, with what a row of a list shows."""
    return (
        Ticket.objects.filter(in_scope(principal.scope(action)))
        .select_related("organisation", "board", "category", "requester", "assignee", "issue", "submission")
        .defer("search")
    )


def visible_boards(principal: Principal, action: Action = Action.VIEW_TICKET) -> QuerySet[Board]:
    """Boards whose tickets the principal may see; with a role on an organisation that is every board."""
    scope = principal.scope(action)
    boards = Board.objects.select_related("tracker")
    if scope.everywhere or scope.organisations:
        return boards
    return boards.filter(pk__in=scope.boards)


def parse_hub_key(key: str) -> int | None:
    """Return the ticket's number when `key` is a key of the hub, in any letter case."""
    prefix, dash, number = key.strip().rpartition("-")
    if (
        dash
        and prefix.upper() == settings.TICKET_KEY_PREFIX
        and number.isascii()
        and number.isdigit()
        and len(number) <= LONGEST_NUMBER
    ):
        return int(number)
    return None


def by_key(key: str) -> Q:
    """A condition for one ticket by the hub's key or the tracker's."""
    number = parse_hub_key(key)
    if number is not None:
        return Q(pk=number)
    return Q(Exists(IssueLink.objects.filter(ticket=OuterRef("pk"), key=key.strip().upper()[:64])))


def ticket_for(principal: Principal, key: str, action: Action = Action.VIEW_TICKET) -> Ticket:
    """Return the ticket with this key; raises NotThere when there is none or the principal may not see it.

    When it may be seen but `action` is not allowed, the refusal is NotAllowed: there is nothing left to hide.
    """
    if "\x00" in key:
        raise NotThere(gettext("There is no such ticket."))
    ticket = visible_tickets(principal).filter(by_key(key)).first()
    if ticket is None:
        raise NotThere(gettext("There is no such ticket."))
    if action is not Action.VIEW_TICKET:
        demand(principal, action, organisation=ticket.organisation_id, board=ticket.board_id)
    return ticket


def conversation(ticket: Ticket) -> QuerySet[Message]:
    rows = Attachment.objects.select_related("delivery", "uploaded_by", "uploaded_by_person")
    files = Prefetch("attachments", queryset=rows)
    return ticket.messages.select_related("author_user", "author_person").prefetch_related(files)


def conversation_for(principal: Principal, ticket: Ticket) -> QuerySet[Message]:
    """The conversation as this caller may read it: its public side only, for who just opened the ticket."""
    messages = conversation(ticket)
    return messages if _sees_all_of(principal, ticket) else messages.filter(kind=MessageKind.PUBLIC)


def timeline_for(principal: Principal, ticket: Ticket) -> QuerySet[TimelineEntry]:
    """What happened, with who did it; without internal notes for who just opened the ticket."""
    entries = ticket.timeline.select_related("actor")
    return entries if _sees_all_of(principal, ticket) else entries.exclude(kind=TimelineKind.NOTED)


def attachments_for(principal: Principal, ticket: Ticket) -> QuerySet[Attachment]:
    """The ticket's files that this caller may read: those of internal notes only who may read the notes."""
    files = ticket.attachments.select_related("delivery", "uploaded_by", "uploaded_by_person")
    if _sees_all_of(principal, ticket):
        return files
    return files.filter(Q(message__isnull=True) | Q(message__kind=MessageKind.PUBLIC))


def attachment_for(principal: Principal, ticket: Ticket, public_id: UUID) -> Attachment:
    """Return one of these files; raises NotThere."""
    found = attachments_for(principal, ticket).filter(public_id=public_id).first()
    if found is None:
        raise NotThere(gettext("There is no such file."))
    return found


def _sees_all_of(principal: Principal, ticket: Ticket) -> bool:
    return principal.may(Action.VIEW_TICKET, organisation=ticket.organisation_id, board=ticket.board_id)


def default_board() -> Board | None:
    return Board.objects.filter(is_active=True).order_by("-is_default", "pk").first()


@Select
def active_board(slug: str) -> QuerySet[Board]:
    """The board that takes tickets under this short name."""
    return Board.objects.filter(slug=slug, is_active=True)


@Select
def _highest_number(tracker: int, project: str) -> QuerySet[IssueLink, int]:
    links = IssueLink.objects.filter(tracker=tracker, project_key=project)
    return links.order_by("-number").values_list("number", flat=True)[:1]


def highest_known_number(tracker_id: int, project_key: str) -> int:
    """Return the largest issue number that we know to exist in the project; 0 when none."""
    return _highest_number.first(tracker=tracker_id, project=project_key) or 0


def board_digests(board_ids: Iterable[int]) -> dict[int, tuple[int, int, int]]:
    """Return for each board (largest version, open tickets, sum of their versions): what a list's state hangs on.

    The largest version finds any last change in one index step; the sum over the open ones also finds a change whose
    smaller version was committed later than a larger one.
    """
    found = dict.fromkeys(board_ids, (0, 0, 0))
    newest = Ticket.objects.filter(board=OuterRef("pk")).order_by("-version").values("version")[:1]
    still_open = Count("tickets", filter=Q(tickets__status__in=OPEN_STATUSES))
    sums = Sum("tickets__version", filter=Q(tickets__status__in=OPEN_STATUSES))
    boards = Board.objects.filter(pk__in=found).annotate(newest=Subquery(newest), still_open=still_open, sums=sums)
    for board_id, largest, count, total in boards.values_list("pk", "newest", "still_open", "sums"):
        found[board_id] = (largest or 0, count, int(total or 0))
    return found


def ticket_digest(ticket_id: int) -> tuple[int, int, int]:
    """Return (version, 1, version), or zeros when the ticket is gone."""
    version = Ticket.objects.filter(pk=ticket_id).values_list("version", flat=True).first()
    return (version, 1, version) if version else (0, 0, 0)


def tickets_heard_by(principal: Principal, ticket_ids: Collection[int]) -> set[int]:
    """Return those of the tickets of which every event may be heard; having opened one is not enough for that."""
    scope = replace(principal.scope(Action.VIEW_TICKET), own_of=None)
    return set(Ticket.objects.filter(in_scope(scope), pk__in=ticket_ids).values_list("pk", flat=True))


# --- The technicians' queue ----------------------------------------------------------------------------------------

COUNT_CAP = 1000
MOST_PEOPLE_OF_A_SEARCH = 200
PRIORITY_RANK = Case(
    *(When(priority=value, then=Value(rank)) for rank, value in enumerate(Priority.values)), output_field=IntegerField()
)
_ORDERS = {"newest": ("-pk",), "oldest": ("pk",), "changed": ("-version",), "priority": ("-rank", "-pk")}


class CappedCount(Subquery):
    """How many rows a (sliced) query has, as a value inside another query."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS capped)"
    output_field = IntegerField()


def in_view(view: str, user_id: int) -> Q:
    """A view of the queue as a condition on tickets."""
    still_open = Q(status__in=OPEN_STATUSES)
    match view:
        case "mine":
            return still_open & Q(assignee=user_id)
        case "unassigned":
            return still_open & Q(assignee__isnull=True)
        case "open":
            return still_open
        case "parked":
            return Q(submission__state=DeliveryState.PARKED)
        case "resolved":
            return Q(status=TicketStatus.RESOLVED)
        case _:
            return Q()


def queue_tickets(principal: Principal, wanted: QueueFilter) -> QuerySet[Ticket]:
    """Tickets that the filter asks for, in its order and from its position on; `rank` is the priority as a number."""
    tickets = visible_tickets(principal).annotate(rank=PRIORITY_RANK).filter(in_view(wanted.view, principal.user_id))
    for name, values in (
        ("board__slug__in", wanted.board), ("organisation__slug__in", wanted.organisation),
        ("status__in", wanted.status), ("priority__in", wanted.priority), ("labels__contains", wanted.label),
    ):  # fmt: skip
        if values:
            tickets = tickets.filter(**{name: list(values)})
    if wanted.assignee:
        mine = {ME: principal.user_id, NOBODY: None}
        tickets = tickets.filter(assignee=mine[wanted.assignee] if wanted.assignee in mine else int(wanted.assignee))
    if wanted.requester:
        tickets = tickets.filter(requester__email=wanted.requester.lower())
    if wanted.q:
        tickets = tickets.filter(found_by(wanted.q))
    return tickets.filter(_after(wanted)).order_by(*_ORDERS[wanted.sort])


def found_by(words: str) -> Q:
    """A search as a condition: a key exactly, else words of the title by their beginning, or who asked.

    People are looked up first (one query): two indexes joined by OR are quick, a join under an OR is not.
    """
    bare = words.lstrip("#")
    is_number = bare.isascii() and bare.isdigit() and len(bare) <= LONGEST_NUMBER
    number = int(bare) if is_number else parse_hub_key(bare)
    if number is not None:
        return Q(pk=number)
    found = Q(requester__in=_people_starting_with(words.lower()))
    if query := prefix_query(words):
        found |= Q(search=SearchQuery(query, search_type="raw", config="simple"))
    if "-" in words:
        found |= by_key(words)
    return found


def queue_counts(principal: Principal, views: Iterable[str]) -> dict[str, int]:
    """Return how many tickets each view has, at most COUNT_CAP, in one query."""
    scope = in_scope(principal.scope(Action.VIEW_TICKET))
    counts = {
        view: CappedCount(
            Ticket.objects.filter(scope, in_view(view, principal.user_id)).order_by().values("pk")[:COUNT_CAP]
        )
        for view in views
    }
    return User.objects.filter(pk=principal.user_id).values(**counts).first() or dict.fromkeys(counts, 0)


def newest_fact() -> int:
    """The highest number of any line of any ticket's timeline; 0 when there is none."""
    return TimelineEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def own_facts_since(newest: int, *, user_id: int, ticket_ids: Collection[int], kind: str) -> list[int]:
    """The user's latest line of this kind on each of these tickets that has one above `newest`."""
    facts = TimelineEntry.objects.filter(pk__gt=newest, ticket__in=ticket_ids, actor=user_id, kind=kind)
    return list(facts.order_by("ticket", "-pk").distinct("ticket").values_list("pk", flat=True))


def tickets_of_facts(principal: Principal, facts: Collection[int]) -> list[tuple[int, Ticket]]:
    """These lines of timelines, each with its ticket, as far as the principal may see it."""
    found = dict(TimelineEntry.objects.filter(pk__in=facts).values_list("pk", "ticket"))
    tickets = visible_tickets(principal).in_bulk(found.values())
    return [(fact, tickets[ticket]) for fact, ticket in found.items() if ticket in tickets]


def saved_views(user_id: int) -> list[SavedView]:
    """The person's own views of the queue, by name."""
    return list(SavedView.objects.filter(owner=user_id).order_by(Lower("name")))


def assignable_users(ticket: Ticket) -> QuerySet[User]:
    """People who may work this ticket, by the same table as the policy."""
    roles = [role for role, actions in ALLOWED.items() if Action.WORK_TICKET in actions]
    here = Q(grants__role__in=roles) & (
        Q(grants__organisation__isnull=True) | Q(grants__organisation=ticket.organisation_id)
    )
    on_board = Q(board_grants__role__in=roles, board_grants__board=ticket.board_id)
    return (
        User.objects.filter(Q(is_superuser=True) | here | on_board, is_active=True).distinct().order_by("name", "email")
    )


def earlier_tickets(principal: Principal, ticket: Ticket, limit: int = 5) -> list[Ticket]:
    """The requester's other tickets, newest first."""
    if ticket.requester_id is None:
        return []
    return list(
        visible_tickets(principal).filter(requester=ticket.requester_id).exclude(pk=ticket.pk).order_by("-pk")[:limit]
    )


def open_tickets_of(people: Iterable[Person]) -> dict[int, int]:
    """Return the number of open tickets of each of these people who has any."""
    rows = Ticket.objects.filter(requester__in=list(people), status__in=OPEN_STATUSES).values_list("requester")
    return dict(rows.annotate(number=Count("pk")))


def _people_starting_with(text: str) -> list[int]:
    people = Person.objects.annotate(low_name=Lower("name"), low_email=Lower("email"))
    found = people.filter(Q(low_name__startswith=text) | Q(low_email__startswith=text))
    return list(found.values_list("pk", flat=True)[:MOST_PEOPLE_OF_A_SEARCH])


def _after(wanted: QueueFilter) -> Q:
    if not wanted.cursor:
        return Q()
    last = wanted.cursor[-1]
    match wanted.sort:
        case "oldest":
            return Q(pk__gt=last)
        case "changed":
            return Q(version__lt=last)
        case "priority":
            return Q(rank__lt=wanted.cursor[0]) | Q(rank=wanted.cursor[0], pk__lt=last)
        case _:
            return Q(pk__lt=last)
