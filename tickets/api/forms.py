"""Requests that may be JSON or a form with files."""

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.request import Request

from supporthub.core.api.multipart import form_of, is_form
from tickets.services.attachments import StoredFile

FILES = "attachments"
_LISTS = frozenset({"watchers", "labels"})


def fields_and_files(request: Request) -> tuple[Any, list[UploadedFile[Any]]]:
    """Return the body's fields and its files; JSON has none. Raises what the parsers and the upload handler raise."""
    if not is_form(request):
        return request.data, []
    return form_of(request, files=FILES, lists=_LISTS)


def with_hashes(fields: Any, stored: Sequence[StoredFile]) -> Any:
    """What a repetition is recognised by: the fields, and of files their content only."""
    return {**fields, FILES: [file.sha256 for file in stored]} if stored else fields
