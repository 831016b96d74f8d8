"""A person's own views of the queue: naming a filter, renaming and deleting it."""

from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from supporthub.core import text
from supporthub.core.errors import Conflicted, InvalidInput, NotThere
from tickets.models import SavedView
from tickets.models.views import NAME_LENGTH
from tickets.rules import QueueFilter

MOST_VIEWS = 30


def save_view(*, owner: User, name: str, wanted: QueueFilter) -> SavedView:
    """Keep the filter under this name. Raises InvalidInput for a bad name, Conflicted for a taken one or one too many.

    The page of the list does not belong to it.
    """
    if SavedView.objects.filter(owner=owner).count() >= MOST_VIEWS:
        raise Conflicted(
            _("You have %(n)d views already; delete one first.") % {"n": MOST_VIEWS}, code="too_many_views"
        )
    view = SavedView(owner=owner, name=_good_name(name), query=replace(wanted, before="").to_query())
    _save(view)
    return view


def rename_view(*, owner: User, view_id: int, name: str) -> SavedView:
    """Give an own view another name; raises NotThere, InvalidInput, Conflicted."""
    view = _of(owner, view_id)
    view.name = _good_name(name)
    _save(view)
    return view


def delete_view(*, owner: User, view_id: int) -> SavedView:
    """Delete an own view and return what it was; raises NotThere."""
    view = _of(owner, view_id)
    SavedView.objects.filter(pk=view.pk).delete()
    return view


def _of(owner: User, view_id: int) -> SavedView:
    view = SavedView.objects.filter(owner=owner, pk=view_id).first()
    if view is None:
        raise NotThere(_("You have no such view."))
    return view


def _good_name(name: str) -> str:
    clean = text.one_line(name, NAME_LENGTH + 1)
    if not clean:
        raise InvalidInput(_("A view needs a name."))
    if len(clean) > NAME_LENGTH:
        raise InvalidInput(_("A view's name has at most %(n)d characters.") % {"n": NAME_LENGTH})
    return clean


def _save(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise Conflicted(_("You have a view of this name already."), code="name_taken") from error
