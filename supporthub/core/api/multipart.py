"""Forms with files in the API: the same strictness as JSON."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http.multipartparser import MultiPartParser as DjangoParser
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.request import Request

MEDIA_TYPE = "multipart/form-data"


class _KeepingParser(DjangoParser):
    """Django's, which passes over a file in silence when nothing of its name is usable. Its name does not matter."""

    def sanitize_file_name(self, file_name: str) -> str | None:
        return super().sanitize_file_name(file_name) or "file"


class FormParser(BaseParser):
    """`multipart/form-data` by the hub's upload handler."""

    media_type = MEDIA_TYPE

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> "DataAndFiles[Any, Any]":
        """Return texts and files; raises ParseError for a body that is no form, and what the handler raises."""
        request = (parser_context or {})["request"]
        meta = {**request.META, "CONTENT_TYPE": media_type}
        try:
            handlers = request.upload_handlers
            fields, files = DjangoParser.parse(_KeepingParser(meta, stream, handlers, settings.DEFAULT_CHARSET))
        except MultiPartParserError as error:
            raise ParseError(f"Multipart form parse error - {error}") from error
        return DataAndFiles(fields, files)


def is_form(request: Request) -> bool:
    return bool(request.content_type) and request.content_type.lower().startswith(MEDIA_TYPE)


def form_of(
    request: Request, *, files: str, lists: frozenset[str] = frozenset()
) -> tuple[dict[str, Any], list[UploadedFile[Any]]]:
    """Return the form's fields as JSON would give them, and the files that were sent as `files`.

    `lists` names the fields that may be repeated. Raises ValidationError by field: for a text in the place of a file, a
    file in the place of a text, a repeated single field, and a null byte.
    """
    fields: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for name, values in request.POST.lists():
        fields[name] = list(values) if name in lists else values[-1]
        if name == files:
            faults[name] = ["This is a text; send a file (a part with a file name)."]
        elif name not in lists and len(values) > 1:
            faults[name] = ["This field was sent more than once."]
        elif any("\x00" in value for value in values):
            faults[name] = ["This value contains a null byte."]
    for name in request.FILES:
        if name != files:
            faults[name] = [f"No file is taken here; files are sent as '{files}'."]
    if faults:
        raise ValidationError({name.replace("\x00", "?"): texts for name, texts in faults.items()})
    return fields, list(request.FILES.getlist(files))
