"""Faces brought into one position by their five landmarks, as embedders were trained or measured to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import Floats, Image

ARCFACE: NDArray[np.float64] = (
    np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]) / 112
)
"""Where ArcFace (Deng et al. 2019, arXiv 1801.07698) wants eyes, nose and mouth, in sides of the picture."""


def align(image: Image, landmarks: Floats, side_px: int, template: NDArray[np.float64] = ARCFACE) -> Image:
    """Turn, scale and shift a face so that its landmarks come to lie on a template.

    Args:
        image: (height, width, 3) uint8, BGR.
        landmarks: (5, 2) float32, `x, y` in px, in the order of `Faces`.
        side_px: side of the result.
        template: (5, 2) where they should be, in sides of the result.

    Returns:
        (side_px, side_px, 3) uint8, BGR; beyond the picture its edge pixels are repeated. Black where the landmarks
        are not finite or lie within one pixel.
    """
    wanted = template * side_px
    found = landmarks.astype(np.float64)
    if not np.isfinite(found).all() or np.ptp(found, axis=0).max() < 1:
        return np.zeros((side_px, side_px, 3), np.uint8)
    matrix = similarity(found, wanted)
    image, matrix = _reduced(image, matrix, side_px)
    # OpenCV counts pixels from their centres, landmarks are counted from the corner: half a pixel both ways.
    matrix = matrix + np.array([[0, 0, -0.5], [0, 0, -0.5]])
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5]
    size = (side_px, side_px)
    turned = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation, scale and shift that bring points nearest to others by least squares (Umeyama 1991, eq. 40 to 43).

    In the plane, and with mirroring left out, the solution is one complex factor: with centred points `s` and `t`,
    `sum(conj(s) t) / sum(|s|^2)`.

    Args:
        source: (K, 2) points, not all the same.
        target: (K, 2) where they should be.

    Returns:
        (2, 3) `[R | t]`.

    >>> similarity(np.array([[0.0, 0], [1, 0]]), np.array([[5.0, 5], [5, 7]])).round(6).tolist()
    [[0.0, -2.0, 5.0], [2.0, 0.0, 5.0]]
    """
    s, t = source @ [1, 1j], target @ [1, 1j]
    centred = s - s.mean()
    factor = np.vdot(centred, t - t.mean()) / np.vdot(centred, centred).real
    shift = t.mean() - factor * s.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def _reduced(image: Image, matrix: NDArray[np.float64], side_px: int) -> tuple[Image, NDArray[np.float64]]:
    """The part of a picture that will be seen, made smaller beforehand where the transform would skip pixels."""
    zoom = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if zoom >= 0.5:
        return image, matrix
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [side_px, 0], [0, side_px], [side_px, side_px]]) - matrix[:, 2]
    seen = corners @ np.linalg.inv(matrix[:, :2]).T
    low = np.clip(np.floor(seen.min(axis=0)) - 1, 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)) + 1, low + 1, [width, height]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    size = np.maximum(np.round((high - low) * zoom), 1).astype(int)
    smaller = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    scale = size / (high - low)
    turned = matrix[:, :2] / scale
    shift = matrix[:, 2] + matrix[:, :2] @ low
    return np.asarray(smaller, np.uint8), np.column_stack([turned, shift])
