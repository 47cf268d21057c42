"""What cannot be opened is told in one line with what to do, and is left as it is."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from classpulse.errors import StorageError
from classpulse.storage.store import Store


def refused(url: str) -> str:
    with pytest.raises(StorageError) as caught:
        Store.open(url)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_folder_whose_parent_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    said = refused(f"sqlite:///{tmp_path / 'file' / 'data' / 'classpulse.db'}")
    assert said.startswith(f"the folder {tmp_path / 'file' / 'data'} cannot be made: ")
    assert said.endswith("Set data_dir or database_url to a place that may be written to")
    assert (tmp_path / "file").read_text() == "a file"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="this system has no folder that nobody may write to")
def test_a_folder_that_nobody_may_write_to() -> None:
    assert "the folder /proc/classpulse cannot be made" in refused("sqlite:////proc/classpulse/classpulse.db")
    assert refused("sqlite:////proc/classpulse.db").startswith(
        "/proc/classpulse.db cannot be opened: it must be a file"
    )


def test_a_database_that_may_only_be_read(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 1")
    before = path.read_bytes()
    said = refused(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert said.startswith(f"file:{path} may not be written to. Allow it, or set data_dir")
    assert path.read_bytes() == before


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    assert refused(f"sqlite:///{tmp_path}") == f"{tmp_path} is a folder: data_dir or database_url must lead to a file"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "lesson.mp4"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    before = path.read_bytes()
    assert refused(f"sqlite:///{path}").startswith(f"{path} is not a database; it was left as it is. Move it away")
    assert path.read_bytes() == before


def test_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with Store.open(f"sqlite:///{path}") as store:
        store.set_jurisdiction("eu", answered_by="a teacher", how="page")
    whole = path.read_bytes()
    damaged = whole[:4096] + b"\xff" * (len(whole) - 4096)
    path.write_bytes(damaged)
    assert refused(f"sqlite:///{path}").startswith(f"{path} is damaged; it was left as it is. Put a copy back")
    assert path.read_bytes() == damaged


def test_a_cut_off_database(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    Store.open(f"sqlite:///{path}").close()
    cut = path.read_bytes()[:5000]
    path.write_bytes(cut)
    assert "left as it is" in refused(f"sqlite:///{path}")
    assert path.read_bytes() == cut


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "c.db").touch()
    with Store.open(f"sqlite:///{tmp_path / 'c.db'}") as store:
        assert store.sessions() == []


def test_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.db"
    Store.open(f"sqlite:///{path}").close()
    monkeypatch.setattr("classpulse.storage.database.BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert refused(f"sqlite:///{path}") == f"Another program keeps {path} locked. Close what has it open"


def test_a_kind_of_database_that_nobody_knows() -> None:
    said = refused("oracular://user:secret@host/db")
    assert said.startswith("no kind of database is called 'oracular': database_url may be sqlite:///")
    assert "secret" not in said


@pytest.mark.parametrize("text", ["/home/me/secret.db", "", "secret"])
def test_a_text_that_is_no_url(text: str) -> None:
    said = refused(text)
    assert said.startswith("the setting database_url is not an SQLAlchemy URL, such as sqlite:///")
    assert "secret" not in said


def test_psycopg_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = refused("postgres://user:secret@host/db")
    assert said == (
        "PostgreSQL needs psycopg: install it (pip install 'classpulse[postgres]'), "
        "or leave database_url out to use a SQLite file"
    )


def test_a_driver_that_is_not_installed() -> None:
    said = refused("mysql+mysqldb://user:secret@host/db")
    assert said.startswith(
        "databases of the kind 'mysql+mysqldb' need the Python module 'MySQLdb': install the package with it"
    )
    assert "secret" not in said
