"""Embeddings on file: sealed under their person's key, as half-precision numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, func, insert, select, update

from classpulse.errors import PeopleError
from classpulse.storage.consents import standing
from classpulse.storage.people_tables import EmbeddingRow, PersonRow
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from classpulse.storage.vault import Key, Vault
    from classpulse.types import Floats

SAME_PHOTO = 1e-3
"""Cosine distance below which two embeddings come from one photo: half precision costs a hundredth of that."""

MAX_NUMBERS = 1024
"""Numbers of an embedding that fit sealed into a row."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Somebody else who looks like the photos that were given.

    Attributes:
        person_id: who.
        name: their name.
        similarity: cosine of the two most alike photos, -1 to 1.
    """

    person_id: str
    name: str
    similarity: float


def refuse_same_photo(likenesses: Sequence[Likeness]) -> None:
    """Refuse a photo that is on file under another name; the most alike comes first.

    Raises:
        PeopleError: it is.
    """
    if likenesses and likenesses[0].similarity > 1 - SAME_PHOTO:
        message = phrase(
            "one of these photos is already on file as '{name}': take photos of the right person, "
            "or forget the other first with `classpulse people forget`",
            name=likenesses[0].name,
        )
        raise PeopleError(message)


def check_embeddings(embeddings: Floats, qualities: Floats) -> None:
    """Refuse what is not (K, D) rows of unit length with (K,) qualities from 0 to 1.

    Raises:
        ValueError: it is something else; the caller's mistake.
    """
    shape = embeddings.shape
    if len(shape) != 2 or not shape[0] or not 1 <= shape[1] <= MAX_NUMBERS or qualities.shape != shape[:1]:
        message = f"embeddings are (K, D) with D up to {MAX_NUMBERS} and qualities (K,), not {shape}, {qualities.shape}"
        raise ValueError(message)
    if not np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-2):
        message = "embeddings are rows of unit length"
        raise ValueError(message)
    if not ((qualities >= 0) & (qualities <= 1)).all():
        message = "qualities are from 0 to 1"
        raise ValueError(message)


def add(connection: Connection, person_id: str, key: Key, embedder: str, embeddings: Floats, qualities: Floats) -> int:
    """Keep those that are not there yet; those of another embedder go. Returns how many were new."""
    other = delete(EmbeddingRow).where(EmbeddingRow.person_id == person_id, EmbeddingRow.embedder != embedder)
    connection.execute(other)
    known = read(connection, person_id, key, embedder)
    if len(known) and known.shape[1] != embeddings.shape[1]:
        message = f"{embedder} gives {known.shape[1]} numbers and not {embeddings.shape[1]}"
        raise ValueError(message)
    added = 0
    for embedding, quality in zip(embeddings, qualities.tolist(), strict=True):
        if len(known) and float((known @ embedding).max()) > 1 - SAME_PHOTO:
            continue
        known = np.concatenate([known, embedding[None]]) if len(known) else embedding[None]
        _add_one(connection, person_id, key, embedder, embedding, quality)
        added += 1
    return added


def _add_one(
    connection: Connection, person_id: str, key: Key, embedder: str, embedding: Floats, quality: float
) -> None:
    values = {
        "person_id": person_id,
        "embedder": embedder,
        "sealed": "",
        "quality": round(quality, 4),
        "created_at": datetime.now(UTC),
    }
    made = connection.execute(insert(EmbeddingRow), values).inserted_primary_key
    number = None if made is None else made[0]
    sealed = key.seal(embedding.astype("<f2").tobytes(), "embeddings", number, person_id, embedder)
    connection.execute(update(EmbeddingRow).where(EmbeddingRow.id == number).values(sealed=sealed))


def read(connection: Connection, person_id: str, key: Key, embedder: str) -> Floats:
    """Somebody's embeddings of one embedder, (K, D) float32, rows of unit length; (0, 0) where there are none.

    Raises:
        StorageError: a row was damaged.
    """
    query = (
        select(EmbeddingRow.id, EmbeddingRow.sealed)
        .where(EmbeddingRow.person_id == person_id, EmbeddingRow.embedder == embedder)
        .order_by(EmbeddingRow.id)
    )
    rows = connection.execute(query)
    return _stacked([_unsealed(key, row.id, row.sealed, person_id, embedder) for row in rows])


def _unsealed(key: Key, number: int, sealed: str, person_id: str, embedder: str) -> Floats:
    raw = key.unseal(sealed, "embeddings", number, person_id, embedder)
    return np.frombuffer(raw, "<f2").astype(np.float32)


def _stacked(rows: list[Floats]) -> Floats:
    if not rows:
        return np.zeros((0, 0), np.float32)
    numbers = np.stack(rows)
    unit: Floats = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
    return unit


def gallery(connection: Connection, vault: Vault, embedder: str, now: datetime) -> list[tuple[str, Floats]]:
    """Everybody whose consent is valid at a moment, with their embeddings.

    Raises:
        PeopleError: there are people, and all of them were enrolled with other embedders.
        StorageError: a row was damaged.
    """
    row = EmbeddingRow
    valid = select(row.person_id, row.id, row.sealed, PersonRow.wrapped_key).join(PersonRow)
    valid = valid.where(row.person_id.in_(standing("recognition", now))).order_by(row.person_id, row.id)
    found = []
    # One query for all of them: a class that begins waits for it.
    for person_id, rows in groupby(connection.execute(valid.where(row.embedder == embedder)), itemgetter(0)):
        theirs = list(rows)
        key = vault.person_key(person_id, theirs[0].wrapped_key)
        found.append((person_id, _stacked([_unsealed(key, one.id, one.sealed, person_id, embedder) for one in theirs])))
    if not found:
        _refuse_others(connection, embedder, now)
    return found


def _refuse_others(connection: Connection, embedder: str, now: datetime) -> None:
    row = EmbeddingRow
    theirs = select(row.embedder, row.person_id).where(row.person_id.in_(standing("recognition", now))).distinct()
    made = connection.execute(theirs).all()
    if made:
        others, count = ", ".join(sorted({one.embedder for one in made})), len({one.person_id for one in made})
        message = (
            f"all {count} people were enrolled with {others}, which {embedder} cannot compare: enrol them again "
            "with `classpulse people add NAME PHOTO… --more`, or go back to the embedder before"
        )
        raise PeopleError(message)


def nearest(
    people: list[tuple[str, Floats]], embeddings: Floats, *, apart_from: str | None = None
) -> list[tuple[str, float]]:
    """How much everybody else looks like some photos, the most alike first: id and cosine."""
    found = [
        (person_id, float((theirs @ embeddings.T).max()))
        for person_id, theirs in people
        if person_id != apart_from and theirs.shape[1] == embeddings.shape[1]
    ]
    return sorted(found, key=lambda one: -one[1])


def stamp(connection: Connection) -> str:
    """Changes whenever an embedding was added or deleted."""
    row = EmbeddingRow
    query = select(func.count(row.id), func.max(row.id), func.sum(row.id), func.max(row.created_at))
    return ":".join(str(value) for value in connection.execute(query).one())
