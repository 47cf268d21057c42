"""A training run's curves, as Altair charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd  # noqa: F401 - altair asks `sys.modules` for it, where another visit's thread may have half of it

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def curves(history: Sequence[Mapping[str, float]], names: Mapping[str, str], title: str, *, percent: bool) -> alt.Chart:
    """Columns of a run's history by epoch.

    Args:
        history: a row an epoch.
        names: what to call each column that is drawn.
        title: of the axis.
        percent: whether they are shares.
    """
    points: list[dict[str, Any]] = [
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
