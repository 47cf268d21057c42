"""The commands that look at a set of faces: check and explore. The second needs the extra `classpulse[train]`."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import force_option, refuse_to_replace
from classpulse.cli.training import need_extra


@click.group()
def data() -> None:
    """Look at a set of faces before training on it."""


@data.command(short_help="Can a set of faces be trained on?")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "json_file", metavar="FILE", help="Write all that was found as JSON; - is standard output.")
@force_option
def check(path: Path, json_file: str | None, *, force: bool) -> None:
    """Look whether a set of faces can be trained on: counts, copies, blanks, and how far its labels are right.

    PATH is FER-2013 as a folder with train/<emotion>/*.jpg, fer2013.csv (FER+'s fer2013new.csv beside it is read too),
    fer2013.npz, or a zip of one of them. Ends with 0 if a run could begin, and with 8 if not.

    \b
    Examples:
      classpulse data check fer2013.csv
      classpulse data check archive.zip
      classpulse data check images/ --json check.json
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    from classpulse.cli.terminal import show
    from classpulse.errors import DataError
    from classpulse.training.check.check import check as look
    from classpulse.training.check.console import read_with_bar, write_json
    from classpulse.training.check.table import check_table

    refuse_to_replace(json_file, "--json", force=force)
    result = look(*read_with_bar(path))
    if json_file is not None:
        write_json(result, json_file)
    if json_file != "-":
        show(check_table(path.name, result))
    if result.obstacles:
        message = f"{path} cannot be trained on: {'; '.join(obstacle.found for obstacle in result.obstacles)}"
        raise DataError(message)


@data.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("explored"),
    metavar="DIR",
    help="Folder for the page and its figures [default: explored].",
)
def explore(path: Path, out: Path) -> None:
    """Make a page that shows a set of faces: the faces, their labels and balance, how they look, what comes twice.

    PATH is FER-2013 in any layout that `classpulse data check` reads. Faces of PrivateTest are counted and not shown.
    The page holds pictures of people: keep it to yourself. A minute for FER-2013.

    \b
    Examples:
      classpulse data explore fer2013.csv
      classpulse data explore archive.zip --out look
    """  # noqa: D301 - click's own mark for text that is not to be wrapped
    need_extra()
    from classpulse.training.explore.console import run_explore

    click.echo(run_explore(path, out))
