"""No text from outside can leave its quotes in a query."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from supporthub.integrations.jira.jql import labelled, quote

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)
ESCAPED = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t"}


def unquote(literal: str) -> str:
    """Read a JQL string the way Jira's grammar does; fails for anything that is not exactly one string."""
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', literal, re.DOTALL), literal
    return re.sub(r"\\.", lambda found: ESCAPED[found.group()], literal[1:-1], flags=re.DOTALL)


@given(ANY_TEXT)
def test_a_quoted_value_is_one_string_that_reads_back_as_the_value(value: str) -> None:
    kept = "".join(c for c in value if c in "\n\r\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    assert unquote(quote(value)) == kept


@given(ANY_TEXT)
def test_a_quoted_value_holds_no_control_characters(value: str) -> None:
    assert not [c for c in quote(value) if unicodedata.category(c) in {"Cc", "Cs"}]


@given(ANY_TEXT, ANY_TEXT)
def test_a_query_has_the_same_shape_whatever_its_values(project: str, label: str) -> None:
    shape = re.sub(r'"(?:[^"\\]|\\.)*"', "?", labelled(project, label), flags=re.DOTALL)
    assert shape == "project = ? AND labels = ? ORDER BY id ASC"


def test_the_backslash_is_escaped_before_the_quote() -> None:
    assert quote('a\\" OR project = "B') == '"a\\\\\\" OR project = \\"B"'


def test_a_project_named_like_a_reserved_word_is_quoted() -> None:
    assert labelled("DO", "ext-1").startswith('project = "DO" AND ')
