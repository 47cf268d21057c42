"""How many people a class has, told from the faces that were visible lately."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HORIZON_S = 600.0
"""Who was not seen for ten minutes has left."""
GHOSTS = 0.1
"""Share of the pictures of a window that may show a face too many."""


class ClassSize:
    """The most faces visible at once over the last `HORIZON_S`, but for ghosts.

    Of F pictures in a window with n_f faces, sorted from the most to the fewest, it counts the one after the first
    `GHOSTS` of them, and after the first in any case where there are two: a poster that is taken for a face in one
    picture makes no student. Constant memory, and a constant cost on average.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self._most: deque[tuple[float, int]] = deque()

    def add(self, end_s: float, faces: Sequence[int]) -> int:
        """Take a window; returns how many people the class has at its end. A clock that jumps back starts anew.

        >>> size = ClassSize()
        >>> size.add(5, [8, 9, 8]), size.add(10, [7, 6, 6]), size.add(605, [7, 7, 7])
        (8, 8, 7)

        Args:
            end_s: where the window ends.
            faces: visible in each of its pictures, at least one.
        """
        ordered = sorted(faces, reverse=True)
        count = ordered[min(len(ordered) - 1, max(1, math.floor(GHOSTS * len(ordered))))]
        if self._most and end_s < self._most[-1][0]:
            self._most.clear()
        while self._most and self._most[-1][1] <= count:
            self._most.pop()
        self._most.append((end_s, count))
        while self._most[0][0] <= end_s - HORIZON_S:
            self._most.popleft()
        return self._most[0][1]
