"""The tables of people who enrolled: their keys, consents, embeddings and presence, and the audit log.

What tells who somebody is (name, guardian, note, embedding) is sealed under a key of that person's own, which is
itself sealed under a key outside the database: without it these rows say nothing, and whoever is forgotten
stays unreadable in every copy of the file. Outside the sealed columns people are random ids.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - the mapper reads the annotations

from sqlalchemy import REAL, BigInteger, Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from classpulse.storage.columns import MAX_WORD, NUMBER, UtcTime, bounded
from classpulse.storage.tables import Base

ID = 32
"""Characters of a random id, in hex."""
MAC = 64
"""Characters of an HMAC-SHA-256, in hex."""
MAX_SEALED = 4000
"""Characters of something sealed: an embedding of 1,024 half-precision numbers takes 2,772."""
MAX_DETAIL = 400


class PersonRow(Base):
    """Somebody who is known by name.

    Attributes:
        id: random; the only thing that names them outside sealed columns.
        wrapped_key: their own key, sealed under the master key; destroying it makes all that is theirs unreadable.
        sealed_name: their name.
        name_tag: keyed hash of the name without case, to find it and to refuse it twice.
        created_at: UTC.
    """

    __tablename__ = "people"
    __table_args__ = bounded(("id", ID), ("wrapped_key", MAX_DETAIL), ("sealed_name", MAX_SEALED), ("name_tag", MAC))

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    wrapped_key: Mapped[str] = mapped_column(String(MAX_DETAIL))
    sealed_name: Mapped[str] = mapped_column(String(MAX_SEALED))
    name_tag: Mapped[str] = mapped_column(String(MAC), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ConsentRow(Base):
    """What somebody agreed to; a withdrawal is written into the row, which stays.

    Attributes:
        person_id: who.
        purpose: `"recognition"` or `"individual"` (shown singly, by name).
        sealed: JSON of who gave it, whether as a guardian, who recorded it, and a note.
        recorded_at, expires_at, withdrawn_at: UTC; `withdrawn_at` is None while it stands.
    """

    __tablename__ = "consents"
    __table_args__ = bounded(("person_id", ID), ("purpose", MAX_WORD), ("sealed", MAX_SEALED))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(MAX_WORD))
    sealed: Mapped[str] = mapped_column(String(MAX_SEALED))
    recorded_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)


class EmbeddingRow(Base):
    """One photo's worth of a face: numbers that are useless without the keys.

    Attributes:
        person_id: whose.
        embedder: name and version of the network that made it; others cannot read it.
        sealed: the embedding.
        quality: of the photo, 0 to 1.
        created_at: UTC.
    """

    __tablename__ = "embeddings"
    __table_args__ = bounded(("person_id", ID), ("embedder", MAX_DETAIL), ("sealed", MAX_SEALED))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    embedder: Mapped[str] = mapped_column(String(MAX_DETAIL))
    sealed: Mapped[str] = mapped_column(String(MAX_SEALED))
    quality: Mapped[float] = mapped_column(REAL)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class AppearanceRow(Base):
    """A stretch of a class in which one track was taken for one person.

    Attributes:
        session_id: the class.
        person_id: who; None once they withdrew or were forgotten, or where somebody said that it was not them.
        track: by number within the class.
        start_s, end_s: on the clock of `FrameResult.time_s`.
        confidence: of the match, 0 to 1.
        how: `"recognised"`, `"corrected"` (by hand) or `"rejected"` (by hand: it was somebody else).
    """

    __tablename__ = "appearances"
    __table_args__ = (
        Index(None, "session_id", "start_s"),
        *bounded(("person_id", ID), ("how", MAX_WORD)),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    track: Mapped[int] = mapped_column(BigInteger)
    start_s: Mapped[float] = mapped_column(Double)
    end_s: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(REAL)
    how: Mapped[str] = mapped_column(String(MAX_WORD))


class PersonLinkRow(Base):
    """A link to a person's own page; only its hash is kept.

    Attributes:
        person_id: whose.
        token_hash: SHA-256 of the link's secret.
        expires_at: UTC.
    """

    __tablename__ = "person_links"
    __table_args__ = bounded(("person_id", ID), ("token_hash", MAC))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(MAC), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)


class PersonExportRow(Base):
    """A file with somebody's data that was written for them, to be deleted with them.

    Attributes:
        person_id: whose.
        sealed: JSON of the file's path and hash.
        created_at: UTC.
    """

    __tablename__ = "person_exports"
    __table_args__ = bounded(("person_id", ID), ("sealed", MAX_SEALED))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    sealed: Mapped[str] = mapped_column(String(MAX_SEALED))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ActorRow(Base):
    """Somebody who did what the audit log tells; the log itself has only the random id.

    Attributes:
        id: random.
        sealed_name: the name, under the master key.
        name_tag: keyed hash of the name, to find it.
    """

    __tablename__ = "actors"
    __table_args__ = bounded(("id", ID), ("sealed_name", MAX_SEALED), ("name_tag", MAC))

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    sealed_name: Mapped[str] = mapped_column(String(MAX_SEALED))
    name_tag: Mapped[str] = mapped_column(String(MAC), unique=True)


class AuditRow(Base):
    """One deed; rows are only ever added, each bound to the one before by a keyed hash.

    Attributes:
        id: from 1, without gaps.
        at: UTC, whole seconds.
        actor_id: who, of `actors`, or by their own page the alias of a person.
        action: one word and its object, such as `"people.forget"`.
        subject: whom: a person's alias, which only their own key can make, so that it leads nowhere once that
            is gone; a class's number; or None.
        detail: what else there is to say; never a name.
        mac: HMAC-SHA-256 over the mac before and this row.
    """

    __tablename__ = "audit"
    __table_args__ = bounded(
        ("actor_id", ID), ("action", MAX_WORD), ("subject", MAX_WORD), ("detail", MAX_DETAIL), ("mac", MAC)
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor_id: Mapped[str] = mapped_column(String(ID))
    action: Mapped[str] = mapped_column(String(MAX_WORD))
    subject: Mapped[str | None] = mapped_column(String(MAX_WORD))
    detail: Mapped[str] = mapped_column(String(MAX_DETAIL))
    mac: Mapped[str] = mapped_column(String(MAC))


class AuditCheckpointRow(Base):
    """A place in the log that is signed: its seed (row 1), its last row (2), and the last that was pruned (3).

    Attributes:
        id: which of them.
        at: UTC.
        upto: the row of the log; 0 for the seed.
        upto_mac: that row's mac, which the next row is bound to; random for the seed.
        mac: HMAC-SHA-256 over this checkpoint.
    """

    __tablename__ = "audit_checkpoints"
    __table_args__ = bounded(("upto_mac", MAC), ("mac", MAC))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime)
    upto: Mapped[int] = mapped_column(BigInteger)
    upto_mac: Mapped[str] = mapped_column(String(MAC))
    mac: Mapped[str] = mapped_column(String(MAC))
