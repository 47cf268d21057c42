"""The settings of a school's server: how many classes it runs, and where their pictures may come from."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from classpulse.settings.groups import Group
from classpulse.settings.values import http_parts, words
from classpulse.settings.web import Networks  # noqa: TC001 - pydantic reads the annotations

SourceWord = Literal["demo", "join", "webcam", "stream", "screen", "video", "pictures"]


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    parts = http_parts(text)
    if parts is None or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        message = "an address of this process has http or https, a host and perhaps a port: http://10.0.0.5:8700"
        raise ValueError(message)
    return f"{parts.scheme}://{parts.netloc.lower()}"


class ServeSettings(Group):
    """A school's server (`classpulse serve`)."""

    max_classes: int | None = Field(default=None, ge=1, le=500)
    """Most classes at once in this process; twice the processor's cores if not given."""
    sources: Annotated[tuple[SourceWord, ...], BeforeValidator(words)] = ("demo", "join", "webcam", "stream")
    """Kinds of sources that a teacher may give a class on its page; `screen`, `video` and `pictures` show what is on
    this machine. On the command line any may be given."""
    networks: Networks = ()
    """Private networks whose cameras may be given on a page, like 10.20.0.0/16: without it, a stream's address must be
    a public one, so that nobody makes this server ask machines that it alone can reach."""
    address: Annotated[str | None, AfterValidator(_address)] = None
    """Where other processes of the school reach this one, like http://10.0.0.5:8700; found out if not given."""
    go_on_within_min: float = Field(default=10.0, ge=0, le=600)
    """A class whose process was killed, or the whole server with it, goes on by itself if it ran so lately. After
    that no camera starts without somebody who asks for it."""

    @property
    def most_classes(self) -> int:
        """Most classes at once in this process."""
        return self.max_classes or 2 * (os.cpu_count() or 1)
