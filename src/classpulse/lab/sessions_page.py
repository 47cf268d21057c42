"""The classes that are stored: every figure has passed the rule of the smallest group, as in the report."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import streamlit as st

from classpulse.insight.moments import clock
from classpulse.insight.state import percent
from classpulse.lab import charts, visit
from classpulse.local_time import local_time
from classpulse.report import words
from classpulse.report.contents import read_class
from classpulse.report.page import to_html
from classpulse.storage.export import said_in, write_csv

if TYPE_CHECKING:
    from classpulse.insight.moments import Said
    from classpulse.report.contents import ClassReport
    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow

SAID_TITLES: tuple[tuple[Said, str], ...] = (("with_you", "With you, on average"), ("lost", "Lost, on average"))


def show() -> None:
    """The page."""
    st.title("Stored classes")
    st.markdown("How whole classes went. Figures of fewer people than the smallest group are not there.")
    store = visit.store()
    rows = [] if store is None else store.sessions()
    if store is None or not rows:
        st.info("No class is stored yet.", icon=":material/co_present:")
        st.markdown("Hold one, or try the made-up one:")
        st.code("classpulse live demo", language="sh")
        return
    row = st.selectbox("Class", rows, format_func=_name, key="class")
    report = read_class(store, row.id)
    _show_figures(report)
    _show_charts(report)
    _show_moments(report)
    _show_downloads(store, row, report)


def _name(row: SessionRow) -> str:
    demo = " (made up)" if row.demo else ""
    return f"Class {row.id}: {row.source}{demo}, {local_time(row.started_at)}"


def _show_figures(report: ClassReport) -> None:
    st.markdown(f"#### {words.headline(report)}")
    columns = st.columns(4)
    columns[0].metric("Length", clock(report.length_s))
    told = _by_answers(report) if report.by_answers else _by_faces(report)
    for column, (title, value, meant) in zip(columns[1:], told, strict=True):
        column.metric(title, value, help=meant)
    ended = "still running" if report.ended_how is None else report.ended_how
    group = "" if report.min_group is None else f", no figure of fewer than {report.min_group} people"
    law = words.law(report)
    st.caption(f"{law[:1].upper()}{law[1:]}; {ended}{group}.")


def _by_faces(report: ClassReport) -> list[tuple[str, str, str | None]]:
    """Title, figure and what it means, of a class that was seen."""
    told: list[tuple[str, str, str | None]] = []
    for title, figure in (("Faced the screen", report.mean("facing")), ("Attention score", report.mean("attention"))):
        ends = None if figure is None else f"90 % interval: {percent(figure.low)} to {percent(figure.high)}"
        told.append((title, _share(None if figure is None else figure.value), ends))
    return [*told, ("Of the class seen", _share(report.coverage), None)]


def _by_answers(report: ClassReport) -> list[tuple[str, str, str | None]]:
    """The same of a class that only answers: nobody's face was looked for."""
    meant = "the mean over the times when a whole group had answered"
    shares = [(title, _share(report.answers.share(name)), meant) for name, title in SAID_TITLES]
    return [("Students who answered", str(report.answers.most or "not told"), None), *shares]


def _share(value: float | None) -> str:
    return "not told" if value is None else percent(value)


def _show_charts(report: ClassReport) -> None:
    timeline = charts.timeline(report)
    if report.by_answers:
        if not report.answers.most:
            st.caption("What students said cannot be told: fewer answered than a figure may come from.")
    elif timeline is None:
        st.caption("Who faced the screen could not be told: too few people were seen, or the law does not allow it.")
    else:
        st.altair_chart(timeline)
        st.caption("The pale bands are 90 % intervals. Triangles are alerts, dotted lines the teacher's marks.")
    for title, chart in (
        ("Emotions guessed from faces", charts.mix(report)),
        ("What students said of themselves", charts.answers(report)),
    ):
        if chart is not None:
            st.markdown(f"**{title}**")
            st.altair_chart(chart)
    if report.answers.agreement:
        st.caption(report.answers.agreement)


def _show_moments(report: ClassReport) -> None:
    moments = [(one.time_s, words.standout_text(one)) for one in report.moments]
    moments += [(one.time_s, f"alert: {one.reason}") for one in report.alerts]
    moments += [(one.time_s, f"mark: {one.label}") for one in report.marks]
    if moments:
        st.markdown("**Moments**")
        rows = [{"at": clock(time_s), "what": what} for time_s, what in sorted(moments)]
        st.dataframe(rows, hide_index=True, column_config={"at": st.column_config.Column(width="small")})


def _show_downloads(store: Store, row: SessionRow, report: ClassReport) -> None:
    text = io.StringIO(newline="")
    windows = store.windows(row.id)
    said = said_in(windows, store.moments.answers(row.id), row.min_group)
    write_csv(windows, row.labels, row.smallest_group, text, said)
    line = st.container(horizontal=True)
    line.download_button("Report", to_html([report]), f"classpulse-class-{row.id}.html", "text/html", on_click="ignore")
    line.download_button("Windows as CSV", text.getvalue(), f"class-{row.id}.csv", "text/csv", on_click="ignore")
