"""From sightings to attendance: who was here, from when to when, with gaps, and how sure that is.

Whoever holds a photo or a video of somebody into the picture can fool it: an aid, never proof.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

CAUTION = phrase("An aid, never proof: a photo or a video can fool it, and somebody who is here can go unseen.")
"""Said wherever attendance is shown or written."""

BY_HAND = "corrected"
"""How a sighting came about that somebody set right; what they say counts as sure."""

MIN_WEIGHT_S = 1.0
"""What a sighting at a single moment weighs beside longer ones."""


class Sighting(Protocol):
    """A stretch of a class in which a track was taken for somebody, as it is stored."""

    @property
    def person_id(self) -> str | None:
        """Who; None where it is not known any more, or was somebody else."""
        ...

    @property
    def track(self) -> int:
        """By number within the class."""
        ...

    @property
    def start_s(self) -> float:
        """By the clock of the class."""
        ...

    @property
    def end_s(self) -> float:
        """By the clock of the class."""
        ...

    @property
    def confidence(self) -> float:
        """Of the match, 0 to 1."""
        ...

    @property
    def how(self) -> str:
        """`"corrected"` where somebody said so by hand."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to a later one, s by the clock of the class."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it is, s."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Lesson:
    """When a class was, and what it takes to be late in it.

    Attributes:
        start_s: by the clock of the class.
        end_s: by the clock of the class; of one that goes on, its newest moment.
        ended: whether it is over; nobody leaves early while it goes on.
        gap_s: out of sight for longer than this counts as a gap.
        late_after_s: first seen later than this after the start is late.
        left_before_s: last seen earlier than this before the end has left early.
    """

    start_s: float
    end_s: float
    ended: bool
    gap_s: float
    late_after_s: float
    left_before_s: float


@dataclass(frozen=True, slots=True)
class Followed:
    """A track, from when it was first taken for somebody to when it last was.

    Attributes:
        track: by number within the class.
        span: from when to when.
    """

    track: int
    span: Span


@dataclass(frozen=True, slots=True)
class Presence:
    """One person in one class.

    Attributes:
        person_id: who.
        spans: when they were here; what parts two of them is a gap.
        late_s: how long after the start they were first seen; 0 unless that is late.
        early_s: how long before the end they were last seen; 0 unless that is early.
        confidence: 0 to 1, the mean of the sightings' weighted by their length; 1 for what was set right by hand.
        by_hand: whether anything was set right by hand.
        faces: the tracks that were taken for them, in the order of time.
    """

    person_id: str
    spans: tuple[Span, ...]
    late_s: float
    early_s: float
    confidence: float
    by_hand: bool
    faces: tuple[Followed, ...]

    @property
    def first_s(self) -> float:
        """When they were first seen."""
        return self.spans[0].start_s

    @property
    def last_s(self) -> float:
        """When they were last seen."""
        return self.spans[-1].end_s

    @property
    def present_s(self) -> float:
        """How long they were here: from first to last, without the gaps."""
        return sum(span.length_s for span in self.spans)

    @property
    def gaps(self) -> tuple[Span, ...]:
        """When they were out of sight for longer than a class's `gap_s`."""
        return tuple(Span(a.end_s, b.start_s) for a, b in zip(self.spans, self.spans[1:], strict=False))


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who was in a class.

    Attributes:
        people: a row for each person who was recognised, in the order of arrival.
        unknown_tracks: how many tracks were nobody who is known. That is no number of people: whoever turns away
            for a while comes back as another track.
    """

    people: tuple[Presence, ...]
    unknown_tracks: int


def attend(sightings: Sequence[Sighting], lesson: Lesson, tracks: Collection[int] = ()) -> Attendance:
    """One row per person, from all that was seen in a class.

    Sightings of one person are joined over pauses of up to `gap_s`. With n joined spans [a_i, b_i], first seen is
    a_1, last seen b_n, and

        present = sum over i of (b_i - a_i)
        late    = a_1 - start          where that is more than late_after_s, else 0
        early   = end - b_n            where that is more than left_before_s and the class is over, else 0

    Args:
        sightings: in any order; those without a finite time are left out.
        lesson: when the class was.
        tracks: every track that was seen, recognised or not.
    """
    by_person: dict[str, list[Sighting]] = {}
    known: set[int] = set()
    unknown = set(tracks)
    for one in sightings:
        if one.person_id is None:
            unknown.add(one.track)
        elif math.isfinite(one.start_s) and math.isfinite(one.end_s):
            by_person.setdefault(one.person_id, []).append(one)
            known.add(one.track)
    people = [_presence(person_id, seen, lesson) for person_id, seen in by_person.items()]
    ordered = sorted(people, key=lambda one: (one.first_s, one.person_id))
    return Attendance(tuple(ordered), len(unknown - known))


def _presence(person_id: str, seen: Sequence[Sighting], lesson: Lesson) -> Presence:
    spans = join((Span(one.start_s, one.end_s) for one in seen), lesson.gap_s)
    late_s = spans[0].start_s - lesson.start_s
    early_s = lesson.end_s - spans[-1].end_s
    return Presence(
        person_id=person_id,
        spans=spans,
        late_s=late_s if late_s > lesson.late_after_s else 0.0,
        early_s=early_s if lesson.ended and early_s > lesson.left_before_s else 0.0,
        confidence=_confidence(seen),
        by_hand=any(one.how == BY_HAND for one in seen),
        faces=followed(seen),
    )


def followed(seen: Iterable[Sighting]) -> tuple[Followed, ...]:
    """The tracks of some sightings, each from its first to its last moment, in the order of time."""
    spans: dict[int, Span] = {}
    for one in seen:
        known = spans.get(one.track, Span(one.start_s, one.end_s))
        spans[one.track] = Span(min(known.start_s, one.start_s), max(known.end_s, one.end_s))
    return tuple(Followed(*one) for one in sorted(spans.items(), key=lambda one: (one[1].start_s, one[0])))


def join(spans: Iterable[Span], gap_s: float) -> tuple[Span, ...]:
    """Spans in the order of time, with those made one that overlap or follow each other within `gap_s`.

    >>> join([Span(90, 95), Span(0, 10), Span(30, 40), Span(5, 12)], gap_s=20)
    (Span(start_s=0, end_s=40), Span(start_s=90, end_s=95))
    """
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start_s):
        end_s = max(span.start_s, span.end_s)
        if joined and span.start_s - joined[-1].end_s <= gap_s:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, end_s))
        else:
            joined.append(Span(span.start_s, end_s))
    return tuple(joined)


def _confidence(seen: Sequence[Sighting]) -> float:
    """Mean weighted by length: w = max(end - start, 1 s), sum(w c) / sum(w)."""
    weights = [max(one.end_s - one.start_s, MIN_WEIGHT_S) for one in seen]
    sure = [1.0 if one.how == BY_HAND else min(1.0, max(0.0, one.confidence)) for one in seen]
    return sum(w * c for w, c in zip(weights, sure, strict=True)) / sum(weights)
