"""How good answers are, as typed results of pure functions: scores, agreement with people, coverage, calibration.

Two scores always stand side by side. "FER-2013 label" is what others report; "agreement with people" counts the faces
on which more than five of FER+'s ten people agree, and is what a teacher needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from classpulse.training.evaluate.calibration import Reliability, answer_shares, reliability
from classpulse.training.faces.faceset import EMOTIONS, majority, people
from classpulse.training.recipe import TITLES, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.types import Mask

    Indices = NDArray[np.integer]

THRESHOLDS = tuple(round(0.02 * i, 2) for i in range(50))
"""Of certainty, at which accuracy is shown against coverage."""
ALL = np.arange(len(EMOTIONS))


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of faces with its 95 % interval.

    Attributes:
        hits: faces that it counts.
        faces: faces in all, at least one.
        low, high: ends of the interval, 0 to 1 (Wilson 1927, JASA 22).
    """

    hits: int
    faces: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.hits / self.faces


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """What was right of what can be right or wrong.

    Attributes:
        accuracy: share of the faces that were right.
        macro_f1: F1 of each emotion that occurs, averaged, 0 to 1.
        recalls: (7,) float64, share of each emotion's faces that were found; NaN where it has none.
        confusion: (7, 7) int64, faces by what they are (rows) and what was said (columns).
    """

    accuracy: Rate
    macro_f1: float
    recalls: NDArray[np.float64]
    confusion: NDArray[np.int64]

    @property
    def faces(self) -> int:
        """How many were scored."""
        return self.accuracy.faces


@dataclass(frozen=True, slots=True)
class Company:
    """How the network does as one more person among those who were asked.

    Attributes:
        network: how often it agrees with one person picked at random, over all faces that were asked about, 0 to 1.
        two_people: how often two people agree with each other, on the same faces.
        best: the most that any single answer a face could reach.
        one_and_majority: how often one person agrees with the majority, on the faces that people agree on: what a human
            scores where the network is scored as "agreement with people".
        faces: that were asked about.
    """

    network: float
    two_people: float
    best: float
    one_and_majority: float
    faces: int


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What is named, and how well, if less certain faces are called "uncertain".

    Attributes:
        thresholds: (K,) float64, of certainty.
        covered: (K,) float64, share of the faces that are at least so certain.
        accuracy: (K,) float64, share of those that are right; NaN where there is none.
    """

    thresholds: NDArray[np.float64]
    covered: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Whether the network is as sure as it is right, before and after its logits were divided.

    Attributes:
        target: whose answers it is judged by, see `calibration.answer_shares`.
        temperature: by which the logits are divided.
        origin: where that number comes from, in words.
        before, after: faces by confidence, at temperature 1 and at this.
        majority_error: calibration error after, where right is what most people see, on the faces they agree on; None
            without such faces. It is large for a network that shares people's doubts: it is right more often than sure.
    """

    target: Target
    temperature: float
    origin: str
    before: Reliability
    after: Reliability
    majority_error: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The right answers of N faces, by one of the two ways to have them.

    Attributes:
        truth: (N,) index into `EMOTIONS`.
        counted: (N,) bool, faces that have an answer.
    """

    truth: Indices
    counted: Mask


def answers(faces: FaceSet, target: Target) -> Answers:
    """What is right: the label of every face, or what most people see, where they agree."""
    if target == "label":
        return Answers(faces.labels.astype(np.intp), np.ones(len(faces), np.bool_))
    return Answers(*majority(faces.votes))


def rate(hits: int, faces: int) -> Rate:
    """A share with its interval.

    >>> half = rate(50, 100)
    >>> half.value, round(half.low, 3), round(half.high, 3)
    (0.5, 0.404, 0.596)

    Args:
        hits: faces that it counts.
        faces: faces in all.

    Raises:
        ValueError: there are none.
    """
    interval = binomtest(hits, faces).proportion_ci(method="wilson")
    return Rate(hits, faces, float(interval.low), float(interval.high))


def score(truth: Indices, said: Indices) -> Score:
    """Score answers.

    >>> result = score(np.array([0, 0, 3, 6]), np.array([0, 3, 3, 6]))
    >>> result.accuracy.value, result.recalls[[0, 3, 6]].tolist()
    (0.75, [0.5, 1.0, 1.0])

    Args:
        truth: (N,) what each face is, index into `EMOTIONS`.
        said: (N,) what was said of it.

    Raises:
        ValueError: there is no face.
    """
    found = recall_score(truth, said, labels=ALL, average=None, zero_division=np.nan)
    return Score(
        accuracy=rate(int((truth == said).sum()), len(truth)),
        macro_f1=float(f1_score(truth, said, labels=np.unique(truth), average="macro", zero_division=0)),
        recalls=np.asarray(found, np.float64),
        confusion=np.asarray(confusion_matrix(truth, said, labels=ALL), np.int64),
    )


def scores(faces: FaceSet, said: Indices, chosen: Mask | None = None) -> dict[Target, Score]:
    """Score answers both ways.

    Args:
        faces: N faces.
        said: (N,) index into `EMOTIONS`.
        chosen: (N,) bool, faces to score; all without it.

    Returns:
        By target; without one for which no chosen face has an answer.
    """
    found: dict[Target, Score] = {}
    for target in TITLES:
        right = answers(faces, target)
        counted = right.counted if chosen is None else right.counted & chosen
        if counted.any():
            found[target] = score(right.truth[counted], said[counted])
    return found


def company(votes: NDArray[np.uint8], said: Indices) -> Company | None:
    """Set the network among the people who were asked.

    Args:
        votes: (N, 10) as FER+ has them.
        said: (N,) index into `EMOTIONS`.

    Returns:
        None where on no face more than five agree, or fewer than two people were asked.
    """
    asked = votes.sum(axis=1) > 1
    _, agreed = majority(votes)
    if not (asked & agreed).any():
        return None
    counts, seven = votes[asked].astype(np.float64), people(votes[asked]).astype(np.float64)
    totals, agreed = counts.sum(axis=1), agreed[asked]
    most = seven.max(axis=1) / totals
    return Company(
        network=float((seven[np.arange(len(seven)), said[asked]] / totals).mean()),
        two_people=float(((counts * (counts - 1)).sum(axis=1) / (totals * (totals - 1))).mean()),
        best=float(most.mean()),
        one_and_majority=float(most[agreed].mean()),
        faces=int(asked.sum()),
    )


def coverage(certainty: NDArray[np.floating], correct: Mask, thresholds: tuple[float, ...] = THRESHOLDS) -> Coverage:
    """Accuracy against coverage.

    >>> curve = coverage(np.array([0.9, 0.5]), np.array([True, False]), (0.0, 0.6))
    >>> curve.covered.tolist(), curve.accuracy.tolist()
    ([1.0, 0.5], [0.5, 1.0])

    Args:
        certainty: (N,) probability of each first choice; a face as certain as a threshold is named.
        correct: (N,) whether it was right.
        thresholds: of certainty.
    """
    named = np.asarray(certainty) >= np.asarray(thresholds)[:, None]
    right = (named & correct).sum(axis=1)
    counts = named.sum(axis=1)
    accuracy = np.full(len(thresholds), np.nan)
    np.divide(right, counts, out=accuracy, where=counts > 0)
    return Coverage(np.asarray(thresholds), counts / len(certainty), accuracy)


def calibration(
    faces: FaceSet, logits: NDArray[np.float64], target: Target, temperature: float, origin: str
) -> Calibration:
    """Whether the network is as sure as it is right.

    Args:
        faces: N faces, at least one with an answer.
        logits: (N, 7), not divided by any temperature.
        target: whose answers count.
        temperature: to divide by.
        origin: where that number comes from, in words.
    """
    shares = answer_shares(faces, target)
    counted = shares.sum(axis=1) > 0
    said = logits.argmax(axis=1)
    met = shares[np.arange(len(said)), said][counted]
    certainty = [probabilities(logits, t).max(axis=1) for t in (1.0, temperature)]
    before, after = (reliability(one[counted], met) for one in certainty)
    most = answers(faces, "people")
    majority_error = None
    if most.counted.any():
        right = (most.truth == said)[most.counted]
        majority_error = reliability(certainty[1][most.counted], right).error
    return Calibration(target, temperature, origin, before, after, majority_error)


def probabilities(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """(N, 7) probabilities of (N, 7) logits at a temperature."""
    return np.asarray(softmax(logits / temperature, axis=1), np.float64)
