"""Who acts in a view, on which ticket, with which files."""

from typing import cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.choices import Action
from accounts.models import User
from accounts.permissions import principal_for
from supporthub.core.errors import InvalidInput
from tickets import selectors
from tickets.models import Ticket


def signed_in(request: HttpRequest) -> User:
    """Return the user of a view that `page` has let in."""
    return cast(User, request.user)


def ticket_to(request: HttpRequest, key: str, action: Action = Action.VIEW_TICKET) -> Ticket:
    """Return the ticket if the request's user may do `action` to it; raises NotThere or NotAllowed."""
    return selectors.ticket_for(principal_for(request), key, action)


def upload_limits() -> dict[str, int]:
    """What a form says about files before it sends one."""
    return {"most": settings.FILES.per_message, "mb": settings.FILES.max_bytes // 1024**2}


def staged_ids(request: HttpRequest) -> list[UUID]:
    """Return what the form's `staged` fields name; raises InvalidInput for what is no id."""
    try:
        return [UUID(value) for value in request.POST.getlist("staged")]
    except ValueError as error:
        raise InvalidInput(_("A file is not there any more; attach it again.")) from error
