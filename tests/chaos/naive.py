"""What the hub would do without its care: create the issue, then record it; on any failure simply try again.

It is as good as this order can be: the row is locked while it is worked, so no two workers ever send the same ticket;
the sweep brings back what a lost message or a killed worker left. All that is missing is the doubt: an answer that did
not come counts as an issue that was not made.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from supporthub.core.deliveries import rules
from supporthub.core.deliveries.engine import deliver, scale
from supporthub.core.deliveries.registry import Claim, Kind
from supporthub.core.deliveries.states import DUE_STATES, DeliveryState, Mode
from supporthub.core.errors import IntegrationError, OutcomeUnknown
from tests.chaos.boundaries import Commits, around
from tests.chaos.orders import Orders
from tickets import tasks
from tickets.clients import tracker_client
from tickets.models import Submission
from tickets.services import submissions

RETRY_AFTER = timedelta(seconds=15)  # before scaling


def install(orders: Orders) -> None:
    """Make the worker's submission task naive; changes of existing issues stay as they are."""
    commits = Commits(orders)
    commits.install()

    def submit(kind: Kind, pk: int) -> int:
        if kind is not submissions.KIND:
            return deliver(kind, pk)
        return create_then_record(orders, commits, pk)

    around(tasks, "deliver", lambda _careful: submit)


def create_then_record(orders: Orders, commits: Commits, pk: int) -> int:
    """Create the issue of the submission `pk` and record it, in one transaction. Returns how many were made."""
    with transaction.atomic():
        row: Any = (
            Submission.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related(*submissions.KIND.select_related)
            .filter(pk=pk, state__in=DUE_STATES, not_before__lte=timezone.now())
            .first()
        )
        if row is None:
            return 0
        orders.pass_by("claim.after_commit")
        row.tries += 1
        try:
            made = tracker_client(row.tracker).create_issue(submissions.draft_of(row))
        except (IntegrationError, OutcomeUnknown) as error:
            row.not_before = timezone.now() + RETRY_AFTER * scale()
            row.reason_code = error.code[:60]
            row.save(update_fields=["tries", "not_before", "reason_code"])
            return 0
        orders.pass_by("settle.before")
        row.state, row.done_at = DeliveryState.DONE, timezone.now()
        row.save(update_fields=["state", "tries", "done_at"])
        orders.pass_by("settle.row_written")
        _record(commits, row, made)
    orders.pass_by("settle.after")
    return 1


def _record(commits: Commits, row: Submission, made: Any) -> None:
    claim = Claim(row=row, fence=row.fence, mode=Mode.ACT, attempt_id=0)
    done = rules.Done(made)
    commits.enter("settle")
    submissions.settled(claim, done, rules.Change(DeliveryState.DONE, timezone.now(), None, "", ""))
