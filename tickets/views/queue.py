"""The queue: what needs me now?"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.choices import Action
from accounts.models import Organisation, User
from accounts.permissions import Principal, principal_for
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import HubError, InvalidInput
from supporthub.core.web import done, page
from tickets import selectors
from tickets.choices import Priority, TicketStatus, TimelineKind
from tickets.models import Board, Ticket
from tickets.reasons import why
from tickets.rules import ME, NOBODY, SORTS, VIEWS, QueueFilter
from tickets.services import workflow
from tickets.services.undo import SHOWN, undo_change
from tickets.views.acting import signed_in
from tickets.views.places import COUNTED, own_views, shown_query, view_counts
from tickets.views.row_html import row_html
from tickets.views.rows import MOST_ROWS, PAGE_SIZE, Listing, digest_of, position

MOST_IDS = 100
UNDO_SHOWN = int(SHOWN.total_seconds())
BULK_KINDS = {
    "assign": TimelineKind.ASSIGNED, "resolve": TimelineKind.STATUS_CHANGED, "priority": TimelineKind.PRIORITY_CHANGED,
}  # fmt: skip
LONGEST_ID = 15
VIEW_NAMES = {
    "mine": gettext_lazy("My open"),
    "unassigned": gettext_lazy("Unassigned"),
    "open": gettext_lazy("All open"),
    "parked": gettext_lazy("Needs a person"),
    "resolved": gettext_lazy("Recently resolved"),
    "all": gettext_lazy("Everything"),
}
SORT_NAMES = {
    "newest": gettext_lazy("Newest first"),
    "oldest": gettext_lazy("Oldest first"),
    "changed": gettext_lazy("Recently changed"),
    "priority": gettext_lazy("Most urgent first"),
}
FIELD_NAMES = {
    "board": gettext_lazy("Board"),
    "organisation": gettext_lazy("Organisation"),
    "status": gettext_lazy("Status"),
    "priority": gettext_lazy("Priority"),
    "label": gettext_lazy("Label"),
    "assignee": gettext_lazy("Assigned to"),
    "requester": gettext_lazy("Requester"),
    "q": gettext_lazy("Search"),
}


def wanted_by(request: HttpRequest) -> QueueFilter:
    return QueueFilter.from_query(parse_qsl(request.META.get("QUERY_STRING", "")))


@require_GET
@page
def queue(request: HttpRequest) -> HttpResponseBase:
    """The list with its views and filters. A search for exactly one ticket's key opens that ticket."""
    principal, wanted = principal_for(request), wanted_by(request)
    if not principal.may_anywhere(Action.VIEW_TICKET):
        return render(request, "tickets/no_roles.html")
    if wanted.q and (there := _exactly(principal, wanted.q)):
        return redirect("ticket", there.key)
    boards = list(selectors.visible_boards(principal))
    listing = Listing(principal, wanted, boards).read()
    context = {
        "listing": listing,
        "wanted": wanted,
        "rows": _rows(listing),
        "tabs": _tabs(request, wanted),
        "view_name": VIEW_NAMES[wanted.view],
        "view_count": view_counts(request).get(wanted.view),
        **_filter_form(principal, wanted, boards),
        "saved": next((view for view in own_views(request) if view.query == shown_query(request)), None),
        "shown_query": shown_query(request),
        "may_open": principal.may_anywhere(Action.OPEN_TICKET),
        "may_work": principal.may_anywhere(Action.WORK_TICKET),
        "priorities": Priority.choices,
    }
    return render(request, "tickets/queue.html", context)


@require_GET
@page
def rows(request: HttpRequest) -> HttpResponse:
    """Rows as fragments: with `ids` those of them that belong to the list, else the list's beginning or next page.

    Headers for the script: `X-Gone` (asked for, but not in the list any more), `X-Live-Digest`, `X-Next` (the query
    string of the page after), `X-Counts` (the views' counts).
    """
    principal, wanted = principal_for(request), wanted_by(request)
    boards = list(selectors.visible_boards(principal))
    ids = [int(word) for word in request.GET.get("ids", "").split(",") if word.isdecimal() and len(word) <= LONGEST_ID][
        :MOST_IDS
    ]
    headers = {"X-Live-Digest": digest_of(boards)}  # read before the rows: a change between the two is seen again
    listing = Listing(principal, wanted, boards, _size(request))
    if ids:
        found = selectors.queue_tickets(principal, replace(wanted, before="")).filter(pk__in=ids)
        listing.tickets = tuple(found)
        headers["X-Gone"] = ",".join(str(pk) for pk in ids if pk not in {ticket.pk for ticket in listing.tickets})
    else:
        listing.read()
        headers["X-Next"] = listing.next_query
    headers["X-Counts"] = json.dumps(view_counts(request))
    response = HttpResponse(_rows(listing))
    for name, value in headers.items():
        response[name] = value
    return response


@require_GET
@page
def preview(request: HttpRequest, key: str) -> HttpResponse:
    """The pane beside the list on wide screens: what is it about, and what was said last?"""
    principal = principal_for(request)
    ticket = selectors.ticket_for(principal, key)
    said = list(selectors.conversation(ticket).order_by("-pk")[:4])
    may_work = principal.may(Action.WORK_TICKET, organisation=ticket.organisation_id, board=ticket.board_id)
    submission = ticket.submission
    has_stopped = submission.state in (DeliveryState.PARKED, DeliveryState.HELD)
    stopped = why(submission.reason_code, submission.reason) if has_stopped else None
    context = {"ticket": ticket, "messages_shown": said[::-1], "may_work": may_work, "stopped": stopped}
    return render(request, "tickets/_preview.html", context)


@require_POST
@page
def bulk(request: HttpRequest) -> HttpResponse:
    """Do one thing to several tickets, each on its own; says what failed and why."""
    principal, actor = principal_for(request), signed_in(request)
    ids = [int(word) for word in request.POST.getlist("id") if word.isdecimal() and len(word) <= LONGEST_ID][:MOST_ROWS]
    act = _bulk_action(request, actor)
    tickets = selectors.visible_tickets(principal).filter(pk__in=ids)
    kind = BULK_KINDS[request.POST.get("action", "")]
    newest = selectors.newest_fact()
    failed: list[str] = []
    worked: list[int] = []
    for ticket in tickets:
        try:
            if not principal.may(Action.WORK_TICKET, organisation=ticket.organisation_id, board=ticket.board_id):
                raise InvalidInput(gettext("Your roles do not allow this here."))
            act(ticket)
            worked.append(ticket.pk)
        except HubError as error:
            failed.append(f"{ticket.key}: {error.detail}")
    words = ngettext("%(n)d ticket changed.", "%(n)d tickets changed.", len(worked)) % {"n": len(worked)}
    if failed:
        words = " ".join([words, gettext("Not changed:"), *failed])
    facts = selectors.own_facts_since(newest, user_id=actor.pk, ticket_ids=worked, kind=kind)
    offer = {"url": reverse("queue-undo"), "values": {"fact": facts}, "ms": UNDO_SHOWN * 1000} if facts else None
    toast = {"text": words, "level": "success", "undo": offer}
    return done(request, words, _back(request), hub__rows={"ids": ids}, hub__toast=toast)


@require_POST
@page
def undo(request: HttpRequest) -> HttpResponse:
    """Take back what a bulk action did just now (`fact`: lines of the timeline), each on its own."""
    principal, actor = principal_for(request), signed_in(request)
    facts = [int(word) for word in request.POST.getlist("fact") if word.isdecimal() and len(word) <= LONGEST_ID]
    tickets = selectors.tickets_of_facts(principal, facts[:MOST_ROWS])
    failed: list[str] = []
    worked = 0
    for fact, ticket in tickets:
        try:
            if not principal.may(Action.WORK_TICKET, organisation=ticket.organisation_id, board=ticket.board_id):
                raise InvalidInput(gettext("Your roles do not allow this here."))
            undo_change(entry_id=fact, actor=actor)
            worked += 1
        except HubError as error:
            failed.append(f"{ticket.key}: {error.detail}")
    words = ngettext("%(n)d change undone.", "%(n)d changes undone.", worked) % {"n": worked}
    if failed:
        words = " ".join([words, gettext("Not undone:"), *failed])
    toast = {"text": words, "level": "warning" if failed else "success"}
    rows = {"ids": [ticket.pk for _fact, ticket in tickets]}
    return done(request, words, _back(request), hub__rows=rows, hub__toast=toast)


def _back(request: HttpRequest) -> str:
    return f"{reverse('queue')}?{wanted_by(request).to_query()}"


def _bulk_action(request: HttpRequest, actor: User) -> Callable[[Ticket], Any]:
    match request.POST.get("action", ""):
        case "assign":
            return lambda ticket: workflow.assign_ticket(ticket_id=ticket.pk, assignee=actor, actor=actor)
        case "resolve":
            return lambda ticket: workflow.transition_ticket(ticket_id=ticket.pk, verb="resolve", actor=actor)
        case "priority" if (priority := request.POST.get("priority", "")) in Priority.values:
            return lambda ticket: workflow.edit_ticket(ticket_id=ticket.pk, actor=actor, priority=priority)
        case _:
            raise InvalidInput(gettext("Choose what to do with the selected tickets."))


def _exactly(principal: Principal, typed: str) -> Ticket | None:
    """Return the ticket whose key was typed, if it was one that this person may see."""
    bare = typed.strip().lstrip("#")
    if " " in bare or "-" not in bare:
        return None
    return selectors.visible_tickets(principal).filter(selectors.by_key(bare)).first()


def _size(request: HttpRequest) -> int:
    word = request.GET.get("size", "")
    return max(1, min(int(word), MOST_ROWS)) if word.isdecimal() and len(word) <= LONGEST_ID else PAGE_SIZE


def _rows(listing: Listing) -> SafeString:
    may_work, sort = listing.principal.may_anywhere(Action.WORK_TICKET), listing.wanted.sort
    return SafeString(
        "".join(row_html(ticket, position(ticket, sort), may_work=may_work) for ticket in listing.tickets)
    )


def _tabs(request: HttpRequest, wanted: QueueFilter) -> list[dict[str, Any]]:
    counts = view_counts(request)
    shown = [view for view in VIEWS if view in COUNTED or view == wanted.view]
    return [
        {
            "view": view,
            "name": VIEW_NAMES[view],
            "count": counts.get(view),
            "is_here": view == wanted.view,
            "query": replace(wanted, view=view, before="").to_query(),
        }
        for view in shown
    ]


def _filter_form(principal: Principal, wanted: QueueFilter, boards: list[Board]) -> dict[str, Any]:
    """The filter's fields with their choices, and the active ones as chips. A constant number of queries."""
    scope = principal.scope(Action.VIEW_TICKET)
    organisations = Organisation.objects.order_by("name")
    if not (scope.everywhere or scope.boards):
        organisations = organisations.filter(pk__in=scope.organisations)
    colleagues = [(str(user.pk), str(user)) for user in User.objects.filter(is_active=True).order_by("name", "email")]
    choices: dict[str, list[tuple[str, Any]]] = {
        "board": [(board.slug, board.name) for board in boards],
        "organisation": [(organisation.slug, organisation.name) for organisation in organisations],
        "status": list(TicketStatus.choices),
        "priority": list(Priority.choices),
        "assignee": [(ME, gettext("Me")), (NOBODY, gettext("Nobody")), *colleagues],
    }
    return {
        "choices": choices,
        "chips": _chips(wanted, choices),
        "field_names": FIELD_NAMES,
        "sorts": [
            {"sort": sort, "name": SORT_NAMES[sort], "query": replace(wanted, sort=sort, before="").to_query()}
            for sort in SORTS
        ],
        "sort_name": SORT_NAMES[wanted.sort],
        "cleared": wanted.bare().to_query(),
    }


def _chips(wanted: QueueFilter, choices: dict[str, list[tuple[str, Any]]]) -> list[dict[str, Any]]:
    chips = []
    for name, label in FIELD_NAMES.items():
        present = getattr(wanted, name)
        for value in present if isinstance(present, tuple) else (present,):
            if value:
                shown = dict(choices.get(name, ())).get(value, value)
                chips.append({"name": label, "value": shown, "without": wanted.without(name, value).to_query()})
    return chips
