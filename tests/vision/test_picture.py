from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from classpulse.inference import InputContract
from classpulse.vision.picture import crop, fit, to_batch


def wanted(colour: str, mean: list[float], std: list[float]) -> InputContract:
    return InputContract.model_validate(
        {"layout": "NCHW", "height": None, "width": None, "colour": colour, "mean": mean, "std": std}
    )


def gradient(height: int, width: int) -> Any:
    """Blue grows to the right, green downwards; red is 7."""
    image = np.full((height, width, 3), 7, np.uint8)
    image[:, :, 0] = np.arange(width)[None, :] % 256
    image[:, :, 1] = np.arange(height)[:, None] % 256
    return image


# --- fit ---


@pytest.mark.parametrize(
    ("height", "width", "size", "scale"),
    [
        (360, 640, (384, 640), 1.0),
        (720, 1280, (384, 640), 0.5),
        (1280, 720, (640, 384), 0.5),
        (640, 640, (640, 640), 1.0),
        (100, 50, (128, 64), 1.0),
        (1, 1, (32, 32), 1.0),
        (10, 4000, (32, 640), 0.16),
        (4000, 3, (640, 32), 0.16),
        (1, 20_000, (32, 640), 0.032),
    ],
)
def test_a_picture_is_reduced_and_padded(height: int, width: int, size: tuple[int, int], scale: float) -> None:
    small, factor = fit(np.full((height, width, 3), 200, np.uint8), 640)
    assert small.shape == (*size, 3)
    assert small.dtype == np.uint8
    assert factor == pytest.approx(scale)
    used = max(1, round(height * scale)), max(1, round(width * scale))
    assert (small[: used[0], : used[1]] == 200).all()
    assert (small[used[0] :] == 0).all()
    assert (small[:, used[1] :] == 0).all()


def test_a_small_picture_is_not_enlarged_and_not_touched() -> None:
    image = gradient(40, 50)
    before = image.copy()
    small, scale = fit(image, 640)
    assert scale == 1
    np.testing.assert_array_equal(small[:40, :50], image)
    small[:] = 0
    np.testing.assert_array_equal(image, before)


def test_what_is_reduced_stays_in_its_place() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    image[400:500, 800:1000] = 255
    small, scale = fit(image, 640)
    rows, columns = np.nonzero(small[:, :, 0] > 127)
    assert [rows.min() / scale, (rows.max() + 1) / scale] == [400, 500]
    assert [columns.min() / scale, (columns.max() + 1) / scale] == [800, 1000]


# --- to_batch ---


def test_colours_are_put_in_the_order_of_the_contract() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    image[:] = (10, 20, 30)  # blue, green, red
    plain: tuple[list[float], list[float]] = ([0, 0, 0], [1, 1, 1])
    assert to_batch([image], wanted("bgr", *plain))[0, :, 0, 0].tolist() == [10, 20, 30]
    assert to_batch([image], wanted("rgb", *plain))[0, :, 0, 0].tolist() == [30, 20, 10]
    gray = to_batch([image], wanted("gray", [0], [1]))
    assert gray.shape == (1, 1, 2, 3)
    assert gray[0, 0, 0, 0] == round(0.114 * 10 + 0.587 * 20 + 0.299 * 30)


def test_mean_and_std_are_taken_off_after_the_colours_are_in_order() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:] = (10, 20, 30)
    batch = to_batch([image, image], wanted("rgb", [1, 2, 3], [2, 4, 7]))
    assert batch.shape == (2, 3, 4, 4)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch[1, :, 3, 3], [(30 - 1) / 2, (20 - 2) / 4, (10 - 3) / 7])
    only_std = to_batch([image], wanted("gray", [0], [10]))
    np.testing.assert_allclose(only_std[0, 0, 0, 0], 2.2)


def test_rows_and_columns_keep_their_places() -> None:
    image = gradient(6, 9)
    batch = to_batch([image], wanted("bgr", [0, 0, 0], [1, 1, 1]))
    assert batch[0, 0, 2].tolist() == list(range(9))
    assert batch[0, 1, :, 4].tolist() == list(range(6))


# --- crop ---


def box(*values: float) -> Any:
    return np.array(values, np.float32)


def test_a_square_inside_the_picture_is_cut_out_as_it_is() -> None:
    image = gradient(100, 120)
    np.testing.assert_array_equal(crop(image, box(30, 20, 78, 68), 48), image[20:68, 30:78])


def test_a_crop_is_resized_to_the_side_asked_for() -> None:
    image = gradient(100, 120)
    for square in (box(30, 20, 94, 84), box(30, 20, 46, 36)):
        part = image[int(square[1]) : int(square[3]), int(square[0]) : int(square[2])]
        method = cv2.INTER_AREA if part.shape[0] > 32 else cv2.INTER_LINEAR
        np.testing.assert_array_equal(crop(image, square, 32), cv2.resize(part, (32, 32), interpolation=method))


@pytest.mark.parametrize(
    ("square", "top", "bottom", "left", "right"),
    [
        ((-10, 20, 30, 60), 0, 0, 10, 0),
        ((100, 20, 140, 60), 0, 0, 0, 20),
        ((30, -15, 70, 25), 15, 0, 0, 0),
        ((30, 70, 70, 110), 0, 10, 0, 0),
        ((-5, -6, 35, 34), 6, 0, 5, 0),
        ((-10, -20, 130, 120), 20, 20, 10, 10),
    ],
)
def test_beyond_the_picture_its_edge_is_repeated(
    square: tuple[float, float, float, float], top: int, bottom: int, left: int, right: int
) -> None:
    image = gradient(100, 120)
    side = int(square[2] - square[0])
    inside = image[max(0, int(square[1])) : min(100, int(square[3])), max(0, int(square[0])) : min(120, int(square[2]))]
    padded = np.pad(inside, ((top, bottom), (left, right), (0, 0)), mode="edge")
    assert padded.shape == (side, side, 3)
    np.testing.assert_array_equal(crop(image, box(*square), side), padded)


@pytest.mark.parametrize("square", [(200, 20, 240, 60), (-60, 20, -20, 60), (10, 300, 50, 340)])
def test_a_square_beside_the_picture_is_black(square: tuple[float, float, float, float]) -> None:
    part = crop(np.full((100, 120, 3), 9, np.uint8), box(*square), 16)
    assert part.shape == (16, 16, 3)
    assert (part == 0).all()


def test_a_square_without_extent_is_one_pixel() -> None:
    image = gradient(100, 120)
    part = crop(image, box(40.2, 30.1, 40.2, 30.1), 8)
    assert (part == image[30, 40]).all()


def test_the_picture_is_left_as_it_was() -> None:
    image = gradient(100, 120)
    before = image.copy()
    for square in (box(10, 10, 50, 50), box(-10, -10, 50, 50)):
        part = crop(image, square, 40)
        part[:] = 0
    np.testing.assert_array_equal(image, before)
