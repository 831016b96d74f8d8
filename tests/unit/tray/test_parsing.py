"""What a tray client's form must hold."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.errors import InvalidInput
from tickets.api.tray.parsing import MOST_CHARACTERS, read_form, read_instance_id

TEXTS = {"title": ["Printer"], "description": ["It smokes."]}
FILES: dict[str, list[str]] = {}


def fault(texts: Any, files: Any = FILES) -> dict[str, list[str]]:
    with pytest.raises(InvalidInput) as caught:
        read_form(texts, files)
    assert caught.value.status == 400
    return caught.value.errors


def test_texts_come_back_exactly_as_they_were_sent() -> None:
    form = read_form({"title": [" Printer \x00"], "description": ["a\r\nb "], "code": ["x"]}, {"image": ["file"]})
    assert (form.title, form.description, form.image) == (" Printer \x00", "a\r\nb ", "file")


def test_picture_may_be_missing_or_be_an_empty_text() -> None:
    assert read_form(TEXTS, FILES).image is None
    assert read_form({**TEXTS, "image": [" "]}, FILES).image is None


@pytest.mark.parametrize("name", ["title", "description"])
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (None, "missing"), ([], "missing"), ([""], "empty"), ([" \n\t\x00\u200b"[:4]], "empty"), (["a", "b"], "once"),
        (["x" * (MOST_CHARACTERS + 1)], "characters"),
    ],
)  # fmt: skip
def test_each_text_is_needed_once(name: str, values: list[str] | None, words: str) -> None:
    texts = {key: value for key, value in {**TEXTS, name: values}.items() if value is not None}
    found = fault(texts)
    assert list(found) == [name]
    assert words in found[name][0]


def test_picture_is_one_file_under_its_name() -> None:
    assert "text" in fault({**TEXTS, "image": ["C:\\screen.png"]})["image"][0]
    assert "at most one" in fault(TEXTS, {"image": ["a", "b"]})["image"][0]
    assert list(fault(TEXTS, {"picture\r\nX: y": ["a"]})) == ["picture X: y"]


@given(st.uuids())
def test_id_is_read_with_and_without_hyphens(instance: uuid.UUID) -> None:
    for spelled in (instance.hex, str(instance), str(instance).upper(), f" {instance.hex} "):
        assert read_instance_id(spelled) == instance


@given(st.text())
def test_what_is_no_id_is_none_and_never_an_error(given: str) -> None:
    found = read_instance_id(given)
    assert found is None or found.hex == given.strip().replace("-", "").lower()


@pytest.mark.parametrize(
    "given",
    [
        "", "x", "{0d9e2c51-6a47-4b38-9f20-000000000001}", "0d9e2c516a47-4b38-9f20-000000000001",
        "urn:uuid:0d9e2c51-6a47-4b38-9f20-000000000001", "\x00" * 32,
    ],
)  # fmt: skip
def test_only_the_two_usual_spellings_are_ids(given: str) -> None:
    assert read_instance_id(given) is None
