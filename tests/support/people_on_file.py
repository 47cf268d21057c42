"""Made-up people in a real database: enrolled, seen in a class, with consents that ran out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import insert, update

from classpulse.storage.people_tables import AppearanceRow, ConsentRow

if TYPE_CHECKING:
    from classpulse.storage.people import People
    from classpulse.storage.store import Store
    from classpulse.types import Floats

EMBEDDER = "faces-1 (0123abcd)"
NAME = "Ana Sousão"


def photos(seed: int, count: int = 1, size: int = 64) -> tuple[Floats, Floats]:
    """Embeddings of one made-up face, and their qualities."""
    rng = np.random.default_rng(seed)
    face = rng.normal(size=size)
    rows = face + 0.3 * rng.normal(size=(count, size))
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit, np.full(count, 0.9, np.float32)


def enrolled(people: People, name: str = NAME, seed: int = 1, count: int = 2, size: int = 64) -> str:
    """Somebody who agreed to all, with photos."""
    person_id = ""
    for purpose in ("recognition", "individual"):
        person_id = people.record_consent(name, purpose, given_by="Her mother", guardian=True, note="paper 7")
    people.enrol(person_id, EMBEDDER, *photos(seed, count, size))
    return person_id


def seen(store: Store, person_id: str | None, track: int = 1) -> int:
    """A class in which somebody was there; returns its number."""
    recorder = store.start_session("lesson.mp4", kind="file", jurisdiction="other", demo=False, min_group=5)
    recorder.finish("ended")
    values = {"session_id": recorder.session_id, "person_id": person_id, "track": track, "start_s": 0.0, "end_s": 9.0}
    with store._engine.begin() as connection:
        connection.execute(insert(AppearanceRow), values | {"confidence": 0.8, "how": "recognised"})
    return recorder.session_id


def run_out(store: Store, person_id: str, ago: timedelta = timedelta(seconds=1)) -> None:
    """Let somebody's consents have run out some time ago."""
    with store._engine.begin() as connection:
        ran_out = update(ConsentRow).where(ConsentRow.person_id == person_id)
        connection.execute(ran_out.values(expires_at=datetime.now(UTC) - ago))
