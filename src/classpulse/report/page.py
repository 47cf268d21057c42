"""The page itself: HTML that stands alone, for a screen and for paper."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import classpulse
from classpulse.insight.moments import SAID, clock
from classpulse.insight.self_report import pooled, sentence
from classpulse.insight.state import percent
from classpulse.local_time import local_time
from classpulse.report import charts, words
from classpulse.report.canvas import PAGE, PHONE
from classpulse.report.standouts import SHORTEST_S
from classpulse.texts import Catalogue, catalogue, phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jinja2 import Template

    from classpulse.insight.estimate import Estimate
    from classpulse.report.canvas import Sheet
    from classpulse.report.contents import ClassReport, Shown

NOTHING = "·"
"""Stands where there is no figure."""
MOST_ALERTS = 4
"""Alerts that are written out; all are on the timeline."""
MOST_MARKS = 24
"""Marks that are written out below the timeline, where titles that are near each other have no room."""
TABLE_EVERY_S = 60.0
"""The table has a line a minute: who needs every window takes the CSV."""


def to_html(reports: Sequence[ClassReport], language: str = "en") -> str:
    """The report of one class, or of several of one kind beside each other.

    Args:
        reports: at least one.
        language: that it is written in.
    """
    texts = catalogue(language)
    pages = [_sections(report, texts) for report in reports]
    several = len(reports) > 1
    title = phrase("Class {id}", id=reports[0].session_id)
    if several:
        title = phrase("{count} classes beside each other", count=len(reports))
    small = [Markup(charts.small(report, texts)) for report in reports] if several else []  # noqa: S704 - our own drawing
    return _template(texts).render(
        title=texts.retold(title),
        pages=pages,
        small=small,
        several=several,
        usual_min=round(SHORTEST_S / 60),
        together=_together(reports),
        most_alerts=MOST_ALERTS,
        most_marks=MOST_MARKS,
        colours=charts.STATES,
        version=classpulse.__version__,
    )


@cache
def _template(texts: Catalogue) -> Template:
    loader = PackageLoader("classpulse.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": lambda share: texts.retold(percent(share)),
        "with_ends": lambda figure: texts.retold(_with_ends(figure)),
        "ends": lambda figure: texts.retold(_ends(figure)),
        "clock": clock,
        "local_time": local_time,
        "minutes": lambda length_s: texts.retold(words.minutes(length_s)),
        "retold": texts.retold,
    }
    environment.globals |= {"t": texts.text, "language": texts.language, "direction": texts.direction}
    return environment.get_template("report.html.j2")


def _together(reports: Sequence[ClassReport]) -> str:
    """Whether faces and answers went together over all these classes; empty where too few were asked."""
    found = [report.answers.found for report in reports if report.answers.found is not None]
    return sentence(pooled(found), classes=len(found)) if len(found) > 1 else ""


def _sections(report: ClassReport, texts: Catalogue) -> dict[str, object]:
    """What the template shows of one class."""
    attention = any(window.facing is not None for window in report.windows)
    read = any(window.mix is not None for window in report.windows)
    drawings = {
        "timeline": _drawn(charts.timeline, report, texts) if attention else "",
        "mood": _drawn(charts.mood, report, texts) if read else "",
        "answers": _drawn(charts.answers, report, texts) if report.answers.most else "",
    }
    by_answers = report.by_answers and report.answers.most > 0
    return {
        "report": report,
        "source": words.source(report, texts),
        "law": words.law(report),
        "headline": words.headline(report),
        "moments": [(moment, words.standout_text(moment)) for moment in report.moments],
        "gaps": words.without_figures(report),
        "deleted": words.deleted(report),
        "largest": words.largest(report, texts),
        "said": words.said_by_the_page(report),
        "by_answers": by_answers,
        "said_words": [texts.retold(word) for word in charts.SAID_WORDS.values()],
        "rows": _answer_rows(report) if by_answers else _rows(report),
        "facing": report.mean("facing"),
        # Drawn here from numbers and escaped words.
        **{name: Markup(svg) for name, svg in drawings.items()},  # noqa: S704
    }


def _drawn(draw: Callable[[ClassReport, Catalogue, Sheet], str], report: ClassReport, texts: Catalogue) -> str:
    """A chart for a wide page and one for a phone, of which the page shows the one that fits."""
    return "".join(draw(report, texts, sheet) for sheet in (PAGE, PHONE))


def _minutely(report: ClassReport) -> Iterator[tuple[int, Shown]]:
    """A window a minute and the last one, each with its place among all."""
    due_s = 0.0
    for place, window in enumerate(report.windows):
        if window.start_s < due_s and window is not report.windows[-1]:
            continue
        due_s = window.start_s + TABLE_EVERY_S
        yield place, window


def _answer_rows(report: ClassReport) -> list[tuple[str, ...]]:
    """A line a minute: until, with you, unsure, lost."""
    rows: list[tuple[str, ...]] = []
    for place, window in _minutely(report):
        held = report.answers.counts[place]
        cells = [NOTHING] * len(SAID) if held is None else [str(getattr(held, name)) for name in SAID]
        rows.append((clock(window.end_s), *cells))
    return rows


def _rows(report: ClassReport) -> list[tuple[str, ...]]:
    """A line a minute: until, faces, facing, attention, mood."""
    rows: list[tuple[str, ...]] = []
    for _, window in _minutely(report):
        faces = NOTHING if window.faces is None else f"{window.faces:.1f}"
        facing, attention = _with_ends(window.facing), _with_ends(window.attention)
        mood = NOTHING
        if window.mood is not None:
            ends = phrase("{low} to {high}", low=f"{window.mood.low:+.2f}", high=f"{window.mood.high:+.2f}")
            mood = phrase("{value} ({ends})", value=f"{window.mood.value:+.2f}", ends=ends)
        rows.append((clock(window.end_s), faces, facing, attention, mood))
    return rows


def _with_ends(figure: Estimate | None) -> str:
    if figure is None:
        return NOTHING
    return phrase("{value} ({ends})", value=percent(figure.value), ends=_ends(figure))


def _ends(figure: Estimate) -> str:
    return phrase("{low} to {high}", low=f"{100 * figure.low:.0f}", high=f"{100 * figure.high:.0f}")
