"""Pairs of photographs that show one person or two, and how well an embedder tells which.

Two layouts: a table `pairs.csv` beside its pictures (`file_x,file_y,Decision`), and a folder with one folder a person,
as Labeled Faces in the Wild has it.
"""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.stats import rankdata

from classpulse.errors import DataError, SourceError
from classpulse.sources.pictures import read_picture
from classpulse.types import Faces

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from classpulse.types import Floats, Image, Ints, Mask
    from classpulse.vision.detector import FaceDetector

MOST_STRANGERS = 20_000
"""Pairs of two people that are drawn from folders."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Which photographs are compared.

    Attributes:
        paths: of the N photographs.
        places: (P, 2) int64, two places in `paths` each.
        same: (P,) bool, whether they show one person.
    """

    paths: tuple[Path, ...]
    places: Ints
    same: Mask

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.places)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A photograph with the face that it is about."""

    image: Image
    face: Faces


def read_pairs(folder: Path) -> Pairs:
    """Read either layout.

    Raises:
        DataError: the folder has neither.
    """
    table = folder / "pairs.csv"
    if table.is_file():
        return from_table(table)
    people = {place.name: pictures_of(place) for place in sorted(folder.iterdir()) if place.is_dir()}
    people = {name: paths for name, paths in people.items() if paths}
    if len(people) < 2:
        message = f"{folder} has no pairs.csv and no folders of at least two people"
        raise DataError(message)
    return from_people(people)


def pictures_of(folder: Path) -> list[Path]:
    """The pictures of one person, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def from_table(table: Path) -> Pairs:
    """Pairs of a table, each once."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [(row["file_x"], row["file_y"], row["Decision"] == "Yes") for row in csv.DictReader(file)]
    names = sorted({name for row in rows for name in row[:2]})
    at = {name: i for i, name in enumerate(names)}
    places = np.array([[at[a], at[b]] for a, b, _ in rows], np.int64)
    return Pairs(tuple(table.parent / name for name in names), places, np.array([same for *_, same in rows], np.bool_))


def from_people(people: dict[str, list[Path]]) -> Pairs:
    """All pairs of one person's pictures, and up to `MOST_STRANGERS` of two people's, always the same ones."""
    owners = [(name, path) for name, paths in people.items() for path in paths]
    both = np.array(list(itertools.combinations(range(len(owners)), 2)), np.int64)
    same = np.array([owners[a][0] == owners[b][0] for a, b in both], np.bool_)
    strangers = np.random.default_rng(0).permutation(np.flatnonzero(~same))[:MOST_STRANGERS]
    kept = np.sort(np.concatenate([np.flatnonzero(same), strangers]))
    return Pairs(tuple(path for _, path in owners), both[kept], same[kept])


def show(paths: Iterable[Path], detector: FaceDetector) -> list[Shown | None]:
    """Open photographs and find the largest face of each; None where there is none, or no picture."""
    found: list[Shown | None] = []
    for path in paths:
        try:
            image = read_picture(path)
        except SourceError:
            found.append(None)
            continue
        faces = detector.detect(image)
        largest = faces[faces.sizes_px == faces.sizes_px.max(initial=0)][:1]
        found.append(Shown(image, largest) if len(largest) else None)
    return found


def shrunk(shown: Shown, size_px: int, detector: FaceDetector) -> Shown:
    """The photograph made so small that its face has `size_px`; the face is looked for anew, as in a class."""
    scale = size_px / float(shown.face.sizes_px[0])
    if scale >= 1:
        return shown
    image = np.asarray(cv2.resize(shown.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    wanted = shown.face.landmarks[0].mean(axis=0) * scale
    faces = detector.detect(image)
    away = np.linalg.norm(faces.landmarks.mean(axis=1) - wanted, axis=1)
    if len(faces) and away.min() < size_px / 3:
        return Shown(image, faces[np.array([away.argmin()])])
    face = shown.face  # too small for the detector: where it would have been
    return Shown(image, Faces(face.boxes * np.float32(scale), face.scores, face.landmarks * np.float32(scale)))


@dataclass(frozen=True, slots=True)
class Verification:
    """How well one person is told from another.

    Attributes:
        auc: area under the curve: how often a pair of one person is more alike than a pair of two.
        accepted: share of pairs of one person above the threshold at which that share of the others is too, by share.
        thresholds: those thresholds.
        worst_same, best_different: the least alike pair of one person, the most alike pair of two.
    """

    auc: float
    accepted: dict[float, float]
    thresholds: dict[float, float]
    worst_same: float
    best_different: float


def verify(similarities: NDArray[np.floating], same: Mask, rates: Iterable[float]) -> Verification:
    """Score similarities of pairs.

    Args:
        similarities: (P,) cosine.
        same: (P,) bool.
        rates: shares of pairs of two people that may be accepted.

    >>> verify(np.array([0.9, 0.8, 0.3, 0.1]), np.array([True, True, False, False]), [0.01]).auc
    1.0
    """
    alike, other = similarities[same], np.sort(similarities[~same])[::-1]
    ranks = rankdata(np.concatenate([alike, other]))
    auc = (ranks[: len(alike)].sum() - len(alike) * (len(alike) + 1) / 2) / (len(alike) * len(other))
    thresholds = {rate: float(other[int(rate * len(other))]) for rate in rates}
    accepted = {rate: float((alike > limit).mean()) for rate, limit in thresholds.items()}
    return Verification(float(auc), accepted, thresholds, float(alike.min()), float(other[0]))


def similarities(gallery: Floats, probes: Floats, places: Ints) -> NDArray[np.float32]:
    """Cosine of each pair, an enrolled photo against a seen face, both ways round.

    Args:
        gallery: (N, D) embeddings of the photographs as they are.
        probes: (N, D) embeddings of the same, as they would be seen.
        places: (P, 2).

    Returns:
        (2 P,) float32.
    """
    a, b = places.T
    there, back = (gallery[a] * probes[b]).sum(axis=1), (gallery[b] * probes[a]).sum(axis=1)
    return np.asarray(np.concatenate([there, back]), np.float32)
