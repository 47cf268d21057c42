from __future__ import annotations

import os
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from faces import make_faces, refusal, write_csv, write_folders, write_npz

from classpulse.training.faces import fer_files, gathering
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.faces.layouts import read

if TYPE_CHECKING:
    from pathlib import Path

EVERY = tuple(Split)
FACES = make_faces(3)
PIXELS = " ".join(["7"] * 48 * 48)


def table(folder: Path, *lines: str | bytes, header: str = "emotion,pixels,Usage") -> Path:
    path = folder / "fer2013.csv"
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in (header, *lines)))
    return path


GOOD = f"3,{PIXELS},Training"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"3,{PIXELS},Trainning", "Usage is 'Trainning', and there are Training, PublicTest, PrivateTest"),
        (f"3,{PIXELS},", "Usage is '', and there are Training, PublicTest, PrivateTest"),
        (f"3,{PIXELS}", "Usage is '', and there are Training, PublicTest, PrivateTest"),
        (f"7,{PIXELS},Training", "emotion is '7', and there are 0 to 6"),
        (f"-1,{PIXELS},Training", "emotion is '-1', and there are 0 to 6"),
        (f"happy,{PIXELS},Training", "emotion is 'happy', and there are 0 to 6"),
        (f"3,{PIXELS[:-2]},Training", "2303 pixels, and there should be 2304"),
        (f"3,{PIXELS} 7,Training", "2305 pixels, and there should be 2304"),
        ("3,,Training", "there are no pixels"),
        (f"3,{PIXELS[:-1]}256,Training", "pixels are not whole numbers from 0 to 255"),
        (f"3,{PIXELS[:-1]}-7,Training", "pixels are not whole numbers from 0 to 255"),
        (f"3,{PIXELS[:-1]}7.5,Training", "pixels are not whole numbers from 0 to 255"),
        (f"3,{PIXELS[:-1]}{9**99},Training", "pixels are not whole numbers from 0 to 255"),
        (f"3,{PIXELS[:-1]}\u0667,Training", "pixels are not whole numbers from 0 to 255"),
        (f"3,{PIXELS[:-1]}\x007,Training", "pixels are not whole numbers from 0 to 255"),
        (f'3,"{PIXELS},Training', "Usage is '', and there are Training, PublicTest, PrivateTest"),
        (f"3,{PIXELS},Trai\rning", "Usage is '', and there are Training, PublicTest, PrivateTest"),
        (f"3,{PIXELS},\x1b[2J", "Usage is '?[2J', and there are Training, PublicTest, PrivateTest"),
        (
            f"3,{PIXELS},".encode() + b"\xff\xfe",
            "Usage is '\ufffd\ufffd', and there are Training, PublicTest, PrivateTest",
        ),
    ],
)
def test_a_line_that_is_wrong_costs_one_face(tmp_path: Path, line: str | bytes, reason: str) -> None:
    faces, problems = read(table(tmp_path, GOOD, line, "", GOOD), EVERY)
    assert len(faces) == 2
    assert [(problem.name, problem.reason) for problem in problems] == [("fer2013.csv:3", reason)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no column emotion, pixels"),
        (b"label,pixels\n1,2\n", "has no column emotion: its first line must be emotion,pixels,Usage"),
        ("emotion,pixels,Usage\n".encode("utf-16"), "is written in UTF-16: save it again as CSV in UTF-8"),
        (b"emotion,pixels,Usage\n" + b"0" * 200_000, "fer2013.csv:2 is longer than 64 KB"),
        (b"\x00" * 100_000, "fer2013.csv:1 is longer than 64 KB"),
        (os.urandom(60_000).replace(b"\n", b""), "has no column emotion, pixels"),
    ],
    ids=["empty", "other-columns", "utf-16", "endless-line", "nul", "noise"],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "fer2013.csv").write_bytes(content)
    assert reason in refusal(tmp_path)


def ferplus(folder: Path, change: Any) -> Path:
    path = write_csv(FACES, folder, ferplus=True)
    votes = folder / "fer2013new.csv"
    votes.write_text("\n".join(change(votes.read_text().splitlines())))
    return path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: lines[:-1], "has 34 rows and fer2013.csv 35: they do not belong together"),
        (lambda lines: [*lines, lines[-1]], "has 36 rows and fer2013.csv 35: they do not belong together"),
        (lambda lines: [lines[0], *reversed(lines[1:])], "they do not belong together"),
        (
            lambda lines: [lines[0].replace("neutral,happiness", "happiness,neutral"), *lines[1:]],
            "last columns must be",
        ),
        (lambda lines: [*lines[:3], lines[3] + ",1", *lines[4:]], "fer2013new.csv:4 is not 10 votes"),
        (lambda lines: [*lines[:3], lines[3][:-1] + "many", *lines[4:]], "fer2013new.csv:4 is not 10 votes"),
        (lambda lines: [*lines[:3], lines[3][:-1] + "256", *lines[4:]], "fer2013new.csv:4 is not 10 votes"),
        (lambda lines: [*lines[:3], lines[3][:-1] + "-1", *lines[4:]], "fer2013new.csv:4 is not 10 votes"),
        (lambda _lines: [], "last columns must be"),
    ],
    ids=["short", "long", "reversed", "columns", "ragged", "text", "256", "negative", "empty"],
)
def test_votes_of_other_faces_are_refused(tmp_path: Path, change: Any, reason: str) -> None:
    assert reason in refusal(ferplus(tmp_path, change))


def png(width: int, height: int) -> bytes:
    """A picture that claims a size and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (
            b"GIF89a no picture",
            "it cannot be read as a picture (of another kind, or damaged): save it again as jpg or png",
        ),
        (png(30_000, 30_000), "it claims a picture of more than 4 million pixels: make it smaller"),
        (png(4_000, 4_000), "it claims a picture of 4000 x 4000 px of more than 4 million pixels: make it smaller"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * (1 << 20), "it has 1 MB, more than any face of 48 px"),
    ],
    ids=["empty", "gif", "30000", "4000", "large"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_hostile_picture_costs_one_face(tmp_path: Path, content: bytes, reason: str, *, packed: bool) -> None:
    write_folders(FACES, tmp_path / "data")
    (tmp_path / "data" / "images" / "train" / "sad" / "x.png").write_bytes(content)
    path = tmp_path / "data"
    if packed:
        path = tmp_path / "data.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in (tmp_path / "data").rglob("*.png"):
                archive.write(file, file.relative_to(tmp_path / "data"))
    faces, problems = read(path, EVERY)
    assert len(faces) == len(FACES)
    assert [(problem.name, problem.reason) for problem in problems] == [("images/train/sad/x.png", reason)]


def test_links_and_pipes_are_no_trap(tmp_path: Path) -> None:
    write_folders(FACES, tmp_path / "far")
    sad = tmp_path / "far" / "images" / "train" / "sad"
    (sad / "nowhere.png").symlink_to(tmp_path / "gone.png")
    (sad / "round").symlink_to(tmp_path / "far")
    os.mkfifo(sad / "pipe.png")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "images").symlink_to(tmp_path / "far" / "images")
    faces, problems = read(tmp_path / "near", EVERY)
    assert len(faces) == len(FACES)
    assert [problem.reason for problem in problems] == ["no such file or directory", "it is not a file"]


def test_members_of_an_archive_may_be_called_anything(tmp_path: Path) -> None:
    image = (write_folders(FACES, tmp_path / "data") / "images" / "train" / "sad").glob("*.png")
    content = next(image).read_bytes()
    names = [
        "../../../train/sad/1.png",
        "/train/happy/1.png",
        "images\\train\\fear\\1.png",
        f"{'deep/' * 300}train/angry/1.png",
        "train/neutral/\x1b[2J.png",
        "__MACOSX/train/sad/._1.png",
        "train/sad/.hidden.png",
        "train/1.png",
    ]
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        for name in names:
            archive.writestr(name, content)
    before = sorted(tmp_path.parent.rglob("*"))
    faces, problems = read(tmp_path / "odd.zip", EVERY)
    assert problems == []
    assert sorted(EMOTIONS[label] for label in faces.labels) == ["angry", "fear", "happy", "neutral", "sad"]
    assert all(str(name).isprintable() and len(str(name)) <= 120 for name in faces.names)
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_an_archive_that_is_damaged(tmp_path: Path) -> None:
    write_folders(FACES, tmp_path / "data")
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted((tmp_path / "data").rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path / "data"))
        offset = archive.infolist()[0].header_offset
    content = bytearray(path.read_bytes())
    content[offset + 200] ^= 0xFF
    path.write_bytes(content)
    faces, problems = read(path, EVERY)
    assert len(faces) == len(FACES) - 1
    assert problems[0].reason.startswith("it cannot be unpacked: Bad CRC-32")
    path.write_bytes(content[: len(content) // 2])
    assert "holds no layout" in refusal(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/sad/1.png", bytes(50_000_000))
        archive.writestr("train/sad/2.png", b"x")

    def unpacked(self: zipfile.ZipExtFile, count: int | None = None) -> bytes:
        raise AssertionError(self.name, count)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", unpacked)
    with zipfile.ZipFile(path) as archive, pytest.raises(AssertionError):
        archive.read("train/sad/2.png")
    with pytest.raises(AssertionError, match=r"2\.png"):  # the first one is refused by its size alone
        read(path, EVERY)


def test_more_faces_than_there_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_FACES", 20)
    for path in (
        write_csv(FACES, tmp_path),
        write_npz(FACES, tmp_path / "a.npz"),
        write_folders(FACES, tmp_path / "b"),
    ):
        assert "more than 20 faces: this is not FER-2013" in refusal(path)
    monkeypatch.setattr(fer_files, "MAX_FILES", 20)
    assert "holds more than 20 files" in refusal(tmp_path / "b")


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(FACES, tmp_path)

    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(fer_files.Folder, "open", closed)
    assert refusal(path) == f"{path} cannot be read: Permission denied"
