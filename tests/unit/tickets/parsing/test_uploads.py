"""What is taken and what is not, and the words of the refusals."""

from dataclasses import replace

import pytest

from supporthub.settings.files import DEFAULT_KINDS, KINDS, MB
from tests.factories.files import PAGE, PDF, PROGRAM, SVG, archive, office, picture
from tickets.parsing.kinds import NAMES, Kind, claimed_kind
from tickets.parsing.signatures import sniff
from tickets.parsing.uploads import Refused, UploadRule, check_content, check_size, tray_rule

RULE = UploadRule("attachments", 25 * MB, frozenset(DEFAULT_KINDS.split(",")), 50_000_000)
TRAY = tray_rule(max_bytes=10 * MB, max_pixels=50_000_000)


def refusal(rule: UploadRule, content: bytes, name: str, declared: str = "") -> str:
    with pytest.raises(Refused) as refused:
        check_content(rule, sniff(content), name=name, declared=declared)
    return refused.value.words


def taken(rule: UploadRule, content: bytes, name: str, declared: str = "") -> None:
    check_content(rule, sniff(content), name=name, declared=declared)


def test_the_settings_know_the_same_kinds() -> None:
    assert set(KINDS) == {kind.value for kind in Kind} - {Kind.PROGRAM, Kind.UNKNOWN}
    assert set(DEFAULT_KINDS.split(",")) == set(KINDS) - {Kind.MACROS, Kind.WEB}
    assert set(NAMES) == set(Kind)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (picture(), "error.png"),
        (picture("JPEG"), "holiday.png"),  # programs that save pictures under another's extension are everywhere
        (PDF, "report.pdf"),
        (office("word"), "letter.docx"),
        (archive(a_DOT_log="x"), "logs.zip"),
        (b"2026-11-22 it stopped\n", "bad-day.log"),
        (b"key: value\n", "settings.unheard-of"),
        (b"From: a@b\n\nHello", "mail.eml"),
        (PDF, "report"),
    ],
)
def test_what_support_needs_is_taken(content: bytes, name: str) -> None:
    taken(RULE, content, name)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PROGRAM, "setup.exe"), (PROGRAM, "picture.png"), (PROGRAM, "notes"), (b"echo hi\n", "run.bat"),
        (b"Get-Process\n", "run.PS1"), (b"[InternetShortcut]\n", "link.url"), (b"#!/bin/sh\n", "notes.txt"),
        (archive(**{"META-INF__MANIFEST_DOT_MF": "x"}), "logs.zip"), (picture(), "picture.png.exe"),
    ],
)  # fmt: skip
def test_programs_are_never_taken_whatever_is_allowed(content: bytes, name: str) -> None:
    everything = replace(RULE, kinds=frozenset(Kind))
    assert refusal(everything, content, name) == "Programs and scripts are not taken."


@pytest.mark.parametrize(
    ("content", "name"),
    [(PAGE, "error.png"), (SVG, "error.png"), (archive(a="x"), "error.png"), (b"words", "error.png"),
     (picture(), "report.pdf"), (PDF, "letter.docx"), (archive(a="x"), "letter.docx"), (picture(), "notes.txt"),
     (office("xl", xl__vbaProject_DOT_bin=b"m"), "sums.xlsx")],
)  # fmt: skip
def test_a_name_that_says_something_else_than_the_content_is_refused(content: bytes, name: str) -> None:
    assert refusal(RULE, content, name).startswith("The name says that this is ")


def test_a_protected_office_document_lies_in_the_older_container_and_is_taken() -> None:
    taken(RULE, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "salaries.xlsx")


def test_a_declared_picture_must_be_one() -> None:
    assert "the content is a text" in refusal(RULE, b"words", "clipboard", declared="image/png")
    taken(RULE, b"words", "clipboard", declared="application/pdf")  # made up from a name by the client


@pytest.mark.parametrize(("content", "name"), [(PAGE, "page.html"), (SVG, "drawing.svg"), (PAGE, "page")])
def test_pages_and_drawings_are_only_taken_where_a_lead_allows_them(content: bytes, name: str) -> None:
    assert "Taken are:" in refusal(RULE, content, name)
    taken(replace(RULE, kinds=RULE.kinds | {Kind.WEB}), content, name)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_tray_takes_four_formats_under_any_picture_name(kind: str) -> None:
    taken(TRAY, picture(kind), "screen.png", "image/png")
    taken(TRAY, picture(kind), "screen", "application/octet-stream")


@pytest.mark.parametrize("content", [SVG, PAGE, PDF, archive(a="x"), picture("BMP"), picture("TIFF"), b"GIF", b"words"])
def test_the_tray_takes_nothing_else_as_its_picture(content: bytes) -> None:
    assert "Only PNG, JPEG, GIF and WebP pictures are taken here" in refusal(TRAY, content, "screen.png", "image/png")


def test_sizes_at_the_edge() -> None:
    check_size(RULE, RULE.max_bytes)
    for size, too_large in ((0, False), (RULE.max_bytes + 1, True)):
        with pytest.raises(Refused) as refused:
            check_size(RULE, size)
        assert refused.value.too_large is too_large


def test_only_the_last_extension_counts() -> None:
    assert claimed_kind("invoice.pdf.exe") is Kind.PROGRAM
    assert claimed_kind("archive.tar.gz") is Kind.ARCHIVE
    assert claimed_kind("noextension") is None
