"""Reading a file's content: recorded in the audit trail before the first byte goes out."""

from typing import BinaryIO, cast

import structlog
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit_actions import register_actions
from accounts.models import User
from accounts.services import audit
from supporthub.core.errors import NotThere, Unavailable
from tickets.models import Attachment
from tickets.services.attachments import file_store

logger = structlog.get_logger(__name__)

READ = "attachment.read"
register_actions({READ: gettext_lazy("attachment read")})


def open_file(*, attachment: Attachment, actor: User) -> BinaryIO:
    """Record that `actor` reads the file, and open it; the caller closes it. Raises as `open_thumbnail`."""
    with transaction.atomic():
        audit.record(
            actor=audit.actor_of(actor), action=READ, target_type="attachment", target_id=attachment.pk,
            organisation_id=attachment.ticket.organisation_id if attachment.ticket else None,
            data={"ticket": attachment.ticket_id or 0},
        )  # fmt: skip
    return _open(attachment.key)


def open_thumbnail(*, attachment: Attachment) -> BinaryIO:
    """The small copy of a picture, which a ticket's page shows like its text, without a record of its own.

    Raises NotThere when there is none, or when the store has lost it; Unavailable when the store does not answer.
    """
    if not attachment.thumbnail_key:
        raise NotThere(_("There is no such file."))
    return _open(attachment.thumbnail_key)


def _open(key: str) -> BinaryIO:
    try:
        return cast(BinaryIO, file_store().open(key))
    except FileNotFoundError as error:
        logger.error("attachments.lost", key=key)  # noqa: TRY400  (there is nothing in the trace)
        raise NotThere(_("This file is not in the hub's store any more. An operator may restore it.")) from error
    except OSError as error:
        raise Unavailable(_("The files' store does not answer. Try again in a moment.")) from error
