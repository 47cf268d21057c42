from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from faces import make_faces
from torch import Tensor

from classpulse.training.augment import augment, erase, lighting, mixup, normalize, placements, plain
from classpulse.training.networks import MEAN, STD
from classpulse.training.recipe import Augmentation

SIDE = 48
OFF: dict[str, Any] = {
    "flip": False,
    "rotate_deg": 0,
    "scale_min": 1,
    "scale_max": 1,
    "shift": 0,
    "brightness": 0,
    "contrast": 0,
    "shrink": 0,
    "erase": 0,
}


def only(**changes: Any) -> Augmentation:
    return Augmentation(**{**OFF, **changes})


def levels(changed: Tensor) -> Tensor:
    """Back to gray levels, (N, side, side)."""
    return changed[:, 0] * STD + MEAN


@pytest.fixture
def images() -> Tensor:
    return torch.from_numpy(make_faces(8).images)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(3)


@pytest.mark.parametrize("side_px", [96, 80, 64, 49])
def test_enlarged_faces_are_what_opencv_makes_of_them(images: Tensor, side_px: int) -> None:
    wanted = [cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_LINEAR) for image in images.numpy()]
    assert np.abs(levels(plain(images, side_px)).numpy() - np.stack(wanted)).max() < 1


def test_a_face_of_the_right_size_is_only_normalized(images: Tensor) -> None:
    assert torch.equal(plain(images, SIDE), (images[:, None].float() - 127.5) / 64)


def test_a_shrunk_face_keeps_its_mean_level(images: Tensor) -> None:
    small = levels(plain(images, 24))
    assert small.shape[1:] == (24, 24)
    # Each place is a mean of those around it, not a pixel picked out.
    assert torch.allclose(small[:, 1:-1, 1:-1].mean(), images[:, 2:-2, 2:-2].float().mean(), atol=0.5)
    assert small.std() < images.float().std()


@pytest.mark.parametrize("side_px", [48, 80])
def test_with_everything_off_nothing_is_changed(images: Tensor, side_px: int) -> None:
    assert torch.allclose(augment(images, side_px, only()), plain(images, side_px), atol=2e-3)


def test_the_same_seed_changes_faces_in_the_same_way(images: Tensor) -> None:
    results = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        results.append(augment(images, SIDE, Augmentation(shrink=0.5)))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_what_comes_out_are_gray_levels_and_what_went_in_is_left_alone(images: Tensor) -> None:
    before = images.clone()
    strong = Augmentation(brightness=1, contrast=1, erase=1, shrink=1, shift=0.5, rotate_deg=90)
    for _ in range(5):
        changed = levels(augment(images, 64, strong))
        assert changed.shape == (len(images), 64, 64)
        assert changed.min() >= 0
        assert changed.max() <= 255
    assert torch.equal(images, before)


def test_a_flip_mirrors_about_half_of_the_faces(images: Tensor) -> None:
    many = images.repeat(8, 1, 1)
    changed = levels(augment(many, SIDE, only(flip=True)))
    same = (changed - many).abs().amax(dim=(1, 2)) < 0.1
    mirrored = (changed - many.flip(2)).abs().amax(dim=(1, 2)) < 0.1
    assert (same ^ mirrored).all()
    assert 0.4 < mirrored.float().mean() < 0.6


def centres(changed: Tensor) -> Tensor:
    """(N, 2) x and y of the light in each picture, in pixels from its middle."""
    weights = changed / changed.sum(dim=(1, 2), keepdim=True)
    along = torch.arange(changed.shape[-1]) - (changed.shape[-1] - 1) / 2
    return torch.stack([(weights.sum(1) * along).sum(1), (weights.sum(2) * along).sum(1)], 1)


def spots(count: int, x: int = 0, y: int = 0, radius: int = 2) -> Tensor:
    """A light square on black, `x` and `y` from the middle."""
    pictures = torch.zeros(count, SIDE, SIDE, dtype=torch.uint8)
    left, top = SIDE // 2 + x, SIDE // 2 + y
    pictures[:, top - radius : top + radius, left - radius : left + radius] = 200
    return pictures


def test_a_shift_moves_by_at_most_its_share_of_the_side() -> None:
    moved = centres(levels(augment(spots(400), SIDE, only(shift=0.2))))
    assert moved.abs().max() <= 0.2 * SIDE + 0.05
    assert (moved.abs().amax(dim=0) > 0.18 * SIDE).all()
    assert (moved.mean(dim=0).abs() < 0.02 * SIDE).all()


def test_a_rotation_turns_by_at_most_its_angle_and_nothing_else() -> None:
    moved = centres(levels(augment(spots(400, x=14), SIDE, only(rotate_deg=30))))
    angles = torch.atan2(moved[:, 1], moved[:, 0]).rad2deg()
    assert angles.abs().max() <= 30.3
    assert angles.min() < -27
    assert angles.max() > 27
    assert torch.allclose(moved.norm(dim=1), torch.full((400,), 14.0), atol=0.1)


def test_a_zoom_enlarges_and_shrinks_within_its_bounds() -> None:
    settings = only(scale_min=0.8, scale_max=1.25)
    distances = centres(levels(augment(spots(400, x=12), SIDE, settings)))[:, 0] / 12
    assert distances.min() == pytest.approx(0.8, abs=0.02)
    assert distances.max() == pytest.approx(1.25, abs=0.02)
    # On a logarithmic scale: as often smaller as larger.
    assert 0.4 < (distances < 1).float().mean() < 0.6


def test_a_turned_flipped_zoomed_face_is_still_a_similar_one() -> None:
    shapes = placements(200, Augmentation())[:, :, :2]
    assert torch.allclose(shapes[:, 0].norm(dim=1), shapes[:, 1].norm(dim=1), atol=1e-6)
    assert torch.allclose((shapes[:, 0] * shapes[:, 1]).sum(1), torch.zeros(200), atol=1e-6)
    flipped = torch.det(shapes) < 0
    assert 0.35 < flipped.float().mean() < 0.65


def test_brightness_adds_up_to_its_part_of_the_gray_scale() -> None:
    gray = torch.full((400, 1, SIDE, SIDE), 128.0)
    offsets = lighting(gray, only(brightness=0.25))[:, 0, 0, 0] - 128
    assert offsets.abs().max() <= 0.25 * 255
    assert offsets.min() < -0.22 * 255
    assert offsets.max() > 0.22 * 255


def test_contrast_stretches_about_each_faces_own_mean(images: Tensor) -> None:
    faces = images[:, None].float().repeat(6, 1, 1, 1)
    changed = lighting(faces, only(contrast=0.4))
    factors = changed.std(dim=(1, 2, 3)) / faces.std(dim=(1, 2, 3))
    assert torch.allclose(changed.mean(dim=(1, 2, 3)), faces.mean(dim=(1, 2, 3)), atol=1e-2)
    assert 0.6 <= factors.min() < 0.66
    assert 1.34 < factors.max() <= 1.4 + 1e-5


def test_erasing_covers_its_share_of_the_faces_with_one_level() -> None:
    faces = torch.full((1000, 1, SIDE, SIDE), -1.0)
    changed = erase(faces, 0.3)[:, 0]
    covered = changed >= 0
    hit = covered.any(dim=2).any(dim=1)
    assert 0.25 < hit.float().mean() < 0.35
    for picture, mask in zip(changed[hit], covered[hit], strict=True):
        rows, columns = mask.any(1).sum(), mask.any(0).sum()
        assert mask.sum() == rows * columns  # a rectangle
        assert math.floor(0.15 * SIDE) <= min(rows, columns)
        assert max(rows, columns) <= math.ceil(0.45 * SIDE)
        assert picture[mask].unique().numel() == 1
    assert not (erase(faces, 0) >= 0).any()


def test_shrinking_takes_the_details_of_its_share_of_the_batches(images: Tensor) -> None:
    noise = torch.randint(0, 256, images.shape, dtype=torch.uint8)
    whole = plain(noise, SIDE).std()
    poorer = [bool(augment(noise, SIDE, only(shrink=0.5)).std() < 0.9 * whole) for _ in range(60)]
    assert 0.3 < np.mean(poorer) < 0.7


def test_mixup_pairs_everybody_once_and_keeps_at_least_half() -> None:
    weights = []
    for _ in range(200):
        partners, keep = mixup(32, 0.4)
        assert sorted(partners.tolist()) == list(range(32))
        weights.append(keep)
    assert 0.5 <= min(weights) < 0.6
    assert 0.95 < max(weights) <= 1
    partners, keep = mixup(32, 0)
    assert partners.tolist() == list(range(32))
    assert keep == 1


def test_gray_levels_become_what_networks_take() -> None:
    assert normalize(torch.tensor([0.0, MEAN, 255.0])).tolist() == [-127.5 / 64, 0, 127.5 / 64]
