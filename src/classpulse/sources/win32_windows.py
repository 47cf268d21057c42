"""Windows of a Windows desktop, by user32: titles and places, and no picture."""

from __future__ import annotations

import ctypes
from ctypes import wintypes
from typing import Any

from classpulse.sources.window_list import Region, Window

FRAME_BOUNDS, CLOAKED = 9, 14
"""Attributes of the window manager: where a window is seen, without its shadow; whether it is hidden all the same."""
EXTENDED_STYLE = -20
CLICKED_THROUGH = 0x20
"""`WS_EX_TRANSPARENT`, as overlays have it: the pointer goes through them, and most often the eye."""


def trouble() -> str:
    """Why no picture of this desktop can be taken; it always can."""
    return ""


def windows() -> list[Window]:
    """Every window with a title, the topmost first."""
    libraries: Any = vars(ctypes)["windll"]  # which ctypes has on Windows alone
    user32, dwm = libraries.user32, libraries.dwmapi
    # Places in real pixels also on a screen that is enlarged, which is how mss takes its pictures.
    libraries.shcore.SetProcessDpiAwareness(2)
    found: list[Window] = []

    def add(number: int, _: int) -> bool:
        handle = wintypes.HWND(number)
        title = ctypes.create_unicode_buffer(user32.GetWindowTextLengthW(handle) + 1)
        user32.GetWindowTextW(handle, title, len(title))
        cloaked, place = wintypes.DWORD(), wintypes.RECT()
        dwm.DwmGetWindowAttribute(handle, CLOAKED, ctypes.byref(cloaked), ctypes.sizeof(cloaked))
        through = user32.GetWindowLongW(handle, EXTENDED_STYLE) & CLICKED_THROUGH
        if not title.value or not user32.IsWindowVisible(handle) or cloaked.value or through:
            return True
        if dwm.DwmGetWindowAttribute(handle, FRAME_BOUNDS, ctypes.byref(place), ctypes.sizeof(place)):
            user32.GetWindowRect(handle, ctypes.byref(place))
        region = Region(place.left, place.top, max(1, place.right - place.left), max(1, place.bottom - place.top))
        found.append(Window(number, title.value, region, shown=not user32.IsIconic(handle)))
        return True

    callback = vars(ctypes)["WINFUNCTYPE"](wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)
    user32.EnumWindows(callback(add), 0)  # goes from the topmost down
    return found
