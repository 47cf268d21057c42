"""Scores made of several signals, by name, with their source and every weight in the open.

None of them measures what goes on in a mind; `docs/method.md` has what is known against them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from classpulse.types import Floats

FULL = 4.5
"""What Sharma et al. divide by: neutral, eyes open and centred."""


@dataclass(frozen=True, slots=True)
class ConcentrationWeights:
    """The weights of Sharma et al. (arXiv 1909.12913), by emotion and by gaze.

    The paper knows two more gazes, closed (0) and half open (1.5), which are never found as long as eyes are not read.
    """

    neutral: float = 0.9
    happy: float = 0.6
    surprise: float = 0.6
    sad: float = 0.3
    fear: float = 0.3
    angry: float = 0.25
    disgust: float = 0.2
    facing: float = 5.0
    turned: float = 2.0


def concentration(
    probabilities: Floats, labels: tuple[str, ...], facing: Floats, weights: ConcentrationWeights
) -> Floats:
    """The concentration index of Sharma et al. 2019, arXiv 1909.12913; approximate, because eyes are not read.

        CI = min(1, emotion weight * gaze weight / 4.5)

    with the weight of the likeliest emotion, and for the gaze that of eyes open and centred (5) where the head faces
    the screen, of eyes open and off centre (2) where it does not. Above .65 the paper calls it highly engaged, above
    .25 engaged, below not engaged. Its weakness: the weights are the authors' own,
    and a bored neutral face that looks ahead scores 1.

    >>> sure = np.eye(2, dtype=np.float32)[[0, 0, 1]]
    >>> ahead = np.array([1, 0, 1], np.float32)
    >>> concentration(sure, ("neutral", "sad"), ahead, ConcentrationWeights()).round(3)
    array([1.   , 0.4  , 0.333], dtype=float32)

    Args:
        probabilities: (N, L), NaN where a face was not read.
        labels: the L emotions; one without a weight gives NaN.
        facing: (N,) 1 faces the screen, 0 does not, NaN not told.
        weights: of emotions and gazes.

    Returns:
        (N,) float32, 0 to 1; NaN where either is not known.
    """
    by_label = np.array([getattr(weights, label, np.nan) for label in labels], np.float64)
    read = np.isfinite(probabilities).all(axis=1)
    known = read & np.isfinite(facing)
    found = np.full(len(facing), np.nan, np.float32)
    if known.any():
        emotion = by_label[probabilities[known].argmax(axis=1)]
        gaze = weights.turned + (weights.facing - weights.turned) * facing[known]
        found[known] = np.minimum(1.0, emotion * gaze / FULL)
    return found


def attention(facing: float, mood: float, mood_weight: float) -> float:
    """The attention-first score, our own: what can be seen leads, and the mood has a small weight w.

        attention = (1 - w) facing + w (1 + mood) / 2

    Facing leads because head pose alone beats large sets of facial features on EngageNet (arXiv 2404.09474). The score
    is linear, so that of a class is that of the means.

    >>> attention(1.0, 0.0, 0.25), attention(0.0, -1.0, 0.25)
    (0.875, 0.0)

    Args:
        facing: 0 to 1.
        mood: -1 to 1; NaN, where it is not known, counts as 0.
        mood_weight: w, 0 to 1.

    Returns:
        0 to 1; NaN where `facing` is.
    """
    pleasant = 0.5 if np.isnan(mood) else (1 + mood) / 2
    return (1 - mood_weight) * facing + mood_weight * pleasant
