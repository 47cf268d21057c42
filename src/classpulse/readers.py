"""What the runner follows: the frames of a camera or recording through the pipeline, or a room of students' devices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from classpulse.joining.reader import RoomReader
from classpulse.pipeline import Pipeline
from classpulse.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.cluster.connection import Cluster
    from classpulse.cluster.remote import RemoteModel
    from classpulse.joining.room import Room
    from classpulse.pipeline import OnStage
    from classpulse.policy import Policy
    from classpulse.roll import Roll
    from classpulse.settings import Settings
    from classpulse.sources import Health, Source, SourceKind
    from classpulse.types import Frame, FrameResult
    from classpulse.vision.meeting import MeetingView


class Reader(Protocol):
    """Results of one class, one after the other."""

    @property
    def name(self) -> str:
        """What to call the source in sentences."""
        ...

    @property
    def total_frames(self) -> int | None:
        """Number of frames, where it is known."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that are read, in the order of their columns; none where the law forbids reading."""
        ...

    @property
    def live(self) -> bool:
        """Whether the clock of its results goes on by itself, also while nobody takes them."""
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

    def __init__(self, pipeline: Pipeline, source: Source, network: RemoteModel | None = None) -> None:
        """Take both, open, and what reads the faces where that is on other machines."""
        self._pipeline, self._source, self._network = pipeline, source, network

    @property
    def name(self) -> str:
        """What to call the source in sentences."""
        return self._source.name

    @property
    def total_frames(self) -> int | None:
        """Number of frames, where it is known."""
        return self._source.total_frames

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that are read, in the order of their columns; none where the law forbids reading."""
        return self._pipeline.labels

    @property
    def live(self) -> bool:
        """Whether the clock of its results goes on by itself."""
        return self._source.live

    @property
    def health(self) -> Health:
        """How the source is doing now."""
        health = self._source.health
        return health if self._network is None else replace(health, unread=self._network.unread)

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield each frame with its result, until the source ends or is closed."""
        try:
            yield from self._pipeline.follow(self._source.frames())
        finally:
            if self._network is not None:
                self._network.close()

    def watch_stages(self, on_stage: OnStage) -> None:
        """Call this after every stage of the pipeline, see `Pipeline`."""
        self._pipeline.on_stage = on_stage

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
    cluster: Cluster | None = None,
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
        cluster: reads what can be read on other machines: the whole class, or where the source is bound to this one
            (a webcam, a screen) its faces.

    Raises:
        ClassPulseError: the source, a model or the law does not allow it.
    """
    if kind.kind == "join":
        return RoomReader(room, settings, policy)
    if cluster is not None and meeting is None and cluster.reaches(kind):
        return cluster.open_reader(kind, settings, policy, fast=fast, attach=roll.attach)
    # Both take a second or two, and a teacher waits for them.
    with ThreadPoolExecutor(1) as beside:
        opening = beside.submit(open_source, kind.target, settings.stream, fast=fast, screen=settings.screen)
        try:
            classifier, network = (None, None) if cluster is None else cluster.classifier(settings, policy)
            pipeline = Pipeline(settings, policy=policy, meeting=meeting, classifier=classifier)
            roll.attach(pipeline)
        except BaseException:
            if opening.exception() is None:
                opening.result().close()
            raise
        source = opening.result()
    return CameraReader(pipeline, source, network)
