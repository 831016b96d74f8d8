"""Files for tests: real ones of each kind, made here, and hostile ones."""

import io
import zipfile
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image

from tickets.services.attachments import StoredFile, message_rule, store_upload


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), colour: str = "teal", **options: Any) -> bytes:
    """A picture in one of Pillow's formats."""
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, kind, **options)
    return target.getvalue()


def archive(**members: str | bytes) -> bytes:
    """A ZIP file; `__` in a member's name stands for a slash, `_DOT_` for a dot."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            container.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
    return target.getvalue()


def office(folder: str = "word", **more: str | bytes) -> bytes:
    """A document in Microsoft's newer format: docx, xlsx or pptx by `folder` word, xl or ppt."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("[Content_Types].xml", "<Types/>")
        container.writestr(f"{folder}/document.xml", "<document/>")
        for name, content in more.items():
            container.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
    return target.getvalue()


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PROGRAM = b"MZ\x90\x00" + bytes(200)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!DOCTYPE html><html><script>alert(1)</script></html>"


def named(content: bytes, name: str) -> ContentFile[bytes]:
    return ContentFile(content, name)


def stored(content: bytes = b"The log of a bad day.\n", name: str = "bad-day.log") -> StoredFile:
    """A file in storage that no row names yet."""
    return store_upload(named(content, name), rule=message_rule())
