"""Nothing of whoever was forgotten is left: not in rows, not in the bytes of the files, not after a backup."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from people_on_file import EMBEDDER, NAME, enrolled, photos, run_out, seen
from postgres_server import on_sqlite
from sqlalchemy import select, text

from classpulse.errors import PeopleError
from classpulse.storage.audit import actor_tag
from classpulse.storage.erasure import scrub
from classpulse.storage.people_tables import (
    ActorRow,
    AppearanceRow,
    ConsentRow,
    EmbeddingRow,
    PersonExportRow,
    PersonLinkRow,
    PersonRow,
)
from classpulse.storage.store import Store
from classpulse.storage.tables import PolicyAnswerRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.vault import Vault

pytestmark = [on_sqlite, pytest.mark.usefixtures("engine_name")]

LETTERS = 24
"""A page may cut a value in two: any piece of so many letters is found."""


def files_of(settings: Settings) -> list[Path]:
    return [path for path in settings.data_dir.iterdir() if path.name.startswith("classpulse.db")]


def bytes_of(settings: Settings) -> bytes:
    """Of the database, its log and what they share, with their free pages."""
    return b"".join(path.read_bytes() for path in files_of(settings) if path.suffix != ".erased")


def pieces(value: str) -> list[bytes]:
    raw = value.encode()
    return [raw[i : i + LETTERS] for i in range(0, max(1, len(raw) - LETTERS + 1), LETTERS)]


def traces(store: Store, settings: Settings, person_id: str) -> list[bytes]:
    """All that is stored of somebody, in pieces."""
    found = [person_id, NAME]
    with store._engine.connect() as connection:
        person = connection.execute(select(PersonRow.__table__).where(PersonRow.id == person_id)).one()
        found += [person.wrapped_key, person.sealed_name, person.name_tag]
        for row in (ConsentRow, EmbeddingRow, PersonExportRow):
            found += connection.scalars(select(row.sealed).where(row.person_id == person_id))
        found += connection.scalars(select(PersonLinkRow.token_hash).where(PersonLinkRow.person_id == person_id))
        tag = actor_tag(store.vault(settings.key_file), NAME)
        for actor in connection.execute(select(ActorRow.sealed_name, ActorRow.name_tag)):
            found += actor if actor.name_tag == tag else ()
    return [piece for value in found for piece in pieces(value)]


def left_of(settings: Settings, wanted: list[bytes]) -> list[bytes]:
    raw = bytes_of(settings)
    return [piece for piece in wanted if piece in raw]


def crowd(people: People, numbers: range) -> None:
    """Others around, so that pages are split, filled and freed."""
    for number in numbers:
        enrolled(people, f"Student {number}", 100 + number, size=1024)


@pytest.fixture
def her(store: Store, vault: Vault, people: People, tmp_path: Path) -> str:
    """Somebody of whom there is a trace in every table, also as one who acted and answered."""
    crowd(people, range(5))
    herself = store.people(vault, NAME)
    person_id = enrolled(herself, count=5, size=1024)
    crowd(people, range(5, 12))
    people.enrol(person_id, EMBEDDER, *photos(77, 3, 1024))
    store.set_jurisdiction("other", answered_by=NAME, how="command")
    seen(store, person_id)
    people.link(person_id, 5)
    export = tmp_path / "export.json"
    export.write_text(f'"{NAME}"', encoding="utf-8")
    people.note_file([person_id], export)
    return person_id


def test_not_a_byte_is_left(people: People, store: Store, settings: Settings, her: str, tmp_path: Path) -> None:
    wanted = traces(store, settings, her)
    wanted = [piece for piece in wanted if piece in bytes_of(settings)]
    assert len(wanted) > 900
    assert people.forget(her) == ()
    assert left_of(settings, [*wanted, *pieces(NAME)]) == []
    assert not (tmp_path / "export.json").exists()
    with pytest.raises(PeopleError, match="nobody is called"):
        people.find(NAME)
    with store._engine.connect() as connection:
        assert connection.scalars(select(AppearanceRow.person_id)).all() == [None]
        assert connection.scalars(select(PolicyAnswerRow.answered_by)).all() == ["(forgotten)"]
    assert len(people.embeddings(EMBEDDER)) == 12
    assert people.audit.verify().fault == ""
    newest = people.audit.entries(1, people.names_in_log())[0]
    assert (newest.action, newest.subject, newest.detail) == ("people.forget", "(forgotten)", "asked for")


def test_withdrawn_embeddings_leave_no_byte(people: People, store: Store, settings: Settings, her: str) -> None:
    with store._engine.connect() as connection:
        sealed = connection.scalars(select(EmbeddingRow.sealed).where(EmbeddingRow.person_id == her)).all()
    wanted = [piece for value in sealed for piece in pieces(value)]
    assert left_of(settings, wanted)
    assert people.withdraw(her) == ()
    assert left_of(settings, wanted) == []


def test_embeddings_that_ran_out_leave_no_byte_once_the_store_was_opened(
    people: People, store: Store, settings: Settings, her: str, reopened: Callable[[], Store]
) -> None:
    with store._engine.connect() as connection:
        sealed = connection.scalars(select(EmbeddingRow.sealed).where(EmbeddingRow.person_id == her)).all()
    run_out(store, her)
    people.stamp()
    store.close()
    with reopened():
        assert left_of(settings, [piece for value in sealed for piece in pieces(value)]) == []


def test_a_reader_that_holds_the_log_is_waited_for_and_then_told_of(
    settings: Settings, reopened: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classpulse.storage.database.BUSY_TIMEOUT_S", 0.05)
    with reopened() as store:
        people = store.people(store.vault(settings.key_file, create=True), "Head")
        person_id = enrolled(people)
        wanted = traces(store, settings, person_id)
        with closing(sqlite3.connect(settings.data_dir / "classpulse.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM people").fetchone()
            (remark,) = people.forget(person_id)
            assert "they go when Classpulse opens it the next time" in remark
            with pytest.raises(PeopleError):
                people.find(NAME)
            assert left_of(settings, wanted), "the reader still sees what was there"
            reader.execute("COMMIT")
        with reopened():
            assert left_of(settings, wanted) == []


@pytest.mark.parametrize("lost", ["nothing", "beside the database", "beside the key"])
def test_a_backup_that_is_put_back_has_it_erased_again(
    people: People, store: Store, settings: Settings, her: str, reopened: Callable[[], Store], lost: str
) -> None:
    database = settings.data_dir / "classpulse.db"
    other = people.id_of("Student 3")
    store.close()
    backup = settings.data_dir.parent / "backup.db"
    shutil.copy(database, backup)
    with reopened() as again:
        wanted = traces(again, settings, her)
        again.people(again.vault(settings.key_file), "Head").forget(her)
    if lost == "beside the database":
        database.with_name("classpulse.db.erased").unlink()
    if lost == "beside the key":
        settings.key_file.with_suffix(".erased").unlink()
    shutil.copy(backup, database)
    with reopened() as again:
        with again._engine.connect() as connection:
            ids = connection.scalars(select(PersonRow.id)).all()
            assert her not in ids
            assert other in ids
            assert connection.scalars(select(PolicyAnswerRow.answered_by)).all() == ["(forgotten)"]
        assert left_of(settings, wanted) == []


def test_the_list_of_erasures_names_nobody(people: People, settings: Settings, her: str) -> None:
    people.forget(her)
    lists = [settings.data_dir / "classpulse.db.erased", settings.key_file.with_suffix(".erased")]
    for path in lists:
        words = path.read_text().split()
        assert her in words
        assert NAME not in path.read_text()
        assert len(words) % 3 == 0


def test_a_list_that_cannot_be_written_is_told_and_does_not_keep_anybody(
    people: People, settings: Settings, her: str
) -> None:
    settings.key_file.with_suffix(".erased").mkdir()
    (remark,) = people.forget(her)
    assert "could not be written everywhere" in remark
    with pytest.raises(PeopleError):
        people.find(NAME)


def test_a_damaged_list_is_read_as_far_as_it_goes(
    people: People, store: Store, settings: Settings, reopened: Callable[[], Store]
) -> None:
    enrolled(people)
    store.close()
    (settings.data_dir / "classpulse.db.erased").write_bytes(b"\xff\xfe person\nperson\nnobody x y\nperson  \n\n")
    with reopened() as again:
        assert again.people(again.vault(settings.key_file), "Head").find(NAME).name == NAME


def test_an_export_that_was_changed_is_left_and_told(people: People, her: str, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text("mine now")
    (remark,) = people.forget(her)
    assert remark == f"{tmp_path / 'export.json'} was changed since it was written: look at it and delete it yourself"
    assert (tmp_path / "export.json").exists()


def test_an_export_on_another_machine_is_told(
    people: People, her: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there.json").write_text("{}")
    people.note_file([her], tmp_path / "there.json")
    (tmp_path / "there.json").unlink()  # this machine has no such file
    here = platform.node()
    monkeypatch.setattr("platform.node", lambda: "another")
    (remark,) = people.forget(her)
    assert remark == f"{tmp_path / 'there.json'} was written on the machine {here}: look there, and delete it yourself"
    assert not (tmp_path / "export.json").exists(), "what is here goes, by whatever name the machine goes now"


def test_an_export_that_is_gone_is_no_trouble(people: People, her: str, tmp_path: Path) -> None:
    (tmp_path / "export.json").unlink()
    assert people.forget(her) == ()


def test_what_was_deleted_without_being_overwritten_goes_too(store: Store, settings: Settings) -> None:
    """As an older program does, or SQLite itself where it rewrites a page that has become fuller."""
    database = settings.data_dir / "classpulse.db"
    secrets = [f"secret {number:04} {'x' * 100}" for number in range(400)]
    with closing(sqlite3.connect(database)) as other, other:
        other.execute("PRAGMA secure_delete = OFF")
        other.execute("CREATE TABLE notes (word TEXT)")
        other.executemany("INSERT INTO notes VALUES (?)", [(secret,) for secret in secrets])
        other.commit()
        other.execute("DELETE FROM notes")
        other.execute("DROP TABLE notes")
    assert left_of(settings, [secrets[7].encode()])
    assert scrub(store._engine)
    assert left_of(settings, [secret.encode()[:20] for secret in secrets]) == []


def test_what_is_deleted_is_overwritten(store: Store) -> None:
    with store._engine.connect() as connection:
        assert connection.execute(text("PRAGMA secure_delete")).scalar() == 1


def test_in_memory_all_works_too(settings: Settings) -> None:
    with Store.open("sqlite://") as store:
        people = store.people(store.vault(settings.key_file, create=True), "Head")
        assert people.forget(enrolled(people)) == ()
        assert people.all() == []
