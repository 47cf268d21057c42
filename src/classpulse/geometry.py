"""Boxes: pure, shaped arithmetic, in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from classpulse.types import Floats, Ints


def areas(boxes: Floats) -> Floats:
    """Area of each box, px².

    Args:
        boxes: (N, 4) `x0, y0, x1, y1`.

    Returns:
        (N,) float32, zero for a box that is turned inside out.

    >>> areas(np.array([[0, 0, 4, 5], [3, 3, 1, 9]], np.float32)).tolist()
    [20.0, 0.0]
    """
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of every box of `a` with every box of `b`.

    Args:
        a: (N, 4) boxes.
        b: (M, 4) boxes.

    Returns:
        (N, M) float32, 0 to 1.

    >>> iou(np.array([[0, 0, 2, 2]], np.float32), np.array([[1, 0, 3, 2]], np.float32)).round(3).tolist()
    [[0.3330000042915344]]
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    both = sides[..., 0] * sides[..., 1]
    union = areas(a)[:, None] + areas(b)[None, :] - both
    return np.asarray(both / np.maximum(union, 1e-9), np.float32)


def suppress(boxes: Floats, scores: Floats, max_iou: float) -> Ints:
    """Greedy non-maximum suppression: of boxes that overlap, keep the best.

    Args:
        boxes: (N, 4) boxes.
        scores: (N,) confidence.
        max_iou: overlap above which the lesser box goes.

    Returns:
        (K,) int64 places of the boxes to keep, best first.

    >>> b = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], np.float32)
    >>> suppress(b, np.array([0.8, 0.9, 0.5], np.float32), 0.3).tolist()
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    overlap = iou(boxes[order], boxes[order]) > max_iou
    keep = np.ones(len(order), bool)
    for i in range(len(order)):
        if keep[i]:
            keep[i + 1 :] &= ~overlap[i, i + 1 :]
    return np.asarray(order[keep], np.int64)


def squares(boxes: Floats, scale: float = 1.0) -> Floats:
    """The square on each box's centre whose side is `scale` times the box's longer side.

    FER-2013's own frame is such a square with `scale` 1.0 around the detector's box.

    Args:
        boxes: (N, 4) boxes.
        scale: side of the square in longer sides.

    Returns:
        (N, 4) float32 boxes; they may reach beyond the picture.

    >>> squares(np.array([[0, 0, 4, 8]], np.float32)).tolist()
    [[-2.0, 0.0, 6.0, 8.0]]
    """
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) * scale / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def inside_share(boxes: Floats, width: int, height: int) -> Floats:
    """Share of each box's area that lies inside the picture.

    Args:
        boxes: (N, 4) boxes.
        width: of the picture, px.
        height: of the picture, px.

    Returns:
        (N,) float32, 0 to 1.

    >>> inside_share(np.array([[-5, 0, 5, 10]], np.float32), 100, 100).tolist()
    [0.5]
    """
    limits = np.array([width, height, width, height], np.float32)
    clipped = np.clip(boxes, 0, limits)
    return np.asarray(areas(clipped) / np.maximum(areas(boxes), 1e-9), np.float32)
