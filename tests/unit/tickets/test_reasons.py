"""A stored reason is said in the person's language where its code is known, and never lost."""

import ast
from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.web.sources import python_files
from tickets.reasons import Why, adjustment_in_words, field_in_words, why

_WRITTEN_BY_PEOPLE = {"held", "observe"}
_WITHOUT_REASON = {"retried"}
_ERRORS = {"TransientError", "Rejected", "AuthError", "NotFound", "Conflict", "OutcomeUnknown"}
_OUTCOMES = {"Park", "Unknown", "Undecided", "Again", "Absent"}


def _codes() -> Iterator[str]:
    """Codes that workers write: of errors (`code=`) and of outcomes (`code=`, or the first argument)."""
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in _ERRORS | _OUTCOMES:
                continue
            values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            values += node.args[:1] if name in _OUTCOMES else []
            yield from (
                item.value
                for value in values
                for item in ast.walk(value)
                if isinstance(item, ast.Constant) and isinstance(item.value, str) and item.value.isidentifier()
            )


def test_every_code_that_a_worker_writes_has_a_sentence() -> None:
    codes = set(_codes())
    assert len(codes) > 20
    with translation.override("de"):
        # `http_` is followed by a status
        unsaid = {code for code in codes if not why(f"{code}503" if code == "http_" else code, "as written").detail}
    assert unsaid - _WRITTEN_BY_PEOPLE - _WITHOUT_REASON == set()


def test_a_known_code_is_said_in_german_and_the_text_as_written_is_kept() -> None:
    with translation.override("de"):
        told = why("no_answer", "Jira did not answer within 60 s")
    assert told == Why("Der Tracker hat nicht rechtzeitig geantwortet.", "Jira did not answer within 60 s")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("http_503", "Der Tracker hatte selbst einen Fehler (HTTP 503)."),
        ("http_302", "Der Tracker verweist auf eine andere Adresse (HTTP 302); seine Adresse prüfen."),
        ("http_409", "Der Tracker meldet eine widersprechende Änderung."),
    ],
)
def test_a_status_is_named_in_the_sentence(code: str, sentence: str) -> None:
    with translation.override("de"):
        assert why(code, "x").words == sentence


@given(code=st.sampled_from(["no_answer", "rejected", "http_503", "odd", ""]), reason=st.text(max_size=40))
def test_in_english_a_reason_reads_as_it_was_written(code: str, reason: str) -> None:
    with translation.override("en"):
        assert why(code, reason) == Why(reason)


@given(code=st.text(max_size=20), reason=st.text(min_size=1, max_size=40))
def test_no_reason_gets_lost_in_german(code: str, reason: str) -> None:
    with translation.override("de"):
        told = why(code, reason)
    assert reason in (told.words, told.detail)


@pytest.mark.parametrize("code", sorted(_WRITTEN_BY_PEOPLE))
def test_what_a_colleague_wrote_is_not_replaced(code: str) -> None:
    with translation.override("de"):
        assert why(code, "Wartung bis 14 Uhr") == Why("Wartung bis 14 Uhr")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("the project has no priority that stands for 'urgent'", "das Projekt hat keine Priorität für 'urgent'"),
        ("Jira refused it: “Not on screen”", "Jira hat es abgelehnt: “Not on screen”"),
        ("sent as plain text; Jira refused it", "als reiner Text gesendet; Jira hat es abgelehnt"),
        ("something new", "something new"),
    ],
)
def test_why_a_field_was_left_out_keeps_the_trackers_own_words(written: str, said: str) -> None:
    with translation.override("de"):
        assert adjustment_in_words(written) == said


def test_fields_of_an_issue_have_german_names_and_unknown_ones_keep_theirs() -> None:
    with translation.override("de"):
        assert [field_in_words(name) for name in ("priority", "customfield_10010")] == [
            "Priorität",
            "customfield_10010",
        ]
