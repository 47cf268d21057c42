"""Windows of a Mac's desktop, by Quartz: titles and places, and no picture."""

from __future__ import annotations

from typing import Any

from classpulse.sources.window_list import Region, Window

NOT_ALLOWED = (
    "this terminal may not look at the screen: allow it in System Settings, Privacy & Security, Screen & System Audio "
    "Recording, and start it anew"
)


def _quartz() -> Any:  # noqa: ANN401 - a module of the system, which other systems lack
    import Quartz  # type: ignore[import-not-found]  # noqa: PLC0415

    return Quartz


def trouble() -> str:
    """Why no picture of this desktop can be taken, one sentence; empty where it can."""
    quartz = _quartz()
    # Without the permission a Mac shows the wallpaper and no window, and says nothing.
    return "" if quartz.CGPreflightScreenCaptureAccess() else NOT_ALLOWED


def windows() -> list[Window]:
    """Every window with a title, the topmost first."""
    quartz = _quartz()
    every = quartz.kCGWindowListOptionAll | quartz.kCGWindowListExcludeDesktopElements
    found = []
    for info in quartz.CGWindowListCopyWindowInfo(every, quartz.kCGNullWindowID) or ():
        owner, name = str(info.get("kCGWindowOwnerName") or ""), str(info.get("kCGWindowName") or "")
        # The layer of ordinary windows; menus, the Dock and overlays have others.
        if info.get("kCGWindowLayer") or not name or not info.get("kCGWindowAlpha", 1):
            continue
        place = info["kCGWindowBounds"]
        region = Region(*(int(place[key]) for key in ("X", "Y")), *(max(1, int(place[k])) for k in ("Width", "Height")))
        title = name if owner in name else f"{name} ({owner})"
        shown = bool(info.get("kCGWindowIsOnscreen"))
        found.append(Window(int(info["kCGWindowNumber"]), title, region, shown=shown))
    return found
