"""From single recognitions to appearances: who was taken for whom, from when to when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classpulse.types import FrameResult

GAP_S = 2.0
"""A track that was not taken for its person for longer than this has ended its appearance."""
PIECE_S = 30.0
"""A longer appearance is told piece by piece, so that a process that is killed loses no more than this."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """A stretch of a class in which one track was taken for one person.

    Attributes:
        track: the track's number.
        person_id: the person's random id.
        start_s, end_s: of the first and the last result in which it was so, by the clock of `FrameResult.time_s`.
        confidence: mean similarity over its results, 0 to 1.
    """

    track: int
    person_id: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(slots=True)
class _Span:
    person_id: str
    start_s: float
    end_s: float
    total: float = 0.0
    count: int = 0

    def closed(self, track: int) -> Appearance:
        confidence = min(1.0, max(0.0, self.total / self.count))
        return Appearance(track, self.person_id, self.start_s, self.end_s, confidence)


class AppearanceBuilder:
    """Joins the results of a class into appearances.

    An appearance ends when its track is taken for somebody else, or for nobody for more than `gap_s`, or when the
    clock steps back. One that goes on is told in pieces of about `piece_s`, each beginning where the last one ended.
    """

    def __init__(self, gap_s: float = GAP_S, piece_s: float = PIECE_S) -> None:
        """Start before the first result."""
        self._gap_s = gap_s
        self._piece_s = piece_s
        self._open: dict[int, _Span] = {}
        self._time_s = -math.inf

    def add(self, result: FrameResult) -> list[Appearance]:
        """Take the next result; returns the appearances, or pieces of them, that it closes.

        A result without a finite time is left out.
        """
        now_s = result.time_s
        if not math.isfinite(now_s):
            return []
        closed = self.finish() if now_s < self._time_s else []
        self._time_s = now_s
        if result.identities is not None:
            people, similarities = result.identities.people, result.identities.similarities.tolist()
            for track, person, similarity in zip(result.tracks.ids.tolist(), people, similarities, strict=True):
                if person is not None:
                    closed += self._see(track, person, similarity, now_s)
        over = [track for track, span in self._open.items() if now_s - span.end_s > self._gap_s]
        return closed + self._close(over)

    def _see(self, track: int, person: str, similarity: float, now_s: float) -> list[Appearance]:
        closed = []
        span = self._open.get(track)
        if span is not None and (span.person_id != person or now_s - span.end_s > self._gap_s):
            closed += self._close([track])
            span = None
        if span is None:
            span = self._open[track] = _Span(person, now_s, now_s)
        span.end_s = now_s
        span.total += similarity
        span.count += 1
        if span.end_s - span.start_s >= self._piece_s:
            closed.append(span.closed(track))
            self._open[track] = _Span(person, now_s, now_s)
        return closed

    def finish(self) -> list[Appearance]:
        """Close all that is open; more results may be added after."""
        return self._close(list(self._open))

    def _close(self, tracks: list[int]) -> list[Appearance]:
        spans = [(track, self._open.pop(track)) for track in tracks]
        # A piece that has only just begun says nothing that the one before did not say.
        return [span.closed(track) for track, span in spans if span.count]
