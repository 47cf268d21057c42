"""Who was there, as it was recognised and as somebody set it right; every correction is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from people_on_file import NAME, enrolled, seen
from sqlalchemy import insert

from classpulse.errors import PeopleError
from classpulse.storage.people_tables import AppearanceRow
from classpulse.storage.tables import ObservationRow

if TYPE_CHECKING:
    from classpulse.storage.appearances import Appearances
    from classpulse.storage.people import People
    from classpulse.storage.store import Store
    from classpulse.storage.vault import Vault


@pytest.fixture
def appearances(store: Store, vault: Vault) -> Appearances:
    return store.appearances(vault, "Head of school")


def add(store: Store, session_id: int, person_id: str | None, track: int, start_s: float) -> int:
    values = {"session_id": session_id, "person_id": person_id, "track": track, "start_s": start_s, "end_s": 60.0}
    with store._engine.begin() as connection:
        made = connection.execute(insert(AppearanceRow), values | {"confidence": 0.7, "how": "recognised"})
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])


def whose(appearances: Appearances, session_id: int) -> list[tuple[int, str | None, str]]:
    return [(row.track, row.person_id, row.how) for row in appearances.of_session(session_id)]


def told(people: People) -> tuple[str, str, str]:
    newest = people.audit.entries(1, people.names_in_log())[0]
    return newest.action, newest.subject, newest.detail


def test_this_is_not_ana(appearances: Appearances, people: People, store: Store) -> None:
    ana = enrolled(people)
    session_id = seen(store, ana)
    (row,) = appearances.of_session(session_id)
    appearances.reject(row.id)
    assert whose(appearances, session_id) == [(1, None, "rejected")]
    assert told(people) == ("appearance.reject", NAME, f"class {session_id}, track 1")


def test_this_is_ben(appearances: Appearances, people: People, store: Store) -> None:
    ana, ben = enrolled(people), enrolled(people, "Ben", 2)
    session_id = seen(store, ana)
    add(store, session_id, None, 1, 20.0)
    add(store, session_id, ana, 2, 20.0)
    appearances.assign(session_id, 1, ben)
    assert whose(appearances, session_id) == [(1, ben, "corrected"), (1, ben, "corrected"), (2, ana, "recognised")]
    assert told(people) == ("appearance.assign", "Ben", f"class {session_id}, track 1")


def test_somebody_who_was_seen_and_not_recognised(appearances: Appearances, people: People, store: Store) -> None:
    ana = enrolled(people)
    session_id = seen(store, None)
    box = {"x0": 0.0, "y0": 0.0, "x1": 9.0, "y1": 9.0, "confidence": 1.0}
    with store._engine.begin() as connection:
        rows = [{"session_id": session_id, "time_s": time_s, "track": 5, **box} for time_s in (3.0, 4.0, 8.0)]
        connection.execute(insert(ObservationRow), rows)
    appearances.assign(session_id, 5, ana)
    row = appearances.of_session(session_id)[-1]
    assert (row.track, row.person_id, row.start_s, row.end_s, row.how) == (5, ana, 3.0, 8.0, "corrected")
    with pytest.raises(PeopleError, match="has no track 6 on file"):
        appearances.assign(session_id, 6, ana)


def test_these_two_are_one(appearances: Appearances, people: People, store: Store) -> None:
    ana = enrolled(people)
    session_id = seen(store, ana)
    second = add(store, session_id, None, 2, 20.0)
    first = appearances.of_session(session_id)[0].id
    appearances.merge(second, first)
    assert whose(appearances, session_id) == [(1, ana, "recognised"), (2, ana, "corrected")]
    third, fourth = add(store, session_id, None, 3, 30.0), add(store, session_id, None, 4, 40.0)
    with pytest.raises(PeopleError, match="neither of the two is known by name"):
        appearances.merge(third, fourth)
    elsewhere = appearances.of_session(seen(store, ana))[0].id
    with pytest.raises(PeopleError, match="only within one class"):
        appearances.merge(first, elsewhere)
    with pytest.raises(PeopleError, match="there is no appearance 999"):
        appearances.merge(first, 999)
    with pytest.raises(PeopleError, match="there is no appearance 999"):
        appearances.reject(999)


def test_nobody_is_marked_without_consent(appearances: Appearances, people: People, store: Store) -> None:
    ana = enrolled(people)
    session_id = seen(store, None)
    people.withdraw(ana)
    for person_id in (ana, "0" * 32):
        with pytest.raises(PeopleError, match="only somebody with a valid consent"):
            appearances.assign(session_id, 1, person_id)
    assert whose(appearances, session_id) == [(1, None, "recognised")]
