"""Checks that files can be received, stored, read back and deleted."""

import os
import secrets
from collections.abc import Iterator

from django.conf import settings
from django.core.files.base import ContentFile

from supporthub.core.doctor import Finding, Verdict
from tickets.services.attachments import file_store

_PLACE = "attachments/doctor"


def storage_findings() -> Iterator[Finding]:
    """Write, read and delete a small file; look at the spool. Raises nothing of what it is there to find."""
    spool = settings.FILES.spool
    if not (spool.is_dir() and os.access(spool, os.W_OK)):
        yield Finding("files", Verdict.BAD, f"Nothing can be received: {spool} is no folder that the hub may write to.",
                      "Make it, or set UPLOAD_SPOOL_DIR or DATA_DIR to a folder on a disk.")  # fmt: skip
    key, content = f"{_PLACE}-{secrets.token_hex(8)}", b"written by the doctor"
    try:
        saved = file_store().save(key, ContentFile(content))
        with file_store().open(saved) as file:
            is_whole = file.read() == content
        file_store().delete(saved)
    except OSError as error:
        yield Finding("files", Verdict.BAD, f"The files' store does not take a file ({type(error).__name__}).",
                      "Check MEDIA_ROOT and its permissions, or the ATTACHMENTS_S3_… variables.")  # fmt: skip
        return
    if is_whole:
        yield Finding("files", Verdict.GOOD, "The files' store takes, gives back and deletes a file.")
    else:
        yield Finding("files", Verdict.BAD, "The files' store gave back something else than it took.",
                      "Look at the disk, or at the bucket's settings.")  # fmt: skip
