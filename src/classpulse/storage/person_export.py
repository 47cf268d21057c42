"""Everything that is stored about somebody, for them to read (a right of access, and of data portability)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from classpulse.storage import embeddings
from classpulse.storage.keyring import Keyring, alias_of
from classpulse.storage.people_tables import AppearanceRow, AuditRow, EmbeddingRow, PersonLinkRow
from classpulse.storage.person_files import files_of
from classpulse.storage.tables import ObservationRow, SessionRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from classpulse.storage.vault import Key, Vault


def everything_about(connection: Connection, vault: Vault, person_id: str) -> dict[str, Any]:
    """All that is stored about somebody, ready for JSON; times are UTC, in ISO 8601.

    Raises:
        PeopleError: nobody has this id.
        StorageError: a row was damaged.
    """
    keyring = Keyring(vault)
    person, key = keyring.person(connection, person_id), keyring.key(connection, person_id)
    return {
        "name": person.name,
        "id": person.id,
        "known_since": _time(person.created_at),
        "consents": [
            {
                "purpose": consent.purpose,
                "given_by": consent.given.by,
                "as_guardian": consent.given.guardian,
                "recorded_by": consent.given.recorded_by,
                "note": consent.given.note,
                "recorded_at": _time(consent.recorded_at),
                "valid_until": _time(consent.expires_at),
                "withdrawn_at": _time(consent.withdrawn_at),
            }
            for consent in person.consents
        ],
        "face_as_numbers": _faces(connection, person_id, key),
        "appearances": _appearances(connection, person_id),
        "files_written": [
            {"path": str(file.path), "written_at": _time(file.created_at)}
            for file in files_of(connection, person_id, key)
        ],
        "links_to_own_page": [
            {"valid_until": _time(expires_at)}
            for expires_at in connection.scalars(
                select(PersonLinkRow.expires_at).where(PersonLinkRow.person_id == person_id)
            )
        ],
        "what_was_done": _deeds(connection, alias_of(key, person_id)),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _faces(connection: Connection, person_id: str, key: Key) -> list[dict[str, Any]]:
    query = select(EmbeddingRow.embedder, EmbeddingRow.quality, EmbeddingRow.created_at)
    rows = connection.execute(query.where(EmbeddingRow.person_id == person_id).order_by(EmbeddingRow.id)).all()
    numbers = {
        embedder: iter(embeddings.read(connection, person_id, key, embedder).tolist())
        for embedder in {row.embedder for row in rows}
    }
    return [
        {
            "embedder": row.embedder,
            "made_at": _time(row.created_at),
            "quality": round(row.quality, 4),
            "numbers": [round(number, 4) for number in next(numbers[row.embedder])],
        }
        for row in rows
    ]


def _appearances(connection: Connection, person_id: str) -> list[dict[str, Any]]:
    row = AppearanceRow
    query = select(row.__table__, SessionRow.source, SessionRow.started_at).join(
        SessionRow, SessionRow.id == row.session_id
    )
    mine = connection.execute(query.where(row.person_id == person_id).order_by(row.session_id, row.start_s)).all()
    return [
        {
            "class": one.session_id,
            "source": one.source,
            "class_began_at": _time(one.started_at),
            "start_s": one.start_s,
            "end_s": one.end_s,
            "confidence": round(one.confidence, 4),
            "how": one.how,
            "observations": _observations(connection, one.session_id, one.track, one.start_s, one.end_s),
        }
        for one in mine
    ]


def _observations(
    connection: Connection, session_id: int, track: int, start_s: float, end_s: float
) -> list[dict[str, Any]]:
    row = ObservationRow
    query = select(row.time_s, row.x0, row.y0, row.x1, row.y1, row.emotion, row.probabilities).where(
        row.session_id == session_id, row.track == track, row.time_s.between(start_s, end_s)
    )
    return [
        {
            "time_s": one.time_s,
            "box_px": [one.x0, one.y0, one.x1, one.y1],
            "emotion": one.emotion,
            "probabilities": None if one.probabilities is None else list(one.probabilities),
        }
        for one in connection.execute(query.order_by(row.time_s))
    ]


def _deeds(connection: Connection, alias: str) -> list[dict[str, Any]]:
    query = select(AuditRow.at, AuditRow.action, AuditRow.detail).where(AuditRow.subject == alias)
    return [
        {"at": _time(row.at), "action": row.action, "detail": row.detail}
        for row in connection.execute(query.order_by(AuditRow.id))
    ]
