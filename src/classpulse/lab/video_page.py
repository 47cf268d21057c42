"""A short video: read with a progress bar, played with its boxes, and summed up face by face."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from classpulse.lab import charts, faces, visit
from classpulse.lab.intake import VIDEOS, on_disk, require_size
from classpulse.lab.video import READ_HZ, SHORTEST_S, ReadVideo, read_video
from classpulse.policy import Task

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

KEPT = "video-that-was-read"
WAIT_S = 0.5


def show() -> None:
    """The page."""
    limits = visit.settings().lab
    st.title("Video")
    st.markdown("A short video, played again with a box, a number and an emotion on every face.")
    file = st.file_uploader("A short video", type=list(VIDEOS), max_upload_size=limits.max_video_mb)
    if file is None:
        st.session_state.pop(KEPT, None)
        st.caption(
            f"The first {limits.max_video_s:.0f} seconds are read, {READ_HZ:g} pictures of each, without the sound. "
            "The video is deleted when it was read."
        )
        return
    law = visit.policy()
    kept = (file.file_id, law.jurisdiction, law.exemption)
    if st.session_state.get(KEPT, (None, None))[0] != kept:
        st.session_state[KEPT] = (kept, _read(file))
    _show(st.session_state[KEPT][1], Path(file.name).stem)


@st.cache_resource(show_spinner=False)
def _turn() -> threading.Semaphore:
    """One video at a time: two side by side would both take twice as long."""
    return threading.Semaphore(1)


def _read(file: UploadedFile) -> ReadVideo:
    settings = visit.settings()
    require_size(file, file.name, settings.lab.max_video_mb)
    bar = st.progress(0.0, "Opening the models…")
    turn = _turn()
    while not turn.acquire(timeout=WAIT_S):
        bar.progress(0.0, "Somebody else's video is being read; yours comes next.")
    try:
        with on_disk(file, Path(file.name).suffix.lower()) as path:
            return read_video(
                path, file.name, settings, visit.policy(), tell=lambda share, text: _tell(bar, share, text)
            )
    finally:
        turn.release()
        bar.empty()


def _tell(bar: st.delta_generator.DeltaGenerator, share: float, text: str) -> None:
    bar.progress(share, f"Reading: {text}")


def _show(video: ReadVideo, stem: str) -> None:
    st.video(video.mp4, format="video/mp4", autoplay=True, muted=True, loop=True)
    if video.trouble:
        st.warning(video.trouble)
    if video.cut_short:
        st.info(f"Only the first {visit.settings().lab.max_video_s:.0f} seconds were read.")
    table = video.table()
    reads = visit.policy().allows(Task.EMOTION)
    one, two, three = st.columns(3)
    one.metric("Length", f"{video.length_s:.1f} s")
    two.metric("Pictures read", video.pictures)
    three.metric("Faces followed", len(table))
    if not table:
        st.warning("No face was found: faces may be too small, turned away or in the dark.")
    else:
        _show_faces(video, table, reads=reads)
    line = st.container(horizontal=True)
    line.download_button("Annotated video", video.mp4, f"{stem}-faces.mp4", "video/mp4", on_click="ignore")
    line.download_button(
        "Every face as CSV", faces.as_csv(video.rows), f"{stem}-faces.csv", "text/csv", on_click="ignore"
    )


def _show_faces(video: ReadVideo, table: list[dict[str, object]], *, reads: bool) -> None:
    if not reads:
        st.info("Under the law in force faces are counted, and nothing is read in them.", icon=":material/gavel:")
        faces.show_table([{k: v for k, v in row.items() if k in {"face", "from_s", "to_s", "seen_s"}} for row in table])
        return
    st.subheader("Face by face")
    faces.show_table(table)
    left_out = len(video.tracks) - len(table)
    hidden = f" {left_out} that were seen for less than {SHORTEST_S:g} s are only in the CSV." if left_out else ""
    st.caption(f"Shares are means over the pictures in which a face was read.{hidden} {faces.NOTE}")
    number = st.selectbox("One face over time", [row["face"] for row in table], format_func=lambda face: f"face {face}")
    chart = charts.emotions_over_time([row for row in video.rows if row["face"] == number])
    if chart is None:
        st.caption("This face was never large or clear enough to be read.")
    else:
        st.altair_chart(chart)
