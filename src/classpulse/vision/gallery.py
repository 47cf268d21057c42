"""The people who may be recognised, and the search for faces among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import PeopleError
from classpulse.types import Identities
from classpulse.vision.assignment import assign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.types import Floats, Mask

MARGIN = 0.05
"""Cosine by which a face must be nearer to its person than to anybody else: who is like two is not named."""
FEW = 3
"""Faces up to which one scalar product after the other is faster: the matrix product copies the gallery first, and
waits for threads that a busy machine does not run."""


class Gallery:
    """Embeddings of the people who enrolled, several of each.

    Attributes:
        embedder: name and version of the network that made the embeddings; another one's cannot be compared.
        people: the P people, by random id, in alphabetical order.

    >>> gallery = Gallery("net 1", ("ana", "ben", "ana"), np.eye(3, dtype=np.float32))
    >>> gallery.people, len(gallery)
    (('ana', 'ben'), 3)
    >>> gallery.match(np.array([[0.0, 0.2, 0.98]], np.float32), min_similarity=0.5).people
    ('ana',)
    """

    def __init__(self, embedder: str, people: Sequence[str], embeddings: Floats) -> None:
        """Take the rows of all people.

        Args:
            embedder: `FaceEmbedder.name` of the network that made them.
            people: (M,) whose each row is.
            embeddings: (M, D) float32, rows of unit length.

        Raises:
            PeopleError: people and rows are not as many, or a row is no finite vector of unit length.
        """
        if embeddings.ndim != 2 or len(people) != len(embeddings):
            message = f"a gallery needs a row for each of its {len(people)} photos, not {embeddings.shape}"
            raise PeopleError(message)
        if len(embeddings) and not np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3):
            message = (
                f"an enrolled face is damaged (its {embeddings.shape[1]} numbers have no unit length): enrol again"
            )
            raise PeopleError(message)
        order = sorted(range(len(people)), key=people.__getitem__)
        owners = [people[i] for i in order]
        self.embedder = embedder
        self.people = tuple(dict.fromkeys(owners))
        self._rows = np.ascontiguousarray(embeddings[order], np.float32)
        self._starts = np.array([i for i, owner in enumerate(owners) if i == 0 or owner != owners[i - 1]], np.int64)

    @classmethod
    def empty(cls) -> Gallery:
        """Nobody."""
        return cls("", (), np.empty((0, 0), np.float32))

    def __len__(self) -> int:
        """Number of embeddings."""
        return len(self._rows)

    def require(self, embedder: str, size: int) -> None:
        """Refuse a gallery that another embedder made.

        Args:
            embedder: name of the embedder that is in use.
            size: of its embeddings.

        Raises:
            PeopleError: this gallery holds another's embeddings.
        """
        if len(self) and (self.embedder != embedder or self._rows.shape[1] != size):
            message = (
                f"these people were enrolled with {self.embedder!r} ({self._rows.shape[1]} numbers a face), and "
                f"{embedder!r} ({size}) is in use, which cannot compare them: "
                "enrol them again with `classpulse people add NAME PHOTO…`"
            )
            raise PeopleError(message)

    def similarities(self, embeddings: Floats) -> Floats:
        """How like each person each face is: the cosine of the nearest of the person's embeddings.

        Args:
            embeddings: (N, D) float32, rows of unit length.

        Returns:
            (N, P) float32, -1 to 1, a column a person.
        """
        if not len(self) or not len(embeddings):
            return np.empty((len(embeddings), len(self.people)), np.float32)
        if len(embeddings) <= FEW:
            cosines = np.stack([np.vecdot(self._rows, row) for row in embeddings])
        else:
            cosines = embeddings @ self._rows.T
        return np.asarray(np.maximum.reduceat(cosines, self._starts, axis=1), np.float32)

    def match(self, embeddings: Floats, min_similarity: float, margin: float = MARGIN) -> Identities:
        """Find the people of one frame: nobody twice, and nobody who is not like enough.

        With s_ip the similarity of face i and person p, faces and people are paired so that the sum of
        `s_ip - min_similarity` over all pairs is the largest, and only where it is positive (Kuhn 1955, the
        assignment problem). So a face that is like two people leaves one to the face that is like that one alone.
        A pair counts only if nobody else is as close to the face, within `margin`, but for those whom another
        face of the frame is closer to and was given.

        Args:
            embeddings: (N, D) float32, rows of unit length, the faces of one frame.
            min_similarity: cosine below which a face stays unknown.
            margin: cosine by which the second-best person must be less like it.

        Returns:
            A person or nobody for each of the N faces.
        """
        scores = self.similarities(embeddings)
        faces, columns = assign(np.float32(min_similarity) - scores, 0.0)
        clear = _clear(scores, faces, columns, margin)
        people: list[str | None] = [None] * len(embeddings)
        found = np.full(len(embeddings), np.nan, np.float32)
        for i, p in zip(faces[clear].tolist(), columns[clear].tolist(), strict=True):
            people[i], found[i] = self.people[p], scores[i, p]
        return Identities(tuple(people), found)


def _clear(scores: Floats, faces: np.ndarray, columns: np.ndarray, margin: float) -> Mask:
    """(K,) bool: which of K pairs have no rival.

    >>> scores = np.array([[0.80, 0.78], [0.10, 0.90]], np.float32)
    >>> _clear(scores, np.array([0, 1]), np.array([0, 1]), 0.05).tolist()
    [True, True]
    >>> _clear(scores[:1], np.array([0]), np.array([0]), 0.05).tolist()
    [False]
    """
    rivals = scores[faces] > scores[faces, columns][:, None] - np.float32(margin)
    rivals[np.arange(len(faces)), columns] = False
    closer = scores[faces, columns][None, :] > scores[faces][:, columns]  # pair k's person is closer to k's own face
    rivals[:, columns] &= ~closer
    return np.asarray(~rivals.any(axis=1), np.bool_)
