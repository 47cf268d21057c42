"""The networks: each a page of PyTorch, all with the same way in and out.

In: (N, 1, side, side) float32, gray, `(pixel - MEAN) / STD`. Out: for each target a tensor of (N, 7) logits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.training.networks.compact import Compact
from classpulse.training.networks.mobilenet import MobileNet
from classpulse.training.networks.seed_cnn import SeedCnn

if TYPE_CHECKING:
    from classpulse.training.networks.heads import Network
    from classpulse.training.recipe import Recipe

MEAN = 127.5
STD = 64.0
"""Of gray levels 0..255, for every network."""


def build(recipe: Recipe) -> Network:
    """The network that a recipe names, with fresh weights from torch's global random numbers."""
    targets = tuple(recipe.targets)
    side_px, dropout = recipe.side_px, recipe.dropout
    if recipe.network == "seed-cnn":
        return SeedCnn(targets, widths=recipe.widths, side_px=side_px, dropout=dropout)
    if recipe.network == "compact":
        return Compact(targets, widths=recipe.widths, side_px=side_px, dropout=dropout)
    return MobileNet(targets, side_px=side_px, dropout=dropout, frozen_layers=recipe.frozen_layers)
