"""Receiving files: bounded while they are read, hashed on the way, never in memory and never under the client's name.

Django calls the handler for every multipart body, before any view: what is too large or too much ends the reading, and
the refusal reaches API clients as a problem answer and people as a page.
"""

import hashlib
import tempfile
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.utils.translation import gettext as _

from supporthub.core.errors import InvalidInput, TooLarge
from supporthub.core.text import one_line

MB = 1024 * 1024
_FIELD_NAME = 60


class UploadTooLarge(TooLarge, SuspiciousOperation):
    """A file is larger than any rule allows. SuspiciousOperation: Django asks the 400 handler, which says our words."""


class UploadRefused(InvalidInput, SuspiciousOperation):
    """Too many files, or a body that ends in the middle of one."""


class SpooledUpload(UploadedFile[bytes]):
    """A received file on disk, with the SHA-256 of what came. `close` removes it unless it has been moved away."""

    def __init__(self, field_name: str, name: str, content_type: str | None) -> None:
        settings.FILES.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Closed by Django when the request ends, or by the handler when it refuses.
        self._spool = tempfile.NamedTemporaryFile(prefix="upload-", dir=settings.FILES.spool)  # noqa: SIM115
        super().__init__(cast(IO[bytes], self._spool), name, content_type, size=0)
        self.field_name = field_name
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def receive(self, chunk: bytes) -> None:
        """Append what came next."""
        self._spool.write(chunk)
        self._digest.update(chunk)
        self.size = (self.size or 0) + len(chunk)

    def finish(self) -> None:
        """Everything has come: give it to readers from its beginning."""
        self._spool.flush()
        self._spool.seek(0)

    def temporary_file_path(self) -> str:
        """Where it lies; a storage on the same disk takes it over from there without copying."""
        return str(self._spool.name)

    def close(self) -> None:
        try:
            self._spool.close()
        except FileNotFoundError:
            pass  # a storage has taken the file over


class SpoolingHandler(FileUploadHandler):
    """For FILE_UPLOAD_HANDLERS: stops reading at the largest size and the largest number that any rule allows."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._upload: SpooledUpload | None = None
        self._received = 0

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, *args, **kwargs)
        self._received += 1
        most = settings.FILES.per_message
        if self._received > most:
            raise self._refusal(_("At most %(n)d files at once.") % {"n": most})
        self._upload = SpooledUpload(field_name, self.file_name or "", self.content_type)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        upload, most = self._upload, settings.FILES.largest_file
        if upload is None:
            raise RuntimeError("data came before its file")
        if start + len(raw_data) > most:
            upload.close()
            words = _("This file is larger than %(mb)d MB.") % {"mb": most // MB}
            name = self._field
            raise UploadTooLarge(_("Not accepted: %(name)s.") % {"name": name}, errors={name: [words]})
        upload.receive(raw_data)

    def file_complete(self, file_size: int) -> SpooledUpload | None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.finish()
        return upload

    def upload_interrupted(self) -> None:
        """The body ended inside a file. Without this the file would be dropped in silence."""
        if self._upload is not None:
            self._upload.close()
        raise self._refusal(_("The upload broke off before the end of the file."))

    @property
    def _field(self) -> str:
        return one_line(self.field_name or "", _FIELD_NAME) or "body"

    def _refusal(self, words: str) -> UploadRefused:
        name = self._field
        return UploadRefused(_("Not accepted: %(name)s.") % {"name": name}, errors={name: [words]})
