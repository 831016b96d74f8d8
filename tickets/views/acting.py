"""Who acts in a view, and on which ticket."""

from typing import cast

from django.http import HttpRequest

from accounts.choices import Action
from accounts.models import User
from accounts.permissions import principal_for
from tickets import selectors
from tickets.models import Ticket


def signed_in(request: HttpRequest) -> User:
    """Return the user of a view that `page` has let in."""
    return cast(User, request.user)


def ticket_to(request: HttpRequest, key: str, action: Action = Action.VIEW_TICKET) -> Ticket:
    """Return the ticket if the request's user may do `action` to it; raises NotThere or NotAllowed."""
    return selectors.ticket_for(principal_for(request), key, action)
