"""Answers that hold and expire, and how far faces and answers go together, with known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from classpulse.errors import MomentError
from classpulse.insight.answers import AnswerBook, counts_at
from classpulse.insight.disclosure import disclose_answers
from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import Answer, AnswerCounts, Left, Said
from classpulse.insight.self_report import (
    MIN_WINDOWS,
    Agreement,
    agreement,
    pooled,
    rank_correlation,
    sentence,
)


def window(start_s: float, attention: float | None) -> ClassWindow:
    figure = None if attention is None else Estimate(attention, attention - 0.1, attention + 0.1)
    return ClassWindow(start_s, start_s + 5, 50, 20.0, 20, 20, (), None, None, attention=figure)


def autocorrelated(
    generator: np.random.Generator, n: int, phi: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A series of variance 1 in which each value is `phi` of the one before."""
    noise = generator.normal(size=n) * math.sqrt(1 - phi**2)
    series = [generator.normal()]
    for one in noise[1:]:
        series.append(phi * series[-1] + one)
    return np.array(series)


# The book.


def test_the_last_answer_counts_and_expires() -> None:
    book = AnswerBook(expires_s=60)
    book.update(Answer(0.0, "a", "lost"))
    book.update(Answer(10.0, "b", "lost"))
    book.update(Answer(20.0, "a", "with_you"))
    assert book.counts(20.0) == AnswerCounts(with_you=1, lost=1)
    assert book.counts(69.9) == AnswerCounts(with_you=1, lost=1)
    assert book.counts(70.0) == AnswerCounts(with_you=1), "b's answer is a minute old"
    assert book.counts(80.0) == AnswerCounts()


def test_a_clock_that_jumps_back_starts_anew() -> None:
    book = AnswerBook()
    book.update(Answer(100.0, "a", "lost"))
    assert book.counts(99.5).total == 1
    assert book.counts(math.nan).total == 1
    assert book.counts(10.0).total == 0
    book.update(Answer(11.0, "a", "unsure"))
    assert book.counts(11.0) == AnswerCounts(unsure=1)


def test_nobody_is_told_from_the_difference_of_two_counts() -> None:
    book = AnswerBook(5)
    for i, who in enumerate("abcd"):
        book.update(Answer(float(i), who, "with_you"))
        assert book.counts(float(i)) == AnswerCounts()
    book.update(Answer(4.0, "e", "with_you"))
    assert book.counts(4.0) == AnswerCounts(with_you=5)
    book.update(Answer(5.0, "a", "lost"))
    book.update(Answer(6.0, "f", "lost"))
    assert book.counts(6.0) == AnswerCounts(with_you=5), "two are no group"
    book.update(Answer(7.0, "a", "with_you"))
    for i, who in enumerate("bcd"):
        book.update(Answer(8.0 + i, who, "unsure"))
    assert book.counts(10.0) == AnswerCounts(with_you=5), "a is back where a was: four have changed"
    book.update(Answer(11.0, "g", "lost"))
    assert book.counts(11.0) == AnswerCounts(with_you=2, unsure=3, lost=2)


def test_answers_that_run_out_change_the_counts_by_groups_too() -> None:
    book = AnswerBook(3, expires_s=100)
    for i, who in enumerate("abcd"):
        book.update(Answer(10.0 * i, who, "lost"))
    assert book.counts(30.0) == AnswerCounts(lost=3)
    assert book.counts(105.0) == AnswerCounts(lost=3), "d has come and a has run out: two are no group"
    assert book.counts(115.0) == AnswerCounts(lost=2), "b has run out too"
    assert book.counts(1000.0) == AnswerCounts(lost=2), "the last two may not be told from the group that was there"


def test_who_leaves_counts_no_more_once_a_group_has_changed() -> None:
    book = AnswerBook(3)
    for i, who in enumerate("abcd"):
        book.update(Answer(float(i), who, "lost"))
    assert book.counts(3.0) == AnswerCounts(lost=3), "d waits for two others"
    book.update(Answer(4.0, "a", "left"))
    book.update(Answer(5.0, "nobody", "left"))
    assert book.counts(5.0) == AnswerCounts(lost=3), "that one left may not be told"
    book.update(Answer(6.0, "b", "left"))
    assert book.counts(6.0) == AnswerCounts(lost=2), "a and b have left, d has come"
    book.update(Answer(7.0, "a", "with_you"))
    assert not book.repeats(Answer(7.5, "b", "lost"), 10.0), "who left starts anew"


def test_played_again_the_counts_are_those_that_were_shown() -> None:
    generator = np.random.default_rng(5)
    said: tuple[Said | Left, ...] = ("with_you", "unsure", "lost", "left")
    answers = [Answer(3.0 * i, f"s{generator.integers(15)}", said[int(generator.integers(4))]) for i in range(400)]
    book, live = AnswerBook(5), {}
    for answer in answers:
        book.update(answer)
        for step in range(3):  # the page asks every second
            live[answer.time_s + step] = book.counts(answer.time_s + step)
    times_s = [time_s for time_s in live if time_s % 5 == 0]
    assert list(counts_at(answers, times_s, 5)) == [live[time_s] for time_s in times_s]


def test_made_up_participants_do_not_fill_the_memory() -> None:
    book = AnswerBook(expires_s=60, most=3)
    for who in "abc":
        book.update(Answer(0.0, who, "with_you"))
    with pytest.raises(MomentError, match="3 students"):
        book.update(Answer(1.0, "d", "lost"))
    book.update(Answer(30.0, "a", "lost"))
    assert book.counts(30.0) == AnswerCounts(with_you=2, lost=1)
    book.update(Answer(61.0, "d", "lost"))
    assert book.counts(61.0) == AnswerCounts(lost=2), "whose answers ran out makes room"


def test_counts_over_time_take_answers_in_any_order() -> None:
    answers = [Answer(10.0, "a", "lost"), Answer(0.0, "a", "with_you"), Answer(5.0, "b", "unsure")]
    found = list(counts_at(answers, [0.0, 5.0, 10.0, 306.0], expires_s=300))
    assert found == [
        AnswerCounts(with_you=1),
        AnswerCounts(with_you=1, unsure=1),
        AnswerCounts(unsure=1, lost=1),
        AnswerCounts(lost=1),
    ]


@pytest.mark.parametrize(
    ("counts", "min_group", "shown"),
    [
        (AnswerCounts(4, 0, 1), 5, True),
        (AnswerCounts(4, 0, 0), 5, False),
        (AnswerCounts(1, 1, 0), 1, False),  # no setting goes below three
        (AnswerCounts(0, 0, 1), None, True),
        (AnswerCounts(), 5, True),
    ],
)
def test_counts_of_too_few_are_withheld(counts: AnswerCounts, min_group: int | None, *, shown: bool) -> None:
    told = disclose_answers(counts, min_group)
    expected = (counts.with_you, counts.unsure, counts.lost, counts.total) if shown else (None,) * 4
    assert tuple(told.values()) == expected
    assert list(told) == ["with_you", "unsure", "lost", "total"]


# Agreement.


def a_class(*, follows: bool) -> tuple[list[ClassWindow], list[Answer]]:
    """An hour in which twelve students answer about every two minutes, and faces that follow them, or that do not."""
    generator = np.random.default_rng(7)
    truth = autocorrelated(generator, 720, 0.97)
    faces = 0.8 * truth + 0.6 * generator.normal(size=720) if follows else autocorrelated(generator, 720, 0.97)
    windows = [window(5.0 * i, 0.5 + 0.1 * float(faces[i])) for i in range(720)]
    answers = []
    for i in range(720):
        for student in range(12):
            if generator.random() < 5 / 120:
                feels = truth[i] + generator.normal(0, 0.5)
                said: Said = "with_you" if feels > 0.5 else "unsure" if feels > -0.5 else "lost"
                answers.append(Answer(5.0 * i + 1, f"s{student}", said))
    return windows, answers


def test_faces_that_follow_the_answers_are_told_from_those_that_do_not() -> None:
    follows, other = agreement(*a_class(follows=True)), agreement(*a_class(follows=False))
    assert follows.rho is not None
    assert follows.low is not None
    assert follows.rho > 0.5
    assert follows.low > 0
    assert "along with what students said" in sentence(follows)
    assert other.low is not None
    assert other.high is not None
    assert other.low < 0 < other.high
    assert "along with" not in sentence(other)
    assert follows.effective < follows.n / 3, "windows that follow each other are alike"


def test_the_interval_holds_the_truth_nine_times_out_of_ten() -> None:
    """300 half hours of two unrelated signals that both change slowly: 0 is in the interval in 85 to 97% of them.

    The interval that takes each window for itself holds it in less than half.
    """
    generator = np.random.default_rng(1)
    held = naive = 0
    for _ in range(300):
        pairs = np.stack([autocorrelated(generator, 360, 0.95), autocorrelated(generator, 360, 0.95)], axis=1)
        found = rank_correlation(pairs)
        assert found.rho is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0 <= found.high
        naive += abs(math.atanh(found.rho)) < 1.6449 * math.sqrt(1.06 / 357)
    assert 0.85 <= held / 300 <= 0.97
    assert naive / 300 < 0.5


def test_windows_without_attention_or_with_too_few_answers_are_left_out() -> None:
    windows, answers = a_class(follows=True)
    whole = agreement(windows, answers).n
    some = [window(one.start_s, None) if i % 2 else one for i, one in enumerate(windows)]
    assert agreement(some, answers).n in {whole // 2, whole - whole // 2}
    two = [one for one in answers if one.participant in {"s1", "s2"}]
    assert agreement(windows, two) == Agreement(None, None, None, 0)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.arange(100.0), np.full(100, 0.5)),
        (np.full(100, 0.5), np.full(100, 0.5)),
        (np.full(100, np.nan), np.arange(100.0)),
        (np.arange(MIN_WINDOWS - 1.0), np.arange(MIN_WINDOWS - 1.0)),
        (np.empty(0), np.empty(0)),
    ],
)
def test_what_cannot_be_told_is_not_told(x: np.ndarray, y: np.ndarray) -> None:
    found = rank_correlation(np.stack([x, y], axis=1))
    assert (found.rho, found.low, found.high) == (None, None, None)
    assert "cannot be told" in sentence(found)


def test_figures_that_are_not_finite_are_left_out() -> None:
    generator = np.random.default_rng(2)
    pairs = generator.normal(size=(200, 2))
    holes = pairs.copy()
    holes[::2, 0] = np.nan
    holes[1, 1] = np.inf
    assert rank_correlation(holes) == rank_correlation(pairs[3::2])


def test_two_that_only_drift_say_nothing() -> None:
    """Both fall through the whole class: they agree in every window, and that is one observation."""
    drift = np.linspace(1, 0, 300)
    assert rank_correlation(np.stack([drift, drift], axis=1)).rho is None


def test_perfect_agreement_stays_within_bounds() -> None:
    noise = np.random.default_rng(3).normal(size=200)
    same = rank_correlation(np.stack([noise, noise], axis=1))
    assert same.rho == pytest.approx(1)
    assert same.high is not None
    assert same.low is not None
    assert same.low < same.high <= 1
    against = rank_correlation(np.stack([noise, -noise], axis=1))
    assert against.rho == pytest.approx(-1)
    assert "the opposite" in sentence(against)


def test_several_classes_say_more_than_one_and_less_if_they_disagree() -> None:
    one = Agreement(0.4, 0.0, 0.69, 300, 20)
    three = pooled([one, one, one, Agreement(None, None, None, 5)])
    assert three.rho == pytest.approx(0.4)
    assert (three.n, three.effective) == (900, 60)
    assert three.low is not None
    assert three.high is not None
    assert three.low > 0.15
    assert three.high < 0.69
    disagree = pooled([Agreement(0.8, 0.6, 0.9, 300, 40), Agreement(-0.4, -0.6, -0.1, 300, 40)])
    assert disagree.low is not None
    assert disagree.high is not None
    assert disagree.high - disagree.low > three.high - three.low
    assert pooled([]) == Agreement(None, None, None, 0)
    assert "these 3 classes" in sentence(three, classes=3)
