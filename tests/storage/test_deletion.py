"""A stored class that somebody deletes: all of it goes, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from people_on_file import enrolled, seen
from sqlalchemy import func, insert, select, update

from classpulse.errors import StorageError
from classpulse.insight.moments import Alert, Answer, Mark
from classpulse.storage import retention
from classpulse.storage.metadata import METADATA
from classpulse.storage.people_tables import PersonRow
from classpulse.storage.tables import ObservationRow, SessionRow, WindowRow

if TYPE_CHECKING:
    from classpulse.storage.people import People
    from classpulse.storage.store import Store


def full_class(store: Store, person_id: str | None = None) -> int:
    """A class that is over, with something in each table."""
    number = seen(store, person_id)
    where = {"x0": 0.0, "y0": 0.0, "x1": 9.0, "y1": 9.0, "confidence": 1.0}
    window = {"start_s": 0.0, "end_s": 5.0, "results": 1, "faces": 1.0, "people": 1, "read": 0}
    with store._engine.begin() as connection:
        faces = [{"session_id": number, "time_s": float(i), "track": 1, **where} for i in range(5)]
        connection.execute(insert(ObservationRow), faces)
        connection.execute(insert(WindowRow), {"session_id": number, **window})
    store.moments.add_mark(number, Mark(0.0, "question"))
    store.moments.add_answer(number, Answer(0.0, "a", "lost"))
    store.moments.add_alert(number, Alert(0.0, "lost", "one is"))
    return number


def rows_of(store: Store, number: int) -> dict[str, int]:
    """How many rows each table that knows classes has of one."""
    tables = [
        table for table in METADATA.tables.values() if "session_id" in table.c and table.c.session_id.foreign_keys
    ]
    with store._engine.connect() as connection:
        counted = {
            table.name: connection.scalar(select(func.count()).select_from(table).where(table.c.session_id == number))
            for table in tables
        }
    return {name: count or 0 for name, count in counted.items()}


@pytest.mark.parametrize("batch", [2, 1000])
def test_everything_of_a_class_goes_and_nothing_else(
    store: Store, people: People, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", batch)
    person_id = enrolled(people)
    kept, gone = full_class(store, person_id), full_class(store, person_id)
    before = rows_of(store, kept)
    assert all(rows_of(store, gone).values()), "a table of classes is not filled here"
    store.delete_session(gone, "Ms Smith")
    assert not any(rows_of(store, gone).values())
    assert store.session(gone) is None
    assert rows_of(store, kept) == before
    with store._engine.connect() as connection:
        assert connection.scalars(select(PersonRow.id)).all() == [person_id]
    told = next(entry for entry in people.audit.entries(9, {}) if entry.action == "class.delete")
    assert told.actor == "Ms Smith"
    assert told.detail.startswith(f"class {gone} of 20")
    assert people.audit.verify().fault == ""


def test_it_takes_no_key_where_there_are_no_people(store: Store) -> None:
    number = full_class(store)
    store.delete_session(number, "Ms Smith")
    assert store.sessions() == []
    with pytest.raises(StorageError, match=f"no class {number}"):
        store.delete_session(number, "Ms Smith")


def test_a_class_that_runs_stays(store: Store) -> None:
    recorder = store.start_session("webcam 0", kind="webcam", jurisdiction="other", demo=False, min_group=5)
    with pytest.raises(StorageError, match="is running: end it first"):
        store.delete_session(recorder.session_id, "Ms Smith")
    assert store.session(recorder.session_id) is not None
    recorder.finish("ended")
    store.delete_session(recorder.session_id, "Ms Smith")
    assert store.sessions() == []


def test_a_class_that_begins_anew_meanwhile_keeps_its_row(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    number = full_class(store)
    drop = store.house.spool.drop

    def goes_on(stored: object) -> None:
        with store._engine.begin() as connection:
            connection.execute(update(SessionRow).where(SessionRow.id == number).values(ended_at=None))
        drop(stored)  # type: ignore[arg-type]

    monkeypatch.setattr(store.house.spool, "drop", goes_on)
    with pytest.raises(StorageError, match="is running"):
        store.delete_session(number, "Ms Smith")
    assert store.session(number) is not None
