"""What a browser may listen to: the queue of a board, and one ticket."""

from collections.abc import Collection, Mapping
from typing import Any

from accounts.choices import Action
from accounts.permissions import Principal
from supporthub.core.live.topics import register_topic
from tickets.selectors import board_digests, ticket_digest, tickets_heard_by

MAX_DIGITS = 15  # what a bigint holds without looking at the value


def _may_see(who: Principal, event: Mapping[str, Any]) -> bool:
    """Pure: judged once for all who have the same rights."""
    scope = event["scope"]
    return who.may(Action.VIEW_TICKET, organisation=scope["organisation"], board=scope["board"])


def _may_subscribe_queue(who: Principal, board: str) -> bool:
    scope = who.scope(Action.VIEW_TICKET)
    return board.isdigit() and (scope.everywhere or bool(scope.organisations) or int(board) in scope.boards)


def _may_subscribe_ticket(who: Principal, ticket: str) -> bool:
    return ticket in _may_subscribe_to_tickets(who, [ticket])


def _may_subscribe_to_tickets(who: Principal, tickets: Collection[str]) -> set[str]:
    numbers = {ticket for ticket in tickets if ticket.isdigit() and len(ticket) <= MAX_DIGITS}
    if who.scope(Action.VIEW_TICKET).everywhere or not numbers:
        return numbers
    seen = tickets_heard_by(who, {int(ticket) for ticket in numbers})
    return {ticket for ticket in numbers if int(ticket) in seen}


register_topic(
    prefix="queue",
    may_subscribe=_may_subscribe_queue,
    may_see=_may_see,
    snapshot=lambda board: board_digests([int(board)])[int(board)],
)
register_topic(
    prefix="ticket",
    may_subscribe=_may_subscribe_ticket,
    may_see=_may_see,
    snapshot=lambda ticket: ticket_digest(int(ticket)),
    reads=True,
    may_subscribe_to=_may_subscribe_to_tickets,
)
