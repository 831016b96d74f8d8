"""Reads of tickets. Every list starts at `visible_tickets`, so no view can forget the policy."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext

from accounts.choices import ALLOWED, Action
from accounts.models import User
from accounts.permissions import Grant, Principal, Scope, demand
from directory.models import Person
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import NotThere
from tickets.choices import OPEN_STATUSES, Priority, TicketStatus
from tickets.models import Board, BoardGrant, IssueLink, Message, Ticket
from tickets.rules import ME, NOBODY, QueueFilter, prefix_query

LONGEST_NUMBER = 15


def board_grants(user_id: int) -> list[Grant]:
    """Grant source for accounts.permissions."""
    return [
        Grant(role, board=board)
        for role, board in BoardGrant.objects.filter(user=user_id).values_list("role", "board_id")
    ]


def in_scope(scope: Scope) -> Q:
    """The policy as a condition on tickets."""
    if scope.everywhere:
        return Q()
    if scope.nowhere:
        return Q(pk__in=[])
    return Q(organisation__in=scope.organisations) | Q(board__in=scope.boards)


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
    return ticket.messages.select_related("author_user", "author_person")


def default_board() -> Board | None:
    return Board.objects.filter(is_active=True).order_by("-is_default", "pk").first()


def highest_known_number(tracker_id: int, project_key: str) -> int:
    """Return the largest issue number that we know to exist in the project; 0 when none."""
    links = IssueLink.objects.filter(tracker=tracker_id, project_key=project_key)
    return links.order_by("-number").values_list("number", flat=True).first() or 0


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


def may_see_ticket(principal: Principal, ticket_id: int) -> bool:
    return Ticket.objects.filter(in_scope(principal.scope(Action.VIEW_TICKET)), pk=ticket_id).exists()


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
