"""The command line; the only module that prints.

Everything heavy is imported inside the commands, so that `classpulse --help` answers at once.
"""

# ruff: noqa: PLC0415 - see the docstring
from __future__ import annotations

import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from classpulse import (
    __version__,
    cli_accounts,
    cli_alerts,
    cli_attendance,
    cli_audit,
    cli_backup,
    cli_bench,
    cli_classes,
    cli_data,
    cli_lab,
    cli_marks,
    cli_models,
    cli_people,
    cli_policy,
    cli_report,
    cli_screens,
    cli_serve,
    cli_settings,
    cli_training,
)
from classpulse.cli_options import CORNERS, ONE_CLASS, ClassChoice, common, number_of
from classpulse.errors import ClassPulseError, SourceError, StorageError, Terminated

if TYPE_CHECKING:
    from classpulse.settings import Settings


EXITS = (
    "Exit codes: 2 usage or settings, 3 source, 4 model, 5 law, 6 storage, 7 page, 8 data, 9 training, "
    "10 people, 11 key, 12 marks and answers, 14 accounts, 15 classes, 16 cluster, 130 interrupted, 1 other."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EXITS)
@click.version_option(__version__, prog_name="classpulse")
def cli() -> None:
    """Classpulse shows a teacher, live, how the room is following.

    \b
    Examples:
      classpulse live                      the first webcam or, without one, a demo class
      classpulse live lesson.mp4 --fast    a recording, as fast as it goes
      classpulse live rtsp://CAMERA/path   a classroom camera
      classpulse live screen:window=Zoom   the gallery of an online meeting
      classpulse doctor                    is this machine ready?
    """  # noqa: D301 - click's own mark for text that is not to be wrapped


@cli.command()
@click.argument("source", required=False)
@click.option("--fast", is_flag=True, help="A file: every frame, as fast as it goes, without the page.")
@click.option("--results", metavar="FILE", help="Write one JSON line per result; - is standard output.")
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

    SOURCE is a webcam's number, a video, a folder of pictures, a stream's address, `screen` for a meeting's window
    (screen:2, screen:100,80,1280x720 or screen:window=TITLE; see `classpulse screens`), or `demo`.

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
    from classpulse.live import LiveOptions, run_live
    from classpulse.operations.log import configure
    from classpulse.terminal import conversation

    if flags["window"] and flags["single"]:
        message = "--window and --single exclude each other"
        raise click.UsageError(message)
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
    terminal.say(f"{state.source}: {how} after {state.elapsed_s:.1f} s{of_what} ({rate}){stored}.")
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


def _say(text: str) -> None:
    click.echo(text, err=True)


@cli.command()
@click.argument("session", metavar="[CLASS|latest]", type=ONE_CLASS, required=False)
@click.option("--csv", "csv_file", metavar="FILE", help="Write the class as CSV; - is standard output.")
@common
def sessions(settings: Settings, session: ClassChoice | None, csv_file: str | None) -> None:
    """List the classes that are stored, or show one.

    CLASS is its number in the list; minutes are those of the class, however fast a recording was read.

    \b
    Examples:
      classpulse sessions
      classpulse sessions latest
      classpulse sessions 3 --csv lesson.csv
    """  # noqa: D301
    from classpulse.storage.export import write_csv
    from classpulse.storage.store import Store
    from classpulse.terminal import session_table, sessions_table, show

    with Store.of(settings) as store:
        if session is None:
            show(sessions_table(store.sessions(), store.lengths_s()))
            return
        number = number_of(store, session)
        row, windows = store.require_session(number), store.windows(number)
    min_group = None if row.demo else row.min_group
    if csv_file is None:
        show(session_table(windows, row.labels, min_group))
        return
    try:
        path = Path(csv_file)
        with nullcontext(sys.stdout) if csv_file == "-" else path.open("w", encoding="utf-8", newline="") as file:
            write_csv(windows, row.labels, min_group, file)
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"--csv {csv_file} cannot be written: {error.strerror}"
        raise StorageError(message) from None


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for a program.")
@common
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Look whether this machine is ready, and say what to do where it is not.

    The exit code is 1 if anything will not do.

    \b
    Examples:
      classpulse doctor
      classpulse doctor --json | jq '.checks[] | select(.ok == false)'
    """  # noqa: D301
    from classpulse.doctor import examine
    from classpulse.tables import checks_json, checks_table
    from classpulse.terminal import show

    checks = examine(settings)
    if as_json:
        click.echo(checks_json(checks))
    else:
        show(checks_table(checks))
    if any(check.ok is False for check in checks):
        sys.exit(1)


for _command in (cli_data.data, cli_training.train, cli_training.tune, cli_training.evaluate, cli_training.export):
    cli.add_command(_command)
for _command in (
    cli_accounts.accounts,
    cli_alerts.alerts,
    cli_people.people,
    cli_attendance.attendance,
    cli_audit.audit,
    cli_backup.backup,
    cli_backup.restore,
    cli_bench.bench,
    cli_classes.classes,
    cli_lab.lab,
    cli_marks.marks,
    cli_models.models,
    cli_policy.policy,
    cli_report.report,
    cli_screens.screens,
    cli_serve.serve,
    cli_settings.settings,
):
    cli.add_command(_command)


def _terminate(*_: object) -> NoReturn:
    raise Terminated


def main() -> NoReturn:
    """Run the command line; errors that the user can mend end in one line and their exit code."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _terminate)
    code = 0
    try:
        cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        _complain(error.format_message())
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = 1  # whoever read our output has seen enough
    except OSError as error:
        _complain(str(error))
        code = 1
    except ClassPulseError as error:
        _complain(str(error))
        code = error.exit_code
    _leave(code)


def _complain(text: str) -> None:
    """Say why the command ended; as a line of the log where that is JSON."""
    logs = sys.modules.get("classpulse.operations.log")
    if logs is None or not logs.say_error(text):
        _say(f"classpulse: {text}")


def _leave(code: int) -> NoReturn:
    """Exit; output that nobody takes any more is dropped, and not complained about a second time."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
