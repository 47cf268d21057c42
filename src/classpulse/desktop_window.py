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

    from classpulse.drawing import Size
    from classpulse.hub import Controls, Hub
    from classpulse.types import Frame, FrameResult

POLL_MS = 15
BACKGROUND = "#12161c"


class DesktopWindow:
    """Shows the newest frame until it is closed or the class ends.

    `put` may be called from any thread; `show` must run on the main one. Keys: `q` or Escape ends the class, the
    space bar pauses it, `f` fills the screen.
    """

    def __init__(
        self, draw: Callable[[Frame, FrameResult, Size], Picture], hub: Hub, controls: Controls, title: str
    ) -> None:
        """Open the window.

        Args:
            draw: makes the picture of a frame, of a given size in px.
            hub: tells how the class is doing, and when it ends.
            controls: what the keys call.
            title: of the window.

        Raises:
            ClassPulseError: there is no screen, or this Python has no Tk.
        """
        self._draw, self._hub, self._controls = draw, hub, controls
        self._newest: tuple[Frame, FrameResult] | None = None
        self._lock = threading.Lock()
        self._shown: tuple[object, ...] = ()
        self._error: BaseException | None = None
        self._root = _open_root()
        self._root.title(title)
        self._root.geometry("1120x674")
        self._root.minsize(480, 320)
        import tkinter as tk  # noqa: PLC0415 - `_open_root` says clearly when it is missing

        self._label = tk.Label(self._root, background=BACKGROUND, borderwidth=0)
        self._label.pack(fill="both", expand=True)
        # Tk would print what goes wrong in a callback, Ctrl-C among it, and go on.
        self._root.report_callback_exception = self._fail
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        for keys, action in (
            (("<Escape>", "q", "Q"), self._close),
            (("<space>",), self._toggle),
            (("f", "F"), self._fill),
        ):
            for key in keys:
                self._root.bind(key, lambda _event, action=action: action())  # type: ignore[misc]
        self._open = True
        self._root.after(POLL_MS, self._poll)

    def put(self, frame: Frame, result: FrameResult) -> None:
        """Take a frame to show; one that was not shown yet is replaced."""
        with self._lock:
            self._newest = (frame, result)

    def pump(self) -> None:
        """Draw and answer once, while the class is still starting."""
        if self._open:
            self._root.update()
        self._raise()

    def show(self) -> None:
        """Show frames until the window is closed or the class ends; Ctrl-C ends it as well."""
        if self._open:
            self._root.mainloop()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _fail(self, _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
        self._error = error
        self._destroy()

    def _destroy(self) -> None:
        self._open = False
        self._root.destroy()

    def _poll(self) -> None:
        with self._lock:
            newest = self._newest
        phase = self._hub.state.phase
        if phase == "ended":
            self._destroy()
            return
        size = (max(1, self._label.winfo_width()), max(1, self._label.winfo_height()))
        status = self._status(newest)
        # Also when nothing new came: the window may have another size, or the class another state.
        wanted = (newest, size, status, phase)
        if wanted != self._shown:
            self._shown = wanted
            self._show_picture(newest, size, status)
        self._root.after(POLL_MS, self._poll)

    def _status(self, newest: tuple[Frame, FrameResult] | None) -> str:
        state = self._hub.state
        trouble = state.health.message or state.trouble
        if trouble or newest is None:
            return trouble
        count = len(newest[1])
        return f"{state.source}: {count} {'face' if count == 1 else 'faces'}"

    def _show_picture(self, newest: tuple[Frame, FrameResult] | None, size: Size, status: str) -> None:
        from PIL import Image, ImageTk  # noqa: PLC0415 - Tk may be missing

        from classpulse.drawing import dim, draw_footer  # noqa: PLC0415

        footer = draw_footer(size[0], status)
        room = (size[0], max(1, size[1] - footer.height))
        phase = self._hub.state.phase
        if newest is None:
            view = dim(Image.new("RGB", room, BACKGROUND), "One question first" if phase == "asking" else "Starting")
        else:
            view = self._draw(*newest, room)
            view = dim(view, "Paused") if phase == "paused" else view
        picture = Image.new("RGB", size, BACKGROUND)
        picture.paste(view, (0, 0))
        picture.paste(footer, (0, room[1]))
        shown = ImageTk.PhotoImage(picture)
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
        self._destroy()


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
