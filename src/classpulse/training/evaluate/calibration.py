"""Whether a network is as sure as it is right: temperature scaling, calibration error, reliability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from classpulse.training.faces.faceset import EMOTIONS, people

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Target

BINS = 15
"""As Guo et al. 2017 have it."""
TEMPERATURES = (0.05, 20.0)
"""Between these a temperature is looked for: a network that needs another has not learned anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Faces gathered by how sure the network was, in B bins of equal width.

    Attributes:
        edges: (B + 1,) float64, from 0 to 1.
        counts: (B,) int64, faces in each bin; a face on an edge is in the bin below it.
        confidence: (B,) float64, mean confidence in each bin; NaN where there is no face.
        accuracy: (B,) float64, how right the network was in each bin, 0 to 1; NaN where there is no face.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of confidence and accuracy, bins weighted by their faces, 0 to 1.

        Naeini et al. 2015, AAAI; in this form Guo et al. 2017, arXiv 1706.04599, equation 3.
        """
        full = self.counts > 0
        gaps = np.abs(self.accuracy[full] - self.confidence[full])
        return float((gaps * self.counts[full]).sum() / self.counts.sum())


def fit_temperature(logits: NDArray[np.floating], shares: NDArray[np.floating]) -> float:
    """The temperature T at which `softmax(logits / T)` fits what was seen best.

    It minimizes the negative log-likelihood; the first choice of every face stays what it was. Guo et al. 2017,
    arXiv 1706.04599, section 4.2.

    >>> logits = np.log([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
    >>> round(fit_temperature(logits, np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])), 3)
    1.0
    >>> round(fit_temperature(3 * logits, np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])), 3)
    3.0

    Args:
        logits: (N, L), any floating type.
        shares: (N, L), what each face should be given: one 1 a row for labels, shares for votes. A row that sums to
            less counts less, one of zeros not at all.

    Returns:
        A number from `TEMPERATURES`: above 1 where the network is too sure, below 1 where it is not sure enough.

    Raises:
        ValueError: the arrays do not belong together, hold what is no number, or no row has a share.
    """
    scores, wanted = np.asarray(logits, np.float64), np.asarray(shares, np.float64)
    if scores.ndim != 2 or scores.shape != wanted.shape:
        message = f"logits {scores.shape} and shares {wanted.shape} are not two tables of one size"
        raise ValueError(message)
    total = wanted.sum()
    if not (np.isfinite(scores).all() and np.isfinite(total) and total > 0):
        message = "a temperature needs finite logits and at least one face with a share"
        raise ValueError(message)

    def loss(log_temperature: float) -> float:
        return float(-(wanted * log_softmax(scores / np.exp(log_temperature), axis=1)).sum() / total)

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def answer_shares(faces: FaceSet, target: Target) -> NDArray[np.float64]:
    """What a network's probabilities should be, by which its temperature is fitted and its calibration judged.

    For `label` each face's label is sure. For `people` a probability is the part of the people who chose one of the
    seven emotions: so a face that people are in two minds about should be read with as much doubt. Fitted to the
    majority of the faces that people agree on, a network would be as sure of all the others, live.

    Args:
        faces: N faces.
        target: `label` or `people`.

    Returns:
        (N, 7) float64, each row sums to 1, or to 0 where nobody chose one of the seven.
    """
    if target == "label":
        return np.asarray(np.eye(len(EMOTIONS))[faces.labels], np.float64)
    votes = people(faces.votes).astype(np.float64)
    return np.asarray(votes / np.maximum(votes.sum(axis=1, keepdims=True), 1), np.float64)


def reliability(
    confidences: NDArray[np.floating], correct: NDArray[np.floating] | NDArray[np.bool_], bins: int = BINS
) -> Reliability:
    """Gather faces by how sure the network was.

    >>> table = reliability(np.array([0.55, 0.65, 0.95, 0.85]), np.array([True, False, True, True]), bins=2)
    >>> table.counts.tolist(), float(table.accuracy[1]), round(float(table.confidence[1]), 3)
    ([0, 4], 0.75, 0.75)

    Args:
        confidences: (N,) probability of each first choice, 0 to 1.
        correct: (N,) whether it was right, or the part of the people who say so too, 0 to 1.
        bins: how many of equal width.

    Raises:
        ValueError: there is no face, the arrays do not belong together, or a confidence is beyond 0 to 1.
    """
    sure, right = np.asarray(confidences, np.float64), np.asarray(correct, np.float64)
    if sure.ndim != 1 or sure.shape != right.shape or not sure.size or bins < 1:
        message = f"confidences {sure.shape} and correct {right.shape} must be two rows of at least one face"
        raise ValueError(message)
    if not ((sure >= 0) & (sure <= 1 + 1e-6)).all():
        message = "a confidence is from 0 to 1"
        raise ValueError(message)
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins).astype(np.int64)
    means = np.full((2, bins), np.nan)
    for row, values in zip(means, (sure, right), strict=True):
        np.divide(np.bincount(places, values, minlength=bins), counts, out=row, where=counts > 0)
    return Reliability(edges, counts, means[0], means[1])
