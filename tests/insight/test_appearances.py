from __future__ import annotations

import numpy as np
import pytest

from classpulse.insight.appearances import Appearance, AppearanceBuilder
from classpulse.types import Faces, FrameResult, Identities, Tracks


def seen(time_s: float, **people: str | None) -> FrameResult:
    """A result with tracks t1, t2 …, each taken for somebody, or for nobody."""
    n = len(people)
    faces = Faces(np.zeros((n, 4), np.float32), np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))
    likeness = np.array([np.nan if person is None else 0.8 for person in people.values()], np.float32)
    tracks = Tracks(np.array([int(name[1:]) for name in people], np.int64), faces)
    return FrameResult(time_s, 0, 640, 360, tracks, None, Identities(tuple(people.values()), likeness))


def spans(appearances: list[Appearance]) -> list[tuple[int, str, float, float]]:
    return [(a.track, a.person_id, a.start_s, a.end_s) for a in appearances]


def test_an_appearance_lasts_from_the_first_to_the_last_result_in_which_it_was_so() -> None:
    builder = AppearanceBuilder()
    closed = [builder.add(seen(i / 2, t1=None if i < 4 else "ana", t2="ben")) for i in range(20)]
    assert not any(closed)
    told = builder.finish()
    assert spans(told) == [(2, "ben", 0.0, 9.5), (1, "ana", 2.0, 9.5)]
    assert [a.confidence for a in told] == pytest.approx([0.8, 0.8])
    assert builder.finish() == []


def test_a_gap_closes_and_a_short_one_does_not() -> None:
    builder = AppearanceBuilder(gap_s=2)
    told = [builder.add(seen(t, t1="ana")) for t in (0, 1, 2.9)]
    told += [builder.add(seen(t, t1=None)) for t in (3.5, 4.0, 4.8)]
    assert not any(told)
    assert spans(builder.add(seen(5.0))) == [(1, "ana", 0, 2.9)]
    assert builder.add(seen(9, t1="ana")) == []
    assert spans(builder.add(seen(20, t1="ana"))) == [(1, "ana", 9, 9)]
    assert spans(builder.finish()) == [(1, "ana", 20, 20)]


def test_another_person_on_the_track_closes_at_once() -> None:
    builder = AppearanceBuilder()
    builder.add(seen(0, t1="ana"))
    assert spans(builder.add(seen(0.5, t1="ben"))) == [(1, "ana", 0, 0)]
    assert spans(builder.finish()) == [(1, "ben", 0.5, 0.5)]


def test_long_ones_are_told_in_pieces_that_join() -> None:
    builder = AppearanceBuilder(piece_s=30)
    told = [piece for i in range(1001) for piece in builder.add(seen(i / 10, t1="ana"))]
    assert spans(told) == [(1, "ana", 0, 30), (1, "ana", 30, 60), (1, "ana", 60, 90)]
    assert spans(builder.finish()) == [(1, "ana", 90, 100)]


def test_a_piece_that_holds_nothing_new_is_not_told() -> None:
    builder = AppearanceBuilder(piece_s=30)
    builder.add(seen(0, t1="ana"))
    builder.add(seen(1, t1="ana"))
    told = [piece for i in range(2, 31) for piece in builder.add(seen(i, t1="ana"))]
    assert spans(told) == [(1, "ana", 0, 30)]
    assert builder.add(seen(40)) == []
    assert builder.finish() == []


def test_a_clock_that_steps_back_closes_all_and_one_that_is_no_number_nothing() -> None:
    builder = AppearanceBuilder()
    builder.add(seen(100, t1="ana"))
    assert builder.add(seen(float("nan"), t1="ana")) == []
    assert spans(builder.add(seen(0, t1="ana"))) == [(1, "ana", 100, 100)]
    assert spans(builder.finish()) == [(1, "ana", 0, 0)]


def test_where_nobody_is_recognised_there_are_none() -> None:
    builder = AppearanceBuilder()
    result = seen(0, t1=None)
    builder.add(FrameResult(0, 0, 640, 360, result.tracks, None))
    builder.add(result)
    assert builder.finish() == []


def test_what_is_open_is_bounded_by_who_is_in_sight() -> None:
    builder = AppearanceBuilder()
    for i in range(5000):
        builder.add(seen(i, **{f"t{i + 1}": "ana"}))
    assert len(builder._open) <= 3
