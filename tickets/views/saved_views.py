"""A person's own views of the queue: each form leads back to the list that it is about."""

from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from supporthub.core.web import done, page
from tickets.rules import QueueFilter
from tickets.services import saved_views
from tickets.views.acting import signed_in


@require_POST
@page
def save(request: HttpRequest) -> HttpResponse:
    """Keep the list's filter (`query`) under a name."""
    wanted = QueueFilter.from_query(parse_qsl(request.POST.get("query", "")))
    view = saved_views.save_view(owner=signed_in(request), name=request.POST.get("name", ""), wanted=wanted)
    return done(request, gettext("Saved as “%(name)s”.") % {"name": view.name}, list_of(view.query))


@require_POST
@page
def rename(request: HttpRequest, view_id: int) -> HttpResponse:
    """Give a view another name."""
    view = saved_views.rename_view(owner=signed_in(request), view_id=view_id, name=request.POST.get("name", ""))
    return done(request, gettext("The view is now called “%(name)s”.") % {"name": view.name}, list_of(view.query))


@require_POST
@page
def delete(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete a view; the list stays as it is shown."""
    view = saved_views.delete_view(owner=signed_in(request), view_id=view_id)
    return done(request, gettext("The view “%(name)s” is deleted.") % {"name": view.name}, list_of(view.query))


def list_of(query: str) -> str:
    """The queue's address for a filter."""
    return f"{reverse('queue')}?{query}"
