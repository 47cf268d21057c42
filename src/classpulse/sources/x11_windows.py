"""Windows of an X11 desktop, by libX11 itself: titles and places, and no picture."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from classpulse.errors import SourceError
from classpulse.sources.window_list import Region, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEWABLE = 2
"""`map_state` of a window that is on the screen."""
LONGEST = 65536
"""Most of a property that is read, in units of 32 bits."""

WAYLAND = (
    "this desktop is a Wayland one, which lets no program look at the screen: log in to an Xorg (X11) session, take "
    "the meeting in as a camera (OBS has a virtual one), or give its recording"
)
NO_DISPLAY = "there is no screen here (DISPLAY is not set): run Classpulse on the desktop where the meeting is"


class _Attributes(ctypes.Structure):
    """`XWindowAttributes`, with what is not used as numbers and pointers of the same size."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", ctypes.c_void_p),
        ("root", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("class_", "bit_gravity", "win_gravity", "backing_store")),
        *((name, ctypes.c_ulong) for name in ("backing_planes", "backing_pixel")),
        ("save_under", ctypes.c_int),
        ("colormap", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("map_installed", "map_state")),
        *((name, ctypes.c_long) for name in ("all_event_masks", "your_event_mask", "do_not_propagate_mask")),
        ("override_redirect", ctypes.c_int),
        ("screen", ctypes.c_void_p),
    )


_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


_IGNORE = _HANDLER(lambda _display, _event: 0)
"""A window that closes while it is asked about is no reason to end the program, as libX11 does by default."""


def trouble() -> str:
    """Why no picture of this desktop can be taken, one sentence; empty where it can."""
    wayland = bool(os.environ.get("WAYLAND_DISPLAY")) or os.environ.get("XDG_SESSION_TYPE") == "wayland"
    if not os.environ.get("DISPLAY"):
        return WAYLAND if wayland else NO_DISPLAY
    try:
        with _connected() as x11:
            # X programs have a server of their own on a Wayland desktop, and see nothing but each other there.
            codes = [ctypes.c_int() for _ in range(3)]
            inside_wayland = x11.library.XQueryExtension(x11.display, b"XWAYLAND", *map(ctypes.byref, codes))
    except SourceError as error:
        return str(error)
    return WAYLAND if inside_wayland else ""


def windows() -> list[Window]:
    """Every window with a title, the topmost first.

    Raises:
        SourceError: the desktop does not answer.
    """
    with _connected() as x11:
        listed = x11.property_of(x11.root, "_NET_CLIENT_LIST_STACKING")
        numbers = listed or x11.children()
        found = [x11.window(number) for number in reversed(numbers)]
        return [window for window in found if window is not None]


@contextmanager
def _connected() -> Iterator[_X11]:
    x11 = _X11()
    try:
        yield x11
    finally:
        x11.library.XCloseDisplay(x11.display)


class _X11:
    """A connection to the display."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("X11")
        if name is None:
            message = "libX11 is not installed, which windows are found with (Debian: libx11-6)"
            raise SourceError(message)
        self.library = ctypes.CDLL(name)
        _declare(self.library)
        self.library.XSetErrorHandler(_IGNORE)
        self.display = self.library.XOpenDisplay(None)
        if not self.display:
            message = f"the screen {os.environ.get('DISPLAY', '')} does not answer: see that DISPLAY is right"
            raise SourceError(message)
        self.root = int(self.library.XDefaultRootWindow(self.display))

    def children(self) -> list[int]:
        """The windows on the root, the topmost last: where no window manager keeps a list."""
        root, parent = ctypes.c_ulong(), ctypes.c_ulong()
        numbers, count = ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
        refs = map(ctypes.byref, (root, parent, numbers, count))
        if not self.library.XQueryTree(self.display, self.root, *refs) or not count.value:
            return []
        found = [int(number) for number in numbers[: count.value]]
        self.library.XFree(numbers)
        return found

    def window(self, number: int) -> Window | None:
        """One window, unless it has no title or has just been closed."""
        attributes = _Attributes()
        if not self.library.XGetWindowAttributes(self.display, number, ctypes.byref(attributes)):
            return None
        title = self._text(number, "_NET_WM_NAME") or self._text(number, "WM_NAME")
        if not title or attributes.width < 1 or attributes.height < 1:
            return None
        x, y, child = ctypes.c_int(), ctypes.c_int(), ctypes.c_ulong()
        refs = map(ctypes.byref, (x, y, child))
        self.library.XTranslateCoordinates(self.display, number, self.root, 0, 0, *refs)
        region = Region(x.value, y.value, int(attributes.width), int(attributes.height))
        return Window(number, title, region, shown=attributes.map_state == VIEWABLE)

    def _text(self, number: int, name: str) -> str:
        found = self._property(number, name)
        return bytes(found[1]).decode("utf-8", "replace").strip() if found is not None and found[0] == 8 else ""

    def property_of(self, number: int, name: str) -> list[int]:
        """A property that is a list of windows."""
        found = self._property(number, name)
        if found is None or found[0] != 32:
            return []
        # Xlib hands out 32 bits in a C long each.
        longs = (ctypes.c_ulong * (len(found[1]) // ctypes.sizeof(ctypes.c_ulong))).from_buffer_copy(found[1])
        return [int(value) & 0xFFFFFFFF for value in longs]

    def _property(self, number: int, name: str) -> tuple[int, bytes] | None:
        """Bits of an item, and the bytes, of a property; None where it is not set."""
        atom = self.library.XInternAtom(self.display, name.encode(), 1)
        kind, bits = ctypes.c_ulong(), ctypes.c_int()
        items, left, data = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_void_p()
        refs = map(ctypes.byref, (kind, bits, items, left, data))
        if not atom or self.library.XGetWindowProperty(self.display, number, atom, 0, LONGEST, 0, 0, *refs):
            return None
        if not data.value:
            return None
        try:
            size = {8: 1, 16: ctypes.sizeof(ctypes.c_short), 32: ctypes.sizeof(ctypes.c_long)}.get(bits.value, 0)
            return bits.value, ctypes.string_at(data.value, items.value * size)
        finally:
            self.library.XFree(data)


def _declare(library: Any) -> None:  # noqa: ANN401 - ctypes.CDLL makes up its members
    pointer, number, whole = ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int
    library.XOpenDisplay.restype = pointer
    library.XOpenDisplay.argtypes = [ctypes.c_char_p]
    library.XCloseDisplay.argtypes = [pointer]
    library.XDefaultRootWindow.restype = number
    library.XDefaultRootWindow.argtypes = [pointer]
    library.XSetErrorHandler.restype = pointer
    library.XSetErrorHandler.argtypes = [_HANDLER]
    library.XFree.argtypes = [pointer]
    library.XInternAtom.restype = number
    library.XInternAtom.argtypes = [pointer, ctypes.c_char_p, whole]
    library.XQueryExtension.argtypes = [pointer, ctypes.c_char_p, *[pointer] * 3]
    library.XQueryTree.argtypes = [pointer, number, *[pointer] * 4]
    library.XGetWindowAttributes.argtypes = [pointer, number, pointer]
    library.XTranslateCoordinates.argtypes = [pointer, number, number, whole, whole, *[pointer] * 3]
    library.XGetWindowProperty.argtypes = [
        *(pointer, number, number, ctypes.c_long, ctypes.c_long, whole, number),
        *[pointer] * 5,
    ]
