"""`classpulse live`: watch a class."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from classpulse.cli.options import CORNERS, common, force_option, refuse_to_replace
from classpulse.errors import SourceError, StorageError

if TYPE_CHECKING:
    from classpulse.settings import Settings


@click.command()
@click.argument("source", required=False)
@click.option("--fast", is_flag=True, help="A file: every frame, as fast as it goes, without the page.")
@click.option("--results", metavar="FILE", help="Write one JSON line per result; - is standard output.")
@force_option
@click.option("--window", is_flag=True, help="A window with a box, a number and an emotion on every face.")
@click.option("--single", is_flag=True, help="A window with one person large and seven bars; nothing is stored.")
@click.option("--individual/--no-individual", default=None, help="Show single faces; only `demo` does unasked.")
@click.option("--page/--no-page", default=None, help="Serve the live page; on by default but for --fast and --single.")
@click.option("--browser/--no-browser", default=None, help="Open the page in a browser.")
@click.option("--join", is_flag=True, help="Let students join by link, to answer from their own devices.")
@click.option("--observer-link", is_flag=True, help="Tell a link for somebody who is to watch, and nothing else.")
@click.option("--lab", is_flag=True, help="Serve the lab beside the page, at /lab (needs classpulse[lab]).")
@click.option("--port", type=int, help="Port of the page [default: 8700].")
@click.option("--my-tile", type=click.Choice(CORNERS), help="A meeting: the corner your own tile is in at the start.")
@click.option("--cluster", metavar="auto|HOST:PORT", help="Read the class on the machines of a Ray cluster.")
@click.option("--cpu-share", type=float, help="Share of the cores to use, 0 to 1 [default: 0.5].")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="What is said and logged: text, or JSON lines.")
@common
def live(settings: Settings, source: str | None, results: str | None, **flags: Any) -> None:  # noqa: ANN401
    """Watch a class.

    SOURCE is a webcam's number, a video, a folder of pictures (2.jpg comes before 10.jpg), a stream's address, `screen`
    for a meeting's window (screen:2, screen:100,80,1280x720 or screen:window=TITLE; see `classpulse screens`), `join`
    for students' own devices, or `demo`.

    \b
    Examples:
      classpulse live 0
      classpulse live demo --window
      classpulse live lesson.mp4 --fast --results lesson.jsonl
      classpulse live rtsp://user:password@camera.school/stream --jurisdiction eu
      classpulse live screen:window=Zoom --my-tile top-left
      classpulse live join --set web.host=0.0.0.0   students join from their own devices
      classpulse live 0 --join             a camera, and students who answer by link
      classpulse live --single             look at yourself
      classpulse live rtsp://camera/stream --cluster head.school:6379
      classpulse live --log-format json    for a log collector: no names, no secrets
    """  # noqa: D301
    from classpulse.cli.terminal import conversation
    from classpulse.live import LiveOptions, run_live
    from classpulse.operations.log import configure

    if flags["window"] and flags["single"]:
        message = "--window and --single exclude each other"
        raise click.UsageError(message)
    refuse_to_replace(results, "--results", force=flags["force"])
    configure(settings.log)
    page = flags["page"] if flags["page"] is not None else not (flags["fast"] or flags["single"])
    options = LiveOptions(
        source=source,
        fast=flags["fast"],
        results=results,
        window="single" if flags["single"] else "faces" if flags["window"] else None,
        page=page,
        stay=page and sys.stdin.isatty(),
        observer_link=flags["observer_link"],
        join=flags["join"],
        lab=flags["lab"],
    )
    of_what = _of_what(source)
    with conversation(settings, fast=options.fast) as terminal:
        state = run_live(options, settings, terminal)
    health = state.health
    rate = f"{state.results_per_s:.1f} results a second, {health.dropped} of {health.frames} frames dropped"
    if health.unread:
        rate += f", {health.unread} faces not read in time"
    stored = f"; see it with `classpulse sessions {state.session_id}`" if state.session_id is not None else ""
    how = "stopped" if state.ended_how in {"stopped", None} else "ended"
    length = f"{state.elapsed_s:.1f} s{of_what} ({rate})"
    if of_what and health.frames == 1:  # which has no length, and no rate
        length = "one picture"
    terminal.say(f"{state.source}: {how} after {length}{stored}.")
    # The class is over and stored, but not all went well.
    if health.message:
        raise SourceError(health.message)
    if state.trouble:
        raise StorageError(state.trouble)


def _of_what(source: str | None) -> str:
    """Whose seconds a class's are: a recording has its own clock, and `--fast` reads an hour of it in minutes."""
    from classpulse.sources import describe

    kind = "" if source is None else describe(source).kind
    return {"video": " of video", "pictures": " of pictures"}.get(kind, "")
