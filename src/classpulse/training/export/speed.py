"""How long model files take: medians of many calls on one thread, in turn, so that a busy moment hits all alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.inference import Model
    from classpulse.types import Floats

BATCHES = (1, 8, 32)
ROUNDS = 9
FACES_A_ROUND = 32
"""So that every batch size is timed over the same number of faces."""


def ms_per_face(models: Sequence[Model]) -> list[dict[int, float]]:
    """Milliseconds that each model takes for one face, by the number of faces in a batch.

    Whatever else the machine does makes them longer: compare figures of one call, not of two.

    Args:
        models: open, each on one thread.

    Returns:
        For each model, by each of `BATCHES`, the median time of a batch divided by its size, ms.
    """
    took: dict[tuple[int, int], list[float]] = {(i, size): [] for i in range(len(models)) for size in BATCHES}
    batches = [_noise(model) for model in models]
    for round_ in range(ROUNDS + 1):
        for (i, size), times in took.items():
            for _ in range(FACES_A_ROUND // size):
                began = time.perf_counter()
                models[i].run(batches[i][:size])
                times.append(time.perf_counter() - began)
            if not round_:
                times.clear()  # the first round warms up
    medians = {key: round(1e3 * float(np.median(times)) / key[1], 3) for key, times in took.items()}
    return [{size: medians[i, size] for size in BATCHES} for i in range(len(models))]


def _noise(model: Model) -> Floats:
    """A batch as the contract says, of no faces: for time it does not matter what they show."""
    wanted = model.contract.input
    shape = (max(BATCHES), wanted.channels, wanted.height or 96, wanted.width or 96)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)
