"""`classpulse bench`: how fast this machine is at a class."""

# ruff: noqa: PLC0415 - `classpulse --help` must answer at once
from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common

if TYPE_CHECKING:
    from rich.console import RenderableType

    from classpulse.bench import Bench
    from classpulse.settings import Settings

WHAT = {
    "decode": "the picture out of its file",
    "find": "faces: looked for, and followed in between",
    "follow": "who is who",
    "recognize": "who is enrolled",
    "read": "emotions of the faces that are due, smoothed",
    "pose": "where heads are turned",
    "figures": "what it says of the class",
    "rest": "all else",
}


@click.command()
@click.argument("source", default="demo")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="How long to measure."
)
@click.option("--profile", is_flag=True, help="Where the time of a picture goes, stage by stage.")
@click.option("--json", "as_json", is_flag=True, help="Figures for a program.")
@common
def bench(settings: Settings, source: str, seconds: float, *, profile: bool, as_json: bool) -> None:
    """Measure how fast this machine is at a class.

    SOURCE is a recording, a folder of pictures, or `demo`. Its first pictures are shown again and again, as fast as
    they go, with the threads that `cpu_share` allows. Nothing is stored.

    \b
    Examples:
      classpulse bench
      classpulse bench lesson.mp4 --profile
      classpulse bench lesson.mp4 --set cpu_share=1 --json
      classpulse bench lesson.mp4 --set detector.interval_s=0   look for faces in every picture
    """  # noqa: D301
    from classpulse.bench import measure
    from classpulse.cli.terminal import show, working
    from classpulse.law import law_in_force
    from classpulse.storage.store import Store

    if math.isnan(seconds):  # which lies in every range
        message = "it is a number of seconds."
        raise click.BadParameter(message, param_hint="--seconds")
    with Store.of(settings) as store:
        policy = law_in_force(store, settings)
    with working("measuring") as on_pass:
        measured = measure(source, settings, policy, seconds / 2, on_pass)
    if as_json:
        click.echo(json.dumps(measured.as_record(), indent=2))
        return
    width, height = measured.size_px
    click.echo(f"{measured.source}, {width} x {height} px, {measured.faces:.1f} faces a picture:")
    click.echo(
        f"  {measured.results_per_s:.1f} results a second on {measured.threads} thread{'s'[: measured.threads > 1]}, "
        f"95 % within {measured.age_p95_ms:.0f} ms"
    )
    if profile:
        show(_budget(measured))


def _budget(measured: Bench) -> RenderableType:
    from classpulse.tables import plain_table

    table = plain_table("stage", "ms a picture", "share", "", numbers=("ms a picture", "share"), wide="")
    for stage, spent_ms in measured.stages_ms.items():
        table.add_row(stage, f"{spent_ms:.2f}", f"{spent_ms / measured.picture_ms:.0%}", WHAT[stage])
    table.add_row("a picture", f"{measured.picture_ms:.2f}", "100%", "on one thread")
    return table
