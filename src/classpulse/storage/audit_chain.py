"""The chain of the audit log: what each row is bound to, where the log begins and ends, and whether it is whole.

Every row's mac (HMAC-SHA-256 under a key outside the database) covers the row and the mac before, so a row
that was changed, moved, put in or taken out breaks the chain there. A tail that was cut off leaves a whole chain:
therefore the log's end is signed as well, in the database and in a small file beside the key.

What that shows: every change by somebody without the key, and a cut-off tail or an older copy of the whole
database put in its place as long as the file beside the key is the newer one. What it cannot show: what
somebody did who has the key itself, or who put back an older database together with an older file.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from classpulse.storage.people_tables import AuditCheckpointRow, AuditRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from classpulse.storage.vault import Vault

SEED, HEAD, START = 1, 2, 3
"""The rows of `audit_checkpoints`."""

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Point:
    """A row of the log by its number and mac; 0 is the seed."""

    number: int
    mac: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the log is whole.

    Attributes:
        rows: how many rows were looked at.
        fault: what is wrong, with the first bad row named; empty where all is well.
        row: the number of the first bad row; None where all is well or no row is to blame.
        remarks: what could not be looked at.
    """

    rows: int
    fault: str = ""
    row: int | None = None
    remarks: tuple[str, ...] = ()


def row_mac(vault: Vault, before: str, row: Row[tuple[object, ...]] | AuditRow) -> str:
    """The mac of a row after another one's."""
    at = round(row.at.timestamp())
    return vault.mac("row", before, row.id, at, row.actor_id, row.action, row.subject, row.detail)


def point_mac(vault: Vault, which: int, at: datetime, point: Point) -> str:
    """The mac of a checkpoint."""
    return vault.mac("checkpoint", which, round(at.timestamp()), point.number, point.mac)


def checkpoint(connection: Connection, which: int) -> AuditCheckpointRow | None:
    """One of the signed places, unchecked."""
    row = connection.execute(select(AuditCheckpointRow.__table__).where(AuditCheckpointRow.id == which)).one_or_none()
    return None if row is None else AuditCheckpointRow(**row._asdict())


def last_point(connection: Connection) -> Point:
    """The newest row, unchecked: of the log or, where it was pruned to its end, of the checkpoint."""
    row = connection.execute(select(AuditRow.id, AuditRow.mac).order_by(AuditRow.id.desc()).limit(1)).one_or_none()
    return _beginning(connection) if row is None else Point(row.id, row.mac)


def _beginning(connection: Connection) -> Point:
    start = checkpoint(connection, START) or checkpoint(connection, SEED)
    return Point(0, "") if start is None else Point(start.upto, start.upto_mac)


class HeadFile:
    """The end of the log as it is told beside the key, where who changes the database does not reach."""

    def __init__(self, vault: Vault, seed: str) -> None:
        """The file of the log with this seed: one key may serve several databases."""
        self._vault = vault
        self._seed = seed
        self.path = vault.key_file.with_name(f"{vault.key_file.stem}.{seed[:12]}.head")

    def read(self) -> Point | None:
        """What it says; None where there is no such file.

        Raises:
            ValueError: it was damaged or changed.
        """
        try:
            number, mac, signed = self.path.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(str(error)) from None
        point = Point(int(number), mac)
        if signed != self._signature(point):
            message = "its signature is wrong"
            raise ValueError(message)
        return point

    def write(self, point: Point) -> None:
        """Say that the log ends here; where nothing can be written, nothing is."""
        text = f"{point.number} {point.mac} {self._signature(point)}\n"
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".head-")
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(text)
                Path(name).replace(self.path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def _signature(self, point: Point) -> str:
        return self._vault.mac("head", self._seed, point.number, point.mac)


def has_row(connection: Connection, point: Point) -> bool:
    """Whether the log still has this row with this mac, or may have pruned it."""
    beginning = _beginning(connection)
    if point.number < beginning.number:
        return True
    if point.number == beginning.number:
        return point.mac == beginning.mac
    return connection.scalar(select(AuditRow.mac).where(AuditRow.id == point.number)) == point.mac


def verify(connection: Connection, vault: Vault) -> Verdict:
    """Look at every row and at both ends."""
    seed = checkpoint(connection, SEED)
    if seed is None:
        return _without_seed(connection)
    for which, name in ((SEED, "beginning"), (HEAD, "end"), (START, "pruned beginning")):
        row = checkpoint(connection, which)
        if row is not None and row.mac != point_mac(vault, which, row.at, Point(row.upto, row.upto_mac)):
            return Verdict(0, f"the signed {name} of the log was changed")
    count, last, fault, bad = verify_rows(connection, vault)
    if fault:
        return Verdict(count, fault, bad)
    head = checkpoint(connection, HEAD)
    end = last if head is None else Point(head.upto, head.upto_mac)
    if end != last:
        return Verdict(count, _cut(last.number, end.number), last.number + 1)
    return _with_head_file(connection, vault, seed.upto_mac, Verdict(count))


def verify_rows(connection: Connection, vault: Vault, *, upto: int | None = None) -> tuple[int, Point, str, int | None]:
    """Follow the chain from its beginning.

    Args:
        connection: within a transaction.
        vault: with the log's key.
        upto: the last row to look at; the last there is if not given.

    Returns:
        How many rows are good, the last good one, and of the first bad one what is wrong with it and its number.
    """
    last, count = _beginning(connection), 0
    query = select(AuditRow.__table__).where(AuditRow.id > last.number).order_by(AuditRow.id)
    early = connection.scalar(select(func.min(AuditRow.id)).where(AuditRow.id <= last.number))
    if early is not None:
        return 0, last, f"row {early} was put in, or put back after it had been pruned", early
    query = query if upto is None else query.where(AuditRow.id <= upto)
    # Closed where a bad row ends it: on a server the rest waits there.
    with connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
        for row in rows:
            if row.id != last.number + 1:
                return count, last, f"row {last.number + 1} is missing", last.number + 1
            if row.mac != row_mac(vault, last.mac, row):
                return count, last, f"row {row.id} was changed, moved or put in, or the row before it was", row.id
            last, count = Point(row.id, row.mac), count + 1
    return count, last, "", None


def _without_seed(connection: Connection) -> Verdict:
    rows = connection.scalar(select(func.count()).select_from(AuditRow)) or 0
    return Verdict(0, "the signed beginning of the log is missing" if rows else "", 1 if rows else None)


def _cut(last: int, end: int) -> str:
    return f"the log ends with row {last}, and should go on to row {end}: its tail was cut off"


def _with_head_file(connection: Connection, vault: Vault, seed: str, found: Verdict) -> Verdict:
    file = HeadFile(vault, seed)
    try:
        head = file.read()
    except ValueError as error:
        return Verdict(found.rows, f"the file {file.path}, which tells where the log ends, is damaged: {error}")
    if head is None:
        remark = f"there is no {file.path}: whether an older copy of the whole database was put back cannot be told"
        return Verdict(found.rows, remarks=(remark,) if found.rows else ())
    last = last_point(connection)
    if not has_row(connection, head):
        if head.number > last.number:
            fault = f"{_cut(last.number, head.number)}, or an older copy of the database was put back"
            return Verdict(found.rows, fault, last.number + 1)
        fault = f"row {head.number} is another one than {file.path} tells: the log was continued from an older copy"
        return Verdict(found.rows, fault, head.number)
    return found
