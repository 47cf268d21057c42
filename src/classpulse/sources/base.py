"""What every source is: frames in order, a way to stop, and an honest word on its health."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.types import Frame


@dataclass(frozen=True, slots=True)
class Health:
    """How a source is doing.

    Attributes:
        state: `"ok"`, `"waiting"` (no new frame, or reopening), or `"ended"`.
        message: one sentence for the teacher; empty when all is well.
        frames: frames captured so far, the dropped ones included.
        dropped: frames replaced by a newer one before they could be used.
        reopened: how often a live source was opened again.
        unread: faces that were found and that no other machine read in time, where other machines read them.
        failures: how often it failed or stayed silent, or could not be opened again.
    """

    state: str = "ok"
    message: str = ""
    _: KW_ONLY  # numbers are given by name: one that is new would take another's place
    frames: int = 0
    dropped: int = 0
    reopened: int = 0
    unread: int = 0
    failures: int = 0


class Opened(Protocol):
    """What is known of a source that is open, here or on another machine."""

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        ...

    @property
    def total_frames(self) -> int | None:
        """Number of frames, where it is known."""
        ...


class Source(Protocol):
    """Frames, one after the other.

    Attributes:
        name: what to call it in sentences: `webcam 0`, `lesson.mp4`, `demo`.
        live: whether it goes on by itself (camera, stream, demo); a file does not.
        total_frames: how many frames there are, where that is known beforehand.
    """

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        ...

    @property
    def live(self) -> bool:
        """Whether it goes on by itself."""
        ...

    @property
    def total_frames(self) -> int | None:
        """Number of frames, where it is known."""
        ...

    @property
    def health(self) -> Health:
        """How it is doing now; safe to ask from any thread."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the source ends or `close` is called; a live one yields only the newest."""
        ...

    def close(self) -> None:
        """Let go of the camera, file or connection; safe to call twice and from any thread."""
        ...


MAX_PIXELS = 64_000_000
"""Largest picture that is decoded: twice an 8K video's; a header that claims more is hostile or a mistake."""
