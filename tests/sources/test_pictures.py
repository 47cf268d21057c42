from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from classpulse.errors import SourceError
from classpulse.settings import StreamSettings
from classpulse.sources import open_source
from classpulse.sources.pictures import PictureRecording, read_picture
from classpulse.sources.recorded import RecordedSource

if TYPE_CHECKING:
    from pathlib import Path


def png_header(width: int, height: int) -> bytes:
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" * 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def save(path: Path, mode: str = "RGB", colour: object = (255, 0, 0), size: tuple[int, int] = (32, 24)) -> Path:
    Image.new(mode, size, colour).save(path)  # type: ignore[arg-type]
    return path


def test_a_real_photograph_is_read(test_data: Path) -> None:
    image = read_picture(test_data / "clips" / "five-people.jpg")
    assert image.shape == (667, 1000, 3)
    assert image.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(
    ("name", "mode", "colour", "bgr"),
    [
        ("a.png", "RGB", (255, 128, 0), (0, 128, 255)),
        ("a.png", "L", 77, (77, 77, 77)),
        ("a.png", "LA", (77, 255), (77, 77, 77)),
        ("a.png", "RGBA", (255, 0, 0, 255), (0, 0, 255)),
        ("a.png", "RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("a.png", "1", 1, (255, 255, 255)),
        ("a.png", "I;16", 0x4D00, (77, 77, 77)),
        ("a.jpg", "CMYK", (0, 255, 255, 0), (0, 0, 255)),
        ("a.bmp", "RGB", (255, 128, 0), (0, 128, 255)),
        ("a.tiff", "RGB", (255, 128, 0), (0, 128, 255)),
    ],
)
def test_every_kind_of_colour_becomes_bgr(
    tmp_path: Path, name: str, mode: str, colour: object, bgr: tuple[int, int, int]
) -> None:
    image = read_picture(save(tmp_path / name, mode, colour))
    assert image.shape == (24, 32, 3)
    assert image.dtype == np.uint8
    assert image.mean(axis=(0, 1)) == pytest.approx(bgr, abs=3)


def test_a_palette_with_a_transparent_entry_is_read(tmp_path: Path) -> None:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, 10, 200, 30])
    picture.save(tmp_path / "a.png", transparency=bytes([0, 255]))
    assert tuple(read_picture(tmp_path / "a.png")[0, 0]) == (30, 200, 10)


def test_a_photograph_taken_sideways_is_turned_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20))
    picture.paste("white", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter clockwise
    picture.save(tmp_path / "a.jpg", exif=exif)
    image = read_picture(tmp_path / "a.jpg")
    assert image.shape == (40, 20, 3)
    assert image[:15].mean() > 240
    assert image[25:].mean() < 15


@pytest.mark.fault("decompression bombs")
@pytest.mark.parametrize("size", [(30000, 30000), (10000, 10000), (8001, 8000)])
def test_a_header_that_claims_too_much_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(*size))
    with pytest.raises(SourceError, match=r"bomb\.png claims a picture .*more than 64 million pixels"):
        read_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "content", [b"", b"hello", png_header(10, 10), b"\xff\xd8\xff\xe0" + b"\0" * 50, b"%!PS-Adobe-3.0 EPSF-3.0"]
)
def test_a_broken_picture_alone_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "class.png"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"^class\.png cannot be read as a picture"):
        RecordedSource(PictureRecording([path], path.name))


def test_an_iphones_own_pictures_are_named_as_pictures(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 50)
    for given in (path, tmp_path):
        with pytest.raises(
            SourceError, match=r"IMG_1.HEIC cannot be read as a picture .*: save it again as jpg or png"
        ):
            open_source(given, StreamSettings(), fast=True)


def test_a_truncated_photograph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "class.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(SourceError, match="truncated"):
        read_picture(path)


def test_a_folder_is_read_in_natural_order_and_what_is_broken_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (10, 2, 1):
        save(tmp_path / f"shot {number}.png", colour=(number, number, number))
    (tmp_path / "shot 3.jpg").write_text("not a picture")
    source = RecordedSource(PictureRecording(list(tmp_path.iterdir()), "shots"), fast=True)
    frames = list(source.frames())
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [frame.time_s for frame in frames] == [0, 2, 6]
    assert [frame.index for frame in frames] == [0, 1, 3]
    assert [frame.file for frame in frames] == ["shot 1.png", "shot 2.png", "shot 10.png"]
    assert source.total_frames == 4
    assert source.health.frames == 3
    assert source.health.message.startswith("shots: 1 of 4 pictures were left out; shot 3.jpg cannot be read")
    (told,) = caplog.messages
    assert told.startswith("left out: shot 3.jpg cannot be read as a picture")


def test_what_is_broken_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "whole.png")
    broken = [f"broken {number}.jpg" for number in range(1, 6)]
    for name in broken:
        (tmp_path / name).write_text("not a picture")
    source = RecordedSource(PictureRecording(list(tmp_path.iterdir()), "shots"), fast=True)
    assert [frame.index for frame in source.frames()] == [5]
    named = "broken 1.jpg, broken 2.jpg, broken 3.jpg and 2 more"
    assert source.health.message.startswith(f"shots: 5 of 6 pictures were left out: {named}; broken 1.jpg cannot be")
    assert [text.split(" cannot")[0] for text in caplog.messages] == [f"left out: {name}" for name in broken]


@pytest.mark.parametrize(
    ("videos", "told"),
    [
        (["a.mp4", "b.MOV", "c.gif"], "left out: 3 videos in the folder shots; to read each, name it by itself"),
        (["a.mp4", "._a.mp4", "notes.txt"], "left out: 1 video in the folder shots; to read it, name it by itself"),
        (["notes.txt"], None),
    ],
)
def test_videos_among_pictures_are_left_out_in_words(
    tmp_path: Path, videos: list[str], told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    save(shots / "a.png")
    for name in videos:
        (shots / name).touch()
    source = open_source(shots, StreamSettings(), fast=True)
    assert len(list(source.frames())) == 1
    assert caplog.messages == ([told] if told else [])
    assert source.health.message == ""


def test_a_folder_of_nothing_but_broken_pictures_is_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("not a picture")
    with pytest.raises(SourceError, match="shots: 2 of 2 pictures were left out"):
        RecordedSource(PictureRecording(list(tmp_path.iterdir()), "shots"))
