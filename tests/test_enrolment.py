from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from onnx_files import packaged, portrait
from PIL import Image as Pillow

from classpulse import Policy, Settings
from classpulse.enrolment.photos import MAX_BYTES, Enrolment, PhotoReader, likeness, read_photos
from classpulse.errors import PeopleError, PolicyError
from classpulse.types import Faces
from classpulse.vision.portrait import Portrait, measure

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Image

HOPPER = "grace_hopper.jpg"


@pytest.fixture(scope="module")
def reader() -> PhotoReader:
    return PhotoReader.open(Settings(), Policy("other"))


def saved(path: Path, image: Image) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def refusal(reader: PhotoReader, *paths: Path) -> str:
    with pytest.raises(PeopleError) as caught:
        reader.read_photos(paths)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 300
    return message


def padded(image: Image, size: tuple[int, int]) -> Image:
    height, width = size
    out = np.full((height, width, 3), 128, np.uint8)
    out[: image.shape[0], : image.shape[1]] = image
    return out


def test_a_portrait_becomes_numbers(reader: PhotoReader) -> None:
    read = reader.read_photos([packaged(f"bundled/{HOPPER}")])
    assert len(read) == 1
    assert read.embeddings.dtype == read.qualities.dtype == np.float32
    assert np.linalg.norm(read.embeddings[0]) == pytest.approx(1, abs=1e-5)
    assert read.qualities[0] == pytest.approx(1)
    assert read.embedder.startswith("faceres ")


def test_several_photos_of_one_person(reader: PhotoReader, tmp_path: Path) -> None:
    other = saved(tmp_path / "other.png", np.ascontiguousarray(portrait(HOPPER)[:, ::-1]))
    read = reader.read_photos([packaged(f"bundled/{HOPPER}"), other])
    assert read.embeddings.shape[0] == len(read.qualities) == 2
    assert likeness(read.embeddings[:1], read.embeddings[1:]) > 0.8


def test_photos_of_two_people_under_one_name(reader: PhotoReader, tmp_path: Path) -> None:
    hopper, astronaut = (packaged(f"bundled/{name}") for name in (HOPPER, "astronaut.png"))
    again = saved(tmp_path / "again.jpg", portrait(HOPPER))
    assert "astronaut.png seems to show somebody else than the other photos" in refusal(
        reader, hopper, astronaut, again
    )
    assert "than the other photo: leave it out" in refusal(reader, hopper, astronaut)


def test_real_people_enrol(reader: PhotoReader, test_data: Path) -> None:
    people = test_data / "people"
    obama = reader.read_photos([people / "obama.jpg", people / "obama2.jpg"])
    biden = reader.read_photos([people / "biden.jpg", people / "biden2.jpg"])
    assert likeness(obama.embeddings, biden.embeddings) < 0.62
    assert "seems to show somebody else" in refusal(reader, people / "obama.jpg", people / "biden.jpg")
    assert "3 faces were found, and there must be one; cut the others off" in refusal(
        reader, people / "obama_and_biden.jpg"
    )
    assert "5 faces were found" in refusal(reader, test_data / "clips" / "five-people.jpg")


def test_the_function_asks_the_policy_and_opens_everything() -> None:
    path = packaged(f"bundled/{HOPPER}")
    by_path = read_photos([path], Settings(), Policy("other"))
    by_camera = PhotoReader.open(Settings(), Policy("other")).read_image(portrait(HOPPER))
    np.testing.assert_allclose(by_path.embeddings, by_camera.embeddings, atol=0.05)
    for jurisdiction in ("eu", None):
        with pytest.raises(PolicyError, match="does not allow identity"):
            read_photos([path], Settings(), Policy(jurisdiction))


# --- faces that will not do ---


def test_no_face_and_two(reader: PhotoReader) -> None:
    nothing = np.full((400, 400, 3), 200, np.uint8)
    with pytest.raises(PeopleError, match=r"the picture: no face was found; give a photo that shows the whole face"):
        reader.read_image(nothing)
    hopper = portrait(HOPPER)
    with pytest.raises(PeopleError, match="2 faces were found, and there must be one"):
        reader.read_image(np.concatenate([hopper, hopper], axis=1))


def test_a_drawing(reader: PhotoReader) -> None:
    image = np.full((400, 400, 3), 255, np.uint8)
    cv2.circle(image, (200, 200), 150, (0, 0, 0), 3)
    for x in (150, 250):
        cv2.circle(image, (x, 160), 10, (0, 0, 0), -1)
    cv2.ellipse(image, (200, 250), (60, 30), 0, 0, 180, (0, 0, 0), 3)
    with pytest.raises(PeopleError, match="no face was found"):
        reader.read_image(image)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda image: cv2.resize(image, None, fx=0.3, fy=0.3), "px wide, and 80 are needed: come closer"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 12), "the face is blurred: hold still"),
        (lambda image: (image * 0.12).astype(np.uint8), "the face is too dark"),
        (lambda image: (image * 0.05 + 240).astype(np.uint8), "too bright|no face"),
    ],
    ids=["small", "blurred", "dark", "bright"],
)
def test_a_face_that_is_not_good_enough(reader: PhotoReader, spoil: object, said: str) -> None:
    assert callable(spoil)
    image = np.asarray(spoil(portrait(HOPPER)), np.uint8)
    with pytest.raises(PeopleError, match=said):
        reader.read_image(image, "mine.jpg")


def upright(nose: tuple[float, float]) -> Faces:
    points = np.array([[80, 80], [120, 80], nose, [84, 120], [116, 120]], np.float32)
    return Faces(np.array([[50, 40, 150, 160]], np.float32), np.ones(1, np.float32), points[None])


@pytest.mark.parametrize(
    ("nose", "said"),
    [
        ((100, 103), ""),
        ((106, 103), ""),
        ((113, 103), "turned to the side"),
        ((87, 103), "turned to the side"),
        ((100, 112), "looks up or down"),
        ((100, 92), "looks up or down"),
    ],
)
def test_the_pose_is_judged_by_the_nose(nose: tuple[float, float], said: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8)
    found = measure(noise, upright(nose))
    assert (said in found.fault) if said else not found.fault
    mirrored = measure(noise, upright((200 - nose[0], nose[1])))
    assert mirrored.turn == pytest.approx(-found.turn, abs=1e-5)


def test_quality_falls_with_the_worst_measure() -> None:
    good = Portrait(300, 0.3, 0.0, 0.0, 130, 50)
    assert good.quality == 1
    assert Portrait(120, 0.3, 0.0, 0.0, 130, 50).quality == pytest.approx(0.5)
    assert Portrait(300, 0.3, -0.175, 0.0, 130, 50).quality == pytest.approx(0.5)
    assert Portrait(120, 0.04, 0.2, 0.0, 130, 50).quality < 0.2
    assert Portrait(81, 0.3, 0.0, 0.0, 130, 50).quality == pytest.approx(0.1)
    assert not good.fault
    assert "hardly any contrast" in Portrait(300, 0.3, 0.0, 0.0, 130, 5).fault


# --- files that will not do ---


def test_no_photo_at_all(reader: PhotoReader) -> None:
    assert refusal(reader) == "no photo is given: at least one is needed, and three or more are better"


def test_files_that_are_no_photo(reader: PhotoReader, tmp_path: Path) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("Ana, Ben, Cem\n")
    assert "notes.jpg cannot be read as a picture" in refusal(reader, text)
    (tmp_path / "empty.png").touch()
    assert "empty.png cannot be read as a picture" in refusal(reader, tmp_path / "empty.png")
    assert "there is no such file" in refusal(reader, tmp_path / "none.jpg")
    assert "there is no such file" in refusal(reader, tmp_path)
    assert "File name too long" in refusal(reader, tmp_path / ("x" * 10_000))
    assert "there is no such file" in refusal(reader, tmp_path / "a\0b.jpg")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(packaged(f"bundled/{HOPPER}").read_bytes()[:20_000])
    assert "cut.jpg cannot be read as a picture" in refusal(reader, cut)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(reader: PhotoReader, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "there is no such file" in refusal(reader, tmp_path / "pipe.jpg")


def test_a_huge_file_is_not_read(reader: PhotoReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(400_000_000)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda _path: pytest.fail("it was read"))
    said = refusal(reader, huge)
    assert f"huge.jpg: 400 MB are too much for a photo, it must be smaller than {MAX_BYTES // 10**6} MB" in said


def test_a_decompression_bomb_is_not_decoded(reader: PhotoReader, tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(content)
    assert "bomb.png claims a picture" in refusal(reader, tmp_path / "bomb.png")


def test_one_pixel(reader: PhotoReader, tmp_path: Path) -> None:
    assert "no face was found" in refusal(reader, saved(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8)))
    assert "no face was found" in refusal(reader, saved(tmp_path / "line.png", np.zeros((1, 5000, 3), np.uint8)))


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "tiff"])
def test_a_moving_picture(reader: PhotoReader, tmp_path: Path, kind: str) -> None:
    pictures = [Pillow.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    path = tmp_path / f"moving.{kind}"
    pictures[0].save(path, save_all=True, append_images=pictures[1:])
    assert f"moving.{kind}: it moves, or holds several pictures; give a still one (jpg or png)" in refusal(reader, path)


def test_a_camera_that_lay_on_its_side(reader: PhotoReader, tmp_path: Path) -> None:
    upright_path, turned_path = packaged(f"bundled/{HOPPER}"), tmp_path / "turned.jpg"
    with Pillow.open(upright_path) as picture:
        exif = Pillow.Exif()
        exif[0x0112] = 6  # to be turned by a quarter, clockwise
        picture.rotate(90, expand=True).save(turned_path, exif=exif, quality=95)
    read = reader.read_photos([upright_path, turned_path])
    assert likeness(read.embeddings[:1], read.embeddings[1:]) > 0.97


def test_no_photo_is_kept(reader: PhotoReader, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", portrait(HOPPER))
    kept = reader.read_photos([path])
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    numbers = [getattr(kept, name) for name in ("embeddings", "qualities")]
    assert sum(array.size for array in numbers) == kept.embeddings.shape[1] + 1


def test_two_people_are_unlike_and_one_is_like_herself(reader: PhotoReader) -> None:
    hopper = reader.read_photos([packaged(f"bundled/{HOPPER}")]).embeddings
    astronaut = reader.read_photos([packaged("bundled/astronaut.png")]).embeddings
    assert likeness(hopper, astronaut) < 0.62 < likeness(hopper, hopper)
    assert likeness(hopper, np.empty((0, hopper.shape[1]), np.float32)) == -1


def test_numbers_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match="do not fit together"):
        Enrolment("a", np.zeros((2, 4), np.float32), np.zeros(3, np.float32), 0.5)
