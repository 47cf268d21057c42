"""Made-up faces: an oval with brows and a mouth that tell the emotion, in every layout FER-2013 comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from classpulse.errors import DataError
from classpulse.training.faces.faceset import EMOTIONS, SIDE_PX, VOTES, FaceSet, Split
from classpulse.training.faces.layouts import read

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MOUTHS = {"angry": -1, "disgust": -4, "fear": 2, "happy": 6, "sad": -7, "surprise": 9, "neutral": 0}
BROWS = {"angry": 4, "disgust": 3, "fear": -3, "happy": 0, "sad": -5, "surprise": -6, "neutral": 0}


def draw(emotion: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A face of 48 x 48 px that somebody with little time would name so."""
    image = np.full((SIDE_PX, SIDE_PX), rng.integers(20, 90), np.uint8)
    skin, dark = int(rng.integers(140, 220)), int(rng.integers(10, 60))
    x, y = (24 + rng.integers(-2, 3, 2)).tolist()
    cv2.ellipse(image, (x, y), (17, 21), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        cv2.circle(image, (x + 7 * side, y - 5), 2, dark, -1)
        cv2.line(image, (x + 11 * side, y - 11), (x + 4 * side, y - 11 + BROWS[emotion]), dark, 2)
    bend = MOUTHS[emotion]
    if emotion == "surprise":
        cv2.ellipse(image, (x, y + 11), (4, 6), 0, 0, 360, dark, -1)
    else:
        curve = [(x + i, y + 12 + round(bend * (1 - (i / 8) ** 2) / 2)) for i in range(-8, 9)]
        cv2.polylines(image, [np.array(curve, np.int32)], isClosed=False, color=dark, thickness=2)
    noisy = image + rng.normal(0, 6, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def make_faces(per_class: int = 6, *, votes: bool = True, seed: int = 0) -> FaceSet:
    """Faces of every emotion in every split: `per_class` in Training, a third as many in each test."""
    rng = np.random.default_rng(seed)
    images, labels, splits, asked = [], [], [], []
    parts = {Split.TRAINING: per_class, Split.PUBLIC: max(1, per_class // 3), Split.PRIVATE: max(1, per_class // 3)}
    for split, count in parts.items():
        for label, emotion in enumerate(EMOTIONS):
            for _ in range(count):
                images.append(draw(emotion, rng))
                labels.append(label)
                splits.append(split.value)
                row = np.zeros(len(VOTES), np.uint8)
                row[VOTES.index(emotion)] = 8
                row[VOTES.index("neutral")] += 2
                asked.append(row * votes)
    order = rng.permutation(len(images))
    names = np.asarray([f"row {i}" for i in range(len(order))], np.str_)
    return FaceSet(
        np.stack(images)[order],
        np.asarray(labels, np.uint8)[order],
        np.asarray(splits, np.str_)[order],
        np.stack(asked)[order].astype(np.uint8),
        names,
    )


def refusal(path: Path) -> str:
    """The one line with which a set is refused, whichever splits are asked for."""
    with pytest.raises(DataError) as caught:
        read(path, tuple(Split))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def write_npz(faces: FaceSet, path: Path) -> Path:
    """As one array file."""
    np.savez(path, image=faces.images, label=faces.labels, usage=faces.splits, ferplus_votes=faces.votes)
    return path


def write_csv(faces: FaceSet, folder: Path, *, ferplus: bool = False) -> Path:
    """As the competition's `fer2013.csv`, with FER+'s table beside it if wanted."""
    path = folder / "fer2013.csv"
    lines = ["emotion,pixels,Usage"]
    for image, label, split in zip(faces.images, faces.labels, faces.splits, strict=True):
        lines.append(f"{label},{' '.join(map(str, image.ravel().tolist()))},{split}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if ferplus:
        names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
        rows = [f"Usage,Image name,{names}"]
        for i, (split, row) in enumerate(zip(faces.splits, faces.votes, strict=True)):
            rows.append(f"{split},fer{i:07d}.png,{','.join(map(str, row.tolist()))}")
        (folder / "fer2013new.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def write_folders(faces: FaceSet, folder: Path) -> Path:
    """As Kaggle's folders: both tests are mixed in `validation`."""
    for i, (image, label, split) in enumerate(zip(faces.images, faces.labels, faces.splits, strict=True)):
        part = "train" if split == Split.TRAINING.value else "validation"
        place = folder / "images" / part / EMOTIONS[label]
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{i}.png"), image)
    return folder
