"""A window on the desktop, in the toolkit that comes with Python, so that a server without a screen needs nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from classpulse.errors import ClassPulseError

if TYPE_CHECKING:
    import tkinter as tk
    from collections.abc import Callable
    from types import TracebackType

    from PIL.Image import Image as Picture

    from classpulse.hub import Controls, Hub
    from classpulse.types import Frame, FrameResult

POLL_MS = 15


class DesktopWindow:
    """Shows the newest frame until it is closed or the class ends.

    `put` may be called from any thread; `show` must run on the main one. Keys: `q` or Escape ends the class, the
    space bar pauses it, `f` fills the screen.
    """

    def __init__(self, draw: Callable[[Frame, FrameResult], Picture], hub: Hub, controls: Controls, title: str) -> None:
        """Open the window.

        Args:
            draw: makes the picture of a frame.
            hub: tells when the class ends.
            controls: what the keys call.
            title: of the window.

        Raises:
            ClassPulseError: there is no screen, or this Python has no Tk.
        """
        self._draw, self._hub, self._controls = draw, hub, controls
        self._newest: tuple[Frame, FrameResult] | None = None
        self._lock = threading.Lock()
        self._root = _open_root()
        self._root.title(title)
        self._root.configure(background="#12161c")
        self._root.geometry("1120x640")
        self._root.minsize(480, 320)
        import tkinter as tk  # noqa: PLC0415 - `_open_root` says clearly when it is missing

        self._label = tk.Label(self._root, background="#12161c", foreground="#f5f7fa", text="Starting…", borderwidth=0)
        self._label.pack(fill="both", expand=True)
        self._error: BaseException | None = None
        # Tk would print what goes wrong in a callback, Ctrl-C among it, and go on.
        self._root.report_callback_exception = self._fail
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        for key in ("<Escape>", "q"):
            self._root.bind(key, lambda _event: self._close())
        self._root.bind("<space>", lambda _event: self._toggle())
        self._root.bind("f", lambda _event: self._fill())

    def put(self, frame: Frame, result: FrameResult) -> None:
        """Take a frame to show; one that was not shown yet is replaced."""
        with self._lock:
            self._newest = (frame, result)

    def show(self) -> None:
        """Show frames until the window is closed or the class ends; Ctrl-C ends it as well."""
        self._root.after(POLL_MS, self._poll)
        self._root.mainloop()
        if self._error is not None:
            raise self._error

    def _fail(self, _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
        self._error = error
        self._root.destroy()

    def _poll(self) -> None:
        with self._lock:
            newest, self._newest = self._newest, None
        if newest is not None:
            self._show_picture(self._draw(*newest))
        if self._hub.state.phase == "ended":
            self._root.destroy()
            return
        self._root.after(POLL_MS, self._poll)

    def _show_picture(self, picture: Picture) -> None:
        from PIL import ImageOps, ImageTk  # noqa: PLC0415 - Tk may be missing

        size = (max(1, self._label.winfo_width()), max(1, self._label.winfo_height()))
        shown = ImageTk.PhotoImage(ImageOps.contain(picture, size))
        self._label.configure(image=shown)
        self._label.image = shown  # type: ignore[attr-defined] # Tk keeps no reference of its own

    def _toggle(self) -> None:
        if self._hub.state.phase == "paused":
            self._controls.resume()
        else:
            self._controls.pause()

    def _fill(self) -> None:
        self._root.attributes("-fullscreen", not self._root.attributes("-fullscreen"))

    def _close(self) -> None:
        self._controls.stop()
        self._root.destroy()


def _open_root() -> tk.Tk:
    try:
        import tkinter as tk  # noqa: PLC0415 - some Pythons come without
    except ImportError:
        message = (
            "this Python has no Tk, which windows need: install it (Debian, Ubuntu: `apt install python3-tk`; "
            "macOS: `brew install python-tk`), or use the live page"
        )
        raise ClassPulseError(message) from None
    try:
        return tk.Tk(className="Classpulse")
    except tk.TclError as error:
        message = f"no window can be opened ({error}): without a screen, use the live page"
        raise ClassPulseError(message) from None
