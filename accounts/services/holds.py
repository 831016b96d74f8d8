"""Holding and releasing outward effects."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import HoldScope
from accounts.models import Hold, User
from supporthub.core.errors import InvalidInput


@transaction.atomic
def place_hold(*, scope: str, value: str, reason: str, actor: User | None, observe: bool = False) -> Hold:
    """Hold outward effects from now on; what is being sent this moment is finished. Repeating changes the reason."""
    if (scope == HoldScope.ALL) == bool(value):
        raise InvalidInput(
            _("Not accepted: %(name)s.") % {"name": "value"},
            errors={"value": [_("Name what is held; leave it empty for everything.")]},
        )
    hold, _made = Hold.objects.update_or_create(
        scope=scope, value=value, defaults={"reason": reason, "observe": observe, "created_by": actor}
    )
    return hold


@transaction.atomic
def lift_hold(*, hold_id: int) -> None:
    """Release what this hold held; the next sweep sends it on."""
    Hold.objects.filter(pk=hold_id).delete()
