"""The browser's own camera, read a few times a second: pictures go over the page's connection, newest wins."""

from __future__ import annotations

import base64
import binascii
import io
import time
from importlib import resources
from typing import TYPE_CHECKING, Any

import streamlit as st

from classpulse.colours import EMOTION_COLOURS
from classpulse.errors import ClassPulseError, SourceError
from classpulse.lab import faces, visit
from classpulse.pipeline import Pipeline
from classpulse.sources.pictures import decode_picture
from classpulse.types import UNCERTAIN, Frame

if TYPE_CHECKING:
    from classpulse.types import FrameResult, Image

KEY = "live-camera"
KEPT = "live-camera-pipeline"
ANSWER = "live-camera-answer"
PREFIX = "data:image/jpeg;base64,"
MAX_CHARACTERS = 600_000
MAX_PIXELS = 1280 * 960


def show() -> None:
    """The page."""
    st.title("Live camera")
    st.markdown("Look at yourself: your browser sends a small picture, gets numbers back, and sends the next one.")
    if not visit.ask_law("The camera"):
        return
    _watch()
    st.caption(
        "Pictures are read in memory and not kept; the camera's light is on while it runs. "
        f"A camera needs https, or a page of this very machine. {faces.NOTE}"
    )


@st.fragment
def _watch() -> None:
    """The camera alone runs anew for each picture, not the whole page."""
    _component()(data=st.session_state.get(ANSWER), key=KEY, on_picture_change=_answer, height="content")


@st.cache_resource(show_spinner=False)
def _component() -> Any:  # noqa: ANN401 - Streamlit's own protocol
    html, css, js = (
        (resources.files("classpulse.lab") / f"live_camera.{kind}").read_text(encoding="utf-8")
        for kind in ("html", "css", "js")
    )
    return st.components.v2.component("classpulse_live_camera", html=html, css=css, js=js)


def _answer() -> None:
    """Read the picture that has just come."""
    told = st.session_state.get(KEY)
    if told is None:  # the visitor went to another page while it was under way
        return
    picture = told.get("picture") or {}
    number = picture.get("n") if isinstance(picture, dict) else None
    try:
        image = decode(picture.get("jpeg") if isinstance(picture, dict) else None)
        result, ms = _read(image)
    except ClassPulseError as error:
        st.session_state[ANSWER] = {"n": number, "trouble": str(error)}
        return
    st.session_state[ANSWER] = {"n": number, "ms": round(ms), **as_answer(result)}


def decode(text: object) -> Image:
    """A picture as the browser sends it: a `data:` address of a small JPEG.

    Raises:
        SourceError: it is anything else.
    """
    if not isinstance(text, str) or not text.startswith(PREFIX) or len(text) > MAX_CHARACTERS:
        message = "the browser sent something that is no small JPEG: load the page again"
        raise SourceError(message)
    try:
        content = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        message = "the browser's picture came damaged: load the page again"
        raise SourceError(message) from None
    return decode_picture(io.BytesIO(content), "the camera's picture", MAX_PIXELS)


def _read(image: Image) -> tuple[FrameResult, float]:
    """The faces, followed and smoothed from picture to picture, and how many milliseconds that took."""
    law = visit.policy()
    law.require_live("the camera")
    kept = st.session_state.get(KEPT)
    if kept is None or kept[0] != law:
        kept = st.session_state[KEPT] = (law, Pipeline(visit.settings(), policy=law))
    start = time.monotonic()
    result = kept[1].process(Frame(image, start))
    return result, 1000 * (time.monotonic() - start)


def as_answer(result: FrameResult) -> dict[str, object]:
    """What the page draws: shares of the picture's sides instead of pixels, plain numbers, and words."""
    names = result.emotions.names() if result.emotions is not None else [None] * len(result)
    found = []
    for i, box in enumerate(result.tracks.faces.boxes.tolist()):
        sides = (result.width, result.height, result.width, result.height)
        name = names[i]
        found.append(
            {
                "id": int(result.tracks.ids[i]),
                "box": [round(end / side, 4) for end, side in zip(box, sides, strict=True)],
                "word": name or ("face" if result.emotions is None else "not read"),
                "colour": EMOTION_COLOURS.get(name or UNCERTAIN, EMOTION_COLOURS[UNCERTAIN]),
                "shares": faces.shares_of(result, i),
            }
        )
    return {
        "faces": found,
        "reads": result.emotions is not None,
        "colours": {name: EMOTION_COLOURS[name] for name in faces.LABELS},
    }
