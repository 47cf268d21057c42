"""Folders of pictures, `train/<emotion>/...` and `validation/<emotion>/...`, as Kaggle's copies have them."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.errors import SourceError
from classpulse.sources.pictures import decode_picture
from classpulse.training.faces.faceset import EMOTIONS, SIDE_PX, FaceSet, Split
from classpulse.training.faces.fer_files import UNPACKING_ERRORS
from classpulse.training.faces.gathering import NOBODY_ASKED, Gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from classpulse.training.faces.fer_files import Files
    from classpulse.training.faces.gathering import Problem

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MAX_PICTURE_BYTES = 1 << 20
"""A face of FER-2013 has 2 KB; what is larger is something else."""
MAX_PICTURE_PIXELS = 4_000_000
TRAIN_NAMES, TEST_NAMES = ("train", "training"), ("validation", "test", "val")
SPELLINGS = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture belongs by its path.

    Attributes:
        name: of the file.
        split: `Split.TRAINING` or `Split.MIXED`.
        emotion: the folder it lies in; as in `EMOTIONS` if it is one of them.
    """

    name: str
    split: Split
    emotion: str


def places(names: Sequence[str]) -> list[Place]:
    """The pictures among some files that lie in `<train or validation>/<anything>/`.

    Args:
        names: paths with `/`.
    """
    found = []
    for name in names:
        *before, file = name.split("/")
        # macOS puts `._1.jpg` beside `1.jpg` into archives: its icons, which are no pictures.
        if len(before) < 2 or PurePosixPath(file).suffix.lower() not in PICTURES or file.startswith("."):
            continue
        part, emotion = before[-2].lower(), before[-1].lower()
        if part in TRAIN_NAMES + TEST_NAMES:
            split = Split.TRAINING if part in TRAIN_NAMES else Split.MIXED
            found.append(Place(name, split, SPELLINGS.get(emotion, emotion)))
    return found


def read_pictures(
    files: Files, pictures: Sequence[Place], splits: frozenset[Split], watch: Callable[[float], None]
) -> tuple[FaceSet, list[Problem]]:
    """Read pictures, one at a time, as 48 x 48 px in gray.

    Args:
        files: where they lie.
        pictures: what `places` found there.
        splits: the parts that are wanted; no picture of another part is opened.
        watch: is told how far it is.

    Returns:
        The faces, and the pictures that had to be left out.
    """
    gathered = Gathered()
    strange = Counter(str(PurePosixPath(place.name).parent) for place in pictures if place.emotion not in EMOTIONS)
    for folder, count in strange.items():
        gathered.leave_out(folder, f"{count} pictures of no emotion that is known: {', '.join(EMOTIONS)}")
    wanted = [place for place in pictures if place.split in splits and place.emotion in EMOTIONS]
    again = _second_copies(files, wanted)
    for folder, count in Counter(_root(place) for place in wanted if _root(place) in again).items():
        gathered.leave_out(folder, f"{count} pictures that are all also in {again[folder]}")
    wanted = [place for place in wanted if _root(place) not in again]
    for index, place in enumerate(wanted):
        if index % 64 == 0:
            watch(index / len(wanted))
        try:
            image = _read(files, place.name)
        except ValueError as error:
            gathered.leave_out(place.name, str(error))
            continue
        gathered.add(image, EMOTIONS.index(place.emotion), place.split, NOBODY_ASKED, place.name)
    return gathered.finish()


def _root(place: Place) -> str:
    """The folder that `train` and `validation` lie in."""
    return str(PurePosixPath(place.name).parents[2])


def _second_copies(files: Files, pictures: Sequence[Place]) -> dict[str, str]:
    """Folders in which every picture is one of another folder, by path and size, and that other folder.

    A widespread archive holds all of `images/train` a second time as `images/images/train`.
    """
    below: dict[str, set[tuple[str, int]]] = defaultdict(set)
    if len({_root(place) for place in pictures}) < 2:
        return {}
    for place in pictures:
        root = _root(place)
        try:
            below[root].add((str(PurePosixPath(place.name).relative_to(root)), files.size(place.name)))
        except OSError:
            below[root].add((place.name, -1))
    copies: dict[str, str] = {}
    kept: list[str] = []
    for root in sorted(below, key=lambda root: (-len(below[root]), len(root), root)):
        original = next((other for other in kept if below[root] <= below[other]), None)
        if original is None:
            kept.append(root)
        else:
            copies[root] = original
    return copies


def _read(files: Files, name: str) -> NDArray[np.uint8]:
    """(48, 48) uint8; whatever is wrong is a ValueError with one line."""
    try:
        if (size := files.size(name)) > MAX_PICTURE_BYTES:
            message = f"it has {size / (1 << 20):,.0f} MB, more than any face of {SIDE_PX} px"
            raise ValueError(message)
        with files.open(name) as file:
            content = file.read(MAX_PICTURE_BYTES + 1)
        if not content:
            message = "it is empty"
            raise ValueError(message)
        image = decode_picture(io.BytesIO(content), "it", MAX_PICTURE_PIXELS)
    except SourceError as error:
        raise ValueError(str(error)) from None
    except OSError as error:
        message = (error.strerror or str(error)).lower()
        raise ValueError(message) from None
    except UNPACKING_ERRORS as error:
        message = f"it cannot be unpacked: {error}"
        raise ValueError(message) from None
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if gray.shape != (SIDE_PX, SIDE_PX):
        shrinks = min(gray.shape) > SIDE_PX
        gray = cv2.resize(gray, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(gray, np.uint8)
