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
from classpulse.storage.export import write_csv

if TYPE_CHECKING:
    from classpulse.report.contents import ClassReport
    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow


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
    means = {"Faced the screen": report.mean("facing"), "Attention score": report.mean("attention")}
    for column, (title, figure) in zip(columns[1:3], means.items(), strict=True):
        ends = None if figure is None else f"90 % interval: {percent(figure.low)} to {percent(figure.high)}"
        column.metric(title, "not told" if figure is None else percent(figure.value), help=ends)
    columns[3].metric("Of the class seen", "not told" if report.coverage is None else percent(report.coverage))
    ended = "still running" if report.ended_how is None else report.ended_how
    group = "" if report.min_group is None else f", no figure of fewer than {report.min_group} people"
    st.caption(f"Law: {report.law}; {ended}{group}.")


def _show_charts(report: ClassReport) -> None:
    timeline = charts.timeline(report)
    if timeline is None:
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
    write_csv(store.windows(row.id), row.labels, row.smallest_group, text)
    line = st.container(horizontal=True)
    line.download_button("Report", to_html([report]), f"classpulse-class-{row.id}.html", "text/html", on_click="ignore")
    line.download_button("Windows as CSV", text.getvalue(), f"class-{row.id}.csv", "text/csv", on_click="ignore")
