"""What a browser may listen to: the queue of a board, and one ticket."""

from collections.abc import Mapping
from typing import Any

from accounts.choices import Action
from accounts.permissions import Principal
from supporthub.core.live.topics import register_topic
from tickets.selectors import board_digests, may_see_ticket, ticket_digest

MAX_DIGITS = 15  # what a bigint holds without looking at the value


def _may_see(who: Principal, event: Mapping[str, Any]) -> bool:
    """Pure: judged once for all who have the same rights."""
    scope = event["scope"]
    return who.may(Action.VIEW_TICKET, organisation=scope["organisation"], board=scope["board"])


def _may_subscribe_queue(who: Principal, board: str) -> bool:
    scope = who.scope(Action.VIEW_TICKET)
    return board.isdigit() and (scope.everywhere or bool(scope.organisations) or int(board) in scope.boards)


def _may_subscribe_ticket(who: Principal, ticket: str) -> bool:
    if not (ticket.isdigit() and len(ticket) <= MAX_DIGITS):
        return False
    return who.scope(Action.VIEW_TICKET).everywhere or may_see_ticket(who, int(ticket))


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
)
