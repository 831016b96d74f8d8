"""Kinds of files: what they are called, which extensions claim to be one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Kind(StrEnum):
    """What a file is. All but the last two may be allowed by ATTACHMENT_KINDS."""

    PICTURE = "picture"
    DOCUMENT = "document"
    TEXT = "text"
    ARCHIVE = "archive"
    RECORDING = "recording"
    DIAGNOSTIC = "diagnostic"
    MACROS = "macros"
    WEB = "web"
    PROGRAM = "program"
    UNKNOWN = "unknown"


NAMES: "dict[Kind, _StrPromise]" = {
    Kind.PICTURE: _("a picture"),
    Kind.DOCUMENT: _("a document"),
    Kind.TEXT: _("a text"),
    Kind.ARCHIVE: _("an archive"),
    Kind.RECORDING: _("a recording"),
    Kind.DIAGNOSTIC: _("diagnostic data"),
    Kind.MACROS: _("a document with macros"),
    Kind.WEB: _("a web page or a drawing with scripts"),
    Kind.PROGRAM: _("a program"),
    Kind.UNKNOWN: _("something unknown"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a file's bytes say it is."""

    kind: Kind
    media_type: str


SAFE_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Formats that every browser draws and that can hold no script: the only ones that are ever shown inside a page."""

_EXTENSIONS: dict[Kind, str] = {
    Kind.PICTURE: "png jpg jpeg jpe jfif gif webp bmp tif tiff heic heif avif",
    Kind.DOCUMENT: "pdf doc docx dot dotx xls xlsx xlt xltx ppt pptx pot potx pps ppsx odt ods odp odg rtf msg vsd "
    "vsdx pub one epub",
    Kind.TEXT: "txt log csv tsv md json xml yaml yml ini cfg conf eml ics vcf srt diff patch sql pem cer crt",
    Kind.ARCHIVE: "zip 7z rar gz tgz bz2 tbz xz txz tar cab",
    Kind.RECORDING: "mp4 m4v mov webm mkv avi mp3 m4a wav ogg oga ogv flac",
    Kind.DIAGNOSTIC: "evtx pcap pcapng dmp",
    Kind.MACROS: "docm dotm xlsm xltm xlam pptm potm ppsm ppam",
    Kind.WEB: "html htm xhtml shtml mht mhtml svg svgz",
    # What Windows, macOS or Linux runs, installs, mounts or follows when it is opened.
    Kind.PROGRAM: "exe com scr pif bat cmd ps1 psm1 psd1 ps1xml vbs vbe js jse mjs wsf wsh wsc hta msi msp mst msix "
    "msixbundle appx appxbundle appinstaller application dll sys ocx cpl drv efi jar class apk ipa app dmg pkg deb rpm "
    "sh bash zsh csh command run py pyw pyc rb pl php lnk url scf reg inf chm hlp gadget jnlp iso img vhd vhdx "
    "xll settingcontent-ms library-ms search-ms diagcab",
}
# Documents whose formats have nothing in common. A protected one of the newer kind lies in the older container.
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_EXACT: dict[str, tuple[str, ...]] = {
    "pdf": ("application/pdf",),
    "rtf": ("application/rtf",),
    "docx": (f"{_OPEN_XML}wordprocessingml.", "application/x-ole-storage"),
    "xlsx": (f"{_OPEN_XML}spreadsheetml.", "application/x-ole-storage"),
    "pptx": (f"{_OPEN_XML}presentationml.", "application/x-ole-storage"),
    "odt": ("application/vnd.oasis.opendocument.text",),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet",),
    "odp": ("application/vnd.oasis.opendocument.presentation",),
}
_BY_EXTENSION = {extension: kind for kind, words in _EXTENSIONS.items() for extension in words.split()}


def claimed_kind(name: str) -> Kind | None:
    """Return what the name's last extension claims; None when it claims nothing that is known."""
    return _BY_EXTENSION.get(_extension(name))


def fits_extension(name: str, content: Content) -> bool:
    """Whether a document is of the format that its extension names; true for extensions that name no single format."""
    exact = _EXACT.get(_extension(name))
    return exact is None or content.media_type.startswith(exact)


def _extension(name: str) -> str:
    _stem, dot, extension = name.rpartition(".")
    return extension.strip().lower() if dot else ""
