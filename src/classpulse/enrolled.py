"""The people on file, as a running class recognises them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.law import law_in_force
from classpulse.roll import GalleryFeed
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.gallery import Gallery

if TYPE_CHECKING:
    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.store import Store

ACTOR = "Classpulse"
"""Who looks people up while a class runs; it changes nothing, and tells the log nothing."""


class Enrolled:
    """Whoever has a valid consent to recognition, read from the store anew at every question."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Open nothing yet: where nobody is on file no key is needed, and no network."""
        self._store = store
        self._settings = settings
        self._embedder = ""

    def feed(self) -> GalleryFeed:
        """What a `Runner` asks."""
        return GalleryFeed(self.stamp, self.gallery)

    def stamp(self) -> str:
        """Changes whenever the gallery may have.

        Raises:
            KeyMissingError: people are on file, and the key is missing or another one.
            StorageError: the database cannot be read.
        """
        people = self._people()
        return "" if people is None else people.stamp()

    def gallery(self) -> Gallery:
        """Everybody who may be recognised now.

        Raises:
            KeyMissingError, StorageError: as for `stamp`.
            PeopleError: all were enrolled with another embedder.
            ModelError: the embedder's file is missing or wrong.
            PolicyError: nobody may be recognised here.
        """
        people = self._people()
        found = [] if people is None else people.embeddings(self._name())
        if not found:
            return Gallery.empty()
        owners = [person_id for person_id, rows in found for _ in rows]
        return Gallery(self._name(), owners, np.concatenate([rows for _, rows in found]))

    def _people(self) -> People | None:
        if not self._store.holds_people():
            return None
        return self._store.people(self._store.vault(self._settings.key_file), ACTOR)

    def _name(self) -> str:
        """What the embedder of the settings is called; it is opened once for that."""
        if not self._embedder:
            policy = law_in_force(self._store, self._settings)
            self._embedder = FaceEmbedder.open(self._settings, policy).name
        return self._embedder
