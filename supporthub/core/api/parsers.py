"""Strict JSON: bounded, and what PostgreSQL cannot store is refused at the door with the place named."""

import io
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 40


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"

    def __init__(self) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        super().__init__(f"The body is larger than {limit} kB. Nothing of it was read.")


def _faults(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > MAX_DEPTH:
        yield path, f"is nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, str):
        if "\x00" in value:
            yield path, "contains a null byte"
        elif any("\ud800" <= char <= "\udfff" for char in value):
            yield path, "contains a lone surrogate, which is not a character"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _faults(key, path, depth + 1)
            yield from _faults(item, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, f"{path}[{index}]", depth + 1)


class StrictJSONParser(JSONParser):
    """DRF's parser, and: no NaN, no null bytes, no lone surrogates, no absurd nesting."""

    strict = True

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        try:
            data = super().parse(io.BytesIO(raw), media_type=media_type, parser_context=parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error
        errors: dict[str, list[str]] = {}
        for path, fault in _faults(data, ""):
            # The path may itself carry the character that is refused.
            name = path.encode("utf-8", "replace").decode().replace("\x00", "?").split(".")[0].split("[")[0] or "body"
            errors.setdefault(name, []).append(f"This value {fault}.")
        if errors:
            raise ValidationError(errors)
        return data
