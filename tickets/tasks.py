"""Celery's way in: an id, one call. The rows know when they are due again."""

from celery import shared_task

from accounts.services.idempotency import forget_old
from supporthub.core.deliveries import registry
from supporthub.core.deliveries.engine import deliver
from supporthub.core.deliveries.sweep import sweep
from tickets.services import changes, duplicates, files_out, orphans, submissions


@shared_task(ignore_result=True)
def submit_ticket(submission_id: int) -> None:
    deliver(submissions.KIND, submission_id)


@shared_task(ignore_result=True)
def change_issue(change_id: int) -> None:
    deliver(changes.KIND, change_id)


@shared_task(ignore_result=True)
def send_file(delivery_id: int) -> None:
    deliver(files_out.KIND, delivery_id)


@shared_task(ignore_result=True)
def sweep_files() -> None:
    """What the last days left behind."""
    orphans.sweep_files()


@shared_task(ignore_result=True)
def sweep_all_files() -> None:
    """What the short sweep missed, for example because it was switched off, and the files of deleted tickets."""
    orphans.sweep_files(everything=True)


@shared_task(ignore_result=True)
def sweep_deliveries() -> None:
    """Every kind of delivery, each on its own: what the queue lost is found here."""
    for kind in registry.kinds():
        sweep(kind)


@shared_task(ignore_result=True)
def look_for_duplicates() -> None:
    duplicates.look_for_duplicates()


@shared_task(ignore_result=True)
def forget_old_requests() -> None:
    forget_old()
