"""What a person may do with a delivery that stopped: retry, cancel. Callers check permission and record who."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from supporthub.core.deliveries.registry import Kind
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import Conflicted

RETRYABLE = {DeliveryState.PARKED, DeliveryState.PENDING, DeliveryState.UNKNOWN}
ACCEPTED = "accepted"  # the reason of what a person took as done
CANCELLABLE = {DeliveryState.PARKED, DeliveryState.PENDING, DeliveryState.HELD}


@transaction.atomic
def retry(kind: Kind, pk: int) -> Any:
    """Make the row due now. One that is in doubt is checked first, so a retry can never do it twice.

    Raises Conflicted when the row is running, held, done or cancelled.
    """
    row = kind.model._default_manager.select_for_update(no_key=True).annotate(db_now=Now()).get(pk=pk)
    if row.state not in RETRYABLE:
        raise Conflicted(
            _("This is %(state)s; there is nothing to retry.") % {"state": row.get_state_display()},
            code="not_retryable",
        )
    row.state = DeliveryState.UNKNOWN if row.unknown_since else DeliveryState.PENDING
    row.not_before, row.hurried_at = row.db_now, None
    row.first_tried_at = None  # patience starts again
    row.reason_code, row.reason = "retried", ""
    row.save(
        update_fields=["state", "not_before", "hurried_at", "first_tried_at", "reason_code", "reason", "updated_at"]
    )
    kind.changed([row.pk])
    return row


@transaction.atomic
def cancel(kind: Kind, pk: int) -> Any:
    """Give the effect up. Raises Conflicted while it is running, in doubt, done or cancelled already."""
    row = kind.model._default_manager.select_for_update(no_key=True).get(pk=pk)
    if row.state not in CANCELLABLE:
        raise Conflicted(
            _("This is %(state)s; it cannot be cancelled now.") % {"state": row.get_state_display()},
            code="not_cancellable",
        )
    row.state, row.hurried_at = DeliveryState.CANCELLED, None
    row.save(update_fields=["state", "hurried_at", "updated_at"])
    kind.changed([row.pk])
    return row


@transaction.atomic
def accept(kind: Kind, pk: int) -> Any:
    """Take a parked row as done: a person looked, and the effect is there. Raises Conflicted when it is not parked."""
    row = kind.model._default_manager.select_for_update(no_key=True).annotate(db_now=Now()).get(pk=pk)
    if row.state != DeliveryState.PARKED:
        raise Conflicted(
            _("This is %(state)s; there is nothing to accept.") % {"state": row.get_state_display()},
            code="not_acceptable",
        )
    row.state, row.done_at, row.unknown_since = DeliveryState.DONE, row.db_now, None
    row.reason_code, row.reason = ACCEPTED, ""
    row.save(update_fields=["state", "done_at", "unknown_since", "reason_code", "reason", "updated_at"])
    kind.changed([row.pk])
    return row
