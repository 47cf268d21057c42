"""The tables of a school's classes: what recurs, who belongs to it, and which process runs it now."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - the mapper reads the annotations

from sqlalchemy import Double, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from classpulse.storage.columns import MAX_SOURCE, MAX_WORD, UtcTime, bounded
from classpulse.storage.people_tables import ID
from classpulse.storage.tables import Base

MAX_SLUG = 40
MAX_COURSE_NAME = 80
MAX_ADDRESS = 400
"""Characters of a course's source: a stream's address with its password."""
MAX_OVERRIDES = 400
MAX_TROUBLE = 400
MAX_FINGERPRINT = 95
"""A SHA-256 as `AB:CD:…`."""


class CourseRow(Base):
    """A class that recurs, such as "Maths 7b".

    Attributes:
        slug: its name in addresses.
        name: as it is shown.
        source: where its pictures come from, as `classpulse live` takes it; may hold a camera's password, in clear.
        host: the one machine it runs on, where the source is a part of a machine; None for any.
        trusted: whether the source was given on the server's own command line, so that it may be anything.
        overrides: settings of its own, as JSON.
        wanted: whether it is to run now.
        created_at: UTC.
    """

    __tablename__ = "courses"
    __table_args__ = (
        *bounded(("slug", MAX_SLUG), ("name", MAX_COURSE_NAME), ("source", MAX_ADDRESS)),
        *bounded(("host", MAX_SOURCE), ("overrides", MAX_OVERRIDES)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(MAX_SLUG), unique=True)
    name: Mapped[str] = mapped_column(String(MAX_COURSE_NAME))
    source: Mapped[str] = mapped_column(String(MAX_ADDRESS))
    host: Mapped[str | None] = mapped_column(String(MAX_SOURCE))
    trusted: Mapped[bool]
    overrides: Mapped[str] = mapped_column(String(MAX_OVERRIDES))
    wanted: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class CourseMemberRow(Base):
    """Who belongs to a course, and as what.

    Attributes:
        course_id, account_id: of whom.
        role: `"teacher"` or `"observer"`.
    """

    __tablename__ = "course_members"
    __table_args__ = bounded(("account_id", ID), ("role", MAX_WORD))

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(
        String(ID), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(MAX_WORD))


class RunRow(Base):
    """How a course runs now, or ran last: what the processes of a school tell each other, each second.

    Attributes:
        course_id: of which course.
        process: random, of the process that runs it; None where nobody does.
        owner_pid, owner_started_s, owner_host: that process: number, start since the epoch, machine.
        address: where other processes reach it, `http://10.0.0.5:8700`.
        fingerprint: SHA-256 of its certificate; None where it does not encrypt.
        pass_key: random; by it the process knows that a request was handed on by another one.
        beat: grows with every sign of life, so that nobody's clock matters.
        taken: how many processes in a row have fallen silent soon after they began to run it.
        beat_at: when, UTC: for people, and for what is too old to be gone on with.
        phase: as the class's page has it, `"asked"` before anybody has begun it, `"left"` when its process ended in
            good order in the middle.
        elapsed_s: time since the class began.
        people: people seen, as the class's page tells it; None where they are too few.
        students: students who take part by link; None where that is not known.
        word: how the class follows; None where it is not told.
        session_id: under which it is stored.
        trouble: a sentence on what is wrong; empty if nothing.
    """

    __tablename__ = "runs"
    __table_args__ = (
        *bounded(("process", ID), ("owner_host", MAX_SOURCE), ("address", MAX_SOURCE), ("pass_key", ID)),
        *bounded(("fingerprint", MAX_FINGERPRINT), ("phase", MAX_WORD), ("word", MAX_WORD), ("trouble", MAX_TROUBLE)),
    )

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    process: Mapped[str | None] = mapped_column(String(ID))
    owner_pid: Mapped[int | None]
    owner_started_s: Mapped[float | None] = mapped_column(Double)
    owner_host: Mapped[str | None] = mapped_column(String(MAX_SOURCE))
    address: Mapped[str | None] = mapped_column(String(MAX_SOURCE))
    fingerprint: Mapped[str | None] = mapped_column(String(MAX_FINGERPRINT))
    pass_key: Mapped[str | None] = mapped_column(String(ID))
    beat: Mapped[int]
    taken: Mapped[int]
    beat_at: Mapped[datetime] = mapped_column(UtcTime)
    phase: Mapped[str] = mapped_column(String(MAX_WORD))
    elapsed_s: Mapped[float] = mapped_column(Double)
    people: Mapped[int | None]
    word: Mapped[str | None] = mapped_column(String(MAX_WORD))
    session_id: Mapped[int | None]
    trouble: Mapped[str] = mapped_column(String(MAX_TROUBLE))
    students: Mapped[int | None]
