"""One ticket: what happened, what is next, who is this?"""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.choices import Action
from accounts.permissions import Principal, principal_for
from supporthub.core.panels import panels
from supporthub.core.web import page
from tickets import selectors, workflow
from tickets.choices import Priority
from tickets.models import Ticket
from tickets.views.acting import ticket_to, upload_limits
from tickets.views.story import nth_try, story_of
from tickets.views.stream import stream_of

PARTS = ("head", "stream", "submission", "properties", "person")
_PRIMARY = ("start", "resolve", "close", "reopen")


@require_GET
@page
def ticket(request: HttpRequest, key: str) -> HttpResponseBase:
    """The whole page. Any key works; the address becomes the hub's own."""
    found = ticket_to(request, key)
    if key != found.key:
        return redirect("ticket", found.key)
    principal = principal_for(request)
    context = ticket_context(principal, found, everything="all" in request.GET)
    context["side_panels"] = [
        reverse(panel.url_name, args=[found.pk])
        for panel in panels("ticket.side")
        if principal.may(Action(panel.permission), organisation=found.organisation_id, board=found.board_id)
    ]
    return render(request, "tickets/ticket.html", context)


@require_GET
@page
def parts(request: HttpRequest, key: str) -> HttpResponse:
    """Parts of the page as fragments, for what `only` names; the answer's version and digest stand in headers."""
    found = ticket_to(request, key)
    asked = request.GET.get("only", "").split(",")
    context = ticket_context(principal_for(request), found)
    context["parts"] = [f"tickets/_{part}.html" for part in PARTS if part in asked]
    response = render(request, "tickets/_parts.html", context)
    response["X-Version"] = str(found.version)
    response["X-Live-Digest"] = context["digest"]
    return response


def ticket_context(principal: Principal, ticket: Ticket, *, everything: bool = False) -> dict[str, Any]:
    """Everything that the parts of the page show."""
    place = {"organisation": ticket.organisation_id, "board": ticket.board_id}
    may_work = principal.may(Action.WORK_TICKET, **place)
    steps = [step for step in workflow.steps_from(ticket.status) if principal.may(step.permission, **place)]
    primary = next((step for name in _PRIMARY for step in steps if step.verb == name), None)
    story = story_of(ticket)
    return {
        "ticket": ticket,
        "stream": stream_of(ticket, everything=everything),
        "story": story,
        "nth": nth_try(story.submission.tries) if story and story.submission.tries else "",
        "may_work": may_work,
        "may_retry_files": principal.may(Action.RETRY_DELIVERY, **place),
        "upload": upload_limits(),
        "may_retry": bool(story and story.may_retry and principal.may(Action.RETRY_DELIVERY, **place)),
        "primary": primary,
        "other_steps": [step for step in steps if step is not primary],
        "is_mine": ticket.assignee_id == principal.user_id,
        "colleagues": list(selectors.assignable_users(ticket)) if may_work else [],
        "watchers": list(ticket.watchers.order_by("name", "email")),
        "priorities": Priority.choices,
        "earlier": selectors.earlier_tickets(principal, ticket),
        "digest": json.dumps({f"ticket:{ticket.pk}": [ticket.version, 1, ticket.version]}),
    }
