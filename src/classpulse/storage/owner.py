"""Which process writes a session, and whether it still lives."""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from datetime import timedelta

SAME_START_S = 2.0
"""Two readings of one process's start differ by less: a computer's clock is set now and then."""

SILENT_S = 120.0
"""A process on another machine that has written nothing for so long is taken for dead; it writes twice a second."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told from a later one with the same number by its start.

    Attributes:
        pid: its number.
        started_s: its start, seconds since the epoch.
        host: its machine, see `this_machine`.
    """

    pid: int
    started_s: float
    host: str

    @classmethod
    def this_process(cls) -> Owner:
        """The process that asks."""
        return cls(os.getpid(), psutil.Process().create_time(), this_machine())

    @property
    def machine(self) -> str:
        """What people call its machine."""
        return self.host.partition(" ")[0]

    def lives(self, silent: timedelta) -> bool:
        """Whether it still runs, after it has written nothing for so long."""
        if self.host != this_machine():
            return silent.total_seconds() < SILENT_S
        try:
            started_s = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
        return abs(started_s - self.started_s) < SAME_START_S


@cache
def this_machine() -> str:
    """This machine by its name and, on Linux, by what tells it from others of that name.

    Containers on one machine, and copies of one machine, may go by the same name, and none sees the others' processes:
    that a number is nobody's here says nothing of them.
    """
    name, told = platform.node()[:180], ""
    with suppress(OSError):
        told += Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    with suppress(OSError):
        told += str(Path("/proc/self/ns/pid").readlink())
    return f"{name} {hashlib.sha256(told.encode()).hexdigest()[:8]}" if told else name
