"""Holding and releasing outward effects."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import HoldScope
from accounts.models import Hold, Organisation, User
from accounts.services.audit import actor_of, record
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
    _remember("hold.placed", hold, actor)
    return hold


@transaction.atomic
def lift_hold(*, hold_id: int, actor: User | None) -> None:
    """Release what this hold held; the next sweep sends it on. Nothing happens when it is gone already."""
    hold = Hold.objects.select_for_update().filter(pk=hold_id).first()
    if hold is not None:
        _remember("hold.lifted", hold, actor)
        hold.delete()


def _remember(action: str, hold: Hold, actor: User | None) -> None:
    named = Organisation.objects.filter(slug=hold.value) if hold.scope == HoldScope.ORGANISATION else None
    record(
        actor=actor_of(actor), action=action, target_type="hold", target_id=hold.pk,
        organisation_id=named.values_list("pk", flat=True).first() if named else None,
        data={"scope": hold.scope, "value": hold.value, "observe": hold.observe}, personal={"reason": hold.reason},
    )  # fmt: skip
