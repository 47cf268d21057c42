"""The files FER-2013 comes in: Kaggle's folders, `fer2013.csv` with FER+ beside it, an array file, a zip of any.

Only the splits that are asked for are decoded and kept, one picture at a time: a set takes 3 KB a face in memory,
however it is stored.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

import cv2
import numpy as np

from classpulse.errors import DataError
from classpulse.training.faceset import EMOTIONS, SIDE_PX, VOTES, FaceSet, Split

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from classpulse.types import Image

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MAX_PICTURE_BYTES = 1 << 20
"""A face of FER-2013 has 2 KB; what is larger is something else."""
MAX_FACES = 2_000_000
HOLD_OUT = 10
"""Of folders, every tenth training face of each emotion is kept for choosing: their `validation` holds PrivateTest."""
TRAIN_NAMES, TEST_NAMES = ("train", "training"), ("validation", "test", "val")
SPELLINGS = {"anger": "angry", "happiness": "happy", "sadness": "sad", "disgusted": "disgust", "fearful": "fear"} | {
    "surprised": "surprise",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A face that was left out.

    Attributes:
        name: file, or line of a file.
        reason: what is wrong with it.
    """

    name: str
    reason: str


@dataclass(slots=True)
class _Gathered:
    """Faces on their way into arrays."""

    images: list[NDArray[np.uint8]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    votes: list[NDArray[np.uint8]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, image: NDArray[np.uint8], label: int, split: Split, votes: NDArray[np.uint8], name: str) -> None:
        if len(self.images) >= MAX_FACES:
            message = f"more than {MAX_FACES:,} faces: this is not FER-2013"
            raise DataError(message)
        self.images.append(image)
        self.labels.append(label)
        self.splits.append(split.value)
        self.votes.append(votes)
        self.names.append(name)

    def finish(self) -> tuple[FaceSet, list[Problem]]:
        count = len(self.images)
        images = np.stack(self.images) if count else np.empty((0, SIDE_PX, SIDE_PX), np.uint8)
        votes = np.stack(self.votes) if count else np.empty((0, len(VOTES)), np.uint8)
        labels, splits = np.asarray(self.labels, np.uint8), np.asarray(self.splits, np.str_)
        return FaceSet(images, labels, splits, votes, np.asarray(self.names, np.str_)), self.problems


NOBODY_ASKED = np.zeros(len(VOTES), np.uint8)


class _Folder:
    """Files below a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")


class _Zip:
    """Files in an archive."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = zipfile.ZipFile(path)
        self.names = sorted(info.filename for info in self._archive.infolist() if not info.is_dir())

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(name)


_Files = _Folder | _Zip


def read(path: Path, splits: Collection[Split]) -> tuple[FaceSet, list[Problem]]:
    """Read faces, whatever the layout.

    Args:
        path: a folder, a `.csv`, `.npz` or `.zip` file.
        splits: the parts that are wanted; no face of another part is decoded.

    Returns:
        The faces, and what had to be left out.

    Raises:
        DataError: there is nothing of the kind there, or a file makes no sense as a whole.
    """
    try:
        files, names = _open(path)
        for suffix, reader in ((".npz", _read_npz), (".csv", _read_csv)):
            found = _main_file(names, suffix)
            if found:
                return reader(files, found, frozenset(splits))
        pictures = [(name, *place) for name in names if (place := _place(name)) is not None]
        if pictures:
            return _read_pictures(files, pictures, frozenset(splits))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        message = f"{path} cannot be read: {error}"
        raise DataError(message) from None
    message = (
        f"{path} holds no layout of FER-2013 that is known: give a folder with train/<emotion>/*.jpg, fer2013.csv "
        "(FER+'s fer2013new.csv beside it), fer2013.npz, or a zip of one of them"
    )
    raise DataError(message)


def read_for_training(path: Path) -> tuple[FaceSet, list[Problem]]:
    """Read what a training run may see: `Split.TRAINING` and, to choose by, `Split.PUBLIC`. PrivateTest stays closed.

    Folders mix both tests in `validation`: from them a tenth of the training faces is held out as `Split.PUBLIC`.

    Raises:
        DataError: as `read`.
    """
    faces, problems = read(path, (Split.TRAINING, Split.PUBLIC))
    if len(faces) and not (faces.splits == Split.PUBLIC.value).any():
        splits = faces.splits.astype("<U10").copy()
        for label in range(len(EMOTIONS)):
            splits[np.flatnonzero(faces.labels == label)[::HOLD_OUT]] = Split.PUBLIC.value
        faces = FaceSet(faces.images, faces.labels, splits, faces.votes, faces.names)
    return faces, problems


def _open(path: Path) -> tuple[_Files, list[str]]:
    if path.is_dir():
        folder = _Folder(path)
        return folder, folder.names
    if not path.exists():
        message = f"{path} does not exist: give the folder or file that FER-2013 was unpacked to"
        raise DataError(message)
    if zipfile.is_zipfile(path) and path.suffix.lower() != ".npz":
        archive = _Zip(path)
        return archive, archive.names
    folder = _Folder.__new__(_Folder)
    folder.path, folder.names = path.parent, sorted(p.name for p in path.parent.glob("*.csv"))
    return folder, [path.name]


def _main_file(names: list[str], suffix: str) -> str | None:
    """The file that holds the faces: `fer2013` by name, or the only one of its kind that is not FER+'s."""
    found = [name for name in names if name.lower().endswith(suffix) and "fer2013new" not in name.lower()]
    named = [name for name in found if PurePosixPath(name).stem.lower() in {"fer2013", "icml_face_data"}]
    return next(iter(named or (found if len(found) == 1 else [])), None)


def _read_npz(files: _Files, name: str, splits: frozenset[Split]) -> tuple[FaceSet, list[Problem]]:
    with files.open(name) as file:
        content = io.BytesIO(file.read())
    try:
        with np.load(content, allow_pickle=False) as arrays:
            usage = arrays["usage"].astype(np.str_)
            chosen = np.flatnonzero(np.isin(usage, [split.value for split in splits]))
            images, labels = arrays["image"][chosen], arrays["label"][chosen]
            rows = arrays["row"][chosen] if "row" in arrays else chosen
            asked = "ferplus_votes" in arrays
            votes = arrays["ferplus_votes"][chosen] if asked else np.zeros((len(chosen), len(VOTES)), np.uint8)
        if labels.size and int(labels.max()) >= len(EMOTIONS):
            message = f"{name}: label {int(labels.max())}, and there are 0 to {len(EMOTIONS) - 1}"
            raise DataError(message)
        names = np.asarray([f"row {row}" for row in rows], np.str_)
        wrong = [array.dtype for array in (images, votes) if array.dtype != np.uint8]
        if wrong or labels.dtype.kind not in "iu":
            message = f"{name}: images, labels and votes must be whole numbers of 8 bits"
            raise DataError(message)
        return FaceSet(images, labels.astype(np.uint8), usage[chosen], votes, names), []
    except (ValueError, KeyError, IndexError, OSError, zipfile.BadZipFile) as error:
        message = f"{name} is not an array file of FER-2013 (image, label, usage, ferplus_votes): {error}"
        raise DataError(message) from None


def _read_csv(files: _Files, name: str, splits: frozenset[Split]) -> tuple[FaceSet, list[Problem]]:
    gathered, votes = _Gathered(), _ferplus(files, name)
    rows = 0
    with files.open(name) as raw:
        reader = csv.DictReader(io.TextIOWrapper(raw, "utf-8-sig", errors="replace"))
        # The competition's own test file spells its columns with a blank in front.
        columns = {(column or "").strip().lower(): column for column in reader.fieldnames or []}
        missing = {"emotion", "pixels"} - set(columns)
        if missing:
            message = f"{name} has no column {', '.join(sorted(missing))}: it needs emotion, pixels and Usage"
            raise DataError(message)
        try:
            for row in reader:
                rows += 1
                where = f"{name}:{reader.line_num}"
                usage = (row.get(columns.get("usage", ""), "") or Split.TRAINING.value).strip()
                if usage not in {split.value for split in splits}:
                    continue
                try:
                    image, label = _pixels(row[columns["pixels"]]), _label(row[columns["emotion"]])
                except ValueError as error:
                    gathered.problems.append(Problem(where, str(error)))
                    continue
                asked = votes[rows - 1] if votes is not None and rows <= len(votes) else NOBODY_ASKED
                gathered.add(image, label, Split(usage), asked, f"row {rows - 1}")
        except csv.Error as error:
            message = f"{name}:{reader.line_num} is not CSV: {error}"
            raise DataError(message) from None
    if votes is not None and len(votes) != rows:
        message = f"fer2013new.csv has {len(votes)} rows and {name} {rows}: they do not belong together"
        raise DataError(message)
    return gathered.finish()


def _pixels(text: str | None) -> NDArray[np.uint8]:
    try:
        levels = np.asarray((text or "").split(), np.int64)
    except (ValueError, OverflowError):
        message = "pixels are not whole numbers"
        raise ValueError(message) from None
    if levels.size != SIDE_PX * SIDE_PX:
        message = f"{levels.size} pixels, and there should be {SIDE_PX * SIDE_PX}"
        raise ValueError(message)
    if levels.min() < 0 or levels.max() > 255:
        message = "pixels beyond 0 to 255"
        raise ValueError(message)
    return levels.astype(np.uint8).reshape(SIDE_PX, SIDE_PX)


def _label(text: str | None) -> int:
    if (text or "").strip() not in {str(i) for i in range(len(EMOTIONS))}:
        message = f"emotion {text!r}, and there are 0 to {len(EMOTIONS) - 1}"
        raise ValueError(message)
    return int(text or "")


def _ferplus(files: _Files, beside: str) -> NDArray[np.uint8] | None:
    """FER+'s votes, a row a face in the order of `fer2013.csv`, if they are there."""
    folder = PurePosixPath(beside).parent
    name = next((n for n in files.names if n.lower().endswith("fer2013new.csv")), None)
    name = next((n for n in files.names if PurePosixPath(n) == folder / "fer2013new.csv"), name)
    if name is None:
        return None
    with files.open(name) as raw:
        rows = list(csv.reader(io.TextIOWrapper(raw, "utf-8-sig", errors="replace")))
    try:
        votes = np.asarray([[int(cell) for cell in row[-len(VOTES) :]] for row in rows[1:] if row], np.uint8)
        return votes.reshape(-1, len(VOTES))
    except (ValueError, OverflowError):
        message = f"{name} is not FER+'s table: its last {len(VOTES)} columns must be votes"
        raise DataError(message) from None


def _place(name: str) -> tuple[Split, int] | None:
    """Which split and emotion a picture belongs to by its path, or None."""
    path = PurePosixPath(name)
    if path.suffix.lower() not in PICTURES or len(path.parts) < 3:
        return None
    emotion = path.parts[-2].lower()
    emotion = SPELLINGS.get(emotion, emotion)
    part = path.parts[-3].lower()
    if emotion not in EMOTIONS or part not in TRAIN_NAMES + TEST_NAMES:
        return None
    return (Split.TRAINING if part in TRAIN_NAMES else Split.MIXED), EMOTIONS.index(emotion)


def _read_pictures(
    files: _Files, pictures: list[tuple[str, Split, int]], splits: frozenset[Split]
) -> tuple[FaceSet, list[Problem]]:
    gathered = _Gathered()
    for name, split, label in pictures:
        if split not in splits:
            continue
        try:
            gathered.add(_decode(files, name), label, split, NOBODY_ASKED, name)
        except ValueError as error:
            gathered.problems.append(Problem(name, str(error)))
    return gathered.finish()


def _decode(files: _Files, name: str) -> NDArray[np.uint8]:
    with files.open(name) as file:
        content = file.read(MAX_PICTURE_BYTES + 1)
    if not content or len(content) > MAX_PICTURE_BYTES:
        message = "empty" if not content else f"larger than {MAX_PICTURE_BYTES >> 20} MB"
        raise ValueError(message)
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        image = None
    if image is None:
        message = "not a picture that can be decoded"
        raise ValueError(message)
    return _to_side(np.asarray(image, np.uint8))


def _to_side(image: Image) -> NDArray[np.uint8]:
    if image.shape == (SIDE_PX, SIDE_PX):
        return image
    shrinks = min(image.shape) > SIDE_PX
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=method), np.uint8)
