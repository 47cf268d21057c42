"""What a report says of students' own answers: whole groups alone are counted."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from classpulse.insight.answers import counts_at
from classpulse.insight.disclosure import smallest_group
from classpulse.insight.self_report import agreement, sentence
from classpulse.report.stretches import GAP_S
from classpulse.storage.export import said_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Answer, AnswerCounts, Said
    from classpulse.insight.self_report import Agreement
    from classpulse.storage.tables import SessionRow


@dataclass(frozen=True, slots=True)
class Answers:
    """What students said of themselves.

    Attributes:
        starts_s, times_s: beginnings and ends of the windows.
        counts: what held then; None where fewer than a group had answered.
        most: the most students with an answer at one time; 0 if nobody was asked or they were too few to show.
        found: how far faces and answers went together; None where nobody was asked, or no face was seen.
        agreement: the same as a sentence; empty with it.
        raw: what may be shown at the end of each window, for CSV; empty where nobody was asked.
    """

    starts_s: tuple[float, ...]
    times_s: tuple[float, ...]
    counts: tuple[AnswerCounts | None, ...]
    most: int
    found: Agreement | None
    agreement: str
    raw: tuple[dict[str, int | None], ...]

    def share(self, name: Said) -> float | None:
        """Mean share of one answer, over the windows in which a whole group had answered; None where none had."""
        shares = [getattr(held, name) / held.total for held in self.counts if held is not None and held.total]
        return fmean(shares) if shares else None

    @property
    def steps(self) -> list[tuple[float, AnswerCounts | None]]:
        """Times, each with what held since the one before; None where that cannot be told, and in a pause."""
        found: list[tuple[float, AnswerCounts | None]] = []
        for start_s, end_s, held in zip(self.starts_s, self.times_s, self.counts, strict=True):
            if not found or start_s - found[-1][0] > GAP_S:
                found.append((start_s, None))
            found.append((end_s, held))
        return found


def answers_of(answers: Sequence[Answer], windows: Sequence[ClassWindow], row: SessionRow, began_s: float) -> Answers:
    """What was said, at the end of each window, where a whole group had said something."""
    needed = smallest_group(row.min_group)
    ends = [window.end_s for window in windows] or sorted({answer.time_s for answer in answers})
    starts = [window.start_s for window in windows] or [*ends[:1], *ends[:-1]]
    counts = [held if held.total >= needed else None for held in counts_at(answers, ends, row.min_group)]
    found = agreement(windows, answers) if answers and any(window.people for window in windows) else None
    return Answers(
        starts_s=tuple(start_s - began_s for start_s in starts),
        times_s=tuple(end_s - began_s for end_s in ends),
        counts=tuple(counts),
        most=max((held.total for held in counts if held is not None), default=0),
        found=found,
        agreement=sentence(found) if found is not None else "",
        raw=tuple(said_in(windows, answers, row.min_group)),
    )
