"""How long the owners of classes have given no sign of life, by this process's own clock and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classpulse.storage.runs import Run

LONGEST_LOOK_AWAY_S = 3.0
"""Whoever has not looked for longer (the database was away, the machine slept) has seen no silence."""


class Silence:
    """Watches counts that should grow.

    >>> from datetime import UTC, datetime
    >>> from classpulse.storage.runs import Run, RunState
    >>> run, watch = Run(1, None, 5, 0, datetime.now(UTC), RunState("running")), Silence()
    >>> for now_s in (0.0, 1.0, 2.0):
    ...     watch.look({1: run}, now_s)
    >>> watch.silent_s(run)
    2.0
    """

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._known: dict[int, tuple[tuple[str | None, int], float]] = {}
        self._looked_s = 0.0

    def look(self, runs: Mapping[int, Run], now_s: float) -> None:
        """Take note of every run, as it is in the database now."""
        if now_s - self._looked_s > LONGEST_LOOK_AWAY_S:
            self._known.clear()
        self._looked_s = now_s
        known = {}
        for number, run in runs.items():
            mark = (run.process.id if run.process else None, run.beat)
            before = self._known.get(number)
            known[number] = before if before is not None and before[0] == mark else (mark, now_s)
        self._known = known

    def silent_s(self, run: Run) -> float:
        """How long a run has stood still, up to the last look."""
        mark, since_s = self._known.get(run.course_id, (None, self._looked_s))
        return self._looked_s - since_s if mark is not None else 0.0
