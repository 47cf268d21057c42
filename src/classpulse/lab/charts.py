"""What the lab draws, as Altair charts: a face over time, a class's timeline."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import altair as alt
import pandas as pd  # noqa: F401 - altair asks `sys.modules` for it, where another visit's thread may have half of it

from classpulse.colours import BETWEEN, EMOTION_COLOURS, LOST, WITH
from classpulse.insight.moments import SAID, clock
from classpulse.lab.faces import LABELS
from classpulse.report.stretches import stretches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Literal

    from classpulse.report.contents import ClassReport, Shown

FACING, ATTENTION, ALERT = "#2f7fd0", "#b5651d", "#d0402b"
SAID_COLOURS = {"with_you": WITH, "unsure": BETWEEN, "lost": LOST}
SAID_WORDS = {"with_you": "with you", "unsure": "unsure", "lost": "lost"}
MOST_POINTS = 600
OUT_OF_SIGHT_S = 1.0
"""A face that is not read for longer is not drawn meanwhile; the tracker bridges no more either."""
STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST_STEPS = 12
CLOCK = "utcFormat(1000 * datum.value, datum.value < 3600 ? '%-M:%S' : '%-H:%M:%S')"
"""A time at an axis as `clock` tells it."""
MARK_SHARE = 0.14
"""Of the width of the timeline that the label of a mark takes at most."""
MARK_ROWS = 2
MARK_ROW_PX = 14
Rows = list[dict[str, Any]]


def emotions_over_time(rows: Sequence[Mapping[str, object]]) -> alt.Chart | None:
    """The seven shares of one face, stacked; None where it was never read.

    Args:
        rows: as in `ReadVideo.rows`, of one face.
    """
    step = max(1, -(-len(rows) // MOST_POINTS))
    points: Rows = [
        {"time": row["time_s"], "part": part, **one}
        for part, seen in enumerate(_in_sight(rows))
        for row in seen[::step]
        for one in _stack({label: cast("float", row[label]) for label in LABELS})
    ]
    if not points:
        return None
    across = alt.X("time:Q", title="seconds", axis=alt.Axis(grid=False))
    return _emotions(points, across, alt.Tooltip("time:Q", format=".1f"))


def _in_sight(rows: Sequence[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    """The rows in which the face was read, parted where it was out of sight, so that nothing is made up for then."""
    seen: list[Mapping[str, object]] = []
    for row in rows:
        if any(row.get(label) is None for label in LABELS):
            continue
        if seen and cast("float", row["time_s"]) - cast("float", seen[-1]["time_s"]) > OUT_OF_SIGHT_S:
            yield seen
            seen = []
        seen.append(row)
    if seen:
        yield seen


def timeline(report: ClassReport) -> alt.LayerChart | alt.FacetChart | None:
    """Who faced the screen and the attention score, with their bands, marks and alerts; None where nothing was told."""
    points = _bands(report)
    if not any(point["value"] is not None for point in points):
        return None
    base = alt.Chart(alt.InlineData(values=points)).encode(
        _time_axis(report.span_s),
        alt.Color(
            "what:N",
            title=None,
            scale=alt.Scale(domain=["face the screen", "attention score"], range=[FACING, ATTENTION]),
            legend=alt.Legend(
                orient="top",
                symbolOpacity=1,
                symbolType="stroke",
                offset=MARK_ROWS * MARK_ROW_PX + 8 if report.marks else 8,
            ),
        ),
    )
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    tooltip = [
        alt.Tooltip("at:N", title="until"),
        alt.Tooltip("what:N"),
        *(alt.Tooltip(f"{name}:Q", format=".0%") for name in ("value", "low", "high")),
    ]
    band = base.mark_area(opacity=0.18, line=False).encode(alt.Y("low:Q"), alt.Y2("high:Q"), alt.Detail("part:N"))
    line = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=12) if len(points) < 80 else False).encode(
        y, alt.Detail("part:N"), tooltip=tooltip
    )
    return alt.layer(band, line, *_marks(report), *_alerts(report)).properties(height=360)


def mix(report: ClassReport) -> alt.Chart | None:
    """The mix of emotions over the class, stacked; None where nothing was read."""
    points: Rows = [
        {"time_s": time_s, "at": clock(window.end_s), "part": part, **one}
        for part, time_s, window in _points(report, attrgetter("mix"))
        for one in _stack(window.mix or {})
    ]
    if not points:
        return None
    return _emotions(points, _time_axis(report.span_s), alt.Tooltip("at:N", title="until"))


def answers(report: ClassReport) -> alt.Chart | None:
    """How many students said how they followed, stacked; None where too few did."""
    said = report.answers
    if not said.most:
        return None
    points: Rows = [
        {
            "time_s": time_s,
            "at": clock(time_s),
            "said": SAID_WORDS[name],
            "rank": rank,
            "students": 0 if held is None else getattr(held, name),
        }
        for time_s, held in said.steps
        for rank, name in enumerate(SAID)
    ]
    words = [SAID_WORDS[name] for name in SAID]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=points))
        .mark_area(interpolate="step-before")
        .encode(
            _time_axis(max(report.span_s, said.times_s[-1])),
            alt.Y("students:Q", title="students", stack="zero", axis=alt.Axis(tickMinStep=1)),
            alt.Order("rank:Q"),
            alt.Color(
                "said:N",
                title=None,
                sort=words,
                scale=alt.Scale(domain=words, range=[SAID_COLOURS[name] for name in SAID]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[alt.Tooltip("said:N"), alt.Tooltip("students:Q"), alt.Tooltip("at:N", title="until")],
        )
        .properties(height=260)
    )
    return chart


def _stack(shares: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """The shares of the emotions on top of each other, in the order that they have everywhere.

    Vega would stack them too, and fill the gap between two stretches of a class with what it makes up.
    """
    whole, low = sum(shares.values()) or 1.0, 0.0
    for label in LABELS:
        if label in shares:
            high = low + shares[label] / whole
            yield {"emotion": label, "share": shares[label], "low": low, "high": high}
            low = high


def _emotions(points: Rows, across: alt.X, when: alt.Tooltip) -> alt.Chart:
    """The shares of the emotions, stacked by `_stack`."""
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=points))
        .mark_area()
        .encode(
            across,
            alt.Y("low:Q", stack=None, title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%")),
            alt.Y2("high:Q"),
            alt.Color(
                "emotion:N",
                title=None,
                sort=list(LABELS),
                scale=alt.Scale(domain=list(LABELS), range=[EMOTION_COLOURS[label] for label in LABELS]),
                legend=alt.Legend(orient="top", columns=7),
            ),
            alt.Detail("part:N"),
            tooltip=[alt.Tooltip("emotion:N"), alt.Tooltip("share:Q", format=".0%"), when],
        )
        .properties(height=280)
    )
    return chart


def _time_axis(length_s: float) -> alt.X:
    """Times of a class to the right, from its beginning to its end, told as everywhere else."""
    length_s = max(length_s, STEPS_S[0])
    step = next((step for step in STEPS_S if length_s / step <= MOST_STEPS), 2 * STEPS_S[-1])
    axis = alt.Axis(grid=False, values=list(range(0, int(length_s) + 1, step)), labelExpr=CLOCK)
    scale = alt.Scale(domain=[0, length_s], nice=False)
    return alt.X("time_s:Q", title="minutes from the beginning", axis=axis, scale=scale)


def _points(report: ClassReport, told: Callable[[Shown], object]) -> Iterator[tuple[int, float, Shown]]:
    """Windows that are told, with the number of their stretch and where they are drawn; a line bridges no other.

    Each stretch is drawn from the beginning of its first window to the end of its last, and a long class as a line and
    no thicket.
    """
    every = max(1, -(-len(report.windows) // MOST_POINTS))
    for part, stretch in enumerate(stretches(report.windows, told)):
        yield part, stretch[0].start_s, stretch[0]
        for window in stretch[::every]:
            yield part, (window.start_s + window.end_s) / 2, window
        yield part, stretch[-1].end_s, stretch[-1]


def _bands(report: ClassReport) -> Rows:
    """A point a window and figure."""
    points: Rows = []
    for name, told in (("facing", "face the screen"), ("attention", "attention score")):
        for part, time_s, window in _points(report, attrgetter(name)):
            figure = getattr(window, name)
            points.append(
                {
                    "time_s": time_s,
                    "at": clock(window.end_s),
                    "what": told,
                    "part": f"{name}-{part}",
                    "value": figure.value,
                    "low": figure.low,
                    "high": figure.high,
                }
            )
    return points


def _marks(report: ClassReport) -> list[alt.Chart]:
    if not report.marks:
        return []
    points: Rows = [{"time_s": m.time_s, "label": m.label, "at": clock(m.time_s)} for m in report.marks]
    tooltip = [alt.Tooltip("label:N", title="mark"), alt.Tooltip("at:N", title="at")]
    rules = alt.Chart(alt.InlineData(values=points)).mark_rule(strokeDash=[2, 3], color="#888f9b")
    charts = [rules.encode(alt.X("time_s:Q"), tooltip=tooltip)]
    for row, aligned, placed in _labels(report):
        labels = alt.Chart(alt.InlineData(values=[points[number] for number in placed])).mark_text(
            align=aligned, baseline="bottom", dx=2 if aligned == "left" else -2, limit=110, color="#888f9b", fontSize=12
        )
        y = alt.value(-2 - MARK_ROW_PX * row)
        charts.append(labels.encode(alt.X("time_s:Q"), alt.Text("label:N"), y=y, tooltip=tooltip))
    return charts


def _labels(report: ClassReport) -> list[tuple[int, Literal["left", "right"], list[int]]]:
    """Which marks have their label, in which row above the lines and on which side: as many as have room.

    The others have theirs at the pointer, and in the table of moments.
    """
    wide = MARK_SHARE * report.span_s
    ends_s = [-math.inf] * MARK_ROWS
    placed: dict[tuple[int, Literal["left", "right"]], list[int]] = {}
    for number, mark in enumerate(report.marks):
        aligned: Literal["left", "right"] = "left" if mark.time_s + wide <= report.span_s else "right"
        start_s = mark.time_s if aligned == "left" else mark.time_s - wide
        row = next((row for row, end_s in enumerate(ends_s) if end_s <= start_s), None)
        if row is not None:
            ends_s[row] = start_s + wide
            placed.setdefault((row, aligned), []).append(number)
    return [(row, aligned, numbers) for (row, aligned), numbers in placed.items()]


def _alerts(report: ClassReport) -> list[alt.Chart]:
    if not report.alerts:
        return []
    points: Rows = [{"time_s": a.time_s, "reason": a.reason, "at": clock(a.time_s), "y": 0.03} for a in report.alerts]
    chart = alt.Chart(alt.InlineData(values=points)).mark_point(
        shape="triangle-up", filled=True, size=130, color=ALERT, opacity=1
    )
    tooltip = [alt.Tooltip("reason:N", title="alert"), alt.Tooltip("at:N", title="at")]
    return [chart.encode(alt.X("time_s:Q"), alt.Y("y:Q"), tooltip=tooltip)]
