"""Where a picture ends, and what decodes."""

import io
import struct
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.factories.files import archive, picture
from tickets.parsing.pictures import THUMBNAIL, DamagedPicture, TooManyPixels, end_of, look_at

TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
MANY = 50_000_000
each_format = pytest.mark.parametrize("kind", TYPES)


def looked(content: bytes, kind: str, max_pixels: int = MANY) -> tuple[int, int, int]:
    found = look_at(io.BytesIO(content), TYPES[kind], max_pixels=max_pixels)
    return found.width, found.height, found.ends


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it is this large, in a hundred bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@each_format
def test_a_picture_ends_where_its_file_ends(kind: str) -> None:
    content = picture(kind, (60, 40))
    assert looked(content, kind) == (60, 40, len(content))


@each_format
@pytest.mark.parametrize("tail", [b"x", archive(a="x"), b"<script>alert(1)</script>", b"\x00" * 10])
def test_what_hangs_behind_a_picture_is_seen(kind: str, tail: bytes) -> None:
    content = picture(kind)
    assert looked(content + tail, kind)[2] == len(content)


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"quality": 1}, {"quality": 100}, {"comment": b"\xff\xd9" * 9}]
)
def test_jpegs_of_every_make_are_read_to_their_end(options: dict[str, object]) -> None:
    noise = Image.effect_noise((300, 200), 90).convert("RGB")
    target = io.BytesIO()
    noise.save(target, "JPEG", **options)
    assert looked(target.getvalue(), "JPEG") == (300, 200, len(target.getvalue()))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animations_are_pictures(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    target = io.BytesIO()
    frames[0].save(target, kind, save_all=True, append_images=frames[1:])
    assert looked(target.getvalue(), kind) == (20, 20, len(target.getvalue()))


@each_format
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_picture_is_damaged(kind: str, data: st.DataObject) -> None:
    content = picture(kind, (60, 40))
    length = data.draw(st.integers(len(content) // 10, len(content) - 1))
    with pytest.raises(DamagedPicture):
        look_at(io.BytesIO(content[:length]), TYPES[kind], max_pixels=MANY)


@each_format
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_changed_in_a_picture_is_a_picture_or_damaged(kind: str, data: st.DataObject) -> None:
    content = bytearray(picture(kind, (60, 40)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        look_at(io.BytesIO(bytes(content)), TYPES[kind], max_pixels=1_000_000)
    except (DamagedPicture, TooManyPixels):
        pass


@each_format
@given(content=st.binary(max_size=300))
@example(content=b"")
def test_no_bytes_make_the_search_for_the_end_fail_otherwise(kind: str, content: bytes) -> None:
    try:
        assert end_of(io.BytesIO(content), TYPES[kind]) <= len(content)
    except DamagedPicture:
        pass


def test_a_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(TooManyPixels):
        look_at(io.BytesIO(png_of(60_000, 60_000)), "image/png", max_pixels=MANY)
    with pytest.raises(TooManyPixels):
        look_at(io.BytesIO(png_of(60_000, 60_000)), "image/png", max_pixels=4_000_000_000)
    with pytest.raises(TooManyPixels):
        look_at(io.BytesIO(picture(size=(2001, 1000))), "image/png", max_pixels=2_000_000)


def test_a_picture_under_another_formats_name_is_damaged() -> None:
    with pytest.raises(DamagedPicture):
        look_at(io.BytesIO(picture("GIF")), "image/png", max_pixels=MANY)


def test_the_small_copy_is_small_upright_and_says_nothing_about_the_camera() -> None:
    source = Image.new("RGB", (1200, 600), "teal")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera's name"  # turned by a quarter; maker
    target = io.BytesIO()
    source.save(target, "JPEG", exif=exif)
    copy = look_at(io.BytesIO(target.getvalue()), "image/jpeg", max_pixels=MANY).thumbnail
    with Image.open(io.BytesIO(copy)) as small:
        assert small.format == "WEBP"
        assert small.height > small.width
        assert max(small.size) <= max(THUMBNAIL)
    assert b"A camera" not in copy


def test_transparency_survives_in_the_small_copy() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(target, "PNG")
    copy = look_at(io.BytesIO(target.getvalue()), "image/png", max_pixels=MANY).thumbnail
    with Image.open(io.BytesIO(copy)) as small:
        assert small.mode == "RGBA"
