"""The lab's script: Streamlit runs it from top to bottom for every visitor and every click."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from classpulse.errors import ClassPulseError
from classpulse.lab import camera_page, compare_page, picture_page, runs_page, sessions_page, video_page, visit

if TYPE_CHECKING:
    from collections.abc import Callable

STYLE = """<style>
.stMainBlockContainer { max-width: 1180px; padding-top: 3.5rem; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
</style>"""
ICON = Path(__file__).parents[1] / "web" / "static" / "icon.svg"


def _told(show: Callable[[], None]) -> Callable[[], None]:
    """A page whose errors are sentences."""

    def page() -> None:
        try:
            show()
        except ClassPulseError as error:
            st.error(str(error), icon=":material/error:")  # as it is: it may begin with a file's name

    return page


def main() -> None:
    """Show the page that the visitor chose."""
    st.set_page_config(page_title="Classpulse lab", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    st.logo(str(ICON), size="large")
    looking = [
        st.Page(_told(picture_page.show), title="Picture", icon=":material/image:", url_path="picture", default=True),
        st.Page(_told(video_page.show), title="Video", icon=":material/movie:", url_path="video"),
        st.Page(_told(camera_page.show), title="Live camera", icon=":material/videocam:", url_path="camera"),
    ]
    models = [
        st.Page(_told(compare_page.show), title="Compare two models", icon=":material/compare:", url_path="compare"),
        st.Page(_told(runs_page.show), title="Training runs", icon=":material/model_training:", url_path="runs"),
    ]
    pages = {"Look": looking, "Models": models}
    if visit.settings().lab.show_classes:
        stored = st.Page(
            _told(sessions_page.show), title="Stored classes", icon=":material/co_present:", url_path="classes"
        )
        pages["Classes"] = [stored]
    chosen = st.navigation(pages)
    _told(visit.show_law)()
    chosen.run()


if __name__ == "__main__":  # so Streamlit runs it
    main()
