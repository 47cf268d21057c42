"""What a teacher may give a class as its source on a page: nothing that only the server can reach, unless it may be.

A page's visitor is not the one who runs the server. A file, the server's screen, or the address of a machine that only
the server reaches (server-side request forgery) is none of their business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.errors import SourceError
from classpulse.sources import SourceKind, describe
from classpulse.sources.addresses import destination_of
from classpulse.texts import phrase

if TYPE_CHECKING:
    from classpulse.settings import ServeSettings

BOUND = frozenset({"webcam", "screen", "video", "pictures"})
"""Sources that are a part of one machine."""


def allowed_source(text: str, serve: ServeSettings) -> SourceKind:
    """What a source means that was given on a page.

    A name may lead elsewhere tomorrow, so this is asked again whenever a class begins or its stream is opened.

    Args:
        text: as it was given.
        serve: which kinds and networks are allowed.

    Raises:
        SourceError: it means nothing, or is not allowed; the text says why, and nothing of what is on the server.
    """
    kind = kind_of(text)
    if kind not in serve.sources:
        if kind == "video" and "stream" in serve.sources and _may_be_meant_as_an_address(text):
            message = phrase(
                "This is no address of a stream: one looks like rtsp://camera.school.example/stream. "
                "A class may have one of these sources here: {kinds}.",
                kinds=", ".join(serve.sources),
            )
            raise SourceError(message)
        message = phrase(
            "This school lets a class have one of these sources: {kinds}. Whoever runs the server may allow others.",
            kinds=", ".join(serve.sources),
        )
        raise SourceError(message)
    found = describe(text)
    if found.kind == "stream":
        destination_of(str(found.target), serve.networks)
    return found


def _may_be_meant_as_an_address(text: str) -> bool:
    """Whether what would be a file's name is written as none."""
    return "://" not in text and not text.strip().startswith(("/", "\\", "~", "."))


def kind_of(text: str) -> str:
    """The kind of a source, without a look at any file: whoever asks is not to hear which files there are."""
    plain = text.strip()
    if plain in {"demo", "join"}:
        return plain
    # However it is written. A path that only begins like a screen is one: `screens/../../etc/passwd`.
    if plain == "screen" or plain.startswith("screen:"):
        return "screen"
    scheme, found, _ = plain.partition("://")
    if found:
        return "video" if scheme.lower() == "file" else "stream"
    plain = plain.removeprefix("/dev/video")
    return "webcam" if plain.isascii() and plain.isdigit() and len(plain) <= 3 else "video"
