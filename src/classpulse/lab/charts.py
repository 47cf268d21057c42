"""What the lab draws, as Altair charts: a face over time, a run's curves, a class's timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd  # noqa: F401 - altair asks `sys.modules` for it, where another visit's thread may have half of it

from classpulse.colours import BETWEEN, EMOTION_COLOURS, LOST, WITH
from classpulse.insight.moments import SAID, clock
from classpulse.lab.faces import LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classpulse.report.contents import ClassReport

FACING, ATTENTION, ALERT = "#2f7fd0", "#b5651d", "#d0402b"
SAID_COLOURS = {"with_you": WITH, "unsure": BETWEEN, "lost": LOST}
SAID_WORDS = {"with_you": "with you", "unsure": "unsure", "lost": "lost"}
GAP_S = 15.0
MOST_POINTS = 600
Rows = list[dict[str, Any]]


def emotions_over_time(rows: Sequence[Mapping[str, object]]) -> alt.Chart | None:
    """The seven shares of one face, stacked; None where it was never read.

    Args:
        rows: as in `ReadVideo.rows`, of one face.
    """
    step = -(-len(rows) // MOST_POINTS)
    points: Rows = [
        {"time": row["time_s"], "emotion": label, "share": row[label]}
        for row in rows[:: max(1, step)]
        for label in LABELS
        if row.get(label) is not None
    ]
    if not points:
        return None
    return _stacked(
        points, "time", "seconds", LABELS, [EMOTION_COLOURS[label] for label in LABELS], "emotion"
    ).properties(height=280)


def curves(history: Sequence[Mapping[str, float]], names: Mapping[str, str], title: str, *, percent: bool) -> alt.Chart:
    """Columns of a run's history by epoch.

    Args:
        history: a row an epoch.
        names: what to call each column that is drawn.
        title: of the axis.
        percent: whether they are shares.
    """
    points: Rows = [
        {"epoch": row["epoch"], "what": told, "value": row[name]}
        for row in history
        for name, told in names.items()
        if name in row
    ]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=points))
        .mark_line(point=len(history) < 40, strokeWidth=2)
        .encode(
            alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, grid=False)),
            alt.Y(
                "value:Q",
                title=title,
                scale=alt.Scale(zero=False),
                axis=alt.Axis(format=".0%") if percent else alt.Axis(),
            ),
            alt.Color("what:N", title=None, sort=list(names.values()), legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("what:N", title="what"),
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("value:Q", format=".2%" if percent else ".4g"),
            ],
        )
        .properties(height=260)
    )
    return chart


def timeline(report: ClassReport) -> alt.LayerChart | alt.FacetChart | None:
    """Who faced the screen and the attention score, with their bands, marks and alerts; None where nothing was told."""
    points = _bands(report)
    if not any(point["value"] is not None for point in points):
        return None
    base = alt.Chart(alt.InlineData(values=points)).encode(
        alt.X("minute:Q", title="minutes from the beginning", axis=alt.Axis(grid=False)),
        alt.Color(
            "what:N",
            title=None,
            scale=alt.Scale(domain=["face the screen", "attention score"], range=[FACING, ATTENTION]),
            legend=alt.Legend(orient="top", symbolOpacity=1, symbolType="stroke"),
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
        {"minute": (w.start_s + w.end_s) / 120, "emotion": label, "share": w.mix[label]}
        for w in report.windows[:: _every(report)]
        if w.mix is not None
        for label in LABELS
        if label in w.mix
    ]
    if not points:
        return None
    colours = [EMOTION_COLOURS[label] for label in LABELS]
    return _stacked(points, "minute", "minutes from the beginning", LABELS, colours, "emotion").properties(height=280)


def answers(report: ClassReport) -> alt.Chart | None:
    """How many students said how they followed, stacked; None where too few did."""
    said = report.answers
    points: Rows = [
        {"minute": time_s / 60, "said": SAID_WORDS[name], "students": getattr(held, name)}
        for time_s, held in zip(said.times_s, said.counts, strict=True)
        if held is not None
        for name in SAID
    ]
    if not points:
        return None
    words = [SAID_WORDS[name] for name in SAID]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=points))
        .mark_area(interpolate="step-before")
        .encode(
            alt.X("minute:Q", title="minutes from the beginning", axis=alt.Axis(grid=False)),
            alt.Y("students:Q", title="students", axis=alt.Axis(tickMinStep=1)),
            alt.Color(
                "said:N",
                title=None,
                sort=words,
                scale=alt.Scale(domain=words, range=[SAID_COLOURS[name] for name in SAID]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[alt.Tooltip("said:N"), alt.Tooltip("students:Q"), alt.Tooltip("minute:Q", format=".1f")],
        )
        .properties(height=260)
    )
    return chart


def _stacked(
    points: Rows, across: str, title: str, names: Sequence[str], colours: Sequence[str], what: str
) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=points))
        .mark_area()
        .encode(
            alt.X(f"{across}:Q", title=title, axis=alt.Axis(grid=False)),
            alt.Y("share:Q", stack="normalize", title=None, axis=alt.Axis(format=".0%")),
            alt.Color(
                f"{what}:N",
                title=None,
                sort=list(names),
                scale=alt.Scale(domain=list(names), range=list(colours)),
                legend=alt.Legend(orient="top", columns=7),
            ),
            tooltip=[
                alt.Tooltip(f"{what}:N"),
                alt.Tooltip("share:Q", format=".0%"),
                alt.Tooltip(f"{across}:Q", format=".1f"),
            ],
        )
    )
    return chart


def _every(report: ClassReport) -> int:
    """Every how many windows are drawn, so that a long class is a line and no thicket."""
    return max(1, -(-len(report.windows) // MOST_POINTS))


def _bands(report: ClassReport) -> Rows:
    """A point a window and figure; a new part wherever a line would bridge what was not seen."""
    points: Rows = []
    every = _every(report)
    for name, told in (("facing", "face the screen"), ("attention", "attention score")):
        part, last_s = 0, None
        for window in report.windows[::every]:
            figure = getattr(window, name)
            if figure is None:
                continue
            if last_s is not None and window.start_s - last_s > max(GAP_S, 2 * every * (window.end_s - window.start_s)):
                part += 1
            last_s = window.end_s
            points.append(
                {
                    "minute": (window.start_s + window.end_s) / 120,
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
    points: Rows = [{"minute": m.time_s / 60, "label": m.label, "at": clock(m.time_s)} for m in report.marks]
    base = alt.Chart(alt.InlineData(values=points)).encode(alt.X("minute:Q"))
    tooltip = [alt.Tooltip("label:N", title="mark"), alt.Tooltip("at:N", title="at")]
    rule = base.mark_rule(strokeDash=[2, 3], color="#888f9b").encode(tooltip=tooltip)
    words = base.mark_text(align="left", baseline="top", dx=4, limit=110, color="#888f9b", fontSize=12).encode(
        alt.Text("label:N"), y=alt.value(2)
    )
    return [rule, words]


def _alerts(report: ClassReport) -> list[alt.Chart]:
    if not report.alerts:
        return []
    points: Rows = [
        {"minute": a.time_s / 60, "reason": a.reason, "at": clock(a.time_s), "y": 0.03} for a in report.alerts
    ]
    chart = alt.Chart(alt.InlineData(values=points)).mark_point(
        shape="triangle-up", filled=True, size=130, color=ALERT, opacity=1
    )
    tooltip = [alt.Tooltip("reason:N", title="alert"), alt.Tooltip("at:N", title="at")]
    return [chart.encode(alt.X("minute:Q"), alt.Y("y:Q"), tooltip=tooltip)]
