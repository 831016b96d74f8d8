"""Files: received and judged before the transaction, rows inside it, orphans swept.

docs/adr/0009-attachments.md has the flow, and what a kill after each step leaves behind.
"""

import hashlib
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn, cast

import structlog
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from directory.models import Person
from supporthub.core import events
from supporthub.core.errors import Conflicted, HubError, InvalidInput, TooLarge, Unavailable
from tickets.choices import AttachmentState, MessageKind, TimelineKind
from tickets.events import FileAttached
from tickets.models import Attachment, Message, Ticket
from tickets.models.attachments import THUMBNAIL_SUFFIX
from tickets.parsing import pictures, uploads
from tickets.parsing.kinds import SAFE_PICTURES, Content
from tickets.parsing.names import shown_name
from tickets.parsing.signatures import SAMPLE, sniff
from tickets.parsing.uploads import Refused, UploadRule
from tickets.services.common import locked, record, touch

logger = structlog.get_logger(__name__)

FOLDER = "attachments"
_STAGED_MESSAGES = 3  # how many messages' worth of files one person may have staged
_MEGA = 1_000_000
_CHUNK = 64 * 1024
# A picture of the largest size takes hundreds of megabytes while it is decoded: one at a time in a process.
_decoding = threading.Lock()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in storage that no row names yet. `name` is for showing; `media_type` is what the bytes say."""

    key: str
    name: str
    media_type: str
    size: int
    sha256: str
    is_picture: bool = False
    width: int | None = None
    height: int | None = None


def message_rule(field: str = "attachments") -> UploadRule:
    """What messages and tickets take, by the settings; `field` is the form's field."""
    files = settings.FILES
    return UploadRule(field, files.max_bytes, files.kinds, files.megapixels * _MEGA)


def tray_rule() -> UploadRule:
    """What a tray submission takes as its `image`, by the settings."""
    files = settings.FILES
    return uploads.tray_rule(max_bytes=files.tray_bytes, max_pixels=files.megapixels * _MEGA)


def file_store() -> Storage:
    """Where files lie: a folder or a bucket. Its failures are OSError."""
    return storages["attachments"]


# --- Before the transaction ------------------------------------------------------------------------------------------


def store_upload(file: File[bytes], *, rule: UploadRule) -> StoredFile:
    """Judge a received file and put it into storage, synced; before the transaction that names it.

    Raises InvalidInput (400) or TooLarge (413) naming `rule.field`, Unavailable when the storage does not answer. What
    no row names within an hour is swept.
    """
    name = shown_name(file.name or "")
    declared = str(getattr(file, "content_type", "") or "")
    try:
        uploads.check_size(rule, file.size or 0)
        content = sniff(*_samples(file))
        uploads.check_content(rule, content, name=name, declared=declared)
        picture = _picture(file, content, rule)
    except Refused as refusal:
        _refuse(rule, refusal)
    stored = StoredFile(
        key=_new_key(), name=name, media_type=content.media_type, size=file.size or 0, sha256=_sha256(file),
        is_picture=picture is not None, width=picture.width if picture else None,
        height=picture.height if picture else None,
    )  # fmt: skip
    _save(stored, file, picture)
    return stored


def store_uploads(files: Sequence[File[bytes]], *, rule: UploadRule) -> list[StoredFile]:
    """Store the files of one message, all or none. Raises as `store_upload` does, and InvalidInput for too many."""
    if len(files) > settings.FILES.per_message:
        _refuse(rule, Refused(_("At most %(n)d files at once.") % {"n": settings.FILES.per_message}))
    stored: list[StoredFile] = []
    with dropped_when_refused(stored):
        for file in files:
            stored.append(store_upload(file, rule=rule))
    return stored


def discard(stored: Iterable[StoredFile]) -> None:
    """Delete files that certainly no row names: their request was refused, or was a repetition. Best effort."""
    for file in stored:
        delete_files(file.key)


@contextmanager
def dropped_when_refused(stored: Sequence[StoredFile]) -> Iterator[None]:
    """Around the transaction that names the stored files: when it is refused, they are deleted.

    After any other failure the commit may have happened, so they stay for the sweep, which asks the rows.
    """
    try:
        yield
    except HubError:
        discard(stored)
        raise


def _samples(file: File[bytes]) -> tuple[bytes, bytes, Callable[[int, int], bytes]]:
    def peek(position: int, size: int) -> bytes:
        file.seek(position)
        return bytes(file.read(size))

    return peek(0, SAMPLE), peek(max(0, (file.size or 0) - SAMPLE), SAMPLE), peek


def _picture(file: File[bytes], content: Content, rule: UploadRule) -> pictures.Picture | None:
    """The picture if a page may show it. Raises Refused for a damaged one, and for what a strict rule refuses."""
    if content.media_type not in SAFE_PICTURES:
        return None
    try:
        with _decoding:
            picture = pictures.look_at(cast(BinaryIO, file), content.media_type, max_pixels=rule.max_pixels)
    except pictures.DamagedPicture as fault:
        raise Refused(_("This picture is damaged or not complete.")) from fault
    except pictures.TooManyPixels as fault:
        if rule.spotless:
            most = rule.max_pixels // _MEGA
            raise Refused(_("This picture has more than %(n)d megapixels.") % {"n": most}) from fault
        return None
    if picture.ends == file.size:
        return picture
    if rule.spotless:
        raise Refused(_("Something else is hidden behind the end of this picture."))
    return None


def _sha256(file: File[bytes]) -> str:
    known = getattr(file, "sha256", "")  # the upload handler has hashed it while it came
    if known:
        return str(known)
    digest = hashlib.sha256()
    for chunk in file.chunks(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _new_key() -> str:
    """Random, so that nothing of the client is in it; by days, so that a sweep can look at the latest ones only."""
    return f"{FOLDER}/{timezone.now():%Y/%m/%d}/{secrets.token_hex(16)}"


def _save(stored: StoredFile, file: File[bytes], picture: pictures.Picture | None) -> None:
    try:
        if picture is not None:
            file_store().save(stored.key + THUMBNAIL_SUFFIX, ContentFile(picture.thumbnail))
        file.seek(0)
        file_store().save(stored.key, file)
    except OSError as error:
        logger.exception("attachments.not_stored", error=type(error).__name__)
        words = _("The files' store does not answer. Nothing was accepted; try again in a moment.")
        raise Unavailable(words) from error


def _refuse(rule: UploadRule, refusal: Refused) -> NoReturn:
    kind = TooLarge if refusal.too_large else InvalidInput
    raise kind(_("Not accepted: %(name)s.") % {"name": rule.field}, errors={rule.field: [refusal.words]}) from refusal


# --- Inside the transaction ------------------------------------------------------------------------------------------


def attach(*, ticket: Ticket, message: Message | None, stored: StoredFile, actor: User | Person | None) -> Attachment:
    """Name a stored file in the transaction that makes its ticket or message; its way into the tracker follows.

    For a ticket that others can see already the caller holds its lock. Raises Conflicted when the ticket is full.
    """
    _demand_room(ticket)
    attachment = Attachment.objects.create(
        **_fields(stored), ticket=ticket, message=message, state=AttachmentState.ATTACHED, **_uploader(actor)
    )
    _publish(attachment, message)
    return attachment


def attach_staged(
    *, ticket: Ticket, message: Message | None, ids: Sequence[uuid.UUID], actor: User
) -> list[Attachment]:
    """Give what `actor` has staged to a ticket, as `attach` does. Raises InvalidInput when one of them is not there."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > settings.FILES.per_message:
        words = _("At most %(n)d files at once.") % {"n": settings.FILES.per_message}
        raise InvalidInput(words, errors={"staged": [words]})
    rows = Attachment.objects.select_for_update().filter(
        public_id__in=wanted, uploaded_by=actor, state=AttachmentState.STAGED
    )
    found = {row.public_id: row for row in rows}
    if len(found) < len(wanted):
        words = _("A file is not there any more; attach it again.")
        raise InvalidInput(words, errors={"staged": [words]})
    for public_id in wanted:
        _demand_room(ticket)
        row = found[public_id]
        row.ticket, row.message, row.state = ticket, message, AttachmentState.ATTACHED
        row.save(update_fields=["ticket", "message", "state"])
        _publish(row, message)
    return [found[public_id] for public_id in wanted]


def attach_to_new(
    *, ticket: Ticket, stored: Sequence[StoredFile], staged: Sequence[uuid.UUID] = (), actor: User
) -> None:
    """Give a ticket that this transaction has just made its files, with its first message. No query without files."""
    if not (stored or staged):
        return
    message = ticket.messages.order_by("pk").first()
    for file in stored:
        attach(ticket=ticket, message=message, stored=file, actor=actor)
    if staged:
        attach_staged(ticket=ticket, message=message, ids=staged, actor=actor)


@transaction.atomic
def add_files(*, ticket_id: int, stored: Sequence[StoredFile], actor: User) -> list[Attachment]:
    """Add files to a ticket without a message."""
    ticket = locked(ticket_id)
    added = [attach(ticket=ticket, message=None, stored=file, actor=actor) for file in stored]
    names = [attachment.name for attachment in added]
    record(ticket, TimelineKind.FILES_ADDED, actor, attachments=[row.pk for row in added], names=names)
    touch(ticket, TimelineKind.FILES_ADDED, actor)
    return added


@transaction.atomic
def stage(*, stored: StoredFile, actor: User) -> Attachment:
    """Keep a file for somebody who is still writing. Raises Conflicted when they have staged too many."""
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)  # two tabs count one after the other
    most = settings.FILES.per_message * _STAGED_MESSAGES
    if Attachment.objects.filter(uploaded_by=actor, state=AttachmentState.STAGED).count() >= most:
        raise Conflicted(_("You have %(n)d files waiting; send or remove some first.") % {"n": most}, code="too_many")
    return Attachment.objects.create(**_fields(stored), state=AttachmentState.STAGED, uploaded_by=actor)


def staged_of(*, actor: User, ids: Sequence[uuid.UUID]) -> list[Attachment]:
    """Return what `actor` has staged among `ids`, for a form that is shown again."""
    rows = Attachment.objects.filter(public_id__in=ids, uploaded_by=actor, state=AttachmentState.STAGED)
    return list(rows.order_by("pk"))


def unstage(*, public_id: uuid.UUID, actor: User) -> None:
    """Remove what `actor` has staged; nothing happens when it is sent or gone already."""
    row = Attachment.objects.filter(public_id=public_id, uploaded_by=actor, state=AttachmentState.STAGED).first()
    if row is not None and _delete_staged(row):
        delete_files(row.key)


def _fields(stored: StoredFile) -> dict[str, Any]:
    return {
        "key": stored.key, "name": stored.name, "media_type": stored.media_type, "size": stored.size,
        "sha256": stored.sha256, "is_picture": stored.is_picture, "width": stored.width, "height": stored.height,
    }  # fmt: skip


def _uploader(actor: User | Person | None) -> dict[str, Any]:
    if isinstance(actor, Person):
        return {"uploaded_by_person": actor}
    return {"uploaded_by": actor}


def _demand_room(ticket: Ticket) -> None:
    if ticket.attachments.count() >= settings.FILES.per_ticket:
        words = _("This ticket has %(n)d files already; it takes no more.") % {"n": settings.FILES.per_ticket}
        raise Conflicted(words, code="too_many")


def _publish(attachment: Attachment, message: Message | None) -> None:
    is_internal = message is not None and message.kind == MessageKind.INTERNAL
    events.publish(FileAttached(attachment.ticket_id or 0, attachment.pk, is_internal))


def _delete_staged(row: Attachment) -> bool:
    """Whether the row was still staged and is deleted now."""
    return bool(Attachment.objects.filter(pk=row.pk, state=AttachmentState.STAGED).delete()[0])


def delete_files(key: str) -> None:
    """Delete a file and its small copy. Best effort: what stays is swept later."""
    for name in (key, key + THUMBNAIL_SUFFIX):
        try:
            file_store().delete(name)
        except OSError as error:
            logger.warning("attachments.not_deleted", key=name, error=type(error).__name__)
