"""What was read of one student's face, on their device or here, and what a device may claim of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from classpulse.errors import JoinError

if TYPE_CHECKING:
    from collections.abc import Mapping

EMOTIONS = 7
SUM_SLACK = 0.02
"""How far seven probabilities may be from one in all: a device may send three digits of each."""
MAX_PICTURE_BYTES = 200_000
"""Of a picture that a device sends to be read here."""
MAX_FACE_PX = 8192.0
MAX_YAW_DEG = 90.0
MAX_ROLL_DEG = 180.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one student.

    Attributes:
        face: whether there was a face at all; without one the other fields say nothing.
        probabilities: of the seven emotions, in the order of the model's labels; None where the face was not read.
        score: the detector's confidence, 0 to 1.
        size_px: the longer side of the face in the device's own picture, px.
        yaw_deg: to the side, as in `HeadPoses`; None where it was not told.
        roll_deg: tilted, as in `HeadPoses`; None where it was not told.
    """

    face: bool
    probabilities: tuple[float, ...] | None = None
    score: float = 0.0
    size_px: float = 0.0
    yaw_deg: float | None = None
    roll_deg: float | None = None


NO_FACE = Reading(face=False)


def reading_of(message: Mapping[str, object]) -> Reading:
    """A reading from what a device says: `p` probabilities, `c` confidence, `y` yaw, `r` roll, `s` side of the face.

    A message without `s` says that there is no face. `p`, `y` and `r` may be missing or null: not read, not told.

    >>> reading_of({"t": "s"}).face
    False

    Raises:
        JoinError: something in it cannot be; the sentence says what.
    """
    if message.get("s") is None:
        if message.get("p") is not None:
            _refuse("a reading has the side of the face in pixels as 's'; without a face it has no 'p' either")
        return NO_FACE
    yaw, roll = message.get("y"), message.get("r")
    if message.get("g") is not None:
        _number(message, "g", 0, math.inf)
    return Reading(
        face=True,
        probabilities=_probabilities(message.get("p")),
        score=_number(message, "c", 0, 1),
        size_px=_number(message, "s", 1, MAX_FACE_PX),
        yaw_deg=None if yaw is None else _number(message, "y", -MAX_YAW_DEG, MAX_YAW_DEG),
        roll_deg=None if roll is None else _number(message, "r", -MAX_ROLL_DEG, MAX_ROLL_DEG),
    )


def _probabilities(given: object) -> tuple[float, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != EMOTIONS or not all(_is_number(value) for value in given):
        _refuse(f"'p' is a list of {EMOTIONS} numbers")
    values = [float(value) for value in given]
    total = math.fsum(values)
    if min(values) < 0 or not abs(total - 1) <= SUM_SLACK:
        _refuse(f"'p' is {EMOTIONS} probabilities: none below 0, and 1 in all; these make {total:.3g}")
    return tuple(value / total for value in values)


def _number(message: Mapping[str, object], name: str, low: float, high: float) -> float:
    value = message.get(name)
    if not _is_number(value) or not low <= float(value) <= high:  # type: ignore[arg-type]  # _is_number has looked
        bounds = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of at least {low:g}"
        _refuse(f"{name!r} is a number {bounds}")
    return float(value)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    # JSON's true is no number, and a whole number may be too large for a float.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e12 and math.isfinite(value)


def _refuse(detail: str) -> NoReturn:
    raise JoinError(detail, "message")
