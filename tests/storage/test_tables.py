"""The schema: nothing in it can hold a picture, and the migrations make exactly it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, DateTime, Float, Integer, String, TypeDecorator, create_engine, inspect, text
from sqlalchemy.exc import DataError, IntegrityError

from classpulse.errors import StorageError
from classpulse.storage.metadata import METADATA
from classpulse.storage.schema import HEAD, VERSION_TABLE
from classpulse.storage.store import Store
from classpulse.storage.upgrade import configure

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_TEXT = 400
LONGEST_SEALED = 4000
"""An embedding under a person's key."""
TABLES = {"sessions", "observations", "windows", "policy_answers"}
TABLES |= {"people", "consents", "embeddings", "appearances", "person_links", "person_exports"}
TABLES |= {"actors", "audit", "audit_checkpoints"}
TABLES |= {"marks", "answers", "alerts"}
TABLES |= {"accounts", "logins", "invitations", "api_tokens"}
TABLES |= {"courses", "course_members", "runs"}


def test_no_column_can_hold_a_picture() -> None:
    assert set(METADATA.tables) == TABLES
    for table in METADATA.sorted_tables:
        for column in table.columns:
            kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
            assert isinstance(kind, Boolean | DateTime | Float | Integer | String), column
            if isinstance(kind, String):
                assert kind.length is not None, column
                assert kind.length <= (LONGEST_SEALED if "sealed" in column.name else LONGEST_TEXT), column


def test_the_made_tables_have_no_such_column_either(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'c.db'}").close()
    inspector = inspect(create_engine(f"sqlite:///{tmp_path / 'c.db'}"))
    assert set(inspector.get_table_names()) == {*TABLES, VERSION_TABLE}
    for table in TABLES:
        checks = " ".join(check["sqltext"] for check in inspector.get_check_constraints(table))
        for column in inspector.get_columns(table):
            words = str(column["type"])
            assert not any(word in words for word in ("BLOB", "BINARY", "TEXT", "CLOB", "JSON")), column
            # SQLite itself does not look at a column's length: the check does.
            assert not words.startswith("VARCHAR") or f"length({column['name']}) <=" in checks, column


@pytest.mark.parametrize("place", ["memory", "elsewhere"])
def test_the_database_refuses_a_text_that_could_be_a_picture(url: str, place: str) -> None:
    with Store.open(url if place == "elsewhere" else "sqlite://") as store:
        store.set_jurisdiction("eu", answered_by="a teacher", how="page")
        with (
            pytest.raises((IntegrityError, DataError), match=r"answered_by_length|too long"),
            store._engine.begin() as connection,
        ):
            connection.execute(text("UPDATE policy_answers SET answered_by = :long"), {"long": "x" * 201})


def test_the_migrations_make_the_tables_of_the_code(url: str) -> None:
    with Store.open(url) as store, store._engine.begin() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
        made = {
            (table, check["name"]) for table in TABLES for check in inspect(connection).get_check_constraints(table)
        }
        assert ScriptDirectory.from_config(configure(connection)).get_current_head() == HEAD
    meant = {
        (table.name, str(constraint.name))
        for table in METADATA.sorted_tables
        for constraint in table.constraints
        if "length" in str(constraint.name)
    }
    assert made == meant


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    Store.open(url).close()
    before = (tmp_path / "c.db").read_bytes()
    Store.open(url).close()
    assert (tmp_path / "c.db").read_bytes() == before


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    Store.open(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE classpulse_schema SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"c\.db was written by a newer Classpulse: its tables are version 9999"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"another program's tables \(bookmarks\)"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_migration_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.db"

    def broken(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("classpulse.storage.store._close_torn", broken)
    with pytest.raises(KeyboardInterrupt):
        Store.open(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
