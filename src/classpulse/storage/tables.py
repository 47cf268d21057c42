"""The tables: sessions, observations, class windows and the answers on which law is in force.

No column can hold a picture: there is no binary column, and every text has a length that the database
itself checks. Times are UTC; `time_s`, `start_s` and `end_s` are on the clock of `FrameResult.time_s`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import REAL, BigInteger, Double, ForeignKey, Index, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate
from classpulse.storage.columns import (
    MAX_DECLARATION,
    MAX_ESTIMATE,
    MAX_LABELS,
    MAX_NUMBERS,
    MAX_SOURCE,
    MAX_WORD,
    NUMBER,
    Interval,
    Numbers,
    UtcTime,
    Words,
    bounded,
)

ESTIMATES = ("facing", "mood", "attention", "concentration")
"""The figures of a window that have an interval."""


class Base(DeclarativeBase):
    """All tables; constraints have names, so that migrations can change them everywhere."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SessionRow(Base):
    """One class.

    Attributes:
        id: its number.
        source: the source's name.
        kind: what kind of source it is.
        jurisdiction: the law that was in force; None for a trial on recorded or made-up pictures.
        exemption: why the ban of that law did not apply, as was declared; None otherwise.
        demo: whether it was the built-in demo.
        min_group: fewest people a figure may come from.
        labels: the emotions, in the order of every `mix` and `probabilities`; empty where none were read.
        started_at, last_seen_at, ended_at: UTC; `ended_at` is None while it runs, or died and was not closed yet.
        ended_how: `"ended"` (the source did), `"stopped"` (somebody did), `"failed"`, or `"torn"` (the process died).
        owner_pid, owner_started_s, owner_host: the process that writes it: number, start since the epoch, machine.
        frames: frames captured.
        dropped: those of them that were replaced by newer ones before they were looked at.
        lost: observations that the database did not take in time.
        course_id: the course that it was held of; None for a class of no school.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        *bounded(("source", MAX_SOURCE), ("kind", MAX_WORD), ("jurisdiction", MAX_WORD), ("labels", MAX_LABELS)),
        *bounded(("exemption", MAX_WORD)),
        *bounded(("ended_how", MAX_WORD), ("owner_host", MAX_SOURCE)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(MAX_SOURCE))
    kind: Mapped[str] = mapped_column(String(MAX_WORD))
    jurisdiction: Mapped[str | None] = mapped_column(String(MAX_WORD))
    exemption: Mapped[str | None] = mapped_column(String(MAX_WORD))
    demo: Mapped[bool]
    min_group: Mapped[int]
    labels: Mapped[tuple[str, ...]] = mapped_column(Words)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    ended_how: Mapped[str | None] = mapped_column(String(MAX_WORD))
    owner_pid: Mapped[int]
    owner_started_s: Mapped[float] = mapped_column(Double)
    owner_host: Mapped[str] = mapped_column(String(MAX_SOURCE))
    frames: Mapped[int] = mapped_column(default=0)
    dropped: Mapped[int] = mapped_column(default=0)
    lost: Mapped[int] = mapped_column(default=0)
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)

    @property
    def smallest_group(self) -> int | None:
        """What `disclose` needs: fewest people a figure may come from, None for the demo."""
        return None if self.demo else self.min_group


class ObservationRow(Base):
    """One face at one moment.

    Attributes:
        time_s: when.
        track: who, by number within the session.
        x0, y0, x1, y1: its box in px of the full frame.
        confidence: the detector's, 0 to 1.
        emotion: an emotion, `"uncertain"`, or None where the face was not read.
        probabilities: of each of the session's labels, four digits; None where the face was not read.
    """

    __tablename__ = "observations"
    __table_args__ = (
        Index(None, "session_id", "time_s"),
        *bounded(("emotion", MAX_WORD), ("probabilities", MAX_NUMBERS)),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    time_s: Mapped[float] = mapped_column(Double)
    track: Mapped[int] = mapped_column(BigInteger)
    x0: Mapped[float] = mapped_column(REAL)
    y0: Mapped[float] = mapped_column(REAL)
    x1: Mapped[float] = mapped_column(REAL)
    y1: Mapped[float] = mapped_column(REAL)
    confidence: Mapped[float] = mapped_column(REAL)
    emotion: Mapped[str | None] = mapped_column(String(MAX_WORD))
    probabilities: Mapped[tuple[float, ...] | None] = mapped_column(Numbers)


class WindowRow(Base):
    """One `ClassWindow`; its labels are the session's."""

    __tablename__ = "windows"
    __table_args__ = (
        Index(None, "session_id", "start_s"),
        *bounded(("mix", MAX_NUMBERS)),
        *bounded(*((name, MAX_ESTIMATE) for name in ESTIMATES)),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    start_s: Mapped[float] = mapped_column(Double)
    end_s: Mapped[float] = mapped_column(Double)
    results: Mapped[int]
    faces: Mapped[float] = mapped_column(Double)
    people: Mapped[int]
    read: Mapped[int]
    mix: Mapped[tuple[float, ...] | None] = mapped_column(Numbers)
    uncertain: Mapped[float | None] = mapped_column(Double)
    expected: Mapped[int] = mapped_column(default=0, server_default="0")
    posed: Mapped[int] = mapped_column(default=0, server_default="0")
    facing: Mapped[Estimate | None] = mapped_column(Interval)
    mood: Mapped[Estimate | None] = mapped_column(Interval)
    attention: Mapped[Estimate | None] = mapped_column(Interval)
    concentration: Mapped[Estimate | None] = mapped_column(Interval)
    movement: Mapped[float | None] = mapped_column(Double)

    def as_window(self, labels: tuple[str, ...]) -> ClassWindow:
        """The window as it was written."""
        return ClassWindow(
            start_s=self.start_s,
            end_s=self.end_s,
            results=self.results,
            faces=self.faces,
            people=self.people,
            read=self.read,
            labels=labels,
            mix=self.mix,
            uncertain=self.uncertain,
            expected=self.expected,
            posed=self.posed,
            movement=self.movement,
            **{name: getattr(self, name) for name in ESTIMATES},
        )

    @staticmethod
    def values(session_id: int, window: ClassWindow) -> dict[str, Any]:
        """The columns of a window."""
        return {
            "session_id": session_id,
            "start_s": window.start_s,
            "end_s": window.end_s,
            "results": window.results,
            "faces": window.faces,
            "people": window.people,
            "read": window.read,
            "mix": window.mix,
            "uncertain": window.uncertain,
            "expected": window.expected,
            "posed": window.posed,
            "movement": window.movement,
            **{name: getattr(window, name) for name in ESTIMATES},
        }


class PolicyAnswerRow(Base):
    """Who said which law is in force, when and how; rows are only ever added.

    Attributes:
        jurisdiction: the answer.
        answered_by: the person's name, as given.
        answered_at: UTC.
        previous: the answer before, None for the first.
        how: `"terminal"`, `"page"` or `"command"`.
        exemption: `"medical"` or `"safety"` where the ban of the law is said not to apply; None otherwise.
        declaration: why the exemption, or research, is lawful here, in the words of whoever answered.
    """

    __tablename__ = "policy_answers"
    __table_args__ = (
        *bounded(("jurisdiction", MAX_WORD), ("answered_by", MAX_SOURCE), ("previous", MAX_WORD), ("how", MAX_WORD)),
        *bounded(("exemption", MAX_WORD), ("declaration", MAX_DECLARATION)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    jurisdiction: Mapped[str] = mapped_column(String(MAX_WORD))
    answered_by: Mapped[str] = mapped_column(String(MAX_SOURCE))
    answered_at: Mapped[datetime] = mapped_column(UtcTime)
    previous: Mapped[str | None] = mapped_column(String(MAX_WORD))
    how: Mapped[str] = mapped_column(String(MAX_WORD))
    exemption: Mapped[str | None] = mapped_column(String(MAX_WORD))
    declaration: Mapped[str | None] = mapped_column(String(MAX_DECLARATION))
