"""Looking for what must not be: two issues with one tag. The last line of the promise, and it is never silent."""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from supporthub.core.deliveries.desk import ACCEPTED
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import IntegrationError
from tickets.choices import TimelineKind
from tickets.clients import tracker_client
from tickets.models import Submission, Tracker
from tickets.ports import IssueRef
from tickets.services.common import record, show_again

logger = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=2)
BATCH = 50


def look_for_duplicates() -> int:
    """Ask each tracker for the tags of recent submissions and park those that stand twice; returns how many."""
    parked = 0
    for tracker, project_key, submissions in _recent():
        try:
            found = tracker_client(tracker).find_tagged(project_key=project_key, tags=[row.tag for row in submissions])
        except IntegrationError as error:
            logger.warning("duplicates.not_looked", tracker=tracker.slug, project=project_key, code=error.code)
            continue
        for submission in submissions:
            parked += _park_doubled(submission, found.get(submission.tag, ()))
    return parked


def _recent() -> Iterator[tuple[Tracker, str, list[Submission]]]:
    """Done submissions of the last days, in batches of one project."""
    since = timezone.now() - LOOK_BACK
    recent = Submission.objects.filter(state=DeliveryState.DONE, done_at__gte=since, tracker__isnull=False)
    recent = recent.exclude(reason_code=ACCEPTED)  # a person has looked
    groups = recent.order_by("tracker_id", "project_key").values_list("tracker_id", "project_key").distinct()
    for tracker_id, project_key in list(groups):
        rows = list(recent.filter(tracker=tracker_id, project_key=project_key).order_by("pk"))
        tracker = Tracker.objects.get(pk=tracker_id)
        for start in range(0, len(rows), BATCH):
            yield tracker, project_key, rows[start : start + BATCH]


@transaction.atomic
def _park_doubled(submission: Submission, issues: tuple[IssueRef, ...]) -> bool:
    if len(issues) < 2:  # noqa: PLR2004
        return False
    keys = [issue.key for issue in issues]
    reason = f"{keys[0]} stands twice in the tracker; also as {', '.join(keys[1:])}."
    parked = Submission.objects.filter(pk=submission.pk, state=DeliveryState.DONE).update(
        state=DeliveryState.PARKED, reason_code="duplicate_found", reason=reason[:500]
    )
    if parked:
        record(submission.ticket, TimelineKind.DUPLICATE_FOUND, None, keys=keys)
        show_again(submission.ticket_id, "submission")
    return bool(parked)
