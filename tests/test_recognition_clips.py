"""Who is recognised in real recordings and photographs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from classpulse import Frame, Gallery, Pipeline, Policy, Settings
from classpulse.settings import StreamSettings
from classpulse.sources import open_source
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import FaceEmbedder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from classpulse.types import Image


class Photos:
    """Enrols the faces of pictures."""

    def __init__(self) -> None:
        """Open detector and embedder."""
        policy = Policy("other")
        self._detector = open_detector(Settings(), policy)
        self._embedder = FaceEmbedder.open(Settings(), policy)

    def enrol(self, pictures: Mapping[str, Image]) -> Gallery:
        """The largest face of each picture."""
        rows = []
        for image in pictures.values():
            faces = self._detector.detect(image)
            rows.append(self._embedder.embed(image, faces[np.array([faces.sizes_px.argmax()])]))
        return Gallery(self._embedder.name, tuple(pictures), np.concatenate(rows))

    def enrol_all(self, image: Image) -> Gallery:
        """Every face of a picture, the best found one as p0."""
        faces = self._detector.detect(image)
        return Gallery(self._embedder.name, [f"p{i}" for i in range(len(faces))], self._embedder.embed(image, faces))


def both(one: Gallery, other: Gallery) -> Gallery:
    """The people of two galleries that have one photo of each."""
    return Gallery(one.embedder, (*one.people, *other.people), np.concatenate([one._rows, other._rows]))


@pytest.fixture(scope="module")
def photos() -> Photos:
    return Photos()


@pytest.fixture(scope="module")
def people(test_data: Path) -> dict[str, Image]:
    return {path.stem: picture(path) for path in sorted((test_data / "people").glob("*.jpg"))}


def picture(path: Path) -> Image:
    image = cv2.imread(str(path))
    assert image is not None, path
    return np.asarray(image, np.uint8)


def moment(path: Path, time_s: float) -> Image:
    """The frame of a clip at a time."""
    source = open_source(path, StreamSettings(), fast=True)
    try:
        return next(frame.image for frame in source.frames() if frame.time_s >= time_s)
    finally:
        source.close()


def named(gallery: Gallery, image: Image) -> list[str | None]:
    """Who is named from left to right, after two seconds before a still picture."""
    pipeline = Pipeline(jurisdiction="other", gallery=gallery)
    result = [pipeline.process(Frame(image, i / 20, i)) for i in range(40)][-1]
    assert result.identities is not None
    return [result.identities.people[i] for i in np.argsort(result.tracks.faces.boxes[:, 0])]


def story(gallery: Gallery, path: Path) -> dict[int, list[str | None]]:
    """Whom each track was taken for, one after the other, through a whole clip."""
    told: dict[int, list[str | None]] = defaultdict(list)
    for result in Pipeline(jurisdiction="other", gallery=gallery).run(path):
        assert result.identities is not None
        for track, person in zip(result.tracks.ids.tolist(), result.identities.people, strict=True):
            if not told[track] or told[track][-1] != person:
                told[track].append(person)
    return told


def test_by_one_photo_each_they_are_recognised_in_the_other_photo(photos: Photos, people: dict[str, Image]) -> None:
    gallery = photos.enrol({"obama": people["obama"], "biden": people["biden"]})
    assert named(gallery, people["obama2"]) == ["obama"]
    assert named(gallery, people["biden2"]) == ["biden"]
    gallery = photos.enrol({"obama": people["obama2"], "biden": people["biden2"]})
    assert named(gallery, people["obama"]) == ["obama"]
    assert named(gallery, people["biden"]) == ["biden"]


def test_in_the_pair_picture_each_is_named_once_and_nobody_else(photos: Photos, people: dict[str, Image]) -> None:
    gallery = photos.enrol({"obama": people["obama"], "biden": people["biden"]})
    found = named(gallery, people["obama_and_biden"])
    assert sorted(name for name in found if name is not None) == ["biden", "obama"]


def test_two_who_did_not_enrol_stay_unknown(photos: Photos, people: dict[str, Image], test_data: Path) -> None:
    others = photos.enrol_all(picture(test_data / "clips" / "five-people.jpg"))
    assert len(others.people) == 5
    assert named(others, people["two_people"]) == [None, None]
    assert named(others, people["obama_and_biden"])[:2] == [None, None]


def test_a_face_that_is_in_no_enrolled_photo_stays_unknown(
    photos: Photos, people: dict[str, Image], test_data: Path
) -> None:
    gallery = photos.enrol({"obama": people["obama"], "biden": people["biden"]})
    assert named(gallery, picture(test_data / "clips" / "five-people.jpg")) == [None] * 5


@pytest.mark.parametrize(
    ("clip", "at_s"),
    [
        ("one-person-smile.mp4", 0.1),
        pytest.param("one-person-sad-then-happy.mp4", 0.5, marks=pytest.mark.thorough),
        pytest.param("classroom.mp4", 0.4, marks=pytest.mark.thorough),
    ],
)
def test_a_named_track_never_changes_its_person(
    photos: Photos, people: dict[str, Image], test_data: Path, clip: str, at_s: float
) -> None:
    path = test_data / "clips" / clip
    enrolled = photos.enrol_all(moment(path, at_s))
    others = photos.enrol({name: people[name] for name in ("obama", "biden")})
    told = story(both(enrolled, others), path)
    for track, names in told.items():
        assert len(set(names) - {None}) <= 1, (track, names)
    found = {name for names in told.values() for name in names} - {None}
    assert found == set(enrolled.people), "everybody who is there is named, and nobody else"
