"""What a running class or server says of itself: as text for a person at the terminal, or as JSON for a log collector.

A log is kept for long and read by many, so as JSON nothing that a person or a secret could be known by is in it: links
and codes that let somebody in go to a file of their owner's instead, addresses of clients are left out, and of an
unexpected error its place and kind are told but not its text, which may repeat what somebody sent.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING, TextIO

from classpulse.errors import ClassPulseError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from classpulse.settings import LogSettings

    ErrorInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

LINKS = "links.txt"
"""In the data folder: what was said with a secret in it, for its owner alone."""
SECRETS = (
    (re.compile(r"(?<=#)[A-Za-z0-9_\-.~]{8,}"), "…"),  # of a link that lets somebody in
    (re.compile(r"(?<=/join/)[A-Za-z0-9]+"), "…"),
    (re.compile(r"(?<=/me/)[A-Za-z0-9_\-]+"), "…"),
    (re.compile(r"(?<=://)[^/\s@]+@"), "…@"),  # user and password of a database, camera or webhook
    (re.compile(r"(?i)\b(bearer|token|password|secret|key)([=: ]+)[^\s,;&]{6,}"), r"\1\2…"),
)
"""What is taken out of every line, and what stands in its place."""
SERVERS = ("uvicorn", "websockets", "streamlit")
CLIENT = re.compile(r"(?<=came in from )[0-9A-Fa-f:.]+")

_log = logging.getLogger("classpulse.said")


def redact(text: str) -> str:
    """A sentence without secrets and clients' addresses.

    >>> redact("A teacher comes in by this link, once: http://school:8700/enter#oZ1x9Jk2Lm3")
    'A teacher comes in by this link, once: http://school:8700/enter#…'
    >>> redact("postgresql://ana:hunter2@db/classpulse does not answer")
    'postgresql://…@db/classpulse does not answer'
    """
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return CLIENT.sub("…", text)


def configure(settings: LogSettings, out: TextIO | None = None) -> None:
    """Log as the settings say, from now on and for the whole process.

    Other packages' loggers are heard from warnings on: below, some repeat whole addresses and requests.

    Args:
        settings: format and level.
        out: where to; standard error if not given.
    """
    ours = logging.getLogger("classpulse")
    level = settings.level or ("info" if settings.format == "json" else None)
    if level is not None:
        ours.setLevel(level.upper())
    if settings.format == "text" and settings.level is None:
        return  # warnings, as Python itself tells them
    handler = logging.StreamHandler(out or sys.stderr)
    if settings.format == "json":
        handler.setFormatter(_json_formatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    hear_servers()
    root = logging.getLogger()
    for old in [one for one in root.handlers if getattr(one, "classpulse", False)]:
        root.removeHandler(old)
    handler.classpulse = True  # type: ignore[attr-defined]
    root.addHandler(handler)


def hear_servers() -> None:
    """Have what serves pages speak through the log alone.

    uvicorn, where it is not told otherwise, and Streamlit, as soon as it is imported, give their loggers handlers of
    their own, which know neither the log's format nor what is left out of it.
    """
    known = list(logging.root.manager.loggerDict)  # a copy: another thread may import at this moment
    for name in [*SERVERS, *(name for name in known if name.split(".")[0] in SERVERS)]:
        logger = logging.getLogger(name)
        logger.propagate = True
        for handler in list(logger.handlers):
            logger.removeHandler(handler)


def _json_formatter() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415 - only where it is asked for

    class Formatter(JsonFormatter):
        """One JSON object a line, with every text redacted."""

        def format(self, record: logging.LogRecord) -> str:
            clean = logging.makeLogRecord(record.__dict__)
            clean.msg, clean.args = redact(record.getMessage()), None
            clean.exc_text = clean.stack_info = None
            return str(super().format(clean))

        def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802 - logging's own name
            return told_without_values(ei[1])

    return Formatter(
        "%(levelname)s %(name)s %(message)s",
        timestamp=True,
        rename_fields={"levelname": "level", "name": "logger"},
        json_ensure_ascii=False,
    )


def told_without_values(error: BaseException | None) -> str:
    """Where an error happened and what kinds of errors led to it; its text only where it is a sentence of our own."""
    told: list[str] = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        told += [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        ours = f": {redact(str(error))}" if isinstance(error, ClassPulseError) else ""
        told.append(f"{type(error).__name__}{ours}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(told)


def sayer(settings: LogSettings, folder: Path) -> Callable[[str], None] | None:
    """Says a line as a record of the log; None where the log is text, which whoever is at the terminal reads as it is.

    A line with a secret in it is kept whole in the file `links.txt` of the data folder, for whoever may read that.

    Args:
        settings: the format.
        folder: the data folder.
    """
    if settings.format != "json":
        return None
    path = folder / LINKS
    path.unlink(missing_ok=True)  # links of a process that has ended let nobody in any more

    def say(text: str) -> None:
        said = redact(text)
        if said == text:
            _log.info(said)
            return
        _keep(path, text)
        _log.info(said, extra={"whole_in": str(path)})

    return say


def _keep(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        message = f"{path}, which takes the links that let somebody in, cannot be written: {error.strerror or error}"
        raise StorageError(message) from None


def say_error(text: str) -> bool:
    """Log why a command ended, where the log is JSON; tells whether it was."""
    handlers = [one for one in logging.getLogger().handlers if getattr(one, "classpulse", False)]
    if not any(type(one.formatter) is not logging.Formatter for one in handlers):
        return False
    _log.error(text)
    return True
