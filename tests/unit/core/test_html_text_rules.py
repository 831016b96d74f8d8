import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.text import clean_text, compose, one_line, safe_link

any_text = st.text(st.characters(), max_size=80)


def test_clean_text_composes_and_unifies_line_ends() -> None:
    assert clean_text("e\u0301\r\nx\ry\tz") == "\u00e9\nx\ny\tz"


def test_clean_text_removes_nul_and_controls() -> None:
    assert clean_text("a\x00b\x07c\x0bd\x7fe\x85f\uffffg") == "abcdefg"


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert clean_text("a\ud83db\udc00") == "a\ufffdb\ufffd"


def test_a_surrogate_pair_becomes_its_character() -> None:
    assert clean_text("\ud83d\ude00") == "\U0001f600"


@given(any_text)
def test_clean_text_is_idempotent_encodable_and_composed(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert clean.encode().decode() == clean
    assert unicodedata.is_normalized("NFC", clean)


def test_composing_a_long_run_of_marks_ends_and_keeps_every_mark() -> None:
    marks = "\u0315\u0334" * 100_000
    assert sum(compose("a" + marks).count(mark) for mark in "\u0315\u0334") == len(marks)


def test_one_line_drops_bidi_controls_and_collapses_white_space() -> None:
    assert one_line("  Re:\u202egnp.exe\u2066 \r\n\t x\u00a0y ", 50) == "Re:gnp.exe x y"


def test_one_line_cuts_by_code_point_with_an_ellipsis() -> None:
    assert one_line("\U0001f600" * 10, 4) == "\U0001f600" * 3 + "…"
    assert one_line("abc def", 5) == "abc…"
    assert one_line("abcde", 5) == "abcde"


def test_one_line_refuses_a_limit_below_one() -> None:
    with pytest.raises(ValueError, match="limit"):
        one_line("x", 0)


@given(any_text, st.integers(1, 20))
def test_one_line_keeps_its_limit_and_is_one_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    line.encode()


@pytest.mark.parametrize(
    ("given_link", "expected"),
    [
        ("https://e.org/a", "https://e.org/a"),
        (" HTTP://E.org/a b\n", "HTTP://E.org/a%20b"),
        ("mailto:a@e.org", "mailto:a@e.org"),
        ("tel:+43123", "tel:+43123"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("\x01javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("cid:image001.png", None),
        ("/admin/", None),
        ("//e.org/x", None),
        ("http:", None),
        ("http://", None),
        ("http://[broken", None),
        ("https:\\\\e.org", None),
        ("https://e.org/" + "x" * 3_000, None),
        ("", None),
    ],
)
def test_only_absolute_harmless_addresses_are_links(given_link: str, expected: str | None) -> None:
    assert safe_link(given_link) == expected
