from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from faces import make_faces, write_csv, write_folders, write_npz

from classpulse.errors import DataError
from classpulse.training.faces.duplicates import near_duplicates, perceptual_hashes
from classpulse.training.faces.faceset import EMOTIONS, FaceSet, Split
from classpulse.training.faces.layouts import read, read_for_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVERY = tuple(Split)
FACES = make_faces()


def as_npz(folder: Path) -> Path:
    return write_npz(FACES, folder / "fer2013.npz")


def as_csv(folder: Path) -> Path:
    return write_csv(FACES, folder)


def as_csv_with_votes(folder: Path) -> Path:
    return write_csv(FACES, folder, ferplus=True)


def as_folder(folder: Path) -> Path:
    return write_folders(FACES, folder)


LAYOUTS = [as_npz, as_csv, as_csv_with_votes, as_folder]


def zipped(path: Path) -> Path:
    inside = path if path.is_dir() else path.parent
    return type(path)(shutil.make_archive(str(inside.parent / "archive"), "zip", inside))


def content(faces: FaceSet) -> list[tuple[bytes, int, str]]:
    """Each face's pixels, label and split, in no matter which order."""
    return sorted(zip((i.tobytes() for i in faces.images), faces.labels.tolist(), faces.splits.tolist(), strict=True))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "zip"])
@pytest.mark.parametrize("write", LAYOUTS)
def test_every_layout_gives_the_same_faces(tmp_path: Path, write: Callable[[Path], Path], *, packed: bool) -> None:
    inside = tmp_path / "data"
    inside.mkdir()
    path = write(inside)
    faces, problems = read(zipped(path) if packed else path, EVERY)
    assert problems == []
    mixed = write is as_folder
    splits = np.where((FACES.splits != Split.TRAINING.value) & mixed, Split.MIXED.value, FACES.splits)
    assert content(faces) == content(FaceSet(FACES.images, FACES.labels, splits, FACES.votes, FACES.names))
    assert faces.has_votes == (write in {as_npz, as_csv_with_votes})
    if faces.has_votes:
        assert np.array_equal(faces.votes, FACES.votes)
        assert faces.names.tolist() == [f"row {i}" for i in range(len(FACES))]


@pytest.mark.parametrize("write", [as_npz, as_csv, as_csv_with_votes])
def test_a_folder_is_searched_for_its_table(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write(tmp_path / "deep" / "er")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    faces, _ = read(tmp_path, EVERY)
    assert content(faces) == content(FACES)


@pytest.mark.parametrize("write", LAYOUTS)
def test_only_what_is_asked_for_is_read(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    faces, _ = read(write(tmp_path), (Split.TRAINING,))
    assert content(faces) == content(FACES.split(Split.TRAINING))


@pytest.mark.parametrize("write", [as_csv, as_folder])
def test_what_is_not_asked_for_may_be_spoilt(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    """No face of another part is decoded: spoilt pixels there are not even noticed."""
    path = write(tmp_path)
    if path.is_dir():
        for picture in path.glob("images/validation/*/*"):
            picture.write_bytes(b"spoilt")
    else:
        lines = path.read_text().splitlines()
        spoilt = [line if line.endswith("Training") else f"0,spoilt,{line.rpartition(',')[2]}" for line in lines[1:]]
        path.write_text("\n".join([lines[0], *spoilt]))
    faces, problems = read(path, (Split.TRAINING,))
    assert problems == []
    assert len(faces) == len(FACES.split(Split.TRAINING))
    _, problems = read(path, EVERY)
    assert len(problems) == len(FACES) - len(faces)


@pytest.mark.parametrize("write", [as_npz, as_csv])
def test_training_never_sees_private_test(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    faces, _ = read_for_training(write(tmp_path))
    assert content(faces) == content(FACES.split(Split.TRAINING, Split.PUBLIC))


def test_of_folders_a_tenth_of_training_is_held_out(tmp_path: Path) -> None:
    many = make_faces(20, votes=False)
    faces, _ = read_for_training(write_folders(many, tmp_path))
    assert sorted(content(faces)) != content(many)
    assert sorted(image for image, _, _ in content(faces)) == sorted(
        image for image, _, _ in content(many.split(Split.TRAINING))
    )
    assert faces.split(Split.PUBLIC).counts().tolist() == [2] * len(EMOTIONS)
    assert faces.split(Split.TRAINING).counts().tolist() == [18] * len(EMOTIONS)


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("emotion, Usage, pixels", "{label},{usage},{pixels}"),
        ("\ufeffemotion,pixels,Usage", '{label},"{pixels}",{usage}'),
        ("emotion;pixels;Usage", "{label};{pixels};{usage}"),
        ("Emotion,Pixels,USAGE,who", "{label},{pixels},{usage},é"),
    ],
    ids=["competition", "excel", "semicolons", "other-case"],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n"])
def test_tables_as_other_programs_write_them(tmp_path: Path, header: str, line: str, ending: str) -> None:
    rows = [header]
    for image, label, split in zip(FACES.images, FACES.labels, FACES.splits, strict=True):
        pixels = " ".join(map(str, image.ravel().tolist()))
        rows.append(line.format(label=label, pixels=pixels, usage=split))
    (tmp_path / "icml_face_data.csv").write_bytes((ending.join(rows) + ending).encode())
    faces, problems = read(tmp_path, EVERY)
    assert (content(faces), problems) == (content(FACES), [])


def test_a_table_without_usage_is_all_for_training(tmp_path: Path) -> None:
    path = write_csv(FACES, tmp_path)
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()))
    faces, _ = read(path, (Split.TRAINING,))
    assert len(faces) == len(FACES)


def test_emotions_by_their_other_names(tmp_path: Path) -> None:
    names = {"angry": "Anger", "fear": "fearful", "happy": "HAPPINESS", "sad": "sadness", "surprise": "surprised"}
    write_folders(FACES, tmp_path)
    for folder in [*tmp_path.glob("images/*/*")]:
        folder.rename(folder.with_name(names.get(folder.name, folder.name)))
    (tmp_path / "images" / "validation").rename(tmp_path / "images" / "Test")
    faces, problems = read(tmp_path, EVERY)
    assert problems == []
    assert faces.counts().tolist() == FACES.counts().tolist()


def test_a_folder_of_an_unknown_emotion_is_told_once(tmp_path: Path) -> None:
    write_folders(FACES, tmp_path)
    (tmp_path / "images" / "train" / "sad").rename(tmp_path / "images" / "train" / "contempt")
    faces, problems = read(tmp_path, (Split.TRAINING,))
    assert faces.counts()[EMOTIONS.index("sad")] == 0
    assert [problem.name for problem in problems] == ["images/train/contempt"]
    assert problems[0].reason.startswith("6 pictures of no emotion that is known")


def test_a_second_copy_of_all_pictures_is_left_out(tmp_path: Path) -> None:
    write_folders(FACES, tmp_path)
    shutil.copytree(tmp_path / "images", tmp_path / "images" / "images")
    faces, problems = read(tmp_path, (Split.TRAINING,))
    assert len(faces) == len(FACES.split(Split.TRAINING))
    assert [problem.name for problem in problems] == ["images/images"]
    assert problems[0].reason == f"{len(faces)} pictures that are all also in images"
    for folder in (tmp_path / "images", tmp_path / "images" / "images"):
        (folder / "train" / "sad" / f"{len(folder.parts)}.png").write_bytes(b"only here")
    both, problems = read(tmp_path, (Split.TRAINING,))
    assert len(both) == 2 * len(faces)
    assert len(problems) == 2


def test_pictures_of_another_size_are_scaled(tmp_path: Path) -> None:
    import cv2

    for side in (24, 300):
        place = tmp_path / "train" / "happy"
        place.mkdir(parents=True, exist_ok=True)
        colour = cv2.applyColorMap(FACES.images[0], cv2.COLORMAP_BONE)
        cv2.imwrite(str(place / f"{side}.jpg"), cv2.resize(colour, (side, side)))
    faces, problems = read(tmp_path, EVERY)
    assert (faces.images.shape, problems) == ((2, 48, 48), [])


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    many = make_faces(12, votes=False)
    for path in (write_csv(many, tmp_path), write_folders(many, tmp_path / "folders")):
        told: list[float] = []
        read(path, EVERY, told.append)
        assert told == sorted(told)
        assert len(told) > 1
        assert told[0] < 0.9
        assert told[-1] <= 1


def test_what_it_could_not_find_it_says(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / "nowhere", EVERY)
    with pytest.raises(DataError, match="holds no layout of FER-2013 that is known: give a folder"):
        read(tmp_path, EVERY)
    (tmp_path / "fer2013new.csv").write_text("Usage,Image name\n")
    with pytest.raises(DataError, match=r"known \(only FER\+'s votes\)"):
        read(tmp_path / "fer2013new.csv", EVERY)
    (tmp_path / "a.csv").write_text("x\n")
    (tmp_path / "b.csv").write_text("x\n")
    with pytest.raises(DataError, match="none is called fer2013"):
        read(tmp_path, EVERY)
    (tmp_path / "fer2013.tar.gz").write_bytes(b"x")
    with pytest.raises(DataError, match=r"unpack fer2013\.tar\.gz first"):
        read(tmp_path, EVERY)


def test_the_real_set(test_data: Path, tmp_path: Path) -> None:
    unpack = test_data / "fer2013" / "unpack.py"
    arguments = [sys.executable, str(unpack), "--to", str(tmp_path), "--layout", "npz"]
    subprocess.run(arguments, check=True, capture_output=True, timeout=120)
    faces, problems = read(tmp_path, EVERY)
    assert problems == []
    counts = {split: len(faces.split(split)) for split in EVERY}
    assert counts == {Split.TRAINING: 28558, Split.PUBLIC: 3579, Split.PRIVATE: 3573, Split.MIXED: 0}
    hashes = perceptual_hashes(faces.images)
    training = faces.splits == Split.TRAINING.value
    # How many there are depends a little on how the sheets were decoded.
    for split in (Split.PUBLIC, Split.PRIVATE):
        found = near_duplicates(hashes[faces.splits == split.value], hashes[training]).mean()
        assert 0.10 < found < 0.16, split
