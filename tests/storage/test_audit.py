"""The audit log shows who changed it: every way to change it is found, with the first bad row."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from people_on_file import enrolled
from postgres_server import on_sqlite
from sqlalchemy import text

from classpulse.storage.audit import Audit
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.vault import Vault

ANOTHER_PROCESS = """
import sys
from pathlib import Path
from classpulse.storage.audit import Audit
from classpulse.storage.store import Store
from classpulse.storage.vault import Vault

with Store.open(sys.argv[1]) as store:
    audit = Audit(store._engine, Vault.open(Path(sys.argv[2]), {}))
    for number in range(40):
        audit.add(sys.argv[3], "test.deed", None, str(number))
"""


@pytest.fixture
def audit(store: Store, vault: Vault) -> Audit:
    log = Audit(store._engine, vault)
    for number in range(1, 11):
        log.add("Ana" if number % 2 else "Ben", "test.deed", f"{number:032x}", f"deed {number}")
    assert log.verify().fault == ""
    assert log.verify().rows == 10
    return log


def change(store: Store, *statements: str) -> None:
    with store._engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def head_file(settings: Settings) -> Path:
    (path,) = settings.key_file.parent.glob("*.head")
    return path


@pytest.mark.parametrize(
    ("statements", "row", "said"),
    [
        (["UPDATE audit SET detail = 'deed 5' WHERE id = 4"], 4, "row 4 was changed"),
        (
            ["UPDATE audit SET actor_id = (SELECT actor_id FROM audit WHERE id = 1) WHERE id = 4"],
            4,
            "row 4 was changed",
        ),
        (["UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE id = 4"], 4, "row 4 was changed"),
        (["UPDATE audit SET subject = NULL WHERE id = 4"], 4, "row 4 was changed"),
        (["UPDATE audit SET action = 'x' WHERE id = 1"], 1, "row 1 was changed"),
        (["UPDATE audit SET mac = upper(mac) WHERE id = 4"], 4, "row 4 was changed"),
        (["DELETE FROM audit WHERE id = 4"], 4, "row 4 is missing"),
        (["DELETE FROM audit WHERE id <= 4"], 1, "row 1 is missing"),
        (
            ["DELETE FROM audit WHERE id = 4", "UPDATE audit SET id = id - 1 WHERE id > 4"],
            4,
            "row 4 was changed, moved",
        ),
        (
            ["INSERT INTO audit SELECT 11, at, actor_id, action, subject, detail, mac FROM audit WHERE id = 10"],
            11,
            "row 11 was changed, moved or put in",
        ),
        (
            [
                "UPDATE audit SET id = id + 1000 WHERE id >= 4",
                "UPDATE audit SET id = id - 999 WHERE id > 1000",
                "INSERT INTO audit SELECT 4, at, actor_id, action, subject, detail, mac FROM audit WHERE id = 3",
            ],
            4,
            "row 4 was changed, moved or put in",
        ),
        (
            [
                "UPDATE audit SET id = 1004 WHERE id = 4",
                "UPDATE audit SET id = 4 WHERE id = 5",
                "UPDATE audit SET id = 5 WHERE id = 1004",
            ],
            4,
            "row 4 was changed, moved",
        ),
        (["DELETE FROM audit WHERE id > 7"], 8, "the log ends with row 7, and should go on to row 10: its tail was"),
        (["DELETE FROM audit"], 1, "the log ends with row 0, and should go on to row 10"),
        (["DELETE FROM audit WHERE id > 7", "DELETE FROM audit_checkpoints WHERE id = 2"], 8, "its tail was cut off"),
        (["UPDATE audit_checkpoints SET upto = 9 WHERE id = 2"], None, "the signed end of the log was changed"),
        (["UPDATE audit_checkpoints SET upto_mac = mac WHERE id = 1"], None, "the signed beginning of the log was"),
        (["DELETE FROM audit_checkpoints"], 1, "the signed beginning of the log is missing"),
        (
            ["INSERT INTO audit_checkpoints SELECT 3, at, 4, upto_mac, mac FROM audit_checkpoints WHERE id = 2"],
            None,
            "the signed pruned beginning of the log was changed",
        ),
    ],
)
def test_every_change_is_found(audit: Audit, store: Store, statements: list[str], row: int | None, said: str) -> None:
    change(store, *statements)
    found = audit.verify()
    assert said in found.fault
    assert row is None or found.row == row


def test_a_tail_cut_off_is_found_without_the_file_too(audit: Audit, store: Store, settings: Settings) -> None:
    head_file(settings).unlink()
    change(store, "DELETE FROM audit WHERE id > 7")
    assert audit.verify().row == 8


@on_sqlite
def test_a_row_of_another_history_does_not_fit(
    audit: Audit, store: Store, settings: Settings, reopened: Callable[[], Store]
) -> None:
    """Signed with the right key and under the right number, but after another row."""
    store.close()
    backup = settings.data_dir / "backup.db"
    shutil.copy(settings.data_dir / "classpulse.db", backup)
    with Store.open(f"sqlite:///{backup}") as other:
        Audit(other._engine, other.vault(settings.key_file)).add("Ana", "test.harmless")
        with other._engine.connect() as connection:
            row = connection.execute(text("SELECT * FROM audit WHERE id = 11")).one()._asdict()
    with reopened() as again:
        for number in range(3):
            audit.add("Ana", "test.late", None, str(number))
        change(again, "DELETE FROM audit WHERE id = 11")
        with again._engine.begin() as connection:
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO audit ({', '.join(row)}) VALUES ({values})"), row)  # noqa: S608
        assert audit.verify().row == 12
        assert "row 12 was changed, moved or put in, or the row before it was" in audit.verify().fault


def test_a_tail_cut_off_with_a_signed_end_of_before_is_found_by_the_file(
    audit: Audit, store: Store, settings: Settings
) -> None:
    with store._engine.connect() as connection:
        old = connection.execute(text("SELECT at, upto, upto_mac, mac FROM audit_checkpoints WHERE id = 2")).one()
    audit.add("Ana", "test.late")
    change(store, "DELETE FROM audit WHERE id > 10")
    with store._engine.begin() as connection:
        connection.execute(
            text("UPDATE audit_checkpoints SET at = :at, upto = :upto, upto_mac = :upto_mac, mac = :mac WHERE id = 2"),
            old._asdict(),
        )
    found = audit.verify()
    assert "the log ends with row 10, and should go on to row 11" in found.fault
    assert "an older copy of the database was put back" in found.fault
    for number in range(5):
        audit.add("Ana", "test.cover", None, str(number))
    found = audit.verify()
    assert f"row 11 is another one than {head_file(settings)} tells" in found.fault, "new rows do not cover it"
    assert found.row == 11


@on_sqlite
def test_an_older_database_is_found_and_can_be_accepted(
    audit: Audit, store: Store, settings: Settings, reopened: Callable[[], Store]
) -> None:
    store.close()
    database, backup = settings.data_dir / "classpulse.db", settings.data_dir / "backup"
    shutil.copy(database, backup)
    audit.add("Ana", "test.late")
    store.close()
    shutil.copy(backup, database)
    with reopened() as again:
        log = Audit(again._engine, again.vault(settings.key_file))
        assert "an older copy of the database was put back" in log.verify().fault
        log.accept("Head", "backup of Monday")
        assert log.verify().fault == ""
        assert log.entries(1, {})[0].action == "audit.accept"


def test_a_file_that_was_changed_or_lost(audit: Audit, settings: Settings) -> None:
    path = head_file(settings)
    whole = path.read_text()
    for damaged in ("", "x", whole.replace("10 ", "9 ", 1), whole[:-9]):
        path.write_text(damaged)
        assert f"the file {path}, which tells where the log ends, is damaged" in audit.verify().fault
        audit.add("Ana", "test.deed")
        assert path.read_text() == damaged, "evidence is not overwritten"
    path.unlink()
    found = audit.verify()
    assert found.fault == ""
    assert found.remarks[0].startswith(f"there is no {path}")
    audit.add("Ana", "test.deed")
    assert audit.verify().remarks == ()


def test_whoever_has_another_key_cannot_add_a_row_that_fits(audit: Audit, store: Store, settings: Settings) -> None:
    from classpulse.storage.vault import Vault

    Audit(store._engine, Vault(b"x" * 32, settings.key_file, "elsewhere")).add("Ana", "test.forged")
    found = audit.verify()
    assert found.row in {None, 11}
    assert found.fault


def test_pruned_rows_leave_a_signed_checkpoint(audit: Audit, store: Store) -> None:
    change(store, "UPDATE actors SET name_tag = name_tag")
    assert audit.prune(datetime.now(UTC) - timedelta(days=1)) == 0
    assert audit.verify().rows == 10
    assert audit.prune(datetime.now(UTC) + timedelta(days=1), limit=4) == 4
    assert (audit.verify().fault, audit.verify().rows) == ("", 7)
    assert audit.prune(datetime.now(UTC) + timedelta(days=1)) == 7
    assert (audit.verify().fault, audit.verify().rows) == ("", 1)
    assert [(entry.number, entry.action, entry.detail) for entry in audit.entries(9, {})] == [
        (12, "audit.prune", "up to row 11"),
    ]
    audit.add("Ana", "test.deed")
    assert audit.verify().fault == ""
    with store._engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM actors")).scalar() == 2, "Ana, and Classpulse itself"


def test_what_was_pruned_cannot_come_back_and_more_cannot_go(audit: Audit, store: Store) -> None:
    with store._engine.connect() as connection:
        first = connection.execute(text("SELECT * FROM audit WHERE id = 1")).one()._asdict()
    audit.prune(datetime.now(UTC) + timedelta(days=1), limit=4)
    columns = ", ".join(first)
    with store._engine.begin() as connection:
        values = ", ".join(f":{name}" for name in first)
        connection.execute(text(f"INSERT INTO audit ({columns}) VALUES ({values})"), first)  # noqa: S608
    assert audit.verify().row == 1
    change(store, "DELETE FROM audit WHERE id = 1", "DELETE FROM audit WHERE id = 5")
    assert (audit.verify().row, audit.verify().fault) == (5, "row 5 is missing")


def test_a_broken_beginning_is_not_pruned_away(audit: Audit, store: Store) -> None:
    change(store, "UPDATE audit SET detail = 'x' WHERE id = 2")
    assert audit.prune(datetime.now(UTC) + timedelta(days=1)) == 0
    assert audit.verify().row == 2


def test_two_processes_add_to_one_log(store: Store, vault: Vault, settings: Settings) -> None:
    audit = Audit(store._engine, vault)
    words = [sys.executable, "-c", ANOTHER_PROCESS, settings.database, str(settings.key_file)]
    with subprocess.Popen([*words, "Ana"]) as one, subprocess.Popen([*words, "Ben"]) as two:
        assert (one.wait(60), two.wait(60)) == (0, 0)
    assert (audit.verify().fault, audit.verify().rows) == ("", 80)
    details = [(entry.actor, entry.detail) for entry in audit.entries(100, {})]
    assert sorted(details) == sorted((name, str(number)) for name in ("Ana", "Ben") for number in range(40))


def test_an_empty_log_is_whole(store: Store, vault: Vault) -> None:
    found = Audit(store._engine, vault).verify()
    assert (found.fault, found.rows, found.remarks) == ("", 0, ())


def test_answers_on_the_law_are_told_once_there_is_a_log(people: People, store: Store) -> None:
    store.set_jurisdiction("eu", answered_by="Head", how="page")
    assert people.audit.entries(9, {}) == []
    enrolled(people)
    store.set_jurisdiction("other", answered_by="The office", how="page")
    newest = people.audit.entries(1, {})[0]
    assert (newest.actor, newest.action, newest.detail) == ("The office", "policy.set", "other")


def test_one_key_serves_two_databases(audit: Audit, settings: Settings, other_url: str) -> None:
    with Store.open(other_url) as other:
        log = Audit(other._engine, other.vault(settings.key_file))
        log.add("Ana", "test.deed")
        assert log.verify().fault == ""
    assert audit.verify().fault == ""
