"""What a file is, by its bytes alone."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.files import PAGE, PDF, PROGRAM, SVG, archive, office, picture
from tickets.parsing.kinds import Kind
from tickets.parsing.signatures import SAMPLE, sniff

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\x00\x03\x00\xfe\xff\x09\x00" + bytes(16)
INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")


def ole(root_class: bytes, directory_sector: int) -> bytes:
    """The older Office container with its root entry in the given sector of 512 bytes."""
    header = (OLE + directory_sector.to_bytes(4, "little")).ljust(512, b"\x00")
    entry = "Root Entry".encode("utf-16-le").ljust(80, b"\x00") + root_class
    return header + bytes(512 * directory_sector) + entry.ljust(512, b"\x00")


def tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as container:
        container.addfile(tarfile.TarInfo("a.log"), io.BytesIO(b""))
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "media_type"),
    [
        (picture("PNG"), Kind.PICTURE, "image/png"),
        (picture("JPEG"), Kind.PICTURE, "image/jpeg"),
        (picture("GIF"), Kind.PICTURE, "image/gif"),
        (picture("WEBP"), Kind.PICTURE, "image/webp"),
        (picture("BMP"), Kind.PICTURE, "image/bmp"),
        (picture("TIFF"), Kind.PICTURE, "image/tiff"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(20), Kind.PICTURE, "image/heic"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(20), Kind.RECORDING, "video/mp4"),
        (PDF, Kind.DOCUMENT, "application/pdf"),
        (b"\xef\xbb\xbf\n" + PDF, Kind.DOCUMENT, "application/pdf"),
        (office("word"), Kind.DOCUMENT, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (office("xl"), Kind.DOCUMENT, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (office("xl", xl__vbaProject_DOT_bin=b"macro"), Kind.MACROS, "application/octet-stream"),
        (archive(a_DOT_log="x"), Kind.ARCHIVE, "application/zip"),
        (archive(), Kind.ARCHIVE, "application/zip"),
        (archive(**{"META-INF__MANIFEST_DOT_MF": "x"}), Kind.PROGRAM, "application/octet-stream"),
        (gzip.compress(b"x"), Kind.ARCHIVE, "application/gzip"),
        (tar(), Kind.ARCHIVE, "application/x-tar"),
        (ole(bytes(16), 0), Kind.DOCUMENT, "application/x-ole-storage"),
        (ole(INSTALLER, 0), Kind.PROGRAM, "application/octet-stream"),
        (b"{\\rtf1 text}", Kind.DOCUMENT, "application/rtf"),
        (b"plain words\n", Kind.TEXT, "text/plain"),
        ("größer\n".encode("cp1252"), Kind.TEXT, "text/plain"),
        ("größer\n".encode("utf-16"), Kind.TEXT, "text/plain"),
        (b'{"a": 1}', Kind.TEXT, "text/plain"),
        (b"<?xml version='1.0'?><log/>", Kind.TEXT, "text/plain"),
        (b"\x1b[31mred\x1b[0m output\n" * 9, Kind.TEXT, "text/plain"),
        (b"ElfFile\x00" + bytes(100), Kind.DIAGNOSTIC, "application/octet-stream"),
        (b"\n\r\r\n\x1c\x00\x00\x00\x4d\x3c\x2b\x1a" + bytes(20), Kind.DIAGNOSTIC, "application/vnd.tcpdump.pcap"),
        (b"\n\r\r\n" + PAGE, Kind.WEB, "text/html"),
        (PAGE, Kind.WEB, "text/html"),
        (b"\n<!-- hello -->\n<html>", Kind.WEB, "text/html"),
        (SVG, Kind.WEB, "text/html"),
        (b"<svg onload=alert(1)>", Kind.WEB, "text/html"),
        (b"<script>alert(1)</script>", Kind.WEB, "text/html"),
        (b"<?xml version='1.0'?><x:html xmlns:x='http://www.w3.org/1999/xhtml'/>", Kind.WEB, "text/html"),
        (PROGRAM, Kind.PROGRAM, "application/octet-stream"),
        (b"\x7fELF" + bytes(60), Kind.PROGRAM, "application/octet-stream"),
        (b"#!/bin/sh\nrm -rf /\n", Kind.PROGRAM, "application/octet-stream"),
        (bytes(range(256)) * 4, Kind.UNKNOWN, "application/octet-stream"),
        (b"", Kind.UNKNOWN, "application/octet-stream"),
    ],
)
def test_kinds_by_content(content: bytes, kind: Kind, media_type: str) -> None:
    found = sniff(content[:SAMPLE], content[-SAMPLE:])
    assert (found.kind, found.media_type) == (kind, media_type)


def test_an_installer_is_known_by_its_root_entry_however_far_back_it_lies() -> None:
    content = ole(INSTALLER, 1000)
    found = sniff(content[:SAMPLE], content[-SAMPLE:], lambda position, size: content[position : position + size])
    assert found.kind is Kind.PROGRAM


def test_members_of_an_archive_are_seen_in_the_directory_at_its_end() -> None:
    content = archive(big_DOT_bin=bytes(range(256)) * 2000, **{"META-INF__MANIFEST_DOT_MF": "x"})
    padded = content[:SAMPLE].ljust(SAMPLE, b"\x00")
    assert sniff(padded.replace(b"META-INF", b"--------"), content[-SAMPLE:]).kind is Kind.PROGRAM


@given(st.binary(max_size=2000), st.binary(max_size=200))
def test_no_bytes_break_it(head: bytes, tail: bytes) -> None:
    sniff(head, tail)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_words_are_text_unless_they_begin_like_something_else(words: str) -> None:
    assert sniff(("Dear all, " + words).encode()).kind is Kind.TEXT


@given(st.sampled_from([PAGE, SVG, b"<iframe src=x>"]), st.text(alphabet=" \t\r\n", max_size=50))
def test_a_page_is_a_page_behind_any_white_space(page: bytes, space: str) -> None:
    assert sniff(space.encode() + page).kind is Kind.WEB
