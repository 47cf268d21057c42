"""A notification on the desktop, where there is one."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_notifier.sync import DesktopNotifierSync

_log = logging.getLogger(__name__)


class Desktop:
    """Shows notifications; a machine without a desktop is told of once and left alone.

    All calls belong on one thread.
    """

    def __init__(self) -> None:
        """Load nothing before the first notification."""
        self._notifier: DesktopNotifierSync | None = None
        self._gone = False

    def show(self, title: str, text: str) -> bool:
        """Show one; returns whether the desktop took it."""
        if self._gone:
            return False
        try:
            if self._notifier is None:
                self._notifier = _open()
            self._notifier.send(title, text)
        except Exception as error:  # noqa: BLE001 - what a desktop's own service may raise is not known
            self._gone = True
            _log.warning("no desktop notifications: %s", error or type(error).__name__)
            return False
        return True


def _open() -> DesktopNotifierSync:
    if sys.platform.startswith("linux") and not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        message = "this machine has no desktop session (DBUS_SESSION_BUS_ADDRESS is not set)"
        raise OSError(message)
    from desktop_notifier.sync import DesktopNotifierSync  # noqa: PLC0415 - slow, and only where it is wanted

    return DesktopNotifierSync(app_name="Classpulse")
