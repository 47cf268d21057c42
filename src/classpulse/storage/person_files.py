"""Files that were written for a person: a list of them, sealed under their key, so that they can go with them."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from classpulse.storage.people_tables import PersonExportRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from classpulse.storage.vault import Key


@dataclass(frozen=True, slots=True)
class PersonFile:
    """A file as it was when it was written.

    Attributes:
        path: absolute.
        sha256: of its content, in hex.
        created_at: UTC.
        machine: by name, where it was written; empty where that is not known.
    """

    path: Path
    sha256: str
    created_at: datetime
    machine: str = ""


def note_file(connection: Connection, person_id: str, key: Key, path: Path) -> None:
    """Put a file that has just been written on the list.

    Raises:
        OSError: it cannot be read.
    """
    text = json.dumps([str(path.resolve()), _hash(path), platform.node()], ensure_ascii=False)
    values = {"person_id": person_id, "sealed": "", "created_at": datetime.now(UTC)}
    made = connection.execute(insert(PersonExportRow), values).inserted_primary_key
    number = None if made is None else made[0]
    sealed = key.seal(text.encode(), "person_exports", number, person_id)
    connection.execute(update(PersonExportRow).where(PersonExportRow.id == number).values(sealed=sealed))


def files_of(connection: Connection, person_id: str, key: Key) -> list[PersonFile]:
    """The files that were written for somebody, the oldest first.

    Raises:
        StorageError: a row was damaged.
    """
    query = select(PersonExportRow.__table__).where(PersonExportRow.person_id == person_id).order_by(PersonExportRow.id)
    files = []
    for row in connection.execute(query):
        # Before machines were noted there were two of these.
        path, sha256, *machine = json.loads(key.unseal(row.sealed, "person_exports", row.id, person_id))
        files.append(PersonFile(Path(path), sha256, row.created_at, *machine))
    return files


def delete_file(file: PersonFile) -> str:
    """Delete a file that is still as it was written; returns a sentence about one that is not, and else nothing."""
    try:
        if _hash(file.path) != file.sha256:
            return f"{file.path} was changed since it was written: look at it and delete it yourself"
        file.path.unlink()
    except FileNotFoundError:
        if file.machine in {"", platform.node()}:
            return ""  # moved or deleted: where to is not known
        return f"{file.path} was written on the machine {file.machine}: look there, and delete it yourself"
    except OSError as error:
        return f"{file.path} cannot be deleted: {error.strerror or error}. Delete it yourself"
    return ""


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
