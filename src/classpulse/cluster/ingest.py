"""One class on any machine: its source and its pipeline, in an actor that hands out results, numbers only."""

from __future__ import annotations

import math
import os
import pickle
import platform
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import ray

from classpulse.cluster.memory_only import require_memory_only
from classpulse.cluster.remote import remote_classifier
from classpulse.errors import ClassPulseError, ModelError, SourceError
from classpulse.pipeline import Memory, Pipeline
from classpulse.sources import Health, open_source
from classpulse.sources.recorded import RecordedSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classpulse.cluster.remote import RemoteModel, Served
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.sources import Source
    from classpulse.types import Frame, FrameResult
    from classpulse.vision.gallery import Gallery

ROOM = 8
"""Results that may wait to be fetched; then no picture is read until one is."""
REMEMBER_S = 1.0
"""How often what is remembered of the faces is handed out with the results."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an ingest is to do.

    Attributes:
        target: the source, as `SourceKind` has it.
        settings: what the source and the pipeline need of them, and nothing else.
        policy: the law in force.
        fast: whether a file is processed flat out.
        threads: for the arithmetic of one picture.
        served: the network that reads emotions; None where the law forbids it.
        gallery: whom to recognise.
        memory: of the ingest before this one, pickled.
        after_s: a recording goes on after this time.
        last_track: the highest number that a face of the class was given so far.
        begun: whether another ingest has read the class before.
    """

    target: str | int | Path
    settings: Settings
    policy: Policy
    fast: bool
    threads: int
    served: Served | None
    gallery: Gallery | None = None
    memory: bytes | None = None
    after_s: float | None = None
    last_track: int = 0
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What an open source and its pipeline are.

    Attributes:
        name: the source's.
        total_frames: how many frames there are, where that is known.
        labels: the emotions that are read.
        recognizes: whether people may be recognised.
        live: whether the source goes on by itself.
    """

    name: str
    total_frames: int | None
    labels: tuple[str, ...]
    recognizes: bool
    live: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What is handed out at once.

    Attributes:
        results: in order, each with its age in seconds.
        health: of the source.
        memory: pickled, where a second has gone by since it was last handed out.
        over: whether the source has ended, and these were the last.
    """

    results: list[tuple[float, FrameResult]]
    health: Health
    memory: bytes | None
    over: bool


class Ingest:
    """Reads one class. Its methods are called by several threads at once; `open` first, then `begin`."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Frame, FrameResult]] = deque()
        self._memory: bytes | None = None
        self._over = False
        self._error: Exception | None = None
        self._model: RemoteModel | None = None

    def node(self) -> str:
        """The node that it is on."""
        return str(ray.get_runtime_context().get_node_id())

    def open(self, order: Order) -> Facts:
        """Open source and pipeline.

        Raises:
            ClusterError: pictures could reach this node's disk.
            ClassPulseError: the source, a model or the law does not allow it; the text says on which machine.
        """
        require_memory_only()
        try:
            self._source, self._pipeline = self._open(order)
        except (SourceError, ModelError) as error:
            message = f"{error} (on {platform.node()})"
            raise type(error)(message) from None
        source, pipeline = self._source, self._pipeline
        return Facts(source.name, source.total_frames, pipeline.labels, pipeline.recognizes, source.live)

    def _open(self, order: Order) -> tuple[Source, Pipeline]:
        # A thread that waits for other machines costs no core, and lets the next picture be looked at meanwhile.
        threads = order.threads + (order.served is not None)
        share = min(1.0, threads / (os.cpu_count() or 1))
        settings = order.settings.model_copy(update={"cpu_share": share})
        cv2.setNumThreads(order.threads)
        source = open_source(order.target, settings.stream, fast=order.fast, screen=settings.screen)
        try:
            memory: Memory | None = None if order.memory is None else pickle.loads(order.memory)  # noqa: S301 - an ingest's own
            if isinstance(source, RecordedSource) and order.after_s is not None:
                source.skip_to(order.after_s)
            elif memory is not None:
                memory.tracker.resume()
            classifier = None
            if order.served is not None:
                classifier, self._model = remote_classifier(
                    order.served, settings.emotion, order.policy, begun=order.begun
                )
            pipeline = Pipeline(
                settings, policy=order.policy, gallery=order.gallery, classifier=classifier, memory=memory
            )
            pipeline.memory.tracker.number_after(order.last_track)
        except BaseException:
            source.close()
            raise
        return source, pipeline

    def begin(self, time_s: float, index: int) -> None:
        """Read from now on; the first picture of a live source is at this time of the class, and has this number."""
        threading.Thread(target=self._read, args=(time_s, index), name="ingest", daemon=True).start()

    def take(self, most: int, wait_s: float) -> Batch:
        """Fetch what has been read, at most so many results; waits if there is none.

        Raises:
            ClassPulseError: reading went wrong, and what was read before has been fetched.
        """
        with self._changed:
            if most:
                self._changed.wait_for(lambda: self._waiting or self._over, wait_s)
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._changed.notify_all()
            over = self._over and not self._waiting
            if over and not taken and self._error is not None:
                raise self._error
            memory, self._memory = self._memory, None
        now = time.monotonic()
        results = [(now - frame.captured_at, result) for frame, result in taken]
        unread = 0 if self._model is None else self._model.unread
        return Batch(results, replace(self._source.health, unread=unread), memory, over and self._error is None)

    def replace_gallery(self, gallery: Gallery | None) -> None:
        """Recognise these people from now on.

        Raises:
            ClassPulseError: the embedder cannot be opened here, or another one made the gallery.
        """
        self._pipeline.replace_gallery(gallery)

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()
        with self._changed:
            self._over = True
            self._waiting.clear()
            self._changed.notify_all()

    def _read(self, time_s: float, index: int) -> None:
        due_s = due_time_s = -math.inf
        try:
            for frame, result in self._pipeline.follow(self._frames(time_s, index)):
                memory = None
                # By both clocks: a recording that is read flat out has its own.
                if time.monotonic() >= due_s or result.time_s >= due_time_s:
                    due_s, due_time_s = time.monotonic() + REMEMBER_S, result.time_s + REMEMBER_S
                    memory = pickle.dumps(self._pipeline.memory)
                with self._changed:
                    self._changed.wait_for(lambda: len(self._waiting) < ROOM or self._over)
                    if self._over:
                        return
                    self._waiting.append((frame, result))
                    self._memory = memory or self._memory
                    self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 - raised to whoever fetches
            self._error = (
                error if isinstance(error, ClassPulseError) else RuntimeError(f"{type(error).__name__}: {error}")
            )
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _frames(self, time_s: float, index: int) -> Iterator[Frame]:
        """The source's frames, those of a live one by the class's clock."""
        frames = self._source.frames()
        if not self._source.live:
            yield from frames
            return
        first: Frame | None = None
        for frame in frames:
            first = first or frame
            yield replace(frame, time_s=time_s + frame.time_s - first.time_s, index=index + frame.index - first.index)
