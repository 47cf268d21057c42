"""What is allowed where: the one place that every path to a model asks.

`classpulse.inference` opens no model file without a `Policy`, and asks it for the task that the
model's own contract names, so that no setting, flag or caller can go around it.

The EU AI Act, Regulation (EU) 2024/1689, Article 5(1)(f), forbids inferring emotions in education
since 2 February 2025, and consent does not lift it. Under `eu` faces may be counted and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from classpulse.errors import PolicyError

if TYPE_CHECKING:
    from classpulse.settings import Jurisdiction

STRICTEST_FIRST: tuple[Jurisdiction, ...] = ("eu", "other", "research")

UNSET_NOTICE = (
    "No jurisdiction is set, so this runs as a trial on recorded or made-up pictures. "
    "Before a live class, run: classpulse policy set eu|other|research"
)


class Task(StrEnum):
    """What a model is for, as its contract says."""

    FACE_DETECTION = "face-detection"
    EMOTION = "emotion"
    IDENTITY = "identity"


_ALLOWED: dict[Jurisdiction, frozenset[Task]] = {
    "eu": frozenset({Task.FACE_DETECTION}),
    "other": frozenset({Task.FACE_DETECTION, Task.EMOTION, Task.IDENTITY}),
    "research": frozenset({Task.FACE_DETECTION, Task.EMOTION, Task.IDENTITY}),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed under one jurisdiction.

    Attributes:
        jurisdiction: the law in force; None while nobody has said, which allows recordings,
            pictures and the demo, and no live class.
    """

    jurisdiction: Jurisdiction | None = None

    def __post_init__(self) -> None:
        """Refuse a law that is not known, so that a slip of the pen cannot allow anything.

        Raises:
            PolicyError: the jurisdiction is none of the known ones.
        """
        _check_known(self.jurisdiction)

    def allows(self, task: Task) -> bool:
        """Whether a model for this task may be loaded and run."""
        if task is Task.IDENTITY and self.jurisdiction is None:
            return False  # not even on a recording before somebody has answered for it
        return task in _ALLOWED[self.jurisdiction or "other"]

    def require(self, task: Task) -> None:
        """Refuse a task that is not allowed.

        Raises:
            PolicyError: the jurisdiction does not allow it.
        """
        if not self.allows(task):
            message = (
                f"jurisdiction {self.jurisdiction or 'unset'!r} does not allow {task.value} models: "
                "only faces may be counted. See `classpulse policy`."
            )
            raise PolicyError(message)

    def require_live(self, source: str) -> None:
        """Refuse a live class before anybody has said which law is in force.

        Raises:
            PolicyError: the jurisdiction is not set.
        """
        if self.jurisdiction is None:
            message = (
                f"{source} is a live source, and no jurisdiction is set: "
                "run `classpulse policy set eu|other|research` once, or add --jurisdiction"
            )
            raise PolicyError(message)


def _check_known(jurisdiction: str | None) -> None:
    if jurisdiction is not None and jurisdiction not in STRICTEST_FIRST:
        message = f"jurisdiction {jurisdiction!r} is not known: {', '.join(STRICTEST_FIRST)} are"
        raise PolicyError(message)


def tighten(stored: Jurisdiction | None, asked: Jurisdiction | None) -> Jurisdiction | None:
    """The jurisdiction in force when one was stored and a flag or setting asks for another.

    >>> tighten("other", "eu")
    'eu'
    >>> tighten("other", None)
    'other'

    Raises:
        PolicyError: the asked one is looser than the stored one, or one of them is not known.
    """
    _check_known(stored)
    _check_known(asked)
    if stored is None or asked is None:
        return asked or stored
    if STRICTEST_FIRST.index(asked) > STRICTEST_FIRST.index(stored):
        message = (
            f"jurisdiction {asked!r} is looser than the stored {stored!r}: a flag or setting can only tighten it. "
            f"To change it, run: classpulse policy set {asked}"
        )
        raise PolicyError(message)
    return asked
