"""What was written into a backup is there again after it was restored, on the same engine and on the other one."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import stat
from typing import TYPE_CHECKING, Any

import pytest
from command import complaint, here
from people_on_file import EMBEDDER, NAME, enrolled, photos, seen
from postgres_server import on_sqlite
from sqlalchemy import func, select
from stored_class import store_lesson

from classpulse.errors import StorageError
from classpulse.insight.moments import Mark
from classpulse.storage import backup as writing
from classpulse.storage.backup import told_of
from classpulse.storage.metadata import METADATA
from classpulse.storage.restore import restore
from classpulse.storage.schema import HEAD
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.vault import Vault


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store._engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
        }


@pytest.fixture
def school(store: Store, people: People) -> Store:
    """A lesson, and somebody of whom there is a row in most tables."""
    store_lesson(store, 6.0)
    person_id = enrolled(people, count=3, size=1024)
    seen(store, person_id)
    people.link(person_id, 5)
    store.set_jurisdiction("other", answered_by="Head of school", how="command")
    return store


@pytest.fixture
def copy(school: Store, tmp_path: Path) -> Path:
    path = tmp_path / "monday.classpulse"
    with path.open("wb") as file:
        school.house.backup(file, "a test")
    return path


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def written(path: Path, lines: list[bytes], *, sign: bool = True) -> Path:
    """A backup of these lines, with an end that fits them if it is signed."""
    if sign:
        end = json.loads(lines[-1])
        end["sha256"] = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
        lines = [*lines[:-1], json.dumps(end).encode() + b"\n"]
    path.write_bytes(gzip.compress(b"".join(lines)))
    return path


@pytest.mark.parametrize("to", ["same", "other"])
def test_every_row_is_there_again(
    school: Store, copy: Path, other_url: str, tmp_path: Path, vault: Vault, engine_name: str, to: str
) -> None:
    before = everything(school)
    moved = f"sqlite:///{tmp_path / 'moved.db'}"
    url = other_url if to == "same" or engine_name == "sqlite" else moved
    done = restore(url, copy)
    assert done.rows == {name: len(rows) for name, rows in before.items()}
    assert done.rows["windows"] == 72
    with Store.open(url) as again:
        assert everything(again) == before
        known = again.people(vault, "Head of school")
        (person_id, faces), *_ = known.embeddings(EMBEDDER)
        assert known.name_of(person_id) == NAME
        assert faces == pytest.approx(photos(1, 3, 1024)[0], abs=2e-3)
        assert known.audit.verify().fault == ""
        # What is new is numbered after what is old.
        recorder = again.start_session("new", kind="file", jurisdiction=None, demo=True, min_group=5)
        assert recorder.session_id == 3
        again.moments.add_mark(3, Mark(1.0, "question"))


def test_nothing_is_opened_that_is_sealed(copy: Path, settings: Settings) -> None:
    text = gzip.decompress(copy.read_bytes())
    assert NAME.encode() not in text
    assert b"Her mother" not in text
    assert settings.key_file.read_bytes().strip() not in text


def test_all_rows_are_of_one_moment(school: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark that comes while a backup is written is not in it, though its table is written later."""
    head = writing._head

    def late(*words: Any) -> Any:
        told = head(*words)
        school.moments.add_mark(1, Mark(1.0, "late"))
        return told

    monkeypatch.setattr(writing, "_head", late)
    with (tmp_path / "b").open("wb") as file:
        assert school.house.backup(file, "a test")["marks"] == 1
    assert len(school.moments.marks(1)) == 2


def test_a_class_that_ran_is_ended_where_it_is_put_back(store: Store, other_url: str, tmp_path: Path) -> None:
    store.start_session("webcam 0", kind="webcam", jurisdiction=None, demo=False, min_group=5)
    with (tmp_path / "b").open("wb") as file:
        store.house.backup(file, "a test")
    restore(other_url, tmp_path / "b")
    with Store.open(other_url) as again:
        (row,) = again.sessions()
        assert (row.ended_how, row.ended_at) == ("torn", row.last_seen_at)


def test_rows_that_are_there_are_kept_unless_they_may_be_replaced(
    copy: Path, other_url: str, settings: Settings, vault: Vault
) -> None:
    with Store.open(other_url) as other:
        store_lesson(other, 1.0)
        before = everything(other)
    with pytest.raises(StorageError, match=r"holds 13 rows of 23 tables \(1 class, 0 people\) already, and was left"):
        restore(other_url, copy)
    with Store.open(other_url) as other:
        assert everything(other) == before
        running = other.start_session("webcam 0", kind="webcam", jurisdiction=None, demo=False, min_group=5)
        with pytest.raises(StorageError, match=r"class 2 is running in .* end it first"):
            restore(other_url, copy, replace=True)
        running.finish("ended")
    restore(other_url, copy, replace=True)
    with Store.open(other_url, settings) as other:
        assert [row.kind for row in other.sessions()] == ["file", "webcam"]
        assert other.people(vault, "Head").find(NAME).name == NAME


def test_whoever_was_forgotten_since_is_forgotten_again(
    people: People, copy: Path, other_url: str, settings: Settings
) -> None:
    people.forget(people.id_of(NAME))
    restore(other_url, copy)
    with Store.open(other_url, settings) as again, again._engine.connect() as connection:
        for table in ("people", "consents", "embeddings", "person_links"):
            assert connection.scalar(select(func.count()).select_from(METADATA.tables[table])) == 0


@on_sqlite
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:-1], "damaged at line .* it is cut off there"),
        (lambda lines: [*lines[:-1], lines[-1][:-5]], "cut off"),
        (lambda lines: [*lines[:3], *lines[4:]], "not as it was written|a row of .* has"),
        (lambda lines: [lines[0], b"[]\n", *lines[1:]], "no table that belongs here begins"),
        (lambda lines: [*lines[:2], b'{"table":"sqlite_master","columns":[]}\n', *lines[2:]], "no table that belongs"),
        (lambda lines: [*lines[:-1], lines[1], lines[-1]], "no table that belongs here begins"),
        (lambda lines: [*lines[:-1], b"[1]\n", lines[-1]], "a row of .* has"),
        (lambda lines: [*lines[:-1], b"[" * 70_000, lines[-1]], "the line has no end"),
        (lambda lines: [*lines[:-1], b"[" * 30_000 + b"\n", lines[-1]], "it is no JSON"),
        (lambda lines: [lines[0].replace(HEAD.encode(), b"9999"), *lines[1:]], "newer Classpulse .* tables 9999"),
        (lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]], "newer Classpulse"),
        (lambda _: [b'{"format":"another"}\n'], "is no backup of Classpulse"),
        (lambda lines: [line.replace(b'"Recap"', b"7") for line in lines], "marks: label cannot be '7'"),
        (lambda lines: [line.replace(b'"Recap"', b'"' + b"x" * 99 + b'"') for line in lines], "label_length"),
        (lambda lines: [line.replace(b'"Recap"', b"null") for line in lines], "NOT NULL"),
        (lambda lines: [line.replace(b",60.0,", b',"now",') for line in lines], "time_s cannot be 'now'"),
        (lambda lines: [line.replace(b"+00:00", b"") for line in lines[:1]] + lines[1:], None),
    ],
)
def test_what_is_not_as_it_was_written_changes_nothing(
    copy: Path, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], says: str | None
) -> None:
    lines = change(lines_of(copy))
    bad = written(tmp_path / "bad", lines, sign=lines[-1].startswith(b'{"rows"') and lines[-1].endswith(b"}\n"))
    url = f"sqlite:///{tmp_path / 'into.db'}"
    if says is None:
        restore(url, bad)
        return
    with pytest.raises(StorageError, match=says) as caught:
        restore(url, bad)
    assert "\n" not in str(caught.value)
    with Store.open(url) as store:
        assert not any(everything(store).values())


@on_sqlite
def test_a_changed_row_is_found_by_the_sum(copy: Path, tmp_path: Path) -> None:
    lines = [line.replace(b'"Recap"', b'"Remap"') for line in lines_of(copy)]
    with pytest.raises(StorageError, match="is not as it was written"):
        restore(f"sqlite:///{tmp_path / 'into.db'}", written(tmp_path / "bad", lines, sign=False))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"SQLite format 3\x00", gzip.compress(b"", mtime=0)])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lesson.mp4").write_bytes(content)
    with pytest.raises(StorageError, match=r"lesson\.mp4"):
        restore(f"sqlite:///{tmp_path / 'into.db'}", tmp_path / "lesson.mp4")


def test_how_many_rows_is_told_in_words() -> None:
    assert told_of({"sessions": 2, "people": 1}) == "3 rows of 2 tables (2 classes, 1 person)"


@on_sqlite
def test_the_commands(school: Store, settings: Settings, tmp_path: Path) -> None:
    school.close()
    env = {"CLASSPULSE_KEY_FILE": str(settings.key_file)}
    file = tmp_path / "b.classpulse"
    done = here("backup", file, "--by", "IT", data=settings.data_dir, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Written: ")
    assert "(2 classes, 1 person)" in done.stdout
    assert f"the key to people's data is not in it: keep a copy of {settings.key_file}" in done.stderr
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "is there already" in complaint(here("backup", file, data=settings.data_dir, env=env))
    assert here("backup", file, "--force", data=settings.data_dir, env=env).returncode == 0
    refused = here("restore", file, data=settings.data_dir, env=env)
    assert refused.returncode == 6
    assert "with --replace" in complaint(refused)
    done = here("restore", file, "--replace", "--by", "IT", data=settings.data_dir, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Put into {settings.data_dir / 'classpulse.db'}: ")
    assert "`classpulse audit accept" in done.stderr
    assert "accounts are as they were" not in done.stderr  # there are none
    told = here("audit", "show", data=settings.data_dir, env=env).stdout
    assert "backup.write" in told
    assert "backup.restore" in told


@on_sqlite
def test_a_backup_is_tried_out_beside_its_database_with_a_copy_of_the_key(
    school: Store, settings: Settings, tmp_path: Path
) -> None:
    school.close()
    there, file = tmp_path / "trial", tmp_path / "b.classpulse"
    there.mkdir()
    key = shutil.copy(settings.key_file, there)
    live: dict[str, Any] = {"data": settings.data_dir, "env": {"CLASSPULSE_KEY_FILE": str(settings.key_file)}}
    trial: dict[str, Any] = {"data": there / "data", "env": {"CLASSPULSE_KEY_FILE": str(key)}}
    for command, where in (
        (("backup", file), live),
        (("restore", file), trial),
        (("audit", "accept", "a trial"), trial),
        (("audit", "verify"), trial),
        (("audit", "verify"), live),
    ):
        done = here(*command, **where)
        assert done.returncode == 0, (command, done.stderr)
        assert command[0] != "restore" or "accept nothing: give this one a copy of the key" in done.stderr


@on_sqlite
def test_whoever_restores_is_told_that_what_was_revoked_counts_again(store: Store, settings: Settings) -> None:
    accounts = store.accounts()
    token = accounts.make_token(accounts.add("ana", "Ana Silva", "teacher"), "Timetable", 30)
    file = settings.data_dir / "monday.classpulse"
    assert here("backup", file, data=settings.data_dir).returncode == 0
    accounts.revoke(accounts.find("ana"), 1)
    store.close()
    done = here("restore", file, "--replace", data=settings.data_dir)
    assert done.returncode == 0, done.stderr
    assert "an API token that was changed or ended since counts again" in done.stderr
    with Store.of(settings) as again:
        owner = again.accounts().of_token(token)
        assert owner is not None
        assert owner.login == "ana"


def test_no_class_of_a_school_goes_on_because_a_backup_was_put_back(
    store: Store, other_url: str, tmp_path: Path
) -> None:
    maths = store.courses().add("Maths 7b", "0", teacher=store.accounts().add("ana", "Ana Silva", "teacher").id)
    store.courses().want(maths, wanted=True)
    store.runs().ask(maths.id)
    path = tmp_path / "monday.classpulse"
    with path.open("wb") as file:
        store.house.backup(file, "a test")
    restore(other_url, path)
    with Store.open(other_url) as again:
        (course,) = again.courses().all()
        assert (course.name, course.wanted, again.runs().all()) == ("Maths 7b", False, {})
        assert [one.login for one in again.courses().members(course)] == ["ana"]
        assert again.courses().add("Physics", "demo").id == maths.id + 1
