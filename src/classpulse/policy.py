"""What is allowed where: the one place that every path to a model asks.

`classpulse.inference` opens no model file without a `Policy`, and asks it for the task that the
model's own contract names, so that no setting, flag or caller can go around it.

The EU AI Act, Regulation (EU) 2024/1689, Article 5(1)(f), forbids inferring emotions in education
since 2 February 2025, and consent does not lift it. Under `eu` faces may be counted and nothing else.
The article leaves out systems for medical or safety reasons, and Article 2(6) scientific research: whoever says
that one of them applies declares what it rests on, and the declaration is kept. `docs/law.md` says more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, cast

from classpulse.errors import PolicyError
from classpulse.texts import phrase

if TYPE_CHECKING:
    from classpulse.settings import Jurisdiction

STRICTEST_FIRST: tuple[Jurisdiction, ...] = ("eu", "other", "research")

Exemption = Literal["medical", "safety"]
EXEMPTIONS: tuple[Exemption, ...] = ("medical", "safety")
"""The reasons that Article 5(1)(f) itself names."""

SHORTEST_DECLARATION = 20
LONGEST_DECLARATION = 400

UNSET_NOTICE = (
    "No jurisdiction is set, so this runs as a trial on recorded or made-up pictures. "
    "Before a live class, run: classpulse policy set eu|other|research"
)


class Task(StrEnum):
    """What a model is for, as its contract says."""

    FACE_DETECTION = "face-detection"
    EMOTION = "emotion"
    ATTENTION = "attention"
    IDENTITY = "identity"


_EVERYTHING = frozenset(Task)
_ALLOWED: dict[Jurisdiction | None, frozenset[Task]] = {
    None: frozenset(
        {Task.FACE_DETECTION, Task.EMOTION, Task.ATTENTION}
    ),  # nobody is recognised before somebody answers for it
    "eu": frozenset({Task.FACE_DETECTION}),
    "other": _EVERYTHING,
    "research": _EVERYTHING,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed under one answer to the question which law is in force.

    >>> Policy("eu").allows(Task.EMOTION)
    False

    Attributes:
        jurisdiction: the law in force; None while nobody has said, which allows recordings,
            pictures and the demo, and no live class.
        exemption: under `eu`, the reason for which the ban on inferring emotions does not apply here. It lifts
            that ban and nothing else: people are still not recognised.
        declaration: what an exemption, or `research`, rests on and who approved it; its white space is made single.
    """

    jurisdiction: Jurisdiction | None = None
    exemption: Exemption | None = None
    declaration: str = ""

    def __post_init__(self) -> None:
        """Refuse a law that is not known, so that a slip of the pen cannot allow anything, and a missing declaration.

        Raises:
            PolicyError: the jurisdiction or the exemption is none of the known ones, the exemption belongs to
                another law, or a declaration is needed and missing, or too long.
        """
        _check_known(self.jurisdiction)
        if self.exemption is not None and self.exemption not in EXEMPTIONS:
            message = f"exemption {self.exemption!r} is not known: {', '.join(EXEMPTIONS)} are"
            raise PolicyError(message)
        if self.exemption is not None and self.jurisdiction != "eu":
            message = f"the exemption {self.exemption!r} is one of 'eu', not of {self.jurisdiction or 'unset'!r}"
            raise PolicyError(message)
        object.__setattr__(self, "declaration", " ".join(self.declaration.split()))
        self._check_declaration()

    def _check_declaration(self) -> None:
        needed = self.jurisdiction == "research" or self.exemption is not None
        length = len(self.declaration)
        if not self.declaration.isprintable() or length > LONGEST_DECLARATION:
            message = f"a declaration is one text of at most {LONGEST_DECLARATION} characters; this one has {length}"
            raise PolicyError(message)
        if needed and length < SHORTEST_DECLARATION:
            what = f"the exemption {self.exemption!r}" if self.exemption else "'research'"
            message = (
                f"{what} needs a declaration of {SHORTEST_DECLARATION} characters or more: what it rests on and who "
                f"approved it. It is kept with the answer: {_command(self.jurisdiction, self.exemption)}, "
                f"or in code {_code(self.jurisdiction, self.exemption)}"
            )
            raise PolicyError(message)

    def allows(self, task: Task) -> bool:
        """Whether a model for this task may be loaded and run."""
        return task in allowed(self.jurisdiction, self.exemption)

    def require(self, task: Task) -> None:
        """Refuse a task that is not allowed.

        Raises:
            PolicyError: the jurisdiction does not allow it.
        """
        if not self.allows(task):
            advice = (
                phrase("first say which law is in force, with `classpulse policy set eu|other|research`")
                if self.jurisdiction is None
                else phrase("only faces may be counted. See `classpulse policy`.")
            )
            law = repr(self.jurisdiction or "unset")
            message = phrase(
                "jurisdiction {law} does not allow {task} models: {advice}", law=law, task=task.value, advice=advice
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


def allowed(jurisdiction: Jurisdiction | None, exemption: Exemption | None) -> frozenset[Task]:
    """The tasks that an answer allows, to be told; to open a model takes a `Policy`, with its declaration."""
    exempt = {Task.EMOTION, Task.ATTENTION} if jurisdiction == "eu" and exemption in EXEMPTIONS else frozenset[Task]()
    return _ALLOWED[jurisdiction] | exempt


def told(jurisdiction: str | None, exemption: str | None) -> str:
    """A law in a few words.

    >>> told("eu", "medical"), told(None, None)
    ('eu (medical exemption)', 'unset')
    """
    return f"{jurisdiction} ({exemption} exemption)" if exemption else jurisdiction or "unset"


class Answer(Protocol):
    """An answer as it is stored."""

    @property
    def jurisdiction(self) -> str:
        """The law."""
        ...

    @property
    def exemption(self) -> str | None:
        """Why its ban does not apply, if that was said."""
        ...

    @property
    def declaration(self) -> str | None:
        """What that rests on."""
        ...


def stored_policy(answer: Answer | None) -> Policy:
    """The policy of a stored answer, `Policy()` if there is none.

    An answer that needs a declaration and has none, as earlier versions took for `research`, counts as not
    given: it is asked for again.

    Raises:
        PolicyError: the stored law or exemption is not known.
    """
    if answer is None or (answer.jurisdiction == "research" and not answer.declaration):
        return Policy()
    jurisdiction, exemption = cast("Jurisdiction", answer.jurisdiction), cast("Exemption | None", answer.exemption)
    return Policy(jurisdiction, exemption, answer.declaration or "")


def _check_known(jurisdiction: str | None) -> None:
    if jurisdiction is not None and jurisdiction not in STRICTEST_FIRST:
        message = f"jurisdiction {jurisdiction!r} is not known: {', '.join(STRICTEST_FIRST)} are"
        raise PolicyError(message)


def _command(jurisdiction: str | None, exemption: str | None) -> str:
    flags = f" --exemption {exemption}" if exemption else ""
    return f'classpulse policy set {jurisdiction}{flags} --declaration "…"'


def _code(jurisdiction: str | None, exemption: str | None) -> str:
    law = ", ".join(f'"{word}"' for word in (jurisdiction, exemption) if word)
    return f'Pipeline(policy=Policy({law}, declaration="…"))'


def tighten(answered: Policy, asked: Jurisdiction | None) -> Policy:
    """The policy in force when somebody has answered and a flag, setting or argument asks for a law.

    What is asked for names a law alone: it brings no exemption and no declaration, and `eu` asked for on top
    of `eu` with an exemption is `eu` without it.

    >>> tighten(Policy("other"), "eu").jurisdiction
    'eu'
    >>> tighten(Policy("other"), None).jurisdiction
    'other'

    Args:
        answered: by the store, the page or the caller; `Policy()` if nobody has.
        asked: None asks for nothing.

    Raises:
        PolicyError: the asked one is looser than the answered one, needs a declaration, or is not known.
    """
    _check_known(asked)
    if asked is None or (asked == answered.jurisdiction and answered.exemption is None):
        return answered
    if answered.jurisdiction is None:
        return Policy(asked)
    if STRICTEST_FIRST.index(asked) > STRICTEST_FIRST.index(answered.jurisdiction):
        message = (
            f"jurisdiction {asked!r} is looser than the stored {answered.jurisdiction!r}: a flag or setting can only "
            f"tighten it. To change it, run: classpulse policy set {asked}"
        )
        raise PolicyError(message)
    return Policy(asked)
