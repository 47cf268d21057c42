"""`classpulse lab`: a page to play with the model, to compare models, and to look at runs and classes."""

# ruff: noqa: PLC0415 - heavy things are imported where they are used
from __future__ import annotations

import threading
import webbrowser
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common
from classpulse.errors import ServerError

if TYPE_CHECKING:
    from classpulse.settings import Settings


@click.command()
@click.option("--port", "lab_port", type=int, help="Port of the lab [default: 8701].")
@click.option("--browser/--no-browser", default=None, help="Open the lab in a browser.")
@common
def lab(settings: Settings) -> None:
    """Open the lab: pictures, videos, your camera, two models side by side, training runs, stored classes.

    It needs Streamlit: pip install 'classpulse[lab]'.

    \b
    Examples:
      classpulse lab
      classpulse lab --port 8800 --set lab.runs_dir=experiments/
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    if find_spec("streamlit") is None:
        message = "the lab needs Streamlit, which comes with the extra: pip install 'classpulse[lab]'"
        raise ServerError(message)
    from classpulse.lab.serving import serve
    from classpulse.live import be_considerate
    from classpulse.live_page import has_desktop

    be_considerate(settings)

    def ready(url: str) -> None:
        click.echo(f"The lab is at {url} (Ctrl-C ends it).", err=True)
        if settings.web.open_browser and has_desktop():
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    try:
        serve(settings, ready=ready)
    except KeyboardInterrupt:
        click.echo("The lab has ended.", err=True)
