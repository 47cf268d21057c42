"""The people whom a running class may name, kept up with the store: a withdrawal takes effect within a second or so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from classpulse.errors import ClassPulseError
from classpulse.vision.embedder import name_in_use
from classpulse.vision.gallery import Gallery

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.store import Store
    from classpulse.types import FrameResult

ASK_EVERY_S = 1.0
THE_CLASS = "a running class"
"""Who looks at people's embeddings, for the audit log."""


class GalleryFeed:
    """Tells when the gallery has changed, by a stamp that is cheap to ask for."""

    def __init__(self, stamp: Callable[[], str], load: Callable[[], Gallery]) -> None:
        """Ask for nothing yet.

        Args:
            stamp: says something else whenever what `load` gives may have changed.
            load: everybody who may be recognised at that moment.
        """
        self._stamp = stamp
        self._load = load
        self._seen: str | None = None

    def changed(self) -> Gallery | None:
        """The gallery, if it is new since the last call; None if it is the same.

        Raises:
            ClassPulseError: it cannot be had; the next call that can gives it in any case.
        """
        before, self._seen = self._seen, None
        stamp = self._stamp()
        # The stamp is older than what is loaded after it: a change in between is seen the next time.
        gallery = None if stamp == before else self._load()
        self._seen = stamp
        return gallery


def feed_from(store: Store, settings: Settings) -> GalleryFeed:
    """Everybody on file who may be recognised at the moment.

    The key is asked for only where somebody is on file, and anew each time, so that one that goes missing is noticed.
    """

    def people() -> People | None:
        return store.people(store.vault(settings.key_file), THE_CLASS) if store.holds_people() else None

    def stamp() -> str:
        known = people()
        return "" if known is None else known.stamp()

    def load() -> Gallery:
        known = people()
        embedder = name_in_use(settings)
        rows = [] if known is None else known.embeddings(embedder)
        if not rows:
            return Gallery.empty()
        owners = [person_id for person_id, faces in rows for _ in faces]
        return Gallery(embedder, owners, np.concatenate([faces for _, faces in rows]))

    return GalleryFeed(stamp, load)


class Recognizer(Protocol):
    """A pipeline, here or on another machine."""

    @property
    def recognizes(self) -> bool:
        """Whether people may be recognised there at all, by the law and the settings."""
        ...

    def replace_gallery(self, gallery: Gallery | None) -> None:
        """Recognise these people from now on."""
        ...


class Roll:
    """Keeps a pipeline's gallery up with a feed.

    Attributes:
        trouble: one sentence while the feed does not answer, or gave what cannot be used; nobody is recognised then,
            since somebody may have withdrawn. Empty otherwise.
    """

    def __init__(self, feed: GalleryFeed | None) -> None:
        """Without a feed nobody is recognised."""
        self.trouble = ""
        self._feed = feed
        self._people: frozenset[str] = frozenset()
        self._pipeline: Recognizer | None = None
        self._asked_s = 0.0

    def attach(self, pipeline: Recognizer) -> None:
        """Give a pipeline its first gallery; where nobody may be recognised the feed is not even asked.

        A class begins without it too: a key that is not at hand is told, and costs nobody a lesson.
        """
        if pipeline.recognizes:
            self._pipeline = pipeline
            self.refresh()

    def refresh(self) -> None:
        """Ask again if it is time; called a few times a second, also while no frame comes."""
        if self._feed is None or self._pipeline is None or time.monotonic() - self._asked_s < ASK_EVERY_S:
            return
        try:
            self._ask(self._feed, self._pipeline)
        except ClassPulseError as error:
            self._people = frozenset()
            self._pipeline.replace_gallery(None)
            self.trouble = f"{error}; nobody is recognised meanwhile."

    def _ask(self, feed: GalleryFeed, pipeline: Recognizer) -> None:
        self._asked_s = time.monotonic()
        gallery = feed.changed()
        if gallery is not None:
            # First, so that no result that is on its way brings back a name.
            self._people = frozenset(gallery.people)
            pipeline.replace_gallery(gallery)
            self.trouble = ""

    def check(self, result: FrameResult) -> FrameResult:
        """The result with everybody unknown who may not be named any more, though they were when it was made."""
        return result.naming(self._people)
