"""How good a model is, on faces it has not learned from: all figures of an evaluation, from its two file names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import DataError
from classpulse.training.evaluate.calibration import answer_shares, fit_temperature
from classpulse.training.evaluate.groups import by_group, read_groups
from classpulse.training.evaluate.metrics import answers, calibration, company, coverage, probabilities, scores
from classpulse.training.evaluate.result import MIN_CERTAINTY, Distinct, Evaluation, Mistakes
from classpulse.training.evaluate.robustness import passes, some, try_out
from classpulse.training.evaluate.subject import ask, open_subject, refuse_seen
from classpulse.training.faces.duplicates import near_duplicates, perceptual_hashes
from classpulse.training.faces.faceset import Split, majority, people
from classpulse.training.faces.layouts import hold_out, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from classpulse.training.evaluate.metrics import Calibration
    from classpulse.training.evaluate.robustness import Robustness
    from classpulse.training.evaluate.subject import Subject
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Target
    from classpulse.types import Image

    Watch = Callable[[str, float], None]
    """Is told what is being done and which part of it is done, 0 to 1."""

WORST = 24
"""Mistakes that are shown."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be evaluated, on what.

    Attributes:
        model: a run's folder or an exported file.
        data: FER-2013 in any layout.
        split: `Split.PUBLIC` or `Split.PRIVATE`; None for PublicTest, or the mixed tests of Kaggle's folders.
        target: whose answers count for the calibration, and which of a run's networks is asked.
        groups: a table of who belongs to which group.
        robustness_faces: on so many faces robustness is measured; 0 for not at all.
        device: torch's name.
    """

    model: Path
    data: Path
    split: Split | None = None
    target: Target | None = None
    groups: Path | None = None
    robustness_faces: int = 1000
    device: str | None = None


def evaluate(request: Request, watch: Watch = lambda _what, _done: None) -> Evaluation:
    """Evaluate a model.

    Args:
        request: what, on what.
        watch: is told how far it is.

    Raises:
        DataError: the data or the groups cannot be read, or the split has no face.
        ModelError: the exported file cannot be used.
        TrainingError: the run cannot be used, or has learned from the very faces.
    """
    subject = open_subject(request.model, request.target, request.device)
    data, unreadable = _read(request, watch)
    split, faces = _chosen(request, data)
    seen = refuse_seen(subject.past, faces, split.value)
    membership = read_groups(request.groups, faces) if request.groups else None

    logits = _ask(subject, faces.images, watch, f"asking about {split.value}")
    fitted = _calibration(subject, data, faces, logits, split, watch)
    temperature = subject.temperature or (fitted.temperature if fitted else 1.0)
    shares = probabilities(logits, temperature)
    said, certainty = shares.argmax(axis=1), shares.max(axis=1)
    found = scores(faces, said)
    right = {target: answers(faces, target) for target in found}
    return Evaluation(
        name=subject.name,
        kind=subject.kind,
        target=subject.target,
        past=subject.past,
        unfinished=subject.unfinished,
        split=split,
        data=request.data.name,
        fingerprint=faces.fingerprint(),
        faces=len(faces),
        unreadable=unreadable,
        seen=seen,
        other_copy=_is_other_copy(subject, data),
        scores=found,
        company=company(faces.votes, said),
        calibration=fitted,
        temperature=temperature,
        coverage={t: coverage(certainty[a.counted], (a.truth == said)[a.counted]) for t, a in right.items()},
        certain=float((certainty >= MIN_CERTAINTY).mean()),
        distinct=_distinct(faces, said, data.split(Split.TRAINING)),
        robustness=_robustness(subject, faces, request.robustness_faces, watch),
        groups=by_group(faces, said, membership) if membership else (),
        unknown_names=membership.unknown if membership else 0,
        mistakes=worst(faces, shares, WORST),
    )


def _is_other_copy(subject: Subject, data: FaceSet) -> bool:
    """Whether a model was trained on other faces than this data's Training, as far as both are known.

    Kaggle's folders hold in `train` some hundred faces that `fer2013.csv` has in its tests, as JPEG.
    """
    training = hold_out(data.split(Split.TRAINING, Split.PUBLIC)).split(Split.TRAINING)
    return bool(subject.past.fingerprint and len(training) and subject.past.fingerprint != training.fingerprint())


def worst(faces: FaceSet, shares: NDArray[np.float64], count: int) -> Mistakes:
    """The mistakes a model was most sure of: against what people agree on, and without votes against the label.

    Args:
        faces: N faces.
        shares: (N, 7) what the model gives each emotion.
        count: at most so many.
    """
    said, certainty = shares.argmax(axis=1), shares.max(axis=1)
    answer = answers(faces, "people" if faces.has_votes else "label")
    wrong = np.flatnonzero(answer.counted & (answer.truth != said))
    chosen = wrong[np.argsort(-certainty[wrong], kind="stable")][:count]
    part = faces[chosen]
    return Mistakes(
        part,
        said[chosen],
        certainty[chosen],
        majority(part.votes)[0],
        people(part.votes).max(axis=1, initial=0).astype(np.intp),
    )


def _read(request: Request, watch: Watch) -> tuple[FaceSet, int]:
    """Training, for duplicates; PublicTest, for the temperature; and what is to be scored, if that is another."""
    wanted = {Split.TRAINING, Split.PUBLIC, request.split or Split.MIXED}
    watch("reading", 0.0)
    faces, problems = read(request.data, wanted, lambda done: watch("reading", done))
    return faces, len(problems)


def _chosen(request: Request, data: FaceSet) -> tuple[Split, FaceSet]:
    split = request.split or Split.PUBLIC
    faces = data.split(split)
    if not len(faces) and request.split is None:
        split, faces = Split.MIXED, data.split(Split.MIXED)
    if not len(faces):
        message = (
            f"{request.data} has no face of {request.split or 'PublicTest'}: fer2013.csv has both tests; Kaggle's "
            "folders mix them in `validation`, which is scored without --split"
        )
        raise DataError(message)
    return split, faces


def _ask(subject: Subject, images: Image, watch: Watch, what: str) -> NDArray[np.float64]:
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        watch(what, done / len(images))

    watch(what, 0.0)
    return ask(subject, images, advance)


def _calibration(
    subject: Subject, data: FaceSet, faces: FaceSet, logits: NDArray[np.float64], split: Split, watch: Watch
) -> Calibration | None:
    """By the file's own temperature, or one fitted on PublicTest and on nothing else."""
    if not answer_shares(faces, subject.target).any():
        return None
    if subject.temperature not in {None, 1.0}:
        return calibration(faces, logits, subject.target, subject.temperature or 1.0, "the model file's own")
    public = data.split(Split.PUBLIC)
    if split is not Split.PUBLIC:
        if not len(public):
            return None
        logits_public = _ask(subject, public.images, watch, "asking about PublicTest, for the temperature")
    else:
        logits_public = logits
    shares = answer_shares(public, subject.target)
    if not shares.any():
        return None
    temperature = fit_temperature(logits_public, shares)
    return calibration(faces, logits, subject.target, temperature, f"fitted on {len(public):,} faces of PublicTest")


def _distinct(faces: FaceSet, said: NDArray[np.intp], training: FaceSet) -> Distinct | None:
    if not len(training):
        return None
    near = near_duplicates(perceptual_hashes(faces.images), perceptual_hashes(training.images))
    return Distinct(int(near.sum()), scores(faces, said, ~near))


def _robustness(subject: Subject, faces: FaceSet, count: int, watch: Watch) -> Robustness | None:
    if not count:
        return None
    part = some(faces, count)
    total, done = passes() * len(part), 0

    def say(images: Image) -> NDArray[np.intp]:
        def advance(answered: int) -> None:
            nonlocal done
            done += answered
            watch("spoiling faces", done / total)

        return np.asarray(ask(subject, images, advance).argmax(axis=1), np.intp)

    return try_out(part, say)
