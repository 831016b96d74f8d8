"""Looking at a picture: where it ends, whether it decodes, and a small copy of it.

Where a picture ends is read from its container's structure (PNG specification, ITU T.81, GIF89a, RIFF), because a
decoder stops there and does not say whether something else follows.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageOps

THUMBNAIL = (480, 320)
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
_BLOCK = 64 * 1024
_PNG_START, _CHUNK_FRAME = 8, 12
_MARKER, _STUFFED, _END_OF_IMAGE, _START_OF_SCAN = 0xFF, 0x00, 0xD9, 0xDA
_GIF_EXTENSION, _GIF_IMAGE, _GIF_TRAILER = 0x21, 0x2C, 0x3B
# What Pillow raises for broken pictures, over all four formats.
_DECODER_FAULTS = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError, ZeroDivisionError,
    AttributeError, struct.error, zlib.error,
)  # fmt: skip


class DamagedPicture(Exception):
    """It begins like a picture of this format, but is none."""


class TooManyPixels(Exception):
    """Decoding it would take more memory than a picture may have."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that decodes. `thumbnail` is a small copy as WebP; `ends` is the position behind the picture."""

    width: int
    height: int
    ends: int
    thumbnail: bytes


def look_at(stream: BinaryIO, media_type: str, *, max_pixels: int) -> Picture:
    """Decode one of the four safe formats.

    Raises TooManyPixels before any pixel is decoded, DamagedPicture when it does not decode or has no end. Memory: four
    bytes a pixel at most, so at most four times `max_pixels`.
    """
    ends = end_of(stream, media_type)
    stream.seek(0)
    try:
        with Image.open(stream, formats=[_FORMATS[media_type]]) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise TooManyPixels
            image.draft("RGB", THUMBNAIL)  # a JPEG is decoded at a fraction of its size
            image.load()
            return Picture(width, height, ends, _small_copy(image))
    except Image.DecompressionBombError as error:  # beyond what Pillow itself decodes
        raise TooManyPixels from error
    except _DECODER_FAULTS as error:
        raise DamagedPicture(str(error)) from error


def _small_copy(image: Image.Image) -> bytes:
    """A WebP without any of the picture's metadata, turned as a camera held it."""
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    image.thumbnail(THUMBNAIL)
    upright = ImageOps.exif_transpose(image)
    target = io.BytesIO()
    bare = upright.convert("RGBA" if has_alpha else "RGB")
    bare.info = {}
    bare.save(target, "WEBP", quality=75, method=2)
    return target.getvalue()


def end_of(stream: BinaryIO, media_type: str) -> int:
    """Return the position behind the picture that begins at 0; DamagedPicture when its structure breaks before that."""
    stream.seek(0)
    try:
        return _ENDS[media_type](stream)
    except (struct.error, IndexError) as error:
        raise DamagedPicture("cut off") from error


def _end_of_png(stream: BinaryIO) -> int:
    position = _PNG_START
    while True:
        stream.seek(position)
        length, kind = struct.unpack(">I4s", stream.read(8))
        position += _CHUNK_FRAME + length
        if kind == b"IEND":
            return _reached(stream, position)


def _end_of_webp(stream: BinaryIO) -> int:
    _riff, length, _form = struct.unpack("<4sI4s", stream.read(12))
    return _reached(stream, 8 + length + length % 2)


def _end_of_gif(stream: BinaryIO) -> int:
    header = stream.read(13)
    stream.seek(_colours(header[10]), io.SEEK_CUR)
    while True:
        block = stream.read(1)[0]
        if block == _GIF_TRAILER:
            return stream.tell()
        if block == _GIF_EXTENSION:
            stream.seek(1, io.SEEK_CUR)
        elif block == _GIF_IMAGE:
            stream.seek(_colours(stream.read(9)[8]) + 1, io.SEEK_CUR)
        else:
            raise DamagedPicture("an unknown block")
        while size := stream.read(1)[0]:
            stream.seek(size, io.SEEK_CUR)


def _colours(flags: int) -> int:
    """The size of a colour table, in bytes."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_jpeg(stream: BinaryIO) -> int:
    stream.seek(2)
    marker = _marker(stream)
    while marker != _END_OF_IMAGE:
        (length,) = struct.unpack(">H", stream.read(2))
        stream.seek(max(length - 2, 0), io.SEEK_CUR)
        if marker == _START_OF_SCAN:
            _skip_scan(stream)
        marker = _marker(stream)
    return stream.tell()


def _marker(stream: BinaryIO) -> int:
    """The next marker; fill bytes before it are allowed."""
    if stream.read(1)[0] != _MARKER:
        raise DamagedPicture("a marker is missing")
    marker = _MARKER
    while marker == _MARKER:
        marker = stream.read(1)[0]
    return marker


def _skip_scan(stream: BinaryIO) -> None:
    """Go to the marker that ends the coded data: stuffed zeros and restart markers belong to it."""
    before = b""
    while block := stream.read(_BLOCK):
        data = before + block
        at = data.find(_MARKER)
        while 0 <= at < len(data) - 1:
            if data[at + 1] not in (_STUFFED, _MARKER) and not 0xD0 <= data[at + 1] <= 0xD7:  # noqa: PLR2004  (RST0-7)
                stream.seek(at - len(data), io.SEEK_CUR)
                return
            at = data.find(_MARKER, at + (1 if data[at + 1] == _MARKER else 2))
        before = data[-1:] if at == len(data) - 1 else b""
    raise DamagedPicture("cut off")


def _reached(stream: BinaryIO, position: int) -> int:
    """`position`, if the stream is that long."""
    if stream.seek(0, io.SEEK_END) < position:
        raise DamagedPicture("cut off")
    return position


_ENDS = {"image/png": _end_of_png, "image/jpeg": _end_of_jpeg, "image/gif": _end_of_gif, "image/webp": _end_of_webp}
