"""What a file is by its bytes. Signatures are from the formats' own specifications; names are not looked at."""

import re
from collections.abc import Callable

from tickets.parsing.kinds import Content, Kind

SAMPLE = 64 * 1024
"""How much of the beginning and of the end `sniff` wants to see."""

_PICTURE, _ARCHIVE, _RECORDING = Kind.PICTURE, Kind.ARCHIVE, Kind.RECORDING
_STARTS: tuple[tuple[bytes, Content], ...] = (
    (b"\x89PNG\r\n\x1a\n", Content(_PICTURE, "image/png")),
    (b"\xff\xd8\xff", Content(_PICTURE, "image/jpeg")),
    (b"GIF87a", Content(_PICTURE, "image/gif")),
    (b"GIF89a", Content(_PICTURE, "image/gif")),
    (b"II*\x00", Content(_PICTURE, "image/tiff")),
    (b"MM\x00*", Content(_PICTURE, "image/tiff")),
    (b"7z\xbc\xaf\x27\x1c", Content(_ARCHIVE, "application/x-7z-compressed")),
    (b"Rar!\x1a\x07", Content(_ARCHIVE, "application/vnd.rar")),
    (b"\x1f\x8b\x08", Content(_ARCHIVE, "application/gzip")),
    (b"BZh", Content(_ARCHIVE, "application/x-bzip2")),
    (b"\xfd7zXZ\x00", Content(_ARCHIVE, "application/x-xz")),
    (b"MSCF\x00\x00\x00\x00", Content(_ARCHIVE, "application/vnd.ms-cab-compressed")),
    (b"{\\rtf", Content(Kind.DOCUMENT, "application/rtf")),
    (b"OggS", Content(_RECORDING, "application/ogg")),
    (b"fLaC", Content(_RECORDING, "audio/flac")),
    (b"ID3", Content(_RECORDING, "audio/mpeg")),
    (b"\xff\xfb", Content(_RECORDING, "audio/mpeg")),
    (b"\xff\xf3", Content(_RECORDING, "audio/mpeg")),
    (b"\x1aE\xdf\xa3", Content(_RECORDING, "video/webm")),
    (b"ElfFile\x00", Content(Kind.DIAGNOSTIC, "application/octet-stream")),
    (b"\xd4\xc3\xb2\xa1", Content(Kind.DIAGNOSTIC, "application/vnd.tcpdump.pcap")),
    (b"\xa1\xb2\xc3\xd4", Content(Kind.DIAGNOSTIC, "application/vnd.tcpdump.pcap")),
    (b"MDMP", Content(Kind.DIAGNOSTIC, "application/octet-stream")),
    (b"PAGEDU", Content(Kind.DIAGNOSTIC, "application/octet-stream")),
)
_PROGRAM = Content(Kind.PROGRAM, "application/octet-stream")
_PROGRAM_STARTS = (
    b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"#!", b"L\x00\x00\x00\x01\x14\x02\x00", b"ITSF",
)  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Class ids of Windows Installer packages, patches and transforms, as they lie in a file's root entry.
_INSTALLERS = frozenset(
    bytes.fromhex(f"{first}10 0c 00 00 00 00 00 c0 00 00 00 00 00 00 46") for first in ("84", "86", "82")
)
_UNKNOWN = Content(Kind.UNKNOWN, "application/octet-stream")
_TEXT = Content(Kind.TEXT, "text/plain")
_WEB = Content(Kind.WEB, "text/html")
# The beginnings by which browsers take something for a page (WHATWG MIME sniffing), and drawings.
_PAGE = re.compile(
    r"<(?:!doctype\s+(?:html|svg)|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|svg|object|embed|"
    r"meta|link|base|img|form)(?=[\s/>])",
    re.IGNORECASE,
)
_PAGE_IN_XML = re.compile(r"<(?:\w+:)?(?:svg|html)(?=[\s/>])|<!doctype\s+(?:html|svg)", re.IGNORECASE)
_LEADING_NOISE = re.compile(r"(?:\s+|<!--.*?-->|<\?xml.*?\?>)", re.DOTALL)
_BAD_IN_TEXT = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f]")


Peek = Callable[[int, int], bytes]


def sniff(head: bytes, tail: bytes = b"", peek: Peek | None = None) -> Content:
    """Say what a file is, from its first and last SAMPLE bytes; what nothing fits is UNKNOWN.

    `peek(position, size)` reads elsewhere in the file, fewer bytes where it ends. Raises only what `peek` raises.
    """
    if head.startswith(_PROGRAM_STARTS):
        return _PROGRAM
    for start, content in _STARTS:
        if head.startswith(start):
            return content
    if head.startswith(_OLE):
        return _ole(head, peek or (lambda position, size: head[position : position + size]))
    for look in (_pdf, _riff, _media, _bitmap, _capture, _zip, _tar, _text):
        found = look(head, tail)
        if found is not None:
            return found
    return _UNKNOWN


def _pdf(head: bytes, _tail: bytes) -> Content | None:
    return (
        Content(Kind.DOCUMENT, "application/pdf") if head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-") else None
    )


def _riff(head: bytes, _tail: bytes) -> Content | None:
    if not head.startswith(b"RIFF"):
        return None
    forms = {b"WEBP": Content(_PICTURE, "image/webp"), b"WAVE": Content(_RECORDING, "audio/wav"),
             b"AVI ": Content(_RECORDING, "video/x-msvideo")}  # fmt: skip
    return forms.get(head[8:12])


def _media(head: bytes, _tail: bytes) -> Content | None:
    """ISO base media: films, sound, and the pictures that phones make."""
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    if brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return Content(_PICTURE, "image/heic")
    if brand in (b"avif", b"avis"):
        return Content(_PICTURE, "image/avif")
    return Content(_RECORDING, "video/quicktime" if brand == b"qt  " else "video/mp4")


def _bitmap(head: bytes, _tail: bytes) -> Content | None:
    is_bitmap = head.startswith(b"BM") and head[14:18] in (b"\x0c\0\0\0", b"(\0\0\0", b"l\0\0\0", b"|\0\0\0")
    return Content(_PICTURE, "image/bmp") if is_bitmap else None


def _capture(head: bytes, _tail: bytes) -> Content | None:
    """pcapng: its first four bytes are white space to a browser, so the byte-order mark counts too."""
    is_capture = head.startswith(b"\n\r\r\n") and head[8:12] in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")
    return Content(Kind.DIAGNOSTIC, "application/vnd.tcpdump.pcap") if is_capture else None


def _zip(head: bytes, tail: bytes) -> Content | None:
    """A ZIP file, or what is one inside: its members' names, in their headers and in the directory at the end, tell."""
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return None
    both = head + tail
    if any(name in both for name in (b"META-INF/MANIFEST.MF", b"AndroidManifest.xml", b"AppxManifest.xml")):
        return _PROGRAM
    if b"vbaProject.bin" in both:
        return Content(Kind.MACROS, "application/octet-stream")
    if b"[Content_Types].xml" in both:
        for folder, kind in ((b"word/", "wordprocessingml.document"), (b"xl/", "spreadsheetml.sheet"),
                             (b"ppt/", "presentationml.presentation")):  # fmt: skip
            if folder in both:
                return Content(Kind.DOCUMENT, f"application/vnd.openxmlformats-officedocument.{kind}")
        if b"visio/" in both:
            return Content(Kind.DOCUMENT, "application/vnd.ms-visio.drawing")
    if head[30:38] == b"mimetype":
        declared = re.match(rb"application/(?:vnd\.oasis\.opendocument\.[a-z]+|epub\+zip)", head[38:120])
        if declared:
            return Content(Kind.DOCUMENT, declared.group().decode())
    return Content(_ARCHIVE, "application/zip")


def _ole(head: bytes, peek: Peek) -> Content:
    """Office documents and mails of the older kind share their container with Windows Installer packages.

    The container's root entry, whose place the header names, holds the class that tells them apart.
    """
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 16)
    root = (int.from_bytes(head[48:52], "little") + 1) * sector
    is_installer = peek(root + 80, 16) in _INSTALLERS
    return _PROGRAM if is_installer else Content(Kind.DOCUMENT, "application/x-ole-storage")


def _tar(head: bytes, _tail: bytes) -> Content | None:
    return Content(_ARCHIVE, "application/x-tar") if head[257:262] == b"ustar" else None


def _text(head: bytes, _tail: bytes) -> Content | None:
    text = _decoded(head)
    if text is None:
        return None
    beginning = text.lstrip("\ufeff")[:4096]
    bare = beginning
    while noise := _LEADING_NOISE.match(bare):
        bare = bare[noise.end() :]
    if _PAGE.match(bare) or (beginning.lstrip().startswith("<?xml") and _PAGE_IN_XML.search(beginning)):
        return _WEB
    return _TEXT


def _decoded(head: bytes) -> str | None:
    """The sample as text, or None when it is none: at most one control character in a hundred bytes."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
        return text if text.count("\ufffd") * 100 <= len(text) and "\x00" not in text else None
    if not head or b"\x00" in head or len(_BAD_IN_TEXT.findall(head)) * 100 > len(head):
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 3:  # a character cut by the end of the sample
            return head[: error.start].decode("utf-8")
        return head.decode("cp1252", "replace")
