"""Scripted heads: who turns when is known, and so is what must be said of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classpulse.insight.facing import FORGET_S, HOLD_S, MAX_SEATS, FacingJudge
from classpulse.types import HeadPoses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from classpulse.types import Floats

    Script = Callable[[float], float | None]
    """Yaw at a time; NaN where it is not told, None where nobody is seen."""

FPS = 10.0
NAN = math.nan


def judge(min_turn_s: float = 1.5, calibration_s: float = 0.0) -> FacingJudge:
    return FacingJudge(30.0, 6.0, min_turn_s, calibration_s)


def poses(yaws: Sequence[float]) -> HeadPoses:
    yaw = np.array(yaws, np.float32)
    return HeadPoses(yaw, np.zeros_like(yaw), np.where(np.isfinite(yaw), np.float32(4), np.float32(NAN)))


def update(of: FacingJudge, seen: Mapping[int, float], time_s: float) -> Floats:
    return of.update(np.array(list(seen), np.int64), poses(list(seen.values())), time_s)


def last(of: FacingJudge, seen: Mapping[int, float], start_s: float, end_s: float) -> list[float]:
    """The last answers of heads that look the same way from one time to another."""
    answers = [update(of, seen, i / FPS) for i in range(round(start_s * FPS), round(end_s * FPS))]
    return [float(answer) for answer in answers[-1]]


def said(of: FacingJudge, script: Script, start_s: float, end_s: float, fps: float = FPS) -> list[tuple[float, float]]:
    """Times and answers of one head, without the times at which it is out of sight."""
    found = []
    for i in range(round(start_s * fps), round(end_s * fps)):
        yaw = script(i / fps)
        seen = update(of, {} if yaw is None else {1: yaw}, i / fps)
        if yaw is not None:
            found.append((i / fps, float(seen[0])))
    return found


def turns(found: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """When the answer became which."""
    first = [found[0]]
    for time_s, answer in found:
        if not (answer == first[-1][1] or (math.isnan(answer) and math.isnan(first[-1][1]))):
            first.append((time_s, answer))
    return first


def between(start_s: float, end_s: float, yaw: float | None, otherwise: float = 0.0) -> Script:
    return lambda time_s: yaw if start_s <= time_s < end_s else otherwise


@pytest.mark.parametrize("side", [-1, 1])
def test_who_turns_away_is_told_after_a_moment_and_who_returns_at_once(side: int) -> None:
    found = turns(said(judge(), between(5, 15, 50.0 * side), 0, 30))
    assert [answer for _, answer in found] == [1, 0, 1]
    assert 6.5 <= found[1][0] <= 6.7
    assert 15 <= found[2][0] <= 15.5


def test_short_looks_aside_do_not_count() -> None:
    found = said(judge(), lambda time_s: 60.0 if time_s % 4 > 2.7 else 0.0, 0, 60)
    assert turns(found) == [(0, 1)]


def test_in_the_band_nothing_changes() -> None:
    def inside(time_s: float) -> float:
        return 30 + (5.5 if round(time_s * FPS) % 2 else -5.5)

    assert turns(said(judge(0), lambda time_s: 0.0 if time_s < 1 else inside(time_s), 0, 20)) == [(0, 1)]
    after_a_turn = said(judge(0), lambda time_s: 60.0 if time_s < 1 else inside(time_s), 0, 20)
    assert turns(after_a_turn) == [(0, 0)]


def test_one_wrong_reading_brings_nobody_back() -> None:
    found = said(judge(), lambda time_s: 0.0 if time_s < 2 or 8 <= time_s < 8.1 else 50.0, 0, 20)
    assert [answer for _, answer in turns(found)] == [1, 0]


def test_a_band_wider_than_the_angle_leaves_a_way_back() -> None:
    wide = FacingJudge(10.0, 30.0, 0.0, 0.0)
    assert [answer for _, answer in turns(said(wide, between(2, 4, 60.0), 0, 6))] == [1, 0, 1]


def test_who_is_first_seen_turned_is_not_told_until_it_lasts() -> None:
    found = turns(said(judge(), lambda _: 50.0, 0, 5))
    assert [answer for _, answer in found] == pytest.approx([NAN, 0], nan_ok=True)
    assert found[1][0] == pytest.approx(1.5, abs=0.11)


@pytest.mark.parametrize("fps", [1.0, 2.0, 30.0])
def test_how_often_a_face_is_seen_matters_little(fps: float) -> None:
    found = turns(said(judge(), between(10, 20, 50.0), 0, 30, fps))
    assert [answer for _, answer in found] == [1, 0, 1]
    assert found[1][0] == pytest.approx(11.5, abs=1 / fps)
    assert found[2][0] == pytest.approx(20, abs=1 / fps + 0.4)


# --- what is not seen is not held against anybody ---


@pytest.mark.parametrize("gone", [NAN, None])
def test_who_looks_down_or_vanishes_shortly_stays_what_they_were(gone: float | None) -> None:
    looks_down = between(5, 5 + HOLD_S - 0.5, gone)
    assert turns(said(judge(), looks_down, 0, 20)) == [(0, 1)]
    was_away = said(judge(), lambda time_s: looks_down(time_s) if 5 <= time_s < 9.5 else 50.0, 2, 20)
    assert [answer for _, answer in turns(was_away)] == pytest.approx([NAN, 0], nan_ok=True)


def test_whose_pose_is_not_told_for_long_is_not_told() -> None:
    found = turns(said(judge(), between(5, 20, NAN), 0, 30))
    assert [answer for _, answer in found] == pytest.approx([1, NAN, 1], nan_ok=True)
    assert found[1][0] == pytest.approx(5 + HOLD_S, abs=0.2)
    assert found[2][0] == pytest.approx(20, abs=0.01)


def test_glimpses_of_a_turned_head_do_not_add_up() -> None:
    """A profile is seen for a moment every six seconds."""
    found = said(judge(), lambda time_s: 50.0 if time_s % 6 < 0.2 else None, 0, 60)
    assert all(math.isnan(answer) for _, answer in found)


# --- the usual direction ---


def test_a_camera_at_the_side_turns_nobody_away() -> None:
    """The whole class sits 20 degrees aside; a look to the other side of 20 is 40 away from it, and 50 is 30."""
    of, plain = judge(calibration_s=60), judge()
    rng = np.random.default_rng(3)
    seats = np.linspace(8, 32, 12)
    seats[:3] = 20
    away, uncalibrated = [], np.empty(0)
    for i in range(900):
        time_s = i / 5
        yaws = seats + rng.normal(0, 3, 12)
        if time_s >= 100:
            yaws[0], yaws[1], yaws[2] = -25, 45, 20 + 50
        seen = dict(enumerate(yaws.tolist(), 1))
        facing = update(of, seen, time_s)
        uncalibrated = np.asarray(update(plain, seen, time_s), np.float64)
        if 15 <= time_s < 100:
            assert facing.all(), (time_s, facing)
        if time_s >= 103:
            away.append(facing[:3].tolist())
            assert facing[3:].all()
    assert away == [[0, 1, 0]] * len(away)
    assert uncalibrated[:2].tolist() == [1, 0], "without calibration they are the wrong way round"


def test_each_seat_has_its_own_direction() -> None:
    """Three seats look to a screen at the side of their cameras; each is away where another one is at home."""
    of = judge(calibration_s=60)
    last(of, {1: -28.0, 2: 0.0, 3: 28.0}, 0, 65)
    assert last(of, {1: 12.0, 2: 12.0, 3: -12.0}, 65, 70) == [0, 1, 0]


def test_who_sits_turned_away_from_the_start_is_not_calibrated_away() -> None:
    of = judge(calibration_s=60)
    assert last(of, {1: 0.0, 2: 2.0, 3: -3.0, 4: 50.0}, 0, 120) == [1, 1, 1, 0]


def test_looks_aside_while_it_is_learned_do_not_spoil_it() -> None:
    of = judge(calibration_s=60)
    said(of, lambda time_s: 60.0 if time_s % 10 > 7 else 5.0, 0, 70)
    assert said(of, lambda _: 25.0, 70, 75)[-1][1] == 1
    assert said(of, lambda _: 45.0, 75, 80)[-1][1] == 0


def test_a_newcomer_is_compared_with_the_class() -> None:
    of = judge(calibration_s=60)
    last(of, {1: 24.0, 2: 25.0, 3: 26.0}, 0, 70)
    assert last(of, {1: 24.0, 2: 25.0, 3: 26.0, 9: 50.0, 10: -12.0}, 70, 74) == [1, 1, 1, 1, 0]


def test_what_was_learned_stays() -> None:
    of = judge(calibration_s=20)
    said(of, lambda _: 0.0, 0, 25)
    assert said(of, lambda _: 40.0, 25, 600)[-1][1] == 0


def test_without_calibration_the_camera_is_the_screen() -> None:
    assert said(judge(calibration_s=0), lambda _: 40.0, 0, 300)[-1][1] == 0


# --- clocks, bad input, memory ---


@pytest.mark.parametrize("jump_s", [-1e6, -100.0, -0.5, 0.05, 3600.0, 1e9])
def test_a_clock_that_jumps_turns_nobody(jump_s: float) -> None:
    of = judge(calibration_s=20)
    before = said(of, lambda _: 10.0, 0, 30)
    after = said(of, lambda _: 10.0, 30 + jump_s, 40 + jump_s)
    assert {answer for _, answer in before + after} == {1}
    again = turns(said(of, lambda _: -50.0, 40 + jump_s, 45 + jump_s))
    assert [answer for _, answer in again] == [1, 0]
    assert again[1][0] - 40 - jump_s == pytest.approx(1.5, abs=0.21)


@pytest.mark.parametrize("jump_s", [-1e6, 0.0, 1e6])
def test_what_is_learned_outlasts_a_clock_that_jumps(jump_s: float) -> None:
    of, seats = judge(calibration_s=60), {1: -28.0, 2: 0.0, 3: 28.0}
    last(of, seats, 0, 20)
    last(of, seats, 20 + jump_s, 60 + jump_s)
    assert last(of, {1: 12.0, 2: 12.0, 3: -12.0}, 60 + jump_s, 65 + jump_s) == [0, 1, 0]


def test_a_jump_does_not_count_as_a_long_look_aside() -> None:
    of = judge()
    said(of, lambda _: 0.0, 0, 5)
    assert update(of, {1: 50.0}, 5.0).tolist() == [1]
    assert update(of, {1: 50.0}, 9.0).tolist() == [1]


@pytest.mark.parametrize("time_s", [NAN, math.inf, -math.inf])
def test_a_time_that_is_no_number_passes_no_time(time_s: float) -> None:
    of = judge()
    said(of, lambda _: 0.0, 0, 5)
    for _ in range(100):
        assert update(of, {1: 50.0}, time_s).tolist() == [1]
    assert turns(said(of, lambda _: 0.0, 5, 8)) == [(5, 1)]


def test_extreme_and_missing_poses_are_survived() -> None:
    of = judge(calibration_s=10)
    facing = last(of, {1: 90.0, 2: -90.0, 3: NAN, 4: math.inf, 5: 180.0}, 0, 30)
    assert np.isnan(facing).tolist() == [False, False, True, True, False]
    assert update(of, {}, 31.0).shape == (0,)
    assert update(of, {}, 31.0).dtype == np.float32


def test_tracks_and_poses_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="2 tracks for 1 poses"):
        judge().update(np.array([1, 2]), poses([0.0]), 0.0)


def test_who_is_long_gone_is_forgotten_and_nobody_else() -> None:
    of = judge(calibration_s=20)
    for i in range(3600):  # a class in which every face gets a new number each ten seconds
        update(of, {0: 0.0} | {1 + k + 5 * (i // 10): 0.0 for k in range(5)}, float(i))
        assert len(of._seats) <= 1 + 5 * (FORGET_S / 10 + 2)
    assert 0 in of._seats


def test_a_crowd_of_passing_numbers_is_bounded() -> None:
    of = judge()
    for i in range(3000):
        update(of, {i: 0.0}, i / 1000)
    assert len(of._seats) == MAX_SEATS
    assert 2999 in of._seats
