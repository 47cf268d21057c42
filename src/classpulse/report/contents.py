"""What a report of one class says, before it is drawn: every figure has passed `disclose`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from classpulse.insight.answers import counts_at
from classpulse.insight.disclosure import disclose, smallest_group
from classpulse.insight.estimate import Estimate
from classpulse.insight.figures import FigureRules
from classpulse.insight.state import StateWatch, told_lost
from classpulse.policy import told
from classpulse.report.answers import answers_of
from classpulse.report.standouts import Standout, standouts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Alert, Answer, Mark, StateName
    from classpulse.report.answers import Answers
    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow

_M = TypeVar("_M", "Mark", "Alert")

MOST_SESSIONS = 60
"""Classes that one report compares at most."""
LINK = "join"
"""Kind of source of a class of students' own devices."""
SHORTEST_GAP_S = 10.0
"""A shorter hole in the charts needs no sentence."""
MIN_COVERAGE = FigureRules().min_coverage
"""Share of the class that must be seen for the live page's word, unless settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One window as it may be shown; times are from the beginning of the class.

    Attributes:
        start_s, end_s: s from the class's first window.
        faces: mean number of faces visible; None where too few people were.
        people: the most at one time.
        expected: people of the class, as far as it was seen lately; 0 where that is not known.
        facing, mood, attention, concentration: figures with their intervals; None where withheld or not read.
        mix: share of each emotion.
        withheld: whether a figure is missing because too few people were behind it.
        raw: what `disclose` gave, for CSV and JSON.
    """

    start_s: float
    end_s: float
    faces: float | None
    people: int | None
    expected: int
    facing: Estimate | None
    mood: Estimate | None
    attention: Estimate | None
    concentration: Estimate | None
    mix: dict[str, float] | None
    withheld: bool
    raw: dict[str, object]


@dataclass(frozen=True, slots=True)
class ClassReport:
    """All that a report says of one class.

    Attributes:
        session_id: its number.
        source: what was watched.
        kind: what kind of source it is.
        started_at: UTC.
        ended_how: as in `SessionRow`; None while it runs.
        law: in a few words.
        reads: whether the law allowed emotions and attention to be read.
        demo: whether its people are made up.
        min_group: fewest people behind a figure; None for the demo.
        labels: the emotions, in the order of every `mix`.
        length_s: from the first window to the end of the last.
        windows: in the order of their time.
        marks, alerts: with times from the class's first window.
        answers: what students said of themselves.
        moments: the few that stand out.
        states: the word of the live page at the end of each window, None where it had none; empty where it had none
            at all.
    """

    session_id: int
    source: str
    kind: str
    started_at: datetime
    ended_how: str | None
    law: str
    reads: bool
    demo: bool
    min_group: int | None
    labels: tuple[str, ...]
    length_s: float
    windows: tuple[Shown, ...]
    marks: tuple[Mark, ...]
    alerts: tuple[Alert, ...]
    answers: Answers
    moments: tuple[Standout, ...]
    states: tuple[StateName | None, ...] = ()

    def mean(self, name: Literal["facing", "attention", "mood"]) -> Estimate | None:
        """Mean of a figure over the windows that have it; None where none has.

        The ends of its interval are the means of the windows' ends. That is right where all windows err in the same way
        (who is hidden stays hidden, who is read wrongly is read wrongly all the time), and wide where they do not.
        """
        found: list[Estimate] = [figure for window in self.windows if (figure := getattr(window, name)) is not None]
        if not found:
            return None
        value, low, high = (
            fmean(ends) for ends in zip(*((one.value, one.low, one.high) for one in found), strict=True)
        )
        return Estimate(value, min(low, value), max(high, value))

    @property
    def span_s(self) -> float:
        """How far charts reach: to the end of the last window, or to what was noted later, as in a last pause."""
        noted_s = [mark.time_s for mark in self.marks] + [alert.time_s for alert in self.alerts]
        return max([self.length_s, *noted_s])

    @property
    def by_answers(self) -> bool:
        """Whether all that can be told are answers: of a class without a camera, in which too few showed a face."""
        return self.kind == LINK and not any(window.people for window in self.windows)

    @property
    def said(self) -> list[tuple[Shown, StateName]]:
        """The windows with a word of the live page, in the order of time.

        The page keeps a word for some seconds beyond the last figure; here it ends with what it is made of.
        """
        told = zip(self.windows, self.states, self.answers.counts, strict=False)
        return [
            (window, name)
            for window, name, counts in told
            if name == "not_enough" or (name and (window.attention is not None or counts is not None))
        ]

    @property
    def states_s(self) -> dict[StateName, float]:
        """How long each word of the live page held, s, as its strip shows it; words that never did are not in it."""
        found: dict[StateName, float] = {}
        for window, name in self.said:
            found[name] = found.get(name, 0.0) + window.end_s - window.start_s
        return found

    @property
    def mix(self) -> dict[str, float]:
        """Mean share of each emotion over the windows that have them, the largest first; empty where none has."""
        read = [window.mix for window in self.windows if window.mix is not None]
        means = {label: fmean(mix[label] for mix in read) for label in self.labels} if read else {}
        return dict(sorted(means.items(), key=lambda one: -one[1]))

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """From when to when there are no windows: the class was paused, or gave no picture; of some seconds, none."""
        follow = zip(self.windows, self.windows[1:], strict=False)
        return [(one.end_s, other.start_s) for one, other in follow if other.start_s - one.end_s >= SHORTEST_GAP_S]

    @property
    def deleted(self) -> bool:
        """Whether an alert tells of more answers than any other figure: some were deleted since, with their student."""
        return any((told_lost(alert.reason) or 0) > self.answers.most for alert in self.alerts if alert.kind == "lost")

    @property
    def coverage(self) -> float | None:
        """Mean share of the class that was visible, 0 to 1; None where its size is not known, or nobody looked."""
        if self.by_answers:
            return None
        shares = [min(1.0, w.faces / w.expected) for w in self.windows if w.faces is not None and w.expected]
        return fmean(shares) if shares else None

    @property
    def told_s(self) -> float:
        """How long it could be told who faces the screen, s."""
        return sum(window.end_s - window.start_s for window in self.windows if window.facing is not None)

    @property
    def told_share(self) -> float:
        """Share of the windows with a figure of who faces the screen."""
        return fmean(window.facing is not None for window in self.windows) if self.windows else 0.0


def read_class(store: Store, session_id: int, min_coverage: float = MIN_COVERAGE) -> ClassReport:
    """Gather what a report says of a class, running or over.

    Args:
        store: where it is.
        session_id: its number.
        min_coverage: share of the class that must be seen for the live page's word, 0 to 1.

    Raises:
        StorageError: there is no such class, or the database cannot be read.
    """
    row = store.require_session(session_id)
    windows = store.windows(session_id)
    answers = store.moments.answers(session_id)
    began_s = min([w.start_s for w in windows] or [m.time_s for m in answers] or [0.0])
    shown = tuple(_shown(window, row.smallest_group, began_s) for window in windows)
    marks = tuple(_moved(mark, began_s) for mark in store.moments.marks(session_id))
    alerts = tuple(_moved(alert, began_s) for alert in store.moments.alerts(session_id))
    return ClassReport(
        session_id=session_id,
        source=row.source,
        kind=row.kind,
        started_at=row.started_at,
        ended_how=row.ended_how,
        law=told(row.jurisdiction, row.exemption),
        reads=bool(row.labels),
        demo=row.demo,
        min_group=row.smallest_group,
        labels=row.labels,
        length_s=max((w.end_s for w in shown), default=0.0),
        windows=shown,
        marks=marks,
        alerts=alerts,
        answers=answers_of(answers, windows, row, began_s),
        moments=tuple(standouts([(w.start_s, w.end_s, w.attention) for w in shown], marks)),
        states=_states(windows, answers, row, min_coverage),
    )


def _moved(moment: _M, began_s: float) -> _M:
    return replace(moment, time_s=moment.time_s - began_s)


def _shown(window: ClassWindow, min_group: int | None, began_s: float) -> Shown:
    raw = disclose(window, min_group)
    return Shown(
        start_s=window.start_s - began_s,
        end_s=window.end_s - began_s,
        faces=cast("float | None", raw["faces"]),
        people=cast("int | None", raw["people"]),
        expected=cast("int | None", raw["expected"]) or 0,
        facing=_estimate(raw["facing"]),
        mood=_estimate(raw["mood"]),
        attention=_estimate(raw["attention"]),
        concentration=_estimate(raw["concentration"]),
        mix=cast("dict[str, float] | None", raw["mix"]),
        withheld=any(bool(raw[name]) for name in ("too_few", "too_few_read", "too_few_posed")),
        raw=raw,
    )


def _estimate(shown: object) -> Estimate | None:
    return Estimate(**shown) if isinstance(shown, dict) else None


def _states(
    windows: Sequence[ClassWindow], answers: Sequence[Answer], row: SessionRow, min_coverage: float
) -> tuple[StateName | None, ...]:
    """What the live page said at the end of each window, by the rule that it has; None where it said nothing."""
    group, camera, reads = smallest_group(row.smallest_group), row.kind != LINK, bool(row.labels)
    watch = StateWatch(min_coverage, group, camera=camera, reads=reads)
    asked_s = min((answer.time_s for answer in answers), default=math.inf)
    counted = counts_at(answers, [window.end_s for window in windows], row.min_group)
    pairs = zip(windows, counted, strict=True)
    words = [watch.add(window, counts if window.end_s >= asked_s else None) for window, counts in pairs]
    return tuple(None if word is None else word.name for word in words) if any(words) else ()
