from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from faces import make_faces

from classpulse.training.faces import duplicates
from classpulse.training.faces.duplicates import NEAR_BITS, groups, near_duplicates, perceptual_hashes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Images = NDArray[np.uint8]

RNG = np.random.default_rng(0)


def scenes(count: int) -> Images:
    """Pictures that differ as photographs do: most in their lowest frequencies."""
    found = np.full((count, 48, 48), 128.0)
    for side in (2, 3, 5, 8, 12, 24):
        for index in range(count):
            found[index] += cv2.resize(RNG.normal(0, 80 / side, (side, side)), (48, 48), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(found, 0, 255), np.uint8)


SCENES = scenes(40)
HASHES = perceptual_hashes(SCENES)


def apart(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.asarray(np.bitwise_count(a ^ b))


def compress(image: Images) -> Images:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 0))


def darken(image: Images) -> Images:
    return np.asarray(image * 0.6 + 10, np.uint8)


def shrink(image: Images) -> Images:
    return np.asarray(cv2.resize(cv2.resize(image, (30, 30), interpolation=cv2.INTER_AREA), (48, 48)))


def crop(image: Images) -> Images:
    return np.asarray(cv2.resize(image[1:47, 1:47], (48, 48)))


@pytest.mark.parametrize(("change", "share"), [(compress, 0.95), (darken, 0.95), (shrink, 0.95), (crop, 0.4)])
def test_the_same_picture_is_found_again(change: Callable[[Images], Images], share: float) -> None:
    changed = perceptual_hashes(np.stack([change(image) for image in SCENES]))
    found = near_duplicates(changed, HASHES)
    assert found.mean() >= share
    assert np.array_equal(found, (apart(changed[:, None], HASHES) <= NEAR_BITS).any(axis=1))


def test_another_picture_is_not() -> None:
    others = perceptual_hashes(scenes(400))
    assert not near_duplicates(others, HASHES).any()
    assert apart(others[:, None], HASHES).mean() == pytest.approx(32, abs=1)


def test_the_hash_is_that_of_the_published_rule() -> None:
    """Frequencies 1 to 8 both ways, row by row, each a bit: above the median or not."""
    coefficients = cv2.dct(SCENES[0].astype(np.float64))[1:9, 1:9]
    bits = coefficients.ravel() > np.median(coefficients)
    assert f"{int(HASHES[0]):064b}" == "".join("1" if bit else "0" for bit in bits)


def test_a_picture_of_one_gray_is_near_no_other() -> None:
    blanks = np.stack([np.full((48, 48), level, np.uint8) for level in range(256)])
    assert not perceptual_hashes(blanks).any()
    assert not near_duplicates(np.zeros(1, np.uint64), HASHES).any()


def test_a_batch_hashes_as_its_pictures_do() -> None:
    many = np.tile(make_faces(12).images, (16, 1, 1))
    assert len(many) > duplicates._BATCH
    together = perceptual_hashes(many)
    assert together.dtype == np.uint64
    alone = np.concatenate([perceptual_hashes(many[i : i + 1]) for i in range(0, len(many), 97)])
    assert np.array_equal(together[::97], alone)
    assert perceptual_hashes(many[:0]).shape == (0,)


@pytest.mark.parametrize(
    "images", [np.zeros((48, 48), np.uint8), np.zeros((2, 48, 47), np.uint8), np.zeros((2, 48, 48))]
)
def test_other_arrays_are_refused(images: Images) -> None:
    with pytest.raises(ValueError, match="not uint8"):
        perceptual_hashes(images)


def neighbours(centres: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """Hashes that lie so many bits from given ones."""
    flips = [sum(1 << int(bit) for bit in RNG.choice(64, bits, replace=False)) for _ in centres]
    return centres ^ np.asarray(flips, np.uint64)


@pytest.mark.parametrize("tile", [(64, 8192), (3, 5)])
@pytest.mark.parametrize("max_bits", [0, 4, 30])
def test_they_find_what_comparing_every_pair_finds(
    monkeypatch: pytest.MonkeyPatch, tile: tuple[int, int], max_bits: int
) -> None:
    monkeypatch.setattr(duplicates, "_TILE", tile)
    centres = RNG.integers(0, 1 << 64, 30, dtype=np.uint64)
    hashes = np.concatenate([centres, centres[:5], *(neighbours(centres, bits) for bits in (3, 4, 5))])
    near = apart(hashes[:, None], hashes) <= max_bits
    others = neighbours(centres, 4)
    assert np.array_equal(
        near_duplicates(hashes, others, max_bits), (apart(hashes[:, None], others) <= max_bits).any(1)
    )
    reached = near
    for _ in range(8):
        reached = reached @ reached
    wanted = {tuple(np.flatnonzero(row).tolist()) for row in reached if row.sum() > 1}
    found = groups(hashes, max_bits)
    assert {tuple(group.tolist()) for group in found} == wanted
    assert [int(group[0]) for group in found] == sorted(int(group[0]) for group in found)


def test_a_set_in_which_all_is_alike_needs_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = np.asarray([(1 << i) - 1 for i in range(64)], np.uint64)
    hashes = np.concatenate([chain, chain ^ np.uint64(0xF0F0F0F0F0F0F0F0)])
    merged: list[int] = []
    connect = duplicates._connect

    def counted(labels: NDArray[np.intp], pairs: list[tuple[NDArray[np.intp], NDArray[np.intp]]]) -> NDArray[np.intp]:
        merged.append(len(pairs))
        return connect(labels, pairs)

    monkeypatch.setattr(duplicates, "_connect", counted)
    at_once = groups(hashes, 2)
    assert len(merged) == 1
    monkeypatch.setattr(duplicates, "_EDGES", 7)
    monkeypatch.setattr(duplicates, "_TILE", (8, 8))
    piecewise = groups(hashes, 2)
    assert len(merged) > 5
    assert [group.tolist() for group in piecewise] == [group.tolist() for group in at_once]
    assert len(at_once[0]) == 64


def test_nothing_is_near_nothing() -> None:
    nothing = np.zeros(0, np.uint64)
    assert near_duplicates(nothing, HASHES).shape == (0,)
    assert not near_duplicates(HASHES, nothing).any()
    assert groups(nothing) == []
