"""The page itself: HTML that stands alone, for a screen and for paper."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import classpulse
from classpulse.insight.moments import clock
from classpulse.insight.self_report import pooled, sentence
from classpulse.insight.state import percent
from classpulse.report import charts, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from classpulse.insight.estimate import Estimate
    from classpulse.report.contents import ClassReport

NOTHING = "·"
"""Stands where there is no figure."""
MOST_ALERTS = 4
"""Alerts that are written out; all are on the timeline."""
MOST_MARKS = 24
"""Marks that are written out below the timeline, where titles that are near each other have no room."""
TABLE_EVERY_S = 60.0
"""The table has a line a minute: who needs every window takes the CSV."""


def to_html(reports: Sequence[ClassReport]) -> str:
    """The report of one class, or of several of one kind beside each other.

    Args:
        reports: at least one.
    """
    pages = [_sections(report) for report in reports]
    several = len(reports) > 1
    title = f"{len(reports)} classes beside each other" if several else f"Class {reports[0].session_id}"
    small = [Markup(charts.small(report)) for report in reports] if several else []  # noqa: S704 - our own drawing
    return _template().render(
        title=title,
        pages=pages,
        small=small,
        several=several,
        together=_together(reports),
        most_alerts=MOST_ALERTS,
        most_marks=MOST_MARKS,
        colours=charts.STATES,
        version=classpulse.__version__,
    )


@cache
def _template() -> Template:
    loader = PackageLoader("classpulse.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": percent,
        "with_ends": _with_ends,
        "ends": _ends,
        "clock": clock,
        "minutes": words.minutes,
    }
    return environment.get_template("report.html.j2")


def _together(reports: Sequence[ClassReport]) -> str:
    """Whether faces and answers went together over all these classes; empty where too few were asked."""
    found = [report.answers.found for report in reports if report.answers.found is not None]
    return sentence(pooled(found), classes=len(found)) if len(found) > 1 else ""


def _sections(report: ClassReport) -> dict[str, object]:
    """What the template shows of one class."""
    attention = any(window.facing is not None for window in report.windows)
    read = any(window.mix is not None for window in report.windows)
    drawings = {
        "timeline": charts.timeline(report) if attention else "",
        "mood": charts.mood(report) if read else "",
        "answers": charts.answers(report.answers, report.length_s) if report.answers.most else "",
    }
    return {
        "report": report,
        "headline": words.headline(report),
        "moments": [(moment, words.standout_text(moment)) for moment in report.moments],
        "said": words.said_by_the_page(report),
        "rows": _rows(report),
        "facing": report.mean("facing"),
        # Drawn here from numbers and escaped words.
        **{name: Markup(svg) for name, svg in drawings.items()},  # noqa: S704
    }


def _rows(report: ClassReport) -> list[tuple[str, str, str, str, str]]:
    """A line a minute: until, faces, facing, attention, mood."""
    rows = []
    due_s = 0.0
    for window in report.windows:
        if window.start_s < due_s and window is not report.windows[-1]:
            continue
        due_s = window.start_s + TABLE_EVERY_S
        faces = NOTHING if window.faces is None else f"{window.faces:.1f}"
        facing, attention = _with_ends(window.facing), _with_ends(window.attention)
        mood = NOTHING
        if window.mood is not None:
            mood = f"{window.mood.value:+.2f} ({window.mood.low:+.2f} to {window.mood.high:+.2f})"
        rows.append((clock(window.end_s), faces, facing, attention, mood))
    return rows


def _with_ends(figure: Estimate | None) -> str:
    if figure is None:
        return NOTHING
    return f"{percent(figure.value)} ({_ends(figure)})"


def _ends(figure: Estimate) -> str:
    return f"{100 * figure.low:.0f} to {100 * figure.high:.0f}"
