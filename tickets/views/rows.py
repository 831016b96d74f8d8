"""A list of tickets as the queue shows it: rows, their order's position, and the live topics behind them."""

import json
from dataclasses import dataclass, replace

from accounts.permissions import Principal
from tickets import selectors
from tickets.models import Board, Ticket
from tickets.rules import QueueFilter

PAGE_SIZE = 50
MOST_ROWS = 200


@dataclass(slots=True)
class Listing:
    """One page of the queue. `size` is how many rows at most."""

    principal: Principal
    wanted: QueueFilter
    boards: list[Board]
    size: int = PAGE_SIZE
    tickets: tuple[Ticket, ...] = ()
    has_more: bool = False

    def read(self) -> "Listing":
        """Read the rows, one more than the page has."""
        found = list(selectors.queue_tickets(self.principal, self.wanted)[: self.size + 1])
        self.tickets, self.has_more = tuple(found[: self.size]), len(found) > self.size
        return self

    @property
    def next_query(self) -> str:
        """The query string of the page after this one; empty when this is the last."""
        if not (self.has_more and self.tickets):
            return ""
        return replace(self.wanted, before=position(self.tickets[-1], self.wanted.sort)).to_query()

    @property
    def digest(self) -> str:
        """For `data-digest`: each board's topic with its digest, as JSON."""
        return digest_of(self.boards)


def digest_of(boards: list[Board]) -> str:
    digests = selectors.board_digests([board.pk for board in boards])
    return json.dumps({f"queue:{board_id}": list(digest) for board_id, digest in sorted(digests.items())})


def position(ticket: Ticket, sort: str) -> str:
    """Where the ticket stands in the order, as `before` takes it."""
    match sort:
        case "changed":
            return str(ticket.version)
        case "priority":
            return f"{ticket.rank}.{ticket.pk}"  # type: ignore[attr-defined]  # annotated by queue_tickets
        case _:
            return str(ticket.pk)
