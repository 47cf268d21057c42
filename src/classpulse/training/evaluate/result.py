"""What an evaluation finds: one frozen tree of figures, and what must stand beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classpulse.settings import EmotionSettings
from classpulse.training.faces.faceset import Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from classpulse.training.evaluate.groups import Grouping
    from classpulse.training.evaluate.metrics import Calibration, Company, Coverage, Score
    from classpulse.training.evaluate.robustness import Robustness
    from classpulse.training.evaluate.subject import Past
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.recipe import Target

MIN_CERTAINTY = EmotionSettings().min_certainty
"""Less certain faces are called "uncertain" in a live class, unless its settings say otherwise."""
MIXED_NOTE = "validation: PublicTest and PrivateTest mixed, not for publication"
OTHER_COPY_NOTE = (
    "The model was trained on another copy of the data than this one: faces that it has seen may be among these, saved "
    "anew or in another split, which their pixels do not tell."
)
PRIVATE_NOTE = "PrivateTest is scored once per published model: nothing may be chosen by these figures."


@dataclass(frozen=True, slots=True, eq=False)
class Mistakes:
    """The M faces a model was most sure about, and wrong.

    Attributes:
        faces: themselves.
        said: (M,) what was said, index into `EMOTIONS`.
        certainty: (M,) float64, how sure it was, 0 to 1.
        people: (M,) what most people see, index into `EMOTIONS`.
        agree: (M,) how many see that; 0 where nobody was asked.
    """

    faces: FaceSet
    said: NDArray[np.intp]
    certainty: NDArray[np.float64]
    people: NDArray[np.intp]
    agree: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The figures without faces that are near-duplicates of one in Training.

    Attributes:
        left_out: how many faces are.
        scores: of the others, by target.
    """

    left_out: int
    scores: dict[Target, Score]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All figures.

    Attributes:
        name, kind: of the model.
        target: whose answers it was trained for.
        past: what it was trained on.
        unfinished: a sentence if it is of a run that has more epochs to go; empty otherwise.
        split: that was scored.
        data: its name.
        fingerprint: of the faces.
        faces: how many.
        unreadable: pictures of the data that could not be read.
        seen: how many of the faces the model was trained on.
        other_copy: whether the Training of this data is known not to be what the model was trained on.
        scores: by target; "people" is missing without votes.
        company: how it does among people; None without votes.
        calibration: whether it is as sure as it is right; None where no temperature may be fitted.
        temperature: that certainties are told at.
        coverage: accuracy against coverage, by target.
        certain: share of the faces that are at least as certain as `MIN_CERTAINTY`.
        distinct: figures without near-duplicates; None where the data has no Training.
        robustness: None where it was not asked for.
        groups: by column; empty where nobody said who belongs where.
        unknown_names: rows of the table of groups that name none of the faces.
        mistakes: the worst.
    """

    name: str
    kind: str
    target: Target
    past: Past
    unfinished: str
    split: Split
    data: str
    fingerprint: str
    faces: int
    unreadable: int
    seen: int
    other_copy: bool
    scores: dict[Target, Score]
    company: Company | None
    calibration: Calibration | None
    temperature: float
    coverage: dict[Target, Coverage]
    certain: float
    distinct: Distinct | None
    robustness: Robustness | None
    groups: tuple[Grouping, ...]
    unknown_names: int
    mistakes: Mistakes

    @property
    def notes(self) -> tuple[str, ...]:
        """What must stand beside every figure."""
        notes = [self.unfinished] if self.unfinished else []
        if self.split is Split.MIXED:
            notes.append(MIXED_NOTE)
        if self.split is Split.PRIVATE:
            notes.append(PRIVATE_NOTE)
        if self.seen:
            notes.append(f"{self.seen} of the {self.faces:,} faces are among those that the model was trained on.")
        if self.other_copy:
            notes.append(OTHER_COPY_NOTE)
        if not self.past.known:
            notes.append(
                "The model's file does not say by fingerprint what it was trained on: that could not be checked."
            )
        return tuple(notes)
