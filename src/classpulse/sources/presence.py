"""Whether a live source is there at all, found out and no picture before the law is known."""

from __future__ import annotations

import platform
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from classpulse.errors import SourceError
from classpulse.sources.opening import list_webcams

if TYPE_CHECKING:
    from classpulse.sources.opening import SourceKind

ANSWER_S = 2.0
"""A machine of the same network answers within milliseconds."""

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def require_present(kind: SourceKind) -> None:
    """Refuse a camera that is not plugged in, a stream whose machine does not answer, or a window that is not open.

    A webcam is looked for among the system's devices and not opened; of a stream only a connection is made and
    closed again, and nothing is asked for. Files and the demo are seen to be there when they are described.

    Raises:
        SourceError: it is not there.
    """
    if isinstance(kind.target, int):
        _require_webcam(kind.target)
    elif kind.kind == "stream":
        _require_answer(str(kind.target), kind.name)
    elif kind.kind == "screen":
        from classpulse.sources.screen import require_screen  # noqa: PLC0415
        from classpulse.sources.screen_target import target_of  # noqa: PLC0415

        require_screen(target_of(str(kind.target)))


def _require_webcam(number: int) -> None:
    if platform.system() == "Linux":
        there = Path(f"/dev/video{number}").exists()
    else:  # where none can be counted, only opening one tells
        there = number < (len(list_webcams(number + 1)) or number + 1)
    if not there:
        raise SourceError(no_webcam(number))


def no_webcam(number: int) -> str:
    """What to say where there is no camera of that number."""
    return f"there is no webcam {number}: plug one in, or take the built-in class with `classpulse live demo`"


def _require_answer(url: str, name: str) -> None:
    hint = "see that the address is right and the camera is on"
    try:
        parts = urlsplit(url)
        place = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        socket.create_connection(place, timeout=ANSWER_S).close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it does not answer"
        message = f"{name} cannot be opened ({why.lower()}): {hint}"
        raise SourceError(message) from None
