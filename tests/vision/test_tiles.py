"""Where the tiles are: made-up galleries, and a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from galleries import Gallery, room

from classpulse.geometry import iou
from classpulse.vision.tiles import find_tiles

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Ints

NAMES = ["Ana", "Ben", "Cem", "Dora", "Eve*", "Finn", "Gia", "Hugo", "Ida*", "Jon", "Kai"]


def assert_found(found: Ints, true: Ints) -> None:
    overlap = iou(true.astype(np.float32), found.astype(np.float32))
    assert len(found) == len(true), found.tolist()
    assert (overlap.max(axis=1) > 0.9).all(), found.tolist()


@pytest.mark.parametrize(("columns", "gutter"), [(3, 0), (4, 0), (6, 0), (2, 2), (4, 2), (2, 8), (3, 8), (6, 8)])
def test_tiles_of_a_grid_with_photos_and_a_last_row_that_is_not_full(columns: int, gutter: int) -> None:
    gallery = Gallery(columns=columns, gutter=gutter)
    frame, _ = gallery.show(NAMES, 0.0)
    assert_found(find_tiles(frame.image), gallery.boxes)


def test_lines_inside_a_tile_do_not_cut_it() -> None:
    gallery = Gallery(scale=2.0)
    frame, _ = gallery.show(["Ana", "Ben", "Cem", "Dora", "Finn", "Gia"], 0.0)
    x0, y0, x1, y1 = gallery.places["Ben"]
    # A door frame, sharp and from top to bottom; a label on a bar; a frame around whoever speaks.
    frame.image[y0:y1, x0 + 60 : x0 + 66] = 200
    frame.image[y1 - 14 : y1, x0:x1] = 0
    cv2.rectangle(frame.image, (x0 - 2, y0 - 2), (x1 + 1, y1 + 1), (240, 160, 60), 2)
    assert_found(find_tiles(frame.image), gallery.boxes)


@pytest.mark.parametrize("factor", [0.75, 1.3])
def test_a_window_that_is_scaled(factor: float) -> None:
    gallery = Gallery(scale=2.0)
    frame, _ = gallery.show(NAMES, 0.0)
    scaled = cv2.resize(frame.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    assert_found(find_tiles(np.asarray(scaled, np.uint8)), (gallery.boxes * factor).astype(np.int64))


def test_a_picture_without_tiles_is_one() -> None:
    picture = cv2.resize(room(1), (640, 360), interpolation=cv2.INTER_CUBIC)
    assert find_tiles(np.asarray(picture, np.uint8)).tolist() == [[0, 0, 640, 360]]
    assert find_tiles(np.zeros((90, 160, 3), np.uint8)).tolist() == [[0, 0, 160, 90]]
    assert find_tiles(np.zeros((1, 1, 3), np.uint8)).tolist() == [[0, 0, 1, 1]]


def test_a_real_gallery_has_nine(test_data: Path) -> None:
    true = np.array([(426 * c, 240 * r, 426 * c + 426, 240 * r + 240) for r in range(3) for c in range(3)], np.int64)
    with av.open(str(test_data / "clips" / "meeting-gallery.mp4")) as clip:
        for i, picture in enumerate(clip.decode(video=0)):
            if i in {0, 50, 140}:
                assert_found(find_tiles(np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)), true)
            if i == 140:
                break
