"""One face as training changes it: each setting of the augmentation alone, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from classpulse.training.augment import augment, mixup
from classpulse.training.explore.pictures import Strip
from classpulse.training.networks import MEAN, STD
from classpulse.training.recipe import Augmentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIXUP = 0.4
"""Shown where the recipe's own is 0."""
OFF: dict[str, Any] = {
    name: False if field.annotation is bool else 1.0 if name.startswith("scale_") else 0.0
    for name, field in Augmentation.model_fields.items()
}
"""Settings with which a face stays as it is."""
SHARES = frozenset({"shrink", "erase"})
"""Settings that say how often, not how much: shown every time."""


def augmented(face: NDArray[np.uint8], partners: NDArray[np.uint8], seed: int) -> list[Strip]:
    """A row for each setting, with its usual amount and all others off, and one with everything.

    Args:
        face: (48, 48) uint8.
        partners: (N, 48, 48) uint8, whom it is blended with; N is how often each change is shown.
        seed: of torch's random numbers, which are afterwards what they were.

    Returns:
        A row each, (N + 1) faces: the face itself, then as it was changed.
    """
    usual = Augmentation()
    rows = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, off in OFF.items():
            value = getattr(usual, name)
            if name == "mixup":
                rows.append(Strip(f"{name} {value or MIXUP:g}", _blended(face, partners, value or MIXUP)))
            elif value != off:
                shown = 1.0 if name in SHARES else value
                settings = Augmentation(**{**OFF, name: shown})
                title = name if isinstance(value, bool) else f"{name} {value:g}"
                rows.append(Strip(title, _changed(face, len(partners), settings)))
        rows.append(Strip("all together", _changed(face, len(partners), usual)))
    return rows


def _changed(face: NDArray[np.uint8], count: int, settings: Augmentation) -> NDArray[np.uint8]:
    one = torch.from_numpy(face[None])
    # One by one: some changes are drawn for a whole batch.
    changed = [augment(one, face.shape[-1], settings)[0, 0].numpy() for _ in range(count)]
    levels = np.stack(changed) * STD + MEAN
    return np.concatenate([face[None], levels.round().clip(0, 255).astype(np.uint8)])


def _blended(face: NDArray[np.uint8], partners: NDArray[np.uint8], alpha: float) -> NDArray[np.uint8]:
    blends = [face]
    for partner in partners:
        _, keep = mixup(2, alpha)
        blends.append((keep * face + (1 - keep) * partner).round().astype(np.uint8))
    return np.stack(blends)
