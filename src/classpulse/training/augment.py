"""Faces made different each time they are seen: on whole batches of tensors, from torch's random numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from classpulse.training.networks import MEAN, STD

if TYPE_CHECKING:
    from classpulse.training.recipe import Augmentation

SHRUNK_PX = (20, 41)
"""Sides that faces are shrunk to, the second not included."""
ERASED = (0.15, 0.45)
"""Sides of an erased rectangle, as parts of the picture's."""


def plain(images: Tensor, side_px: int) -> Tensor:
    """Images as the network takes them, unchanged but for their size.

    Args:
        images: (N, h, w) uint8.
        side_px: side that the network wants.

    Returns:
        (N, 1, side_px, side_px) float32, resized as `vision.picture.crop` does, `(pixel - MEAN) / STD`.
    """
    return normalize(_resize(images[:, None].float(), side_px))


def normalize(images: Tensor) -> Tensor:
    """Gray levels 0..255 to what networks take."""
    return (images - MEAN) / STD


def augment(images: Tensor, side_px: int, settings: Augmentation) -> Tensor:
    """Images as the network takes them, each changed at random.

    Args:
        images: (N, h, w) uint8.
        side_px: side that the network wants.
        settings: how far the changes may go.

    Returns:
        (N, 1, side_px, side_px) float32, `(pixel - MEAN) / STD`.
    """
    levels = images[:, None].float()
    if settings.shrink and torch.rand(()) < settings.shrink:
        small = int(torch.randint(*SHRUNK_PX, ()))
        levels = functional.interpolate(levels, (small, small), mode="bilinear", antialias=True, align_corners=False)
    grid = functional.affine_grid(placements(len(levels), settings), [len(levels), 1, side_px, side_px], False)  # noqa: FBT003
    levels = functional.grid_sample(
        levels, grid.to(levels.device), mode="bilinear", padding_mode="border", align_corners=False
    )
    levels = lighting(levels, settings)
    return normalize(erase(levels, settings.erase).clamp_(0, 255))


def placements(count: int, settings: Augmentation) -> Tensor:
    """Flips, turns, zooms and shifts.

    Returns:
        (count, 2, 3) float32: from places in the result to places in the picture, both -1 to 1.
    """
    angles = _uniform(count, math.radians(settings.rotate_deg))
    low, high = math.log(settings.scale_min), math.log(settings.scale_max)
    zooms = torch.exp(low + (high - low) * torch.rand(count))
    flips = torch.where(torch.rand(count) < 0.5, -1.0, 1.0) if settings.flip else torch.ones(count)
    cos, sin = torch.cos(angles) / zooms, torch.sin(angles) / zooms
    # Shares of the side are half as much on a scale from -1 to 1.
    shifts = [_uniform(count, 2 * settings.shift) for _ in range(2)]
    rows = [torch.stack([cos * flips, -sin, shifts[0]], 1), torch.stack([sin * flips, cos, shifts[1]], 1)]
    return torch.stack(rows, 1)


def lighting(levels: Tensor, settings: Augmentation) -> Tensor:
    """Contrast about each picture's own mean, then brightness."""
    count = len(levels)
    means = levels.mean(dim=(1, 2, 3), keepdim=True)
    factors = 1 + _uniform(count, settings.contrast).view(-1, 1, 1, 1).to(levels.device)
    offsets = 255 * _uniform(count, settings.brightness).view(-1, 1, 1, 1).to(levels.device)
    return (levels - means) * factors + means + offsets


def erase(levels: Tensor, share: float) -> Tensor:
    """A rectangle of one gray level over `share` of the pictures, as a hand or a book would be."""
    count, side = len(levels), levels.shape[-1]
    sizes = side * (ERASED[0] + (ERASED[1] - ERASED[0]) * torch.rand(count, 2))
    starts = torch.rand(count, 2) * (side - sizes)
    along = torch.arange(side)
    inside = (along >= starts[..., None]) & (along < (starts + sizes)[..., None])  # (N, 2, side)
    inside &= (torch.rand(count) < share)[:, None, None]
    mask = (inside[:, 0, :, None] & inside[:, 1, None, :])[:, None].to(levels.device)
    grays = (255 * torch.rand(count, 1, 1, 1)).to(levels.device)
    return torch.where(mask, grays, levels)


def mixup(count: int, alpha: float) -> tuple[Tensor, float]:
    """Whom each face is blended with, and how much of itself it keeps (at least half).

    Returns:
        (count,) int64 partners, and the weight.
    """
    if not alpha:
        return torch.arange(count), 1.0
    weight = float(torch.distributions.Beta(alpha, alpha).sample())
    return torch.randperm(count), max(weight, 1 - weight)


def _uniform(count: int, reach: float) -> Tensor:
    return (2 * torch.rand(count) - 1) * reach


def _resize(levels: Tensor, side_px: int) -> Tensor:
    if levels.shape[-1] == side_px == levels.shape[-2]:
        return levels
    shrinks = levels.shape[-1] > side_px
    return functional.interpolate(levels, (side_px, side_px), mode="bilinear", antialias=shrinks, align_corners=False)
