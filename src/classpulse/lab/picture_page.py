"""One picture: uploaded, taken by the browser's camera, or one of the demo class."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import streamlit as st

from classpulse.drawing import draw_faces
from classpulse.lab import faces, visit
from classpulse.lab.intake import PICTURES, read_upload
from classpulse.lab.reading import reader
from classpulse.policy import Task
from classpulse.sources.demo import DemoSource
from classpulse.types import Frame

if TYPE_CHECKING:
    from classpulse.types import FrameResult, Image

SHOWN_PX = 1600
SAMPLE_S = 14.0
"""A moment of the demo at which most of the class is there."""


def show() -> None:
    """The page."""
    st.title("Picture")
    st.markdown("Every face in a picture, and what the model guesses from it.")
    way = st.segmented_control(
        "Where the picture comes from",
        ["Upload", "Camera", "Sample"],
        default="Upload",
        required=True,
        label_visibility="collapsed",
    )
    image = sample() if way == "Sample" else _taken() if way == "Camera" else _uploaded()
    if image is not None:
        _show(image)


def _uploaded() -> Image | None:
    limit = visit.settings().lab.max_picture_mb
    file = st.file_uploader("A picture with faces", type=list(PICTURES), max_upload_size=limit)
    if file is None:
        st.caption("It is read here and not kept. No picture at hand? Take the sample, or your camera.")
        return None
    return read_upload(file, file.name, limit)


def _taken() -> Image | None:
    if not visit.ask_law("The camera"):
        return None
    file = st.camera_input("Take a picture", key="camera")
    if file is None:
        st.caption("The picture is read here and not kept. A camera needs https, or a page of this very machine.")
        return None
    return read_upload(file, "the camera's picture", visit.settings().lab.max_picture_mb)


@st.cache_data(show_spinner="Drawing the demo class…", max_entries=1)
def sample() -> Image:
    """A picture of the made-up class: (720, 1280, 3) uint8, BGR."""
    source = DemoSource()
    try:
        return source.render(SAMPLE_S)
    finally:
        source.close()


def _show(image: Image) -> None:
    policy = visit.policy()
    result = reader(visit.settings(), policy).read(image)
    frame = Frame(image)
    scale = min(1.0, SHOWN_PX / max(frame.width, frame.height))
    drawn = draw_faces(frame, result, (max(1, round(frame.width * scale)), max(1, round(frame.height * scale))))
    st.image(drawn, width="stretch", output_format="JPEG", alt=_spoken(result))
    if not policy.allows(Task.EMOTION):
        st.info("Under the law in force faces are counted, and nothing is read in them.", icon=":material/gavel:")
    if not len(result):
        st.warning("No face was found: it may be too small, turned away or in the dark.")
        return
    st.subheader("1 face" if len(result) == 1 else f"{len(result)} faces")
    if result.emotions is not None:
        faces.show_cards(image, result, columns=1 if len(result) == 1 else 3)
        st.caption(faces.NOTE)
    with st.expander("As a table", expanded=result.emotions is None):
        table = faces.rows(result)
        faces.show_table(table)
    content = io.BytesIO()
    drawn.save(content, "PNG")
    line = st.container(horizontal=True)
    line.download_button("Picture with boxes", content.getvalue(), "faces.png", "image/png", on_click="ignore")
    line.download_button("Table as CSV", faces.as_csv(table), "faces.csv", "text/csv", on_click="ignore")


def _spoken(result: FrameResult) -> str:
    names = result.emotions.names() if result.emotions is not None else []
    told = ", ".join(name or "not read" for name in names[:12])
    return f"The picture with a box on each of {len(result)} faces" + (f": {told}" if told else "")
