"""The command palette's search: tickets by key, words of the title, or who asked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.permissions import principal_for
from supporthub.core.web import page
from tickets import selectors
from tickets.rules import QueueFilter

MOST = 8


@require_GET
@page
def palette(request: HttpRequest) -> HttpResponse:
    """Up to eight tickets for what was typed, newest first."""
    wanted = QueueFilter.from_query([("view", "all"), ("q", request.GET.get("q", ""))])
    found = selectors.queue_tickets(principal_for(request), wanted)[:MOST] if wanted.q else []
    return render(request, "tickets/_palette.html", {"tickets": found})
