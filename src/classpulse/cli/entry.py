"""The command `classpulse`: its commands put together, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

import click

from classpulse import __version__
from classpulse.cli.accounts import accounts
from classpulse.cli.alerts import alerts
from classpulse.cli.attendance import attendance
from classpulse.cli.audit import audit
from classpulse.cli.backup import backup, restore
from classpulse.cli.bench import bench
from classpulse.cli.classes import classes
from classpulse.cli.data import data
from classpulse.cli.doctor import doctor
from classpulse.cli.lab import lab
from classpulse.cli.licences import licences
from classpulse.cli.live import live
from classpulse.cli.marks import marks
from classpulse.cli.models import models
from classpulse.cli.people import people
from classpulse.cli.policy import policy
from classpulse.cli.report import report
from classpulse.cli.screens import screens
from classpulse.cli.serve import serve
from classpulse.cli.sessions import sessions
from classpulse.cli.settings import settings
from classpulse.cli.training import evaluate, export, train, tune
from classpulse.errors import ClassPulseError, Terminated

EXITS = (
    "Exit codes: 2 usage or settings, 3 source, 4 model, 5 law, 6 storage, 7 page, 8 data, 9 training, "
    "10 people, 11 key, 12 marks and answers, 13 joining, 14 accounts, 15 classes, 16 cluster, 130 interrupted, "
    "1 other."
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


for _command in (
    live,
    sessions,
    doctor,
    data,
    train,
    tune,
    evaluate,
    export,
    accounts,
    alerts,
    people,
    attendance,
    audit,
    backup,
    restore,
    bench,
    classes,
    lab,
    licences,
    marks,
    models,
    policy,
    report,
    screens,
    serve,
    settings,
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
        click.echo(f"classpulse: {text}", err=True)


def _leave(code: int) -> NoReturn:
    """Exit; output that nobody takes any more is dropped, and not complained about a second time."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
