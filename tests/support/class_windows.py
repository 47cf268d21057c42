"""Class windows with the figures that a test wants."""

from __future__ import annotations

from typing import Any

from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate

LENGTH_S = 5.0


def figure(value: float | None, wide: float = 0.1) -> Any:
    """A figure with an interval of this half width; None stays None."""
    return None if value is None else Estimate(value, value - wide, value + wide)


def window(number: float, *, faces: float = 15, expected: int = 15, wide: float = 0.1, **changes: Any) -> ClassWindow:
    """The window of this number; its figures are given as plain values."""
    people = round(faces)
    figures = {name: figure(changes.pop(name, None), wide) for name in ("facing", "mood", "attention")}
    start_s = number * LENGTH_S
    counts = {"people": people, "read": people, "posed": people} | changes
    return ClassWindow(
        start_s=start_s,
        end_s=start_s + LENGTH_S,
        results=10,
        faces=faces,
        labels=(),
        mix=None,
        uncertain=None,
        expected=expected,
        **counts,
        **figures,
    )
