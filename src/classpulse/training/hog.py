"""Histograms of oriented gradients: what a face looks like to the classifiers that came before deep learning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.training.recipe import Hog
    from classpulse.types import Floats

CHUNK = 512
"""Faces at a time: the maps of one chunk take some 50 MB."""
CLIP = 0.2
"""No part of a normalized block is larger, so that one hard edge does not drown the rest (L2-Hys)."""
EPSILON = 1e-2
"""Keeps the noise of flat blocks small; gradients are parts of the gray scale, 0 to 1."""


def hog(images: NDArray[np.uint8], settings: Hog) -> Floats:
    """Histograms of oriented gradients (Dalal & Triggs 2005, "Histograms of Oriented Gradients for Human Detection").

    As in the paper: gradients by [-1, 0, 1] without smoothing, unsigned orientations, votes by magnitude shared between
    the two nearest bins and the four nearest cells, blocks that overlap by all but one cell, L2-Hys. Unlike it: no
    Gaussian window over a block, which at this size would leave little of the face.

    Args:
        images: (N, side, side) uint8; what is left over beside whole cells is cut off at the right and below.
        settings: cells, blocks and bins.

    Returns:
        (N, features) float32, 0 to 1: block by block, row by row.
    """
    parts = [_hog(images[i : i + CHUNK], settings) for i in range(0, len(images), CHUNK)]
    return np.concatenate(parts) if parts else _hog(images, settings)


def _hog(images: NDArray[np.uint8], settings: Hog) -> Floats:
    cells = images.shape[1] // settings.cell_px
    side = cells * settings.cell_px
    levels = np.pad(images[:, :side, :side].astype(np.float32) / 255, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across, down = levels[:, 1:-1, 2:] - levels[:, 1:-1, :-2], levels[:, 2:, 1:-1] - levels[:, :-2, 1:-1]
    near = _nearness(cells, settings.cell_px)
    votes = _votes(across, down, settings.orientations)
    histograms = np.matmul(np.matmul(near, votes), near.T)  # (N, bins, cells, cells)
    size = settings.block_cells
    blocks = sliding_window_view(histograms.transpose(0, 2, 3, 1), (size, size), axis=(1, 2))
    count, rows, columns = blocks.shape[:3]
    length = size * size * settings.orientations
    flat = _unit(blocks.reshape(count, rows, columns, length))
    return _unit(np.minimum(flat, CLIP)).reshape(count, rows * columns * length)


def _votes(across: NDArray[Any], down: NDArray[Any], orientations: int) -> Floats:
    """Each pixel's vote: (N, h, w) gradients to (N, orientations, h, w), its magnitude in the two nearest bins."""
    bins = np.arctan2(down, across) / np.pi % 1 * orientations - 0.5
    lower = np.floor(bins)
    upper_share = bins - lower
    magnitude = np.hypot(across, down)
    votes = np.zeros((len(across), orientations, *across.shape[1:]), np.float32)
    for step, share in ((0, 1 - upper_share), (1, upper_share)):
        chosen = (lower.astype(np.intp) + step) % orientations
        for i in range(orientations):
            votes[:, i] += np.where(chosen == i, share * magnitude, 0)
    return votes


def _nearness(cells: int, cell_px: int) -> Floats:
    """(cells, pixels): how much of a pixel's vote goes to each cell, by its distance from the cell's middle."""
    middles = (np.arange(cells) + 0.5) * cell_px - 0.5
    distances = np.abs(np.arange(cells * cell_px) - middles[:, None]) / cell_px
    return np.maximum(1 - distances, 0).astype(np.float32)


def _unit(blocks: Floats) -> Floats:
    lengths = np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + EPSILON**2)
    return np.asarray(blocks / lengths, np.float32)
