"""Files that no row names: what a kill between storing and committing left, and what nobody sent after all."""

import time
from collections.abc import Iterator
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from tickets.choices import AttachmentState
from tickets.models import Attachment
from tickets.models.attachments import THUMBNAIL_SUFFIX
from tickets.services.attachments import FOLDER, delete_files, file_store

logger = structlog.get_logger(__name__)

STAGED_FOR = timedelta(days=1)
GRACE = timedelta(hours=1)  # between storing a file and committing its row lie seconds at most
RECENT_DAYS = 3
_BATCH = 500


def sweep_files(*, everything: bool = False) -> int:
    """Delete orphans of the last days, or of all times, and what was staged long ago; returns how many files.

    A file is an orphan when it is older than GRACE and no row names its key: only rows decide.
    """
    deleted = _forget_staged()
    folders = _all_days() if everything else _recent_days()
    try:
        for folder in folders:
            deleted += _sweep_folder(folder)
    except OSError as error:
        logger.warning("attachments.not_swept", error=type(error).__name__)
    _empty_spool()
    if deleted:
        logger.info("attachments.swept", files=deleted)
    return deleted


def _forget_staged() -> int:
    forgotten = 0
    old = Attachment.objects.filter(state=AttachmentState.STAGED, created_at__lt=timezone.now() - STAGED_FOR)
    for pk, key in old.values_list("pk", "key")[:_BATCH]:
        # The condition again: it may have been sent this moment.
        if Attachment.objects.filter(pk=pk, state=AttachmentState.STAGED).delete()[0]:
            delete_files(key)
            forgotten += 1
    return forgotten


def _recent_days() -> Iterator[str]:
    today = timezone.now()
    for back in range(RECENT_DAYS):
        yield f"{FOLDER}/{today - timedelta(days=back):%Y/%m/%d}"


def _all_days() -> Iterator[str]:
    for year in _folders(FOLDER):
        for month in _folders(year):
            yield from _folders(month)


def _folders(path: str) -> list[str]:
    try:
        return [f"{path}/{name}" for name in sorted(file_store().listdir(path)[0])]
    except FileNotFoundError:
        return []


def _sweep_folder(folder: str) -> int:
    try:
        names = file_store().listdir(folder)[1]
    except FileNotFoundError:
        return 0
    keys = sorted({f"{folder}/{name.removesuffix(THUMBNAIL_SUFFIX)}" for name in names})
    there = {f"{folder}/{name}" for name in names}
    deleted = 0
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        known = set(Attachment.objects.filter(key__in=batch).values_list("key", flat=True))
        for key in batch:
            if key not in known and _is_old(key, there) and not Attachment.objects.filter(key=key).exists():
                delete_files(key)
                deleted += 1
    return deleted


def _is_old(key: str, there: set[str]) -> bool:
    name = key if key in there else key + THUMBNAIL_SUFFIX
    try:
        return file_store().get_modified_time(name) < timezone.now() - GRACE
    except FileNotFoundError:
        return False


def _empty_spool() -> None:
    """Half-received uploads of a killed process, on this machine's disk."""
    long_ago = time.time() - STAGED_FOR.total_seconds()
    for path in settings.FILES.spool.glob("upload-*"):
        try:
            if path.stat().st_mtime < long_ago:
                path.unlink()
        except FileNotFoundError:
            continue
