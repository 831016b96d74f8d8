"""The queue in the frame: its place, its badge, a person's own views, and the words of its scripts."""

from dataclasses import replace
from urllib.parse import parse_qsl

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, pgettext

from accounts.choices import Action
from accounts.permissions import principal_for
from supporthub.core import places
from tickets import selectors
from tickets.models import SavedView
from tickets.rules import VIEWS, QueueFilter

COUNTED = tuple(view for view in VIEWS if view != "all")


def view_counts(request: HttpRequest) -> dict[str, int]:
    """Counts of all views of the queue, read once a request."""
    counts: dict[str, int] | None = getattr(request, "hub_view_counts", None)
    if counts is None:
        counts = selectors.queue_counts(principal_for(request), COUNTED)
        request.hub_view_counts = counts  # type: ignore[attr-defined]  # a note for the rest of this request
    return counts


def own_views(request: HttpRequest) -> list[SavedView]:
    """The person's saved views, read once a request."""
    found: list[SavedView] | None = getattr(request, "hub_saved_views", None)
    if found is None:
        found = selectors.saved_views(request.user.pk or 0)
        request.hub_saved_views = found  # type: ignore[attr-defined]  # a note for the rest of this request
    return found


def spots(request: HttpRequest) -> list[places.Spot]:
    """The saved views below the queue; the one is marked whose list is shown."""
    is_queue = getattr(request.resolver_match, "url_name", "") == "queue"
    here = shown_query(request) if is_queue else None
    queue = reverse("queue")
    return [places.Spot(view.name, f"{queue}?{view.query}", view.query == here) for view in own_views(request)]


def shown_query(request: HttpRequest) -> str:
    """The filter in the address as a saved view would keep it."""
    wanted = QueueFilter.from_query(parse_qsl(request.META.get("QUERY_STRING", "")))
    return replace(wanted, before="").to_query()


def ticket_words() -> dict[str, str]:
    return {
        "newTickets": gettext("{n} new tickets – show"),
        "newTicket": gettext("1 new ticket – show"),
        "notHereAnyMore": gettext("no longer in this list"),
        "draftKept": gettext("Draft kept in this browser"),
        "filesWait": gettext("The files are still being uploaded; it is sent as soon as they are there."),
        "fileReady": gettext("{name} is attached"),
        "fileRefused": gettext("{name} is not taken: {why}"),
        "fileRemove": gettext("Remove {name}"),
        "fileCancel": gettext("Cancel the upload of {name}"),
        "fileProgress": gettext("Upload of {name}"),
        "fileTooLarge": gettext("This file is larger than {mb} MB."),
        "fileEmpty": gettext("This file is empty."),
        "filesTooMany": gettext("At most {n} files at once."),
        "fileLost": gettext("The upload broke off. Attach the file again."),
        "screenshot": gettext("Screenshot {time}.png"),
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
        "toSaveView": gettext("Give this view a name"),
        "toUndo": gettext("Undo"),
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
        spots=spots,
    )
)
