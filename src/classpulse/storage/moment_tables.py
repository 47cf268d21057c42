"""The tables of what is said and done in a class at one moment: marks, answers and alerts."""

from __future__ import annotations

from sqlalchemy import Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from classpulse.insight.moments import MAX_LABEL
from classpulse.storage.columns import MAX_WORD, NUMBER, bounded
from classpulse.storage.tables import Base

MAX_REASON = 400
MAX_PARTICIPANT = 64


class MarkRow(Base):
    """One `Mark`."""

    __tablename__ = "marks"
    __table_args__ = (Index(None, "session_id", "time_s"), *bounded(("label", MAX_LABEL), ("how", MAX_WORD)))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    time_s: Mapped[float] = mapped_column(Double)
    label: Mapped[str] = mapped_column(String(MAX_LABEL))
    how: Mapped[str] = mapped_column(String(MAX_WORD))


class AnswerRow(Base):
    """One `Answer`."""

    __tablename__ = "answers"
    __table_args__ = (
        Index(None, "session_id", "time_s"),
        *bounded(("participant", MAX_PARTICIPANT), ("said", MAX_WORD)),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    time_s: Mapped[float] = mapped_column(Double)
    participant: Mapped[str] = mapped_column(String(MAX_PARTICIPANT))
    said: Mapped[str] = mapped_column(String(MAX_WORD))


class AlertRow(Base):
    """One `Alert`."""

    __tablename__ = "alerts"
    __table_args__ = (Index(None, "session_id", "time_s"), *bounded(("kind", MAX_WORD), ("reason", MAX_REASON)))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    time_s: Mapped[float] = mapped_column(Double)
    kind: Mapped[str] = mapped_column(String(MAX_WORD))
    reason: Mapped[str] = mapped_column(String(MAX_REASON))
