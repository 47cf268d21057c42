"""A network that runs on other machines: what stands in for a model where faces are read elsewhere."""

from __future__ import annotations

import logging
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException

from classpulse.errors import ModelError
from classpulse.policy import Task
from classpulse.vision.emotion import EmotionClassifier
from classpulse.vision.picture import pixels_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from classpulse.inference import Contract
    from classpulse.policy import Policy
    from classpulse.settings import EmotionSettings
    from classpulse.types import Floats

logger = logging.getLogger(__name__)

MESSAGE_BYTES = 65_536
"""Most bytes of pictures in one call. Ray sends less than 100 KB in the message itself, and never through its store."""
FIRST_S = 30.0
"""How long the first answer may take: the replica may still be importing."""
LATE_S = 1.0
"""How long an answer is waited for; a picture older than that is no news."""
BRIEF_S = 0.3
"""The same after one that did not come, so that a class whose replicas are lost still counts its faces."""


@dataclass(frozen=True, slots=True)
class Served:
    """A network that replicas run.

    Attributes:
        app: its name in Ray Serve.
        contract: what its file says of itself.
        path: of that file.
    """

    app: str
    contract: Contract
    path: Path


class RemoteModel:
    """A `Network` on other machines. What is not answered in time is told as no finite numbers: not read.

    Attributes:
        contract: what its file says of itself.
        path: of that file.
        unread: faces so far that nobody read in time.
    """

    def __init__(self, served: Served, *, first_s: float = FIRST_S) -> None:
        """Find the replicas; `first_s` is how long the first answer may take."""
        self.contract, self.path = served.contract, served.path
        self.unread = 0
        self._replicas = serve.get_app_handle(served.app)
        # Also where nobody calls `close`: what looks after the replicas here would outlive the cluster.
        self._let_go = weakref.finalize(self, self._replicas.shutdown)
        self._patience_s = first_s
        faces = self.contract.input
        self._most = max(1, MESSAGE_BYTES // (faces.channels * (faces.height or 1) * (faces.width or 1)))

    def run(self, batch: Floats) -> list[NDArray[np.float32]]:
        """Have N pictures read, (N, C, height, width) float32 made of pixels by `to_batch`.

        Returns:
            One array, (N, L); rows of NaN where no answer came in time.

        Raises:
            ModelError: the network refused the batch.
        """
        pixels = pixels_of(batch, self.contract.input)
        parts = [pixels[i : i + self._most] for i in range(0, len(pixels), self._most)]
        asked = [(self._replicas.remote(part), len(part)) for part in parts]
        return [np.concatenate([self._answer(response, count) for response, count in asked])]

    def close(self) -> None:
        """Let go of the replicas; safe to call twice."""
        self._let_go()

    def _answer(self, response: Any, count: int) -> NDArray[np.float32]:  # noqa: ANN401 - Ray Serve has no types
        try:
            scores = np.asarray(response.result(timeout_s=self._patience_s), np.float32)
        except (TimeoutError, RayError, RayServeException) as error:
            # Anything else that a replica raises, it does on its way out: it was told to end, or is cut off.
            cause = error.cause if isinstance(error, RayTaskError) else error
            if isinstance(cause, ModelError):
                raise cause from None
            response.cancel()
            if self._patience_s != BRIEF_S:
                logger.warning("faces are not read in time (%s)", type(cause).__name__)
            self._patience_s = BRIEF_S
            scores = np.full((count, len(self.contract.labels)), np.nan, np.float32)
        else:
            self._patience_s = LATE_S
        self.unread += int(np.isnan(scores).all(axis=1).sum())
        return scores


def remote_classifier(
    served: Served, settings: EmotionSettings, policy: Policy, *, begun: bool = False
) -> tuple[EmotionClassifier, RemoteModel]:
    """What reads emotions on other machines, and the network in it.

    Args:
        served: the network.
        settings: of reading.
        policy: the law in force.
        begun: whether the class was read by it before, and moves: then no answer is waited for, as the machine that was
            lost may have had the replicas too.

    Raises:
        PolicyError: the policy forbids reading emotions.
        ModelError: the model does not tell the seven emotions.
    """
    policy.require(Task.EMOTION)
    model = RemoteModel(served, first_s=LATE_S if begun else FIRST_S)
    return EmotionClassifier(model, settings, tried=begun), model
