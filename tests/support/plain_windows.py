"""Windows of one colour on an X screen, moved, covered, hidden and closed by the test itself."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType


class PlainWindow:
    """One window; without a window manager it is where it is put, and on top when it is shown."""

    def __init__(self, display: str, title: str, place: tuple[int, int, int, int], colour: int) -> None:
        """Open it.

        Args:
            display: as in DISPLAY.
            title: of the window.
            place: left, top, width, height.
            colour: 0xRRGGBB.
        """
        pointer, number = ctypes.c_void_p, ctypes.c_ulong
        x11: Any = ctypes.CDLL(ctypes.util.find_library("X11"))
        x11.XOpenDisplay.restype = pointer
        x11.XDefaultRootWindow.restype = x11.XCreateSimpleWindow.restype = number
        self._x11 = x11
        self._display = pointer(x11.XOpenDisplay(display.encode()))
        root = number(x11.XDefaultRootWindow(self._display))
        parts = (*place, 0, number(0), number(colour))
        self._window = number(x11.XCreateSimpleWindow(self._display, root, *parts))
        x11.XStoreName(self._display, self._window, title.encode())
        self.show()

    def show(self) -> None:
        """Put it on the screen, on top of all others."""
        self._ask("XMapRaised")

    def minimise(self) -> None:
        """Take it off the screen."""
        self._ask("XUnmapWindow")

    def move(self, left: int, top: int, width: int, height: int) -> None:
        """Put it elsewhere."""
        self._ask("XMoveResizeWindow", left, top, width, height)

    def close(self) -> None:
        """Close it for good."""
        self._ask("XDestroyWindow")

    def _ask(self, what: str, *arguments: int) -> None:
        getattr(self._x11, what)(self._display, self._window, *arguments)
        self._x11.XSync(self._display, 0)

    def __enter__(self) -> Self:
        """The open window."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the window with all else of the connection."""
        self._x11.XCloseDisplay(self._display)
