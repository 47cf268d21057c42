"""The link by which students come in: one at a time, with a code that cannot be guessed and a life that ends."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

from classpulse.errors import JoinError
from classpulse.joining.credentials import new_code, plain_code
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable

ENDED = phrase("This class has ended.")


class Link:
    """The open link of one class, if one is open. May be used from any thread."""

    def __init__(self, life_s: float, clock: Callable[[], float]) -> None:
        """Start closed; a link takes newcomers for `life_s` seconds of the clock."""
        self._life_s, self._clock = life_s, clock
        self._code, self._opened_s = "", 0.0
        self._lock = threading.Lock()
        self._begun = self._over = False

    def begin(self) -> None:
        """The class has begun: from now on its link lets students in."""
        self._begun = True

    def end(self) -> None:
        """The class is over, and its link dead."""
        self._over = True

    @property
    def code(self) -> str:
        """The code; empty while no link takes newcomers."""
        return self._code if self._lives() else ""

    def open(self) -> str:
        """Open one where none is open; returns its code.

        Raises:
            JoinError: the class has ended.
        """
        with self._lock:
            return self.code or self._renew()

    def renew(self) -> str:
        """Open another one: the old code leads nowhere any more, and who is in stays in.

        Raises:
            JoinError: the class has ended.
        """
        with self._lock:
            return self._renew()

    def _renew(self) -> str:
        if self._over:
            raise JoinError(ENDED, "over")
        self._code, self._opened_s = new_code(), self._clock()
        return self._code

    def close(self) -> None:
        """Let nobody in any more, until it is opened again; who is in stays in."""
        with self._lock:
            self._code = ""

    def require(self, code: str) -> None:
        """Refuse a code that does not let anybody in.

        Raises:
            JoinError: it leads nowhere or has expired, or the class has ended or not begun.
        """
        if not self._code or not secrets.compare_digest(plain_code(code).encode(), self._code.encode()):
            message = phrase("No class is open under this link: check it, or ask the teacher for the one in use.")
            raise JoinError(message, "unknown")
        if self._over:
            raise JoinError(ENDED, "over")
        if not self._lives():
            message = phrase("This link has expired: ask the teacher for a new one.")
            raise JoinError(message, "over")
        if not self._begun:
            message = phrase("The class has not begun yet: try again in a moment.")
            raise JoinError(message, "early")

    def _lives(self) -> bool:
        return bool(self._code) and not self._over and self._clock() - self._opened_s < self._life_s
