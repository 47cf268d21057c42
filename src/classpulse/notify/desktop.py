"""A notification on the desktop, where there is one."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

SHOW_S = 10.0
"""Longest time for one notification."""
NO_SERVICE = "no service of this machine shows them"

_log = logging.getLogger(__name__)


class Desktop:
    """Shows notifications; a machine without a desktop is told of once and left alone.

    All calls belong on one thread.
    """

    def __init__(self) -> None:
        """Load nothing before the first notification."""
        self._gone = False

    def show(self, title: str, text: str) -> bool:
        """Show one; returns whether the desktop took it."""
        if self._gone:
            return False
        try:
            _require_session()
            asyncio.run(asyncio.wait_for(_show(title, text), SHOW_S))
        except Exception as error:  # noqa: BLE001 - what a desktop's own service may raise is not known
            self._gone = True
            _log.warning("no desktop notifications: %s", str(error) or type(error).__name__)
            return False
        return True


def _require_session() -> None:
    if sys.platform.startswith("linux") and not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        message = "this machine has no desktop session (DBUS_SESSION_BUS_ADDRESS is not set)"
        raise OSError(message)


async def _show(title: str, text: str) -> None:
    from desktop_notifier import DesktopNotifier  # noqa: PLC0415 - slow, and only where it is wanted

    # It logs a traceback of what goes wrong and goes on: what was handed to the system is told by a call, nothing else.
    logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
    shown: list[bool] = []
    notifier = DesktopNotifier(app_name="Classpulse")
    # A Mac shows notifications of app bundles only; for others the library has a stand-in that can do nothing.
    if await notifier.get_capabilities():
        await notifier.send(title, text, on_dispatched=lambda: shown.append(True))
    if not shown:
        raise OSError(NO_SERVICE)
