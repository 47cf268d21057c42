"""Nobody's coming or going is told from the figures: by worked examples, over random classes, and under attack."""

from __future__ import annotations

import math
import random
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.anonymity import as_published, fixed_windows, make_class, recovered

from classpulse.insight.disclosure import disclose, held
from classpulse.insight.engagement import ClassWindow, WindowBuilder
from classpulse.insight.panel import HORIZON_S, MOVED_PEOPLE, REST_S, Panel
from classpulse.insight.signals import FaceSignals, valence
from classpulse.types import Emotions, Faces, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LABELS = ("happy", "sad")
LENGTH_S = 5.0
GROUP = 5


def picture(time_s: float, happy: Mapping[int, float | None]) -> FrameResult:
    """People by track with how happy they look; None for a face that could not be read."""
    n = len(happy)
    faces = Faces(np.zeros((n, 4), np.float32), np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))
    rows = [[math.nan] * 2 if share is None else [share, 1 - share] for share in happy.values()]
    read = np.array([share is not None for share in happy.values()], bool)
    emotions = Emotions(LABELS, np.array(rows, np.float32).reshape(n, 2), read)
    return FrameResult(time_s, 0, 640, 360, Tracks(np.array(list(happy), np.int64), faces), emotions)


def windows_of(classes: Iterable[Mapping[int, float | None]], min_group: int = GROUP) -> list[ClassWindow]:
    """A window for each picture, of people who hold still within it."""
    builder = WindowBuilder(LENGTH_S, Panel(min_group))
    windows = [builder.add(picture(LENGTH_S * i, happy)) for i, happy in enumerate(classes)]
    return [window for window in [*windows, builder.finish()] if window is not None]


def figures(classes: Iterable[Mapping[int, float | None]], min_group: int = GROUP) -> list[float | None]:
    """The published share of "happy" in each window."""
    return [happy_in(window, min_group) for window in windows_of(classes, min_group)]


def happy_in(window: ClassWindow, min_group: int = GROUP) -> float | None:
    mix = disclose(window, min_group)["mix"]
    return mix["happy"] if isinstance(mix, dict) else None


STILL: dict[int, float | None] = {1: 0.9, 2: 0.1, 3: 0.1, 4: 0.1, 5: 0.1, 6: 0.1, 7: 0.1, 8: 0.1, 9: 0.1}
"""Nine people, the first of them happy."""


def without(*tracks: int) -> dict[int, float | None]:
    return {track: happy for track, happy in STILL.items() if track not in tracks}


def test_who_leaves_a_still_class_is_not_told_from_its_figures() -> None:
    shown = figures([STILL] * 3 + [without(1)] * 300)
    assert shown == [pytest.approx(1.7 / 9, abs=1e-4)] * 303


def test_who_comes_into_a_still_class_is_not_told_either() -> None:
    shown = figures([without(1)] * 3 + [STILL] * 300)
    assert shown == [pytest.approx(0.1)] * 303


def test_who_turns_away_for_a_moment_changes_nothing() -> None:
    unread = STILL | {1: None}
    assert len(set(figures([STILL, unread, STILL, unread, unread, STILL]))) == 1


def test_a_whole_group_that_comes_is_shown_at_once() -> None:
    more: dict[int, float | None] = dict.fromkeys(range(20, 20 + GROUP), 1.0)
    assert figures([STILL, STILL | more])[1] == pytest.approx((1.7 + GROUP) / (9 + GROUP), abs=1e-4)
    fewer = dict(list(more.items())[1:])
    assert figures([STILL, STILL | fewer])[1] == pytest.approx(1.7 / 9, abs=1e-4)


def test_the_figures_go_on_with_who_is_there_once_the_others_have_moved() -> None:
    """While those who stay are still, what was last read of who left stays; then it goes."""
    moved = without(1) | {2: 0.1 + MOVED_PEOPLE / 2 - 0.01, 3: 0.1 + MOVED_PEOPLE / 2 - 0.01}
    rest = round(REST_S / LENGTH_S)
    shown = figures([STILL, *[without(1)] * rest, moved, without(1) | {2: 0.9, 3: 0.9, 4: 0.9}])
    assert shown[-2] == pytest.approx((0.9 + 2 * 0.59 + 6 * 0.1) / 9, abs=1e-4), "moved too little: she is still in it"
    assert shown[-1] == pytest.approx((3 * 0.9 + 5 * 0.1) / 8, abs=1e-4), "the figure of the eight who are there"


def test_a_class_that_moves_and_moves_back_gives_nobody_away() -> None:
    laughing = without(1) | {2: 0.9, 3: 0.9, 4: 0.9}
    rest = round(REST_S / LENGTH_S)
    shown = figures([STILL, *[without(1)] * rest, laughing, *[without(1)] * 10])
    assert shown[rest + 1] == pytest.approx((3 * 0.9 + 5 * 0.1) / 8, abs=1e-4)
    left = [9 * 1.7 / 9 - 8 * figure for figure in shown[rest + 2 :] if figure is not None]
    assert not [happy for happy in left if happy == pytest.approx(0.9, abs=0.1)]


def test_too_few_at_once_have_no_figure() -> None:
    shown = figures([without(*range(5, 10)), STILL, without(*range(5, 10)), without(*range(6, 10))])
    assert [figure is None for figure in shown] == [True, False, True, False]
    window = WindowBuilder(LENGTH_S, Panel(GROUP))
    window.add(picture(0, without(*range(5, 10))))
    few = window.finish()
    assert few is not None
    assert (few.people, few.read, few.mix, few.uncertain) == (4, 4, None, None)


def test_where_nobody_is_followed_figures_wait_until_time_has_passed() -> None:
    """A new number for everybody, as after a break of the camera, hides that somebody left meanwhile."""
    renumbered: dict[int, float | None] = {track + 100: happy for track, happy in without(1).items()}
    shown = figures([STILL] + [renumbered] * 12)
    before = round(REST_S / LENGTH_S)
    assert shown[1:before] == [shown[0]] * (before - 1), "the last figure stays"
    assert shown[-1] == pytest.approx(0.1)


def test_figures_that_stay_are_said_to_be_held() -> None:
    renumbered: dict[int, float | None] = {track + 100: happy for track, happy in without(1).items()}
    before = round(REST_S / LENGTH_S)
    shown = [disclose(window, GROUP) for window in windows_of([STILL] + [renumbered] * (before + 1))]
    marks = [held(now, last) for last, now in zip((None, *shown), shown, strict=False)]
    assert marks == [frozenset(), *[frozenset({"mix", "uncertain"})] * before, frozenset()]


def test_a_recording_that_begins_again_starts_anew() -> None:
    builder = WindowBuilder(LENGTH_S, Panel(GROUP))
    for time_s, happy in ((100.0, STILL), (105.0, STILL), (0.0, without(1))):
        builder.add(picture(time_s, happy))
    again = builder.finish()
    assert again is not None
    assert happy_in(again) == pytest.approx(0.1)


def test_where_nothing_may_be_read_faces_are_counted_all_the_same() -> None:
    window = ClassWindow(0, 5, 1, 9.0, 9, 0, (), None, None)
    result = picture(0, STILL)
    unread = FrameResult(0, 0, 640, 360, result.tracks, None)
    assert Panel(GROUP).settle(window, [unread]) == window


def test_any_two_figures_shown_can_stand_side_by_side() -> None:
    """Random classes: between two figures a group has come or gone, or the others moved more than one person weighs."""
    chance = random.Random(3)  # noqa: S311 - made-up classes
    shown = 0
    for _ in range(40):
        panel = Panel(GROUP)
        builder = WindowBuilder(LENGTH_S, panel)
        here = {track: chance.random() for track in range(chance.randint(4, 14))}
        for i in range(30):
            for track in list(here):
                if chance.random() < 0.2:
                    here[track] = chance.random()
                if chance.random() < 0.05:
                    del here[track]
            if chance.random() < 0.3:
                here[1000 + i] = chance.random()
            builder.add(picture(LENGTH_S * i, {t: None if chance.random() < 0.1 else h for t, h in here.items()}))
        for one, other in combinations(panel._shown, 2):
            both = one.values.keys() & other.values.keys()
            few = len(one.values.keys() ^ other.values.keys()) > 0
            few = few and abs(len(one.values) - len(other.values)) < GROUP
            if few and not (len(both) < GROUP and other.end_s - LENGTH_S - one.end_s >= REST_S):
                moved = sum(other.values[t][0] - one.values[t][0] for t in both)
                assert abs(moved) >= MOVED_PEOPLE - 1e-6
            shown += 1
    assert shown > 1000


def test_figures_are_compared_for_ten_minutes_and_not_kept_for_ever() -> None:
    panel = Panel(GROUP)
    builder = WindowBuilder(LENGTH_S, panel)
    for i in range(1000):
        builder.add(picture(LENGTH_S * i, STILL))
    assert len(panel._shown) <= HORIZON_S / LENGTH_S + 1


@pytest.mark.parametrize(("people", "dwell_s"), [(6, math.inf), pytest.param(12, 60.0, marks=pytest.mark.thorough)])
def test_an_attack_by_subtraction_learns_no_more_than_from_one_figure(people: int, dwell_s: float) -> None:
    chance = np.random.default_rng(people)
    classes = [make_class(people, dwell_s, chance) for _ in range(40)]
    bare = recovered(classes, fixed_windows)
    assert max(bare.best_pair, bare.likeliest_pair) > 0.75, "the attack is one"
    shown = recovered(classes, as_published)
    assert max(shown.best_pair, shown.likeliest_pair) < shown.figure_alone + 0.15


def seen(counts: Sequence[int]) -> list[float | None]:
    return figures([dict.fromkeys(range(count), 0.5) for count in counts], min_group=1)


def test_no_setting_lets_a_panel_be_smaller_than_three() -> None:
    assert seen([2, 3]) == [None, 0.5]


# Who faces the screen.


def told(result: FrameResult, facing: Mapping[int, float]) -> FaceSignals:
    """Signals of a picture: who faces the screen, by track; the mood is that of a face with nothing to subtract."""
    none, told_of = np.zeros(len(result), np.float32), [facing[track] for track in result.tracks.ids.tolist()]
    assert result.emotions is not None
    mood = valence(result.emotions.probabilities, LABELS)
    return FaceSignals(result.tracks.ids, none, np.array(told_of, np.float32), none, mood, none, none, none)


def settled(classes: Sequence[Mapping[int, float | None]], facing: Sequence[Mapping[int, float]]) -> list[ClassWindow]:
    """The windows of a class of which each has one picture."""
    builder = WindowBuilder(LENGTH_S, Panel(GROUP))
    found = []
    for i, (happy, told_now) in enumerate(zip(classes, facing, strict=True)):
        result = picture(LENGTH_S * i, happy)
        found.append(builder.add(result, told(result, told_now)))
    return [window for window in [*found, builder.finish()] if window is not None]


AHEAD: dict[int, float] = dict.fromkeys(range(1, 10), 1.0) | {1: 0.0}
"""All but the first face the screen."""


@pytest.mark.parametrize("moved", [0.0, 1.0])
def test_who_leaves_is_not_told_from_who_faces_the_screen_however_the_emotions_move(moved: float) -> None:
    laughing = {track: moved if track % 2 else 0.1 for track in range(2, 10)}
    classes = [STILL] * 3 + [laughing if i % 2 else without(1) for i in range(60)]
    shown = settled(classes, [AHEAD] * len(classes))
    assert {round(window.facing.value, 6) for window in shown if window.facing is not None} == {round(8 / 9, 6)}


def test_once_somebody_has_turned_the_figures_go_on_with_who_is_there() -> None:
    turned = [AHEAD] * 8 + [AHEAD | {2: 0.0, 3: 0.0}] * 3
    moods = [STILL] * 3 + [without(1)] * 5 + [without(1) | {4: 0.9, 5: 0.9, 6: 0.9}] * 3
    last = settled(moods, turned)[-1].facing
    assert last is not None
    assert last.value == pytest.approx(6 / 8)


def test_faces_too_small_to_be_read_face_the_screen_all_the_same() -> None:
    few: dict[int, float | None] = STILL | dict.fromkeys(range(5, 10), None)
    window = settled([few, few], [AHEAD, AHEAD])[-1]
    assert window.facing is not None
    assert window.facing.value == pytest.approx(8 / 9)
    assert (window.posed, window.read, window.mix, window.mood, window.concentration) == (9, 4, None, None, None)
    assert disclose(window, GROUP)["attention"] is None


def test_the_few_who_are_not_read_are_not_told_from_the_concentration() -> None:
    most: dict[int, float | None] = STILL | {9: None}
    window = settled([most, most], [AHEAD, AHEAD])[-1]
    assert window.facing is not None
    assert (window.posed, window.read, window.concentration) == (9, 8, None)


def test_too_few_faces_have_no_share_that_faces_the_screen() -> None:
    unknown = AHEAD | dict.fromkeys(range(5, 10), math.nan)
    window = settled([STILL, STILL], [unknown, unknown])[-1]
    assert (window.facing, window.attention, window.movement, window.posed) == (None, None, None, 4)
    assert window.mix is not None


def test_a_panel_forgets_who_is_gone() -> None:
    panel = Panel(GROUP)
    builder = WindowBuilder(LENGTH_S, panel)
    for i in range(2000):
        builder.add(picture(LENGTH_S * i, {10 * i + k: 0.1 * (i % 7) for k in range(9)}))
    assert len(panel._last) < 5000
