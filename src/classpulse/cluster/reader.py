"""A class that is read on another machine: its results as they come, and another machine where one is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ray.exceptions import RayError, RayTaskError

from classpulse.cluster.actors import LostError, ask, drop
from classpulse.errors import ClassPulseError, ClusterError
from classpulse.sources import Health
from classpulse.texts import phrase
from classpulse.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.cluster.connection import Cluster
    from classpulse.cluster.ingest import Batch, Facts, Order
    from classpulse.sources import SourceKind
    from classpulse.types import FrameResult
    from classpulse.vision.gallery import Gallery

logger = logging.getLogger(__name__)

ROOM = 32
"""Results that may wait for whoever follows the class; then no more are fetched."""
WAIT_S = 1.0
"""How long an ingest waits for a result before it says that there is none."""
SILENT_S = 4.0
"""An ingest that has not answered for so long is lost: its machine is off, frozen, or cut off."""
PLACE_S, LONGEST_PLACE_S = 40.0, 160.0
"""How long a machine may take to start a process for a class, and that to open source and models; a second or two
where it is not busy, and half a minute each where four are begun at once on busy ones. Twice as long after each try in
vain, as one that is asked to begin anew each time would never be done."""
BEGIN_S = 60.0
"""The same where a class begins, which is tried once."""
OPEN_S = 30.0
"""How long an embedder may take to open there."""
CLOSE_S = 1.0
"""How long a source is given to let go at the end."""
LONGEST_PAUSE_S = 5.0
NO_PICTURE = np.zeros((1, 1, 3), np.uint8)
"""In place of the picture, which stays where it was read."""


class ClusterReader:
    """Follows a class that an ingest reads; a `Reader`, and what a `Roll` tells whom to recognise."""

    def __init__(self, cluster: Cluster, kind: SourceKind, order: Order) -> None:
        """Have the source opened on some machine.

        Raises:
            ClusterError: no machine has room.
            ClassPulseError: the source, a model or the law does not allow it.
        """
        self._cluster, self._kind, self._order = cluster, kind, order
        self._gallery: Gallery | None = None
        self._memory: bytes | None = None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._queue: deque[tuple[float, FrameResult]] = deque()
        self._over = False
        self._error: Exception | None = None
        self._before, self._health, self._trouble = Health(), Health(), ""
        self._last_track = 0
        self._last = (0.0, -1, time.monotonic())  # time and number of the last result, and when it came
        try:
            self._ingest, self._node, self._facts = self._place(order, None, BEGIN_S)
        except (LostError, RayError) as error:
            message = f"no machine of the cluster has room for {kind.name} or answers in time ({_in_a_word(error)})"
            raise ClusterError(message) from None

    @property
    def name(self) -> str:
        """What to call the source in sentences."""
        return self._facts.name

    @property
    def total_frames(self) -> int | None:
        """How many frames it has, where that is known."""
        return self._facts.total_frames

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that are read, in the order of their columns; none where the law forbids reading."""
        return self._facts.labels

    @property
    def live(self) -> bool:
        """Whether the clock of its results goes on by itself."""
        return self._facts.live

    @property
    def recognizes(self) -> bool:
        """Whether people may be recognised at all, by the law and the settings."""
        return self._facts.recognizes

    @property
    def health(self) -> Health:
        """How the source is doing, over all the machines that it was read on."""
        with self._changed:
            now, before = self._health, self._before
            return Health(
                "ended" if self._closed.is_set() else "waiting" if self._trouble else now.state,
                self._trouble or now.message,
                frames=before.frames + now.frames,
                dropped=before.dropped + now.dropped,
                reopened=before.reopened + now.reopened,
                unread=before.unread + now.unread,
                failures=before.failures + now.failures,
            )

    def replace_gallery(self, gallery: Gallery | None) -> None:
        """Recognise these people from now on, also on a machine that takes over.

        Raises:
            ClassPulseError: the embedder cannot be opened there, or another one made the gallery.
        """
        self._gallery = gallery
        with suppress(LostError):  # whoever takes over is told
            ask(self._ingest.replace_gallery, gallery, patience_s=OPEN_S)

    def begin(self) -> None:
        """Have it read from now on."""
        self._last = (0.0, -1, time.monotonic())
        self._ingest.begin.remote(0.0, 0)
        threading.Thread(target=self._keep, name=f"cluster reader of {self._kind.name}", daemon=True).start()

    def results(self) -> Iterator[tuple[Frame, FrameResult]]:
        """Yield each result, with a frame that has its time and no picture, until the source ends or is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._over or self._closed.is_set())
                if self._closed.is_set():
                    return
                if not self._queue:
                    if self._error is not None:
                        raise self._error
                    return
                captured_at, result = self._queue.popleft()
                self._changed.notify_all()
            yield Frame(NO_PICTURE, result.time_s, result.index, captured_at), result

    def close(self) -> None:
        """Let go of the source, wherever it is; safe to call twice and from any thread."""
        with self._changed:
            first = not self._closed.is_set()
            self._closed.set()
            self._changed.notify_all()
        if first:
            with suppress(LostError, RayError, ClassPulseError):
                ask(self._ingest.close, patience_s=CLOSE_S)
            drop(self._ingest)

    def _keep(self) -> None:
        """Fetch results, and find another machine when one is lost, until the class is over."""
        try:
            while not self._closed.is_set():
                try:
                    batch = ask(self._ingest.take, self._room(), WAIT_S, patience_s=SILENT_S)
                except LostError as error:
                    if not self._closed.is_set():
                        self._move(error)
                    continue
                self._accept(batch)
                if batch.over:
                    break
        except Exception as error:  # noqa: BLE001 - raised to whoever follows the class
            self._error = error
        except SystemExit:  # Ray was shut down under this thread, as it waited for it
            logger.info("%s: the cluster is left", self._kind.name)
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _room(self) -> int:
        """How many results there is room for; waits a moment if there is none."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._queue) < ROOM or self._closed.is_set(), WAIT_S)
            return ROOM - len(self._queue)

    def _accept(self, batch: Batch) -> None:
        now = time.monotonic()
        with self._changed:
            self._queue += [(now - age_s, result) for age_s, result in batch.results]
            self._health = batch.health
            self._memory = batch.memory or self._memory
            if batch.results:
                newest = batch.results[-1][1]
                self._last_track = max(self._last_track, *(_highest(result) for _, result in batch.results))
                self._last = (newest.time_s, newest.index, now)
                self._trouble = ""
            self._changed.notify_all()

    def _move(self, reason: LostError) -> None:
        """Go on with the class on another machine."""
        logger.warning("%s: its machine is lost (%s), another one takes over", self._kind.name, reason)
        drop(self._ingest)
        self._tell(phrase("{name}: its machine does not answer, and another one takes over", name=self._kind.name))
        # Ray takes some seconds to see that a machine is gone, and would place the class there again until then.
        avoid = self._node if not reason.known and self._cluster.nodes() - {self._node} else None
        pause_s, patience_s = 0.0, PLACE_S
        while not self._closed.wait(pause_s):
            order = replace(
                self._order, gallery=self._gallery, memory=self._memory, last_track=self._last_track, begun=True
            )
            if self._last[1] >= 0:
                order = replace(order, after_s=self._last[0])
            try:
                placed = self._place(order, avoid, patience_s)
            except (LostError, RayError) as error:  # whatever it is: what the class needs was there before
                logger.warning("%s: no machine takes over yet (%s)", self._kind.name, _in_a_word(error))
                avoid, patience_s = None, min(LONGEST_PLACE_S, 2 * patience_s)
            except ClassPulseError as error:
                if not self._kind.live:
                    raise
                self._tell(str(error))
            else:
                self._go_on(*placed, order)
                return
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s or 0.5)

    def _place(self, order: Order, avoid: str | None, patience_s: float) -> tuple[Any, str, Facts]:
        actor, node = self._cluster.place(avoid=avoid, patience_s=patience_s)
        try:
            return actor, node, ask(actor.open, order, patience_s=patience_s)
        except BaseException:
            drop(actor)
            raise

    def _go_on(self, ingest: Any, node: str, facts: Facts, order: Order) -> None:  # noqa: ANN401 - Ray's handle
        time_s, index, came = self._last
        with self._changed:
            self._ingest, self._node, self._facts = ingest, node, facts
            left_out = Health() if self._kind.live else Health(frames=self._health.frames)
            self._before = _sum_up(self._before, self._health, left_out)
            self._health = Health()
        if self._closed.is_set():
            drop(ingest)
            return
        if self._gallery is not order.gallery:
            self.replace_gallery(self._gallery)
        with suppress(RayError):  # one that is lost again gives no results, and is found to be
            ingest.begin.remote(time_s + time.monotonic() - came, index + 1)

    def _tell(self, trouble: str) -> None:
        with self._changed:
            self._trouble = trouble


def _in_a_word(error: Exception) -> str:
    cause = error.cause if isinstance(error, RayTaskError) else error
    return str(cause) if isinstance(cause, LostError) else type(cause).__name__


def _highest(result: FrameResult) -> int:
    return int(result.tracks.ids.max(initial=0))


def _sum_up(before: Health, now: Health, twice: Health) -> Health:
    """What all machines so far have counted, without what the next one counts again."""
    return Health(
        frames=before.frames + now.frames - twice.frames,
        dropped=before.dropped + now.dropped,
        reopened=before.reopened + now.reopened + 1,
        unread=before.unread + now.unread,
        failures=before.failures + now.failures,
    )
