"""The replicas that read faces for all classes: stateless, in batches, as many as are needed."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from ray import serve

from classpulse.cluster.memory_only import require_memory_only
from classpulse.errors import ModelError
from classpulse.inference import open_model
from classpulse.policy import Task
from classpulse.vision.picture import batch_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from classpulse.policy import Policy
    from classpulse.types import Image

    Waiting = tuple[float, Image]

MOST_FACES = 64
"""Faces that are read at once."""
GATHER_S = 0.005
"""How long a face waits for others."""
STALE_S = 1.0
"""Faces that have waited longer are not read any more: whoever sent them has gone on."""
AGE = "queue_age_s"
TARGET_S = 0.05
"""Time in the queue at which there are as many replicas as are needed."""


def count_faces(waiting: list[Waiting]) -> int:
    """How many faces wait in so many calls."""
    return sum(len(pixels) for _, pixels in waiting)


class Replica:
    """One copy of the emotion network. Calls of all classes that wait are read as one batch."""

    def __init__(self, path: Path, sha256: str, policy: Policy, threads: int) -> None:
        """Open the network.

        Args:
            path: of the model file, on this node.
            sha256: of the file that was meant.
            policy: of the class for which the replicas were started.
            threads: for one batch.

        Raises:
            PolicyError: the policy forbids reading emotions.
            ModelError: the file is missing, wrong, or another one here.
            ClusterError: pictures could reach this node's disk.
        """
        require_memory_only()
        self._model = open_model(path, Task.EMOTION, policy, threads=threads)
        if self._model.sha256 != sha256:
            message = f"{path} is another file on this node: every node needs the same models"
            raise ModelError(message)
        self._longest_s = 0.0

    async def __call__(self, pixels: Image) -> NDArray[np.float32]:
        """Read (N, C, h, w) uint8 faces; gives (N, L) float32, NaN where they waited too long."""
        scores: NDArray[np.float32] = await self._read((time.monotonic(), pixels))
        return scores

    @serve.batch(max_batch_size=MOST_FACES, batch_wait_timeout_s=GATHER_S, batch_size_fn=count_faces)  # type: ignore[untyped-decorator]
    async def _read(self, waiting: list[Waiting]) -> list[NDArray[np.float32]]:
        now = time.monotonic()
        ages = [now - came for came, _ in waiting]
        self._longest_s = max(self._longest_s, *ages)
        contract = self._model.contract
        answers = [np.full((len(pixels), len(contract.labels)), np.nan, np.float32) for _, pixels in waiting]
        fresh = [i for i, age in enumerate(ages) if age <= STALE_S]
        if fresh:
            batch = batch_of(np.concatenate([waiting[i][1] for i in fresh]), contract.input)
            # On a thread of its own, so that calls are taken and health is told meanwhile.
            scores = (await asyncio.to_thread(self._model.run, batch))[0]
            ends = np.cumsum([len(waiting[i][1]) for i in fresh])[:-1]
            for i, part in zip(fresh, np.split(scores, ends), strict=True):
                answers[i] = part
        return answers

    def record_autoscaling_stats(self) -> dict[str, float]:
        """For Ray Serve: the longest that a face has waited since it last asked, seconds."""
        longest_s, self._longest_s = self._longest_s, 0.0
        return {AGE: longest_s}


def replicas_wanted(age_s: float, now: int) -> int:
    """How many replicas there should be, when faces wait so long for the ones there are now.

    In proportion, as Kubernetes' horizontal autoscaler does it, and at most twice as many at a time; one goes when
    faces hardly wait.

    >>> replicas_wanted(0.5, 2), replicas_wanted(0.06, 2), replicas_wanted(0.03, 2), replicas_wanted(0.006, 2)
    (4, 3, 2, 1)
    """
    if age_s > TARGET_S:
        return min(2 * now, math.ceil(now * age_s / TARGET_S))
    return now - 1 if age_s < 2 * GATHER_S and now > 1 else now


def by_queue_age(context: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - Ray Serve has no types
    """For Ray Serve, which keeps it within bounds and waits before it follows: how many replicas there should be."""
    ages = (context.aggregated_metrics or {}).get(AGE, {}).values()
    return replicas_wanted(max(ages, default=0.0), max(1, context.current_num_replicas)), {}
