"""How single faces are shown: a card with seven bars, and rows for tables and CSV."""

from __future__ import annotations

import base64
import csv
import io
from html import escape
from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st

from classpulse.colours import EMOTION_COLOURS
from classpulse.geometry import squares
from classpulse.types import UNCERTAIN
from classpulse.vision.picture import crop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from classpulse.types import Floats, FrameResult, Image

LABELS = tuple(label for label in EMOTION_COLOURS if label != UNCERTAIN)
"""The emotions in the order in which people see them everywhere."""
THUMB_PX = 96
NOTE = "A guess about a face, not about a mind. Nothing is stored."

CARD_STYLE = """<style>
.cp-face { display: grid; grid-template-columns: auto 1fr; gap: 10px 14px; padding: 14px 16px; border-radius: 12px;
  border: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.cp-face > img { width: 64px; height: 64px; border-radius: 10px; object-fit: cover; }
.cp-word { align-self: center; min-width: 0; }
.cp-word b { display: block; font-size: 20px; line-height: 1.2; letter-spacing: -.01em; }
.cp-word span { font-size: 14px; opacity: .75; }
.cp-bars { grid-column: 1 / -1; display: grid; grid-template-columns: auto 1fr auto; gap: 5px 10px; align-items: center;
  margin: 0; font-size: 14px; font-variant-numeric: tabular-nums; }
.cp-bars > i { display: block; height: 8px; border-radius: 4px;
  background: color-mix(in srgb, currentColor 11%, transparent); overflow: hidden; }
.cp-bars > i > i { display: block; height: 100%; border-radius: 4px; }
.cp-bars > b { font-weight: 400; text-align: right; opacity: .75; }
</style>"""


def thumbnail(image: Image, box: Floats) -> str:
    """A face, cut out with a little around it, as a `data:` address for this page alone; `box` is (4,), px."""
    square = squares(np.asarray(box, np.float32)[None], 1.25)[0]
    _, jpeg = cv2.imencode(".jpg", crop(image, square, THUMB_PX), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


def shares_of(result: FrameResult, face: int) -> dict[str, float] | None:
    """The seven shares of one face in the order they are shown in; None where it was not read."""
    if result.emotions is None or not result.emotions.read[face]:
        return None
    given = dict(zip(result.emotions.labels, result.emotions.probabilities[face].tolist(), strict=True))
    return {label: given[label] for label in LABELS}


def card(image: Image, result: FrameResult, face: int) -> str:
    """One face as HTML: its picture, its word and seven bars."""
    shares = shares_of(result, face)
    name = result.emotions.names()[face] if result.emotions is not None else None
    word = "Face" if result.emotions is None else (name or "not read").capitalize()
    side = round(float(result.tracks.faces.sizes_px[face]))
    told = f"face {result.tracks.ids[face]}, {side} px"
    if name is None and result.emotions is not None:
        told += ": too small, or cut off"
    picture = thumbnail(image, result.tracks.faces.boxes[face])
    head = f'<img src="{picture}" alt=""><div class="cp-word"><b>{escape(word)}</b><span>{escape(told)}</span></div>'
    return f'<div class="cp-face">{head}{bars(shares) if shares else ""}</div>'


def bars(shares: dict[str, float]) -> str:
    """Seven bars as HTML, each with its name and its figure."""
    rows = "".join(
        f'<span>{label}</span><i><i style="width:{100 * share:.1f}%;background:{EMOTION_COLOURS[label]}"></i></i>'
        f"<b>{100 * share:.0f} %</b>"
        for label, share in shares.items()
    )
    return f'<div class="cp-bars">{rows}</div>'


def show_cards(image: Image, result: FrameResult, most: int = 12, columns: int = 3) -> None:
    """The largest faces as cards, side by side."""
    shown = min(len(result), most)
    for start in range(0, shown, columns):
        row = st.columns(columns)
        for place, face in zip(row, range(start, min(start + columns, shown)), strict=False):
            place.html(CARD_STYLE + card(image, result, face))
    if len(result) > shown:
        st.caption(f"The {shown} largest of {len(result)} faces; all are in the table.")


def rows(result: FrameResult) -> list[dict[str, object]]:
    """A row a face: its number, size, the detector's score, its word and, where it was read, the seven shares."""
    names = result.emotions.names() if result.emotions is not None else []
    found = []
    for i in range(len(result)):
        row: dict[str, object] = {
            "face": int(result.tracks.ids[i]),
            "size_px": round(float(result.tracks.faces.sizes_px[i])),
            "found_with": round(float(result.tracks.faces.scores[i]), 3),
        }
        if result.emotions is not None:
            row["emotion"] = names[i] or "not read"
            shares = shares_of(result, i)
            row |= {label: None if shares is None else round(shares[label], 4) for label in LABELS}
        found.append(row)
    return found


def as_csv(rows: Iterable[dict[str, object]]) -> bytes:
    """Rows of the same names as CSV, with a header; empty cells where there is nothing."""
    text, names = io.StringIO(newline=""), None
    writer = csv.writer(text)
    for row in rows:
        if names is None:
            names = list(row)
            writer.writerow(names)
        writer.writerow(["" if row[name] is None else row[name] for name in names])
    return text.getvalue().encode()


def show_table(table: list[dict[str, object]]) -> None:
    """Rows as a table; shares are bars, in percent."""
    bar = st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d %%", width="small")
    names = list(table[0]) if table else []
    titles = {
        name: bar if name in LABELS else st.column_config.Column(name.replace("_", " "), width="small")
        for name in names
    }
    shown = [{name: _percent(value) if name in LABELS else value for name, value in row.items()} for row in table]
    st.dataframe(shown, hide_index=True, column_config=titles)


def _percent(share: object) -> int | None:
    return round(100 * share) if isinstance(share, float) else None
