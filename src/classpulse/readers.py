"""What the runner follows: the frames of a camera or recording through the pipeline, or a room of students' devices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from classpulse.joining.reader import RoomReader
from classpulse.pipeline import Pipeline
from classpulse.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.joining.room import Room
    from classpulse.policy import Policy
    from classpulse.roll import Roll
    from classpulse.settings import Settings
    from classpulse.sources import Health, Source, SourceKind
    from classpulse.types import Frame, FrameResult
    from classpulse.vision.meeting import MeetingView


class Reader(Protocol):
    """Results of one class, one after the other."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that are read, in the order of their columns; none where the law forbids reading."""
        ...

    @property
    def health(self) -> Health:
        """How it is doing now; safe to ask from any thread."""
        ...

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield each frame with its result, until the class ends or `close` is called."""
        ...

    def close(self) -> None:
        """Let go of cameras, files and workers; safe to call twice and from any thread."""
        ...


class CameraReader:
    """A camera, stream or recording, read by a pipeline."""

    def __init__(self, pipeline: Pipeline, source: Source) -> None:
        """Take both, open."""
        self._pipeline, self._source = pipeline, source

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that are read, in the order of their columns; none where the law forbids reading."""
        return self._pipeline.labels

    @property
    def health(self) -> Health:
        """How the source is doing now."""
        return self._source.health

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield each frame with its result, until the source ends or is closed."""
        return self._pipeline.follow(self._source.frames())

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()


def open_reader(
    kind: SourceKind,
    settings: Settings,
    policy: Policy,
    *,
    roll: Roll,
    room: Room,
    meeting: MeetingView | None = None,
    fast: bool = False,
    on_open: Callable[[Source], None] | None = None,
) -> Reader:
    """Open what a class is read from.

    Args:
        kind: the source.
        settings: all settings.
        policy: the law in force.
        roll: keeps up whom a camera may recognise.
        room: the students who take part by link.
        meeting: knows the tiles, where the source is a meeting's window.
        fast: whether a file is processed flat out.
        on_open: called with a camera, stream or recording once it is open.

    Raises:
        ClassPulseError: the source, a model or the law does not allow it.
    """
    if kind.kind == "join":
        return RoomReader(room, settings, policy)
    # Both take a second or two, and a teacher waits for them.
    with ThreadPoolExecutor(1) as beside:
        opening = beside.submit(open_source, kind.target, settings.stream, fast=fast, screen=settings.screen)
        try:
            pipeline = Pipeline(settings, policy=policy, meeting=meeting)
            roll.attach(pipeline)
        except BaseException:
            if opening.exception() is None:
                opening.result().close()
            raise
        source = opening.result()
    try:
        if on_open is not None:
            on_open(source)
    except BaseException:
        source.close()
        raise
    return CameraReader(pipeline, source)
