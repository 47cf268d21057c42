from __future__ import annotations

import numpy as np
import pytest
from faces import make_faces

from classpulse.training.evaluate.robustness import (
    FAMILIES,
    Family,
    blur,
    compress,
    enlarge,
    expose,
    misalign,
    passes,
    shrink,
    some,
    try_out,
)
from classpulse.training.faces.faceset import Split

IMAGES = make_faces(1).images[:6]


def detail(images: np.ndarray) -> float:
    """How much neighbours differ."""
    return float(np.abs(np.diff(images.astype(np.float64), axis=2)).mean())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_condition_gives_faces_and_leaves_those_it_was_given(family: Family) -> None:
    before = IMAGES.copy()
    assert list(family.amounts) == sorted(family.amounts)
    assert family.untouched not in family.amounts
    for amount in family.amounts:
        spoilt = family.spoil(IMAGES, amount)
        assert spoilt.dtype == np.uint8
        assert spoilt.shape[0] == len(IMAGES)
        assert spoilt.shape != IMAGES.shape or not np.array_equal(spoilt, IMAGES)
    assert np.array_equal(IMAGES, before)


def test_blur_takes_detail_and_keeps_brightness() -> None:
    details = [detail(blur(IMAGES, sigma_px=sigma)) for sigma in (0.5, 1, 2, 3)]
    assert details == sorted(details, reverse=True)
    assert blur(IMAGES, sigma_px=2).mean() == pytest.approx(IMAGES.mean(), rel=0.02)


def test_far_faces_have_the_size_they_had_and_less_detail() -> None:
    details = [detail(shrink(IMAGES, side_px=side)) for side in (20, 32, 40)]
    assert details == sorted(details)
    assert shrink(IMAGES, side_px=20).shape == IMAGES.shape


def test_near_faces_are_larger_pictures_of_the_same() -> None:
    near = enlarge(IMAGES, side_px=96)
    assert near.shape == (len(IMAGES), 96, 96)
    halved = near.reshape(len(IMAGES), 48, 2, 48, 2).mean(axis=(2, 4))
    assert np.abs(halved - IMAGES).mean() < 4


def test_light_is_multiplied_and_ends_at_white() -> None:
    assert expose(IMAGES, gain=0.25).mean() == pytest.approx(IMAGES.mean() / 4, abs=1)
    assert expose(IMAGES, gain=3).max() == 255
    assert np.array_equal(expose(IMAGES, gain=1), IMAGES)


def test_worse_jpeg_is_farther_from_the_face() -> None:
    distances = [np.abs(compress(IMAGES, quality=q).astype(int) - IMAGES).mean() for q in (5, 20, 70)]
    assert distances == sorted(distances, reverse=True)


def dot(x: int, y: int, count: int = 1) -> np.ndarray:
    images = np.zeros((count, 48, 48), np.uint8)
    images[:, y - 1 : y + 2, x - 1 : x + 2] = 255
    return images


def centre(image: np.ndarray) -> tuple[float, float]:
    y, x = np.indices(image.shape)
    weights = image / image.sum()
    return float((x * weights).sum()), float((y * weights).sum())


def test_a_shifted_crop_moves_the_face_by_that_part_of_its_side() -> None:
    moved = [centre(image) for image in misalign(dot(24, 24, 5), shift=0.1)]
    distances = [np.hypot(x - 24, y - 24) for x, y in moved]
    assert distances == pytest.approx([4.8] * 5, abs=0.1)
    assert moved[0][0] == pytest.approx(24 - 4.8, abs=0.1)  # the crop went right, so the face went left
    assert len({round(x) for x, _ in moved}) > 2


def test_a_larger_crop_makes_the_face_smaller() -> None:
    x, y = centre(misalign(dot(40, 24), scale=1.25)[0])
    assert x - 23.5 == pytest.approx((40 - 23.5) / 1.25, abs=0.2)
    assert y == pytest.approx(23.5 + 0.5 / 1.25, abs=0.2)


def test_heads_tilt_to_either_side() -> None:
    first, second = (centre(image) for image in misalign(dot(40, 24, 2), tilt_deg=30))
    assert first[1] - 23.5 == pytest.approx(16.5 * np.sin(np.radians(30)), abs=0.7)
    assert second[1] - 23.5 == pytest.approx(-16.5 * np.sin(np.radians(30)), abs=0.7)


def test_the_faces_that_are_tried_are_the_same_every_time() -> None:
    faces = make_faces(12).split(Split.TRAINING)
    part = some(faces, 20)
    assert part.names.tolist() == some(faces, 20).names.tolist()
    assert len(set(part.names.tolist())) == 20
    assert some(faces, 1000) is faces


def test_a_model_that_looks_at_brightness_fails_where_that_changes() -> None:
    faces = make_faces(3).split(Split.TRAINING)
    known = {round(float(image.mean()), 2): label for image, label in zip(faces.images, faces.labels, strict=True)}
    levels = np.array(list(known))
    asked = 0

    def say(images: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += 1
        nearest = np.abs(images.mean(axis=(1, 2))[:, None] - levels).argmin(axis=1)
        return np.array([known[level] for level in levels[nearest]], np.intp)

    found = try_out(faces, say)
    assert asked == passes()
    assert found.untouched["label"].value == 1.0
    assert found.untouched["people"].value == 1.0
    tried = {one.family.name: one.rates for one in found.tried}
    assert tried["Dark"][0]["label"].value < 0.5
    assert tried["Near"][0]["label"].value > 0.8
