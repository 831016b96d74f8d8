"""What a tray client sends: a form with a title, a description and perhaps a picture; an id when it asks. Pure."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from supporthub.core.errors import InvalidInput
from supporthub.core.text import clean_text, one_line

File = TypeVar("File")

TITLE, DESCRIPTION, IMAGE = "title", "description", "image"
MOST_CHARACTERS = 200_000  # of either text, as in the native API
_INSTANCE = re.compile(r"[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Form(Generic[File]):
    """Texts exactly as they came: two submissions are the same when these are."""

    title: str
    description: str
    image: File | None


def read_form(texts: Mapping[str, Sequence[str]], files: Mapping[str, Sequence[File]]) -> Form[File]:
    """Return what the form holds; further texts do not count.

    Raises InvalidInput naming the field: a missing, empty or repeated text, a text in the place of the picture, more
    than one picture, or a file under another name (it would be lost in silence).
    """
    for name in files:
        if name != IMAGE:
            raise _fault(one_line(name, _SHOWN) or "?", "no file is taken under this name; the picture's is 'image'.")
    return Form(_text(texts, TITLE), _text(texts, DESCRIPTION), _image(texts, files))


def read_instance_id(given: str) -> uuid.UUID | None:
    """Return the id as one, or None for what cannot be an id of ours. Hyphens and letter case do not count."""
    spelled = given.strip()
    return uuid.UUID(spelled) if _INSTANCE.fullmatch(spelled) else None


def _text(texts: Mapping[str, Sequence[str]], name: str) -> str:
    values = texts.get(name, ())
    if not values:
        raise _fault(name, "this field is missing.")
    if len(values) > 1:
        raise _fault(name, "this field was sent more than once.")
    if not clean_text(values[0]).strip():
        raise _fault(name, "this field is empty.")
    if len(values[0]) > MOST_CHARACTERS:
        raise _fault(name, f"this text has more than {MOST_CHARACTERS} characters.")
    return values[0]


def _image(texts: Mapping[str, Sequence[str]], files: Mapping[str, Sequence[File]]) -> File | None:
    if any(value.strip() for value in texts.get(IMAGE, ())):
        raise _fault(IMAGE, "this is a text; send a file (a part with a file name).")
    images = files.get(IMAGE, ())
    if len(images) > 1:
        raise _fault(IMAGE, "at most one picture is taken.")
    return images[0] if images else None


def _fault(name: str, words: str) -> InvalidInput:
    return InvalidInput(f"Not accepted: {name}.", errors={name: [words]})
