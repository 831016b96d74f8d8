"""The queue in the frame: its place, its badge, and the words of its scripts."""

from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy, pgettext

from accounts.choices import Action
from accounts.permissions import principal_for
from supporthub.core import places
from tickets import selectors
from tickets.rules import VIEWS

COUNTED = tuple(view for view in VIEWS if view != "all")


def view_counts(request: HttpRequest) -> dict[str, int]:
    """Counts of all views of the queue, read once a request."""
    counts: dict[str, int] | None = getattr(request, "hub_view_counts", None)
    if counts is None:
        counts = selectors.queue_counts(principal_for(request), COUNTED)
        request.hub_view_counts = counts  # type: ignore[attr-defined]  # a note for the rest of this request
    return counts


def ticket_words() -> dict[str, str]:
    return {
        "newTickets": gettext("{n} new tickets – show"),
        "newTicket": gettext("1 new ticket – show"),
        "notHereAnyMore": gettext("no longer in this list"),
        "draftKept": gettext("Draft kept in this browser"),
        "draftRestored": gettext("Your unsent text is back"),
        "selected": gettext("{n} selected"),
        "position": gettext("{n} of {total}"),
        "tickets": gettext("Tickets"),
        "ticket": pgettext("shortcuts", "Ticket"),
        "toSearch": gettext("Search tickets"),
        "toNext": gettext("Next ticket"),
        "toPrevious": gettext("Previous ticket"),
        "toOpen": gettext("Open the ticket"),
        "toSelect": gettext("Select the ticket"),
        "toAssign": gettext("Assign to me"),
        "toReply": gettext("Write a reply"),
        "toNote": gettext("Write an internal note"),
        "toResolve": gettext("Resolve"),
        "toResolveNext": gettext("Resolve and go to the next"),
        "togglePane": gettext("Show or hide the preview"),
        "toNew": gettext("New ticket"),
        "toBack": gettext("Back to the queue"),
        "toCopy": gettext("Copy the ticket number"),
    }


places.register_words(ticket_words)
places.register(
    places.Place(
        url_name="queue",
        label=gettext_lazy("Queue"),
        icon="inbox",
        key="q",
        order=10,
        count=lambda request: view_counts(request)["unassigned"],
        allowed=lambda request: principal_for(request).may_anywhere(Action.VIEW_TICKET),
        within=("ticket", "new-ticket"),
    )
)
