"""A figure of the class with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval that holds the true one nine times out of ten.

    Attributes:
        value: the figure.
        low, high: ends of the 90 % interval; `low <= value <= high`.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse an interval without the figure in it; NaN is refused too."""
        if not self.low <= self.value <= self.high:
            message = f"an interval holds its figure: {self.low} <= {self.value} <= {self.high}"
            raise ValueError(message)
