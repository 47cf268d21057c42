"""The screens and windows of this desktop: where they are, and what lies over what; no picture is taken."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from classpulse.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the desktop, px; on a Mac, points.

    Attributes:
        left, top: of its corner, from that of the first screen; may be negative.
        width, height: at least 1.
    """

    left: int
    top: int
    width: int
    height: int

    def __str__(self) -> str:
        """As it is written in `screen:LEFT,TOP,WIDTHxHEIGHT`."""
        return f"{self.left},{self.top},{self.width}x{self.height}"

    def within(self, other: Region) -> Region | None:
        """What of this region lies in another; None for nothing.

        >>> str(Region(0, 0, 10, 10).within(Region(4, -2, 100, 6)))
        '4,0,6x4'
        """
        left, top = max(self.left, other.left), max(self.top, other.top)
        width = min(self.left + self.width, other.left + other.width) - left
        height = min(self.top + self.height, other.top + other.height) - top
        return Region(left, top, width, height) if width > 0 and height > 0 else None


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the desktop.

    Attributes:
        number: the system's own, which is its for as long as it is open.
        title: as its frame shows it.
        region: where it is; what it was when it was minimised.
        shown: whether it is on the screen, and not minimised.
    """

    number: int
    title: str
    region: Region
    shown: bool = True


class Desktop(Protocol):
    """What each system's module gives."""

    def trouble(self) -> str:
        """Why no picture of this desktop can be taken, one sentence; empty where it can."""
        ...

    def windows(self) -> list[Window]:
        """Every window with a title, the topmost first.

        Raises:
            SourceError: the desktop does not answer.
        """
        ...


def this_desktop() -> Desktop:
    """The windows of this system.

    Raises:
        SourceError: it has none that are known here.
    """
    # Each can be imported on its own system only.
    if sys.platform == "win32":
        from classpulse.sources import win32_windows  # noqa: PLC0415

        return cast("Desktop", win32_windows)
    if sys.platform == "darwin":
        from classpulse.sources import quartz_windows  # noqa: PLC0415

        return cast("Desktop", quartz_windows)
    if sys.platform.startswith(("linux", "freebsd")):
        from classpulse.sources import x11_windows  # noqa: PLC0415

        return cast("Desktop", x11_windows)
    message = f"the screen cannot be watched on {sys.platform}: share the meeting through a virtual camera"
    raise SourceError(message)


def find_window(wanted: str, windows: Sequence[Window]) -> Window:
    """The window with this title, or the topmost that has it in its title; capitals do not matter.

    >>> find_window(
    ...     "zoom", [Window(1, "Notes", Region(0, 0, 9, 9)), Window(2, "Zoom Meeting", Region(0, 0, 9, 9))]
    ... ).number
    2

    Raises:
        SourceError: there is none; the text names those that there are.
    """
    low = wanted.casefold()
    same = [window for window in windows if window.title.casefold() == low]
    part = [window for window in windows if low in window.title.casefold()]
    # One that is minimised counts only where no other fits: programs keep helpers of the same name.
    for window in [*same, *part]:
        if window.shown:
            return window
    if same or part:
        return (same or part)[0]
    names = {word: window.title for window in windows for word in window.title.casefold().split()}
    names |= {window.title.casefold(): window.title for window in windows}
    near = difflib.get_close_matches(low, names, n=1)
    hint = f"did you mean {names[near[0]]!r}?" if near else "`classpulse screens` lists those that are open"
    message = f"no window has {wanted!r} in its title: {hint}"
    raise SourceError(message)


def covering(window: Window, windows: Sequence[Window]) -> list[Region]:
    """The parts of a window that other windows lie over, in the desktop's coordinates.

    Args:
        window: one of `windows`.
        windows: all, the topmost first.
    """
    parts = []
    for other in windows:
        if other.number == window.number:
            break
        part = other.region.within(window.region) if other.shown else None
        if part is not None:
            parts.append(part)
    return parts
