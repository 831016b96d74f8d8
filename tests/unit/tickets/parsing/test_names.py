"""A client's file name is shown, and never anything else."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.parsing.names import LONGEST, shown_name, with_marker

ANY_TEXT = st.text(alphabet=st.characters(), max_size=400)


@given(ANY_TEXT)
def test_a_shown_name_is_short_visible_and_no_path(raw: str) -> None:
    name = shown_name(raw)
    assert 0 < len(name) <= LONGEST
    assert not set(name) & set('/\\<>:"|?*;\r\n\t')
    assert not name.startswith(".")
    assert name == name.strip(" .")
    assert not {unicodedata.category(char) for char in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANY_TEXT)
def test_cleaning_a_clean_name_changes_nothing(raw: str) -> None:
    assert shown_name(shown_name(raw)) == shown_name(raw)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("error.png", "error.png"),
        ("Fehler – größer.png", "Fehler – größer.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\report.pdf", "report.pdf"),
        ("/etc/cron.d/", "file"),
        ("..", "file"),
        ("", "file"),
        (".htaccess", "htaccess"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth.txt", "zerowidth.txt"),
        ("null\x00byte.txt", "nullbyte.txt"),
        ("two\r\nlines.txt", "two lines.txt"),
        ('a"; filename="b.exe', "a__ filename=_b.exe"),
        ("report.pdf. . .", "report.pdf"),
        ("x" * 300 + ".png", "x" * (LONGEST - 4) + ".png"),
        ("x" * 300 + "." + "y" * 300, "x" * LONGEST),
    ],
)
def test_names_that_clients_send(raw: str, shown: str) -> None:
    assert shown_name(raw) == shown


@given(ANY_TEXT)
def test_a_marker_stands_before_the_extension_and_is_found_again(raw: str) -> None:
    name = shown_name(raw)
    marked = with_marker(name, "k3x9q2hv7m")
    assert "-k3x9q2hv7m" in marked
    assert marked.replace("-k3x9q2hv7m", "") == name
    assert len(marked) <= 160


def test_the_extension_stays_so_that_other_systems_know_the_type() -> None:
    assert with_marker("error.png", "m") == "error-m.png"
    assert with_marker("README", "m") == "README-m"
