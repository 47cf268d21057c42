"""What of the desktop is to be watched, as it is written; nothing is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from classpulse.errors import SourceError
from classpulse.sources.window_list import Region
from classpulse.texts import phrase

WINDOW = phrase("window {title}", title="{title}")
"""What a window is called; its title is as the program gave it."""
SMALLEST_PX = 64
"""Shorter side of the smallest region or window that may hold a face."""
HOW = "`screen`, `screen:2`, `screen:LEFT,TOP,WIDTHxHEIGHT` or `screen:window=TITLE`; `classpulse screens` lists them"


@dataclass(frozen=True, slots=True)
class ScreenTarget:
    """What of the desktop is watched: one of three.

    Attributes:
        screen: a screen's number, from 1.
        region: a part of the desktop.
        window: what is in a window's title.
    """

    screen: int | None = None
    region: Region | None = None
    window: str | None = None

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        if self.window is not None:
            return WINDOW.format(title=repr(self.window))
        if self.region is None:
            return phrase("screen {number}", number=self.screen)
        return phrase("part {region} of the screen", region=self.region)


def target_of(spec: str) -> ScreenTarget:
    """What `screen`, `screen:2`, `screen:100,80,1280x720` or `screen:window=Zoom` means.

    Raises:
        SourceError: it means nothing; the text says what would be right.
    """
    _, colon, what = spec.partition(":")
    what = what.strip()
    if not colon:
        return ScreenTarget(screen=1)
    if what.isdecimal() and len(what) < 4 and int(what):
        return ScreenTarget(screen=int(what))
    found = re.fullmatch(r"(-?\d{1,5}),(-?\d{1,5}),(\d{1,5})x(\d{1,5})", what.replace(" ", ""))
    if found:
        region = Region(*(int(number) for number in found.groups()))
        if min(region.width, region.height) < SMALLEST_PX:
            message = f"{region.width} x {region.height} px is too small for a face: {SMALLEST_PX} is the least"
            raise SourceError(message)
        return ScreenTarget(region=region)
    title = what.removeprefix("window=").strip()
    if what.startswith("window=") and title:
        return ScreenTarget(window=title)
    message = f"{spec!r} is no part of the screen: write {HOW}"
    raise SourceError(message)
