"""What a run works towards: targets, losses, and the course of the learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from classpulse.errors import TrainingError
from classpulse.training.faces.faceset import EMOTIONS, majority, vote_shares

if TYPE_CHECKING:
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Recipe, Target


def require_votes(recipe: Recipe, *, there: bool, choosing: FaceSet | None = None) -> None:
    """Refuse to learn what people see from faces about which nobody was asked, or to choose by such faces.

    Args:
        recipe: what is to be learned.
        there: whether the faces have FER+ votes.
        choosing: the faces to choose by, once they are read: without one on which people agree a score is no number.

    Raises:
        TrainingError: votes are needed, and not there.
    """
    if "people" not in recipe.targets:
        return
    if not there:
        message = (
            "the target 'people' needs FER+ votes, and the data has none: give fer2013.csv with fer2013new.csv beside "
            "it, or --set targets=label"
        )
        raise TrainingError(message)
    if choosing is not None and not majority(choosing.votes)[1].any():
        message = (
            "the target 'people' is chosen by the faces of PublicTest on which people agree, and there is none: give "
            "FER+ votes of PublicTest too, or --set targets=label"
        )
        raise TrainingError(message)


def targets_of(faces: FaceSet, recipe: Recipe) -> dict[Target, Tensor]:
    """What each head is to say of each face, (N, 7): shares that sum to how much the face counts, 0 to 1."""
    targets: dict[Target, Tensor] = {}
    if "label" in recipe.targets:
        ones = functional.one_hot(torch.from_numpy(faces.labels.astype(np.int64)), len(EMOTIONS)).float()
        smoothed = ones * (1 - recipe.label_smoothing) + recipe.label_smoothing / len(EMOTIONS)
        targets["label"] = smoothed
    if "people" in recipe.targets:
        shares, trust = vote_shares(faces.votes)
        targets["people"] = torch.from_numpy(shares * trust[:, None])
    return targets


def cross_entropy(logits: Tensor, shares: Tensor) -> Tensor:
    """Mean of `-sum(shares * log softmax(logits))`; a row of shares that sums to less counts less.

    Args:
        logits: (N, 7).
        shares: (N, 7), each row sums to 0 to 1.
    """
    losses = -(shares * functional.log_softmax(logits, dim=1)).sum(dim=1)
    return losses.sum() / shares.sum().clamp_min(1e-6)


def learning_rate(recipe: Recipe, done: float) -> float:
    """The rate after the part `done` of a run, 0 to 1."""
    peak = recipe.learning_rate
    if recipe.schedule == "constant":
        return peak
    rise = recipe.warmup if recipe.schedule == "one-cycle" else 0.0
    if done < rise:
        return peak * (0.04 + 0.96 * (1 - math.cos(math.pi * done / rise)) / 2)
    return peak * (1 + math.cos(math.pi * (done - rise) / (1 - rise))) / 2


def distillation(logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """How far a student is from its teacher: mean Kullback-Leibler divergence, times the temperature squared.

    Hinton et al. 2015, arXiv 1503.02531, section 2.

    Args:
        logits: (N, 7) of the student.
        teacher_logits: (N, 7).
        temperature: both are divided by it.
    """
    student = functional.log_softmax(logits / temperature, dim=1)
    teacher = functional.log_softmax(teacher_logits / temperature, dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True) * temperature**2
