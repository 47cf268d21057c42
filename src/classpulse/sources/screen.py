"""A screen, a part of it or one window as a camera: a meeting is watched as the teacher sees it."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from mss import MSS, ScreenShotError

from classpulse.errors import SourceError
from classpulse.sources.latest import LiveSource
from classpulse.sources.screen_target import SMALLEST_PX, ScreenTarget
from classpulse.sources.window_list import Region, Window, covering, find_window, this_desktop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from classpulse.settings import StreamSettings
    from classpulse.types import Image

HIDDEN_SHARE = 0.95
"""Share of a window under other windows from which it counts as hidden."""
REOPEN_MAX_S = 2.0
"""Longest pause between two looks for a window that is minimised or closed: a look costs nothing."""
BLACK_S = 3.0
"""A picture that is one colour all over for so long is none; a program that just starts may show one for a moment."""


def require_screen(target: ScreenTarget) -> None:
    """Refuse what cannot be watched, before any picture is taken.

    Raises:
        SourceError: there is no screen, window or permission; the text says what to do.
    """
    _place_now(target, list_screens())


def _require_desktop() -> None:
    trouble = this_desktop().trouble()
    if trouble:
        raise SourceError(trouble)


def list_screens() -> list[Region]:
    """Where the screens are, the first one first.

    Raises:
        SourceError: there is none, or none may be looked at.
    """
    _require_desktop()
    with _told(), MSS() as screens:
        return _regions(screens)


class ScreenCapture:
    """Takes pictures of the screen, at a given pace."""

    def __init__(self, target: ScreenTarget, rate_hz: float) -> None:
        """Find what is to be watched.

        Args:
            target: what that is.
            rate_hz: most pictures a second.

        Raises:
            SourceError: it is not there, or may not be looked at.
        """
        _require_desktop()
        self._target = target
        self._interval_s = 1 / rate_hz
        self._due_s = time.monotonic()
        self._black_since_s: float | None = None
        with _told():
            self._screens = MSS()

    def read(self) -> Image:
        """Wait until the next picture is due and take it: (height, width, 3) uint8, BGR.

        What other windows cover of a window is black.

        Raises:
            SourceError: the window is closed, minimised or hidden, or the screen is locked.
        """
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._due_s = max(self._due_s + self._interval_s, time.monotonic())
        with _told():
            region, covered = _place_now(self._target, _regions(self._screens))
            place = {"left": region.left, "top": region.top, "width": region.width, "height": region.height}
            shot = self._screens.grab(place)
        picture = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        image = np.ascontiguousarray(picture[:, :, :3])
        self._refuse_blank(image)
        scale = shot.width / region.width  # a Mac's picture has more pixels than points
        for part in covered:
            left, top = round((part.left - region.left) * scale), round((part.top - region.top) * scale)
            image[top : top + round(part.height * scale), left : left + round(part.width * scale)] = 0
        return image

    def close(self) -> None:
        """Let go of the screen."""
        with suppress(ScreenShotError):
            self._screens.close()

    def _refuse_blank(self, image: Image) -> None:
        some = image[::16, ::16]
        if (some != some[0, 0]).any():
            self._black_since_s = None
            return
        self._black_since_s = self._black_since_s or time.monotonic()
        if time.monotonic() - self._black_since_s > BLACK_S:
            message = (
                f"{self._target.name} shows one colour and nothing else: the screen is locked, or the meeting's "
                "program does not let itself be looked at"
            )
            raise SourceError(message)


def open_screen(target: ScreenTarget, settings: StreamSettings, rate_hz: float) -> LiveSource:
    """Watch a part of the desktop.

    Raises:
        SourceError: it is not there, or may not be looked at.
    """
    patient = settings.model_copy(update={"reopen_max_s": min(settings.reopen_max_s, REOPEN_MAX_S)})
    return LiveSource(target.name, ScreenCapture(target, rate_hz), lambda: ScreenCapture(target, rate_hz), patient)


def _place_now(target: ScreenTarget, screens: Sequence[Region]) -> tuple[Region, list[Region]]:
    """Where it is at this moment, and what of it is covered; a window is looked for anew each time, for it may move.

    Raises:
        SourceError: it is not there.
    """
    if target.window is not None:
        windows = this_desktop().windows()
        return _seen(find_window(target.window, windows), windows, screens)
    if target.region is not None:
        region = _on_screen(target.region, screens)
        if region is None:
            message = f"{target.region} is on no screen: `classpulse screens` says where they are"
            raise SourceError(message)
        return region, []
    number = target.screen or 1
    if number > len(screens):
        there = "there is one screen" if len(screens) == 1 else f"there are {len(screens)} screens"
        message = f"there is no screen {number}: {there} (`classpulse screens` lists them)"
        raise SourceError(message)
    return screens[number - 1], []


def _seen(window: Window, windows: Sequence[Window], screens: Sequence[Region]) -> tuple[Region, list[Region]]:
    """What is seen of a window, and which parts of that other windows cover.

    Raises:
        SourceError: nothing, or hardly anything.
    """
    region = _on_screen(window.region, screens) if window.shown else None
    if region is None:
        where = "lies beyond the edge of the screen" if window.shown else "is minimised"
        message = f"the window {window.title!r} {where}: nobody is seen in it until it is back"
        raise SourceError(message)
    if min(region.width, region.height) < SMALLEST_PX:
        message = f"the window {window.title!r} is too small for a face ({region.width} x {region.height} px)"
        raise SourceError(message)
    parts = covering(replace(window, region=region), windows)
    hidden = np.zeros((region.height, region.width), np.bool_)
    for part in parts:
        left, top = part.left - region.left, part.top - region.top
        hidden[top : top + part.height, left : left + part.width] = True
    if hidden.mean() >= HIDDEN_SHARE:
        message = f"the window {window.title!r} is behind others: nobody is seen in it until it is in front"
        raise SourceError(message)
    return region, parts


def _on_screen(region: Region, screens: Sequence[Region]) -> Region | None:
    """The part of a region that is on some screen, or in a gap between them."""
    left, top = min(screen.left for screen in screens), min(screen.top for screen in screens)
    right = max(screen.left + screen.width for screen in screens)
    bottom = max(screen.top + screen.height for screen in screens)
    return region.within(Region(left, top, right - left, bottom - top))


def _regions(screens: MSS) -> list[Region]:
    found = [Region(m["left"], m["top"], m["width"], m["height"]) for m in screens.monitors[1:]]
    if not found:
        message = "this desktop has no screen"
        raise SourceError(message)
    return found


@contextmanager
def _told() -> Iterator[None]:
    """Say in a sentence why no picture can be taken."""
    try:
        yield
    except ScreenShotError as error:
        message = f"no picture of the screen can be taken ({error}): see that it is not locked and that it is yours"
        raise SourceError(message) from None
