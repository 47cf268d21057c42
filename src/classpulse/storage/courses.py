"""A school's classes as they are kept: what recurs, who belongs to it, and what was stored of it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from classpulse.errors import CourseError
from classpulse.storage.account_tables import AccountRow
from classpulse.storage.course import (
    Course,
    CourseRole,
    Member,
    clean_course_name,
    clean_role,
    clean_source,
    packed,
    slug_of,
)
from classpulse.storage.course_tables import CourseMemberRow, CourseRow, RunRow
from classpulse.storage.database import reader_of, told_plainly
from classpulse.storage.tables import SessionRow
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection, Engine

    from classpulse.storage.housekeeping import House

MOST_COURSES = 2000
"""Courses of one school: beyond that somebody's program makes them in a loop."""
SLUG_TRIES = 1000


class Courses:
    """The courses of one database; got by `Store.courses`. May be used from any thread.

    Every method raises `CourseError` where it says no, and `StorageError` where the database does not answer; then
    nothing was done. What is done is told in the audit log where there is one, with `actor` as who did it.
    """

    def __init__(self, engine: Engine, house: House, actor: str = "Classpulse") -> None:
        """Take a migrated database, and who acts."""
        self._engine = engine
        self._reader = reader_of(engine)
        self._house = house
        self._actor = actor

    def acting_as(self, name: str) -> Courses:
        """The same courses, with somebody as who acts in the audit log."""
        return Courses(self._engine, self._house, name)

    # Which there are.

    def all(self) -> list[Course]:
        """Every course, by name."""
        with self._reading() as session:
            rows = session.scalars(select(CourseRow).order_by(func.lower(CourseRow.name), CourseRow.id))
            return [Course.of(row) for row in rows]

    def wanted(self) -> list[Course]:
        """Those that are to run now."""
        with self._reading() as session:
            return [Course.of(row) for row in session.scalars(select(CourseRow).where(CourseRow.wanted))]

    def of_account(self, account_id: str) -> dict[int, CourseRole]:
        """The courses that somebody belongs to, and as what."""
        query = select(CourseMemberRow.course_id, CourseMemberRow.role).where(CourseMemberRow.account_id == account_id)
        with self._reading() as session:
            return {course_id: clean_role(role) for course_id, role in session.execute(query)}

    def get(self, slug: str) -> Course:
        """One course, by its name in addresses."""
        with self._reading() as session:
            row = session.scalar(select(CourseRow).where(CourseRow.slug == slug))
            if row is None:
                raise _unknown(slug)
            return Course.of(row)

    # Making and changing them.

    def add(
        self,
        name: str,
        source: str,
        *,
        slug: str | None = None,
        host: str | None = None,
        trusted: bool = False,
        overrides: Mapping[str, Any] | None = None,
        teacher: str | None = None,
    ) -> Course:
        """Make a course.

        Args:
            name: as it is shown.
            source: as `classpulse live` takes it.
            slug: its name in addresses; made of the name if not given.
            host: the one machine it runs on; None for any.
            trusted: whether the source was given on the server's own command line.
            overrides: settings of its own, by dotted name.
            teacher: the account of its first teacher; None if it has none yet.
        """
        values = {
            "name": clean_course_name(name),
            "source": clean_source(source),
            "host": host,
            "trusted": trusted,
            "overrides": packed(overrides or {}),
            "wanted": False,
            "created_at": datetime.now(UTC),
        }
        wanted = slug_of(slug or str(values["name"]))
        with self._changing("course.add", wanted) as connection:
            if (connection.scalar(select(func.count()).select_from(CourseRow)) or 0) >= MOST_COURSES:
                message = phrase("this school has {most} classes, and cannot have more", most=MOST_COURSES)
                raise CourseError(message, "full")
            free = _free_slug(connection, wanted)
            made = insert(CourseRow).values(values | {"slug": free}).returning(CourseRow.id)
            course_id = connection.execute(made).scalar_one()
            if teacher is not None:
                _refuse_observer(connection, teacher)
                connection.execute(insert(CourseMemberRow), _member(course_id, teacher, "teacher"))
        return self.get(free)

    def change(self, course: Course, **values: Any) -> Course:  # noqa: ANN401 - of the columns
        """Change a course's `name`, `source` (with `host` and `trusted`) or `overrides`."""
        checks: dict[str, Callable[[Any], str]] = {
            "name": clean_course_name,
            "source": clean_source,
            "overrides": packed,
        }
        checked = {name: checks[name](value) if name in checks else value for name, value in values.items()}
        with self._changing("course.change", course.slug, " ".join(sorted(values))) as connection:
            _require(connection, course)
            connection.execute(update(CourseRow).where(CourseRow.id == course.id).values(checked))
        return self.get(course.slug)

    def want(self, course: Course, wanted: bool) -> None:
        """Say whether a course is to run."""
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            connection.execute(update(CourseRow).where(CourseRow.id == course.id).values(wanted=wanted))

    def remove(self, course: Course) -> None:
        """Remove a course; what was stored of it stays, for the command line, for as long as such rows are kept.

        Raises:
            CourseError: it runs.
        """
        with self._changing("course.remove", course.slug) as connection:
            _require(connection, course)
            if connection.scalar(select(RunRow.process).where(RunRow.course_id == course.id)) is not None:
                message = phrase("the class {slug} is running: end it first", slug=course.slug)
                raise CourseError(message, "running")
            held = update(SessionRow).where(SessionRow.course_id == course.id)
            connection.execute(held.values(course_id=None))
            connection.execute(delete(CourseRow).where(CourseRow.id == course.id))

    # Who belongs to them.

    def members(self, course: Course) -> list[Member]:
        """Who belongs to a course: teachers first, by name."""
        query = (
            select(AccountRow.id, AccountRow.login, AccountRow.name, CourseMemberRow.role)
            .join(CourseMemberRow, CourseMemberRow.account_id == AccountRow.id)
            .where(CourseMemberRow.course_id == course.id)
            .order_by(CourseMemberRow.role.desc(), func.lower(AccountRow.name))
        )
        with self._reading() as session:
            return [Member(one.id, one.login, one.name, clean_role(one.role)) for one in session.execute(query)]

    def role(self, course: Course, account_id: str) -> CourseRole | None:
        """As what somebody belongs to a course; None if they do not."""
        return self.of_account(account_id).get(course.id)

    def set_member(self, course: Course, account_id: str, role: CourseRole) -> None:
        """Make somebody a member, or one of another role.

        Raises:
            CourseError: nobody would be left to teach it, or whoever is to teach it only watches in this school.
        """
        checked = clean_role(role)
        with self._changing("course.member", course.slug, f"{account_id} {checked}") as connection:
            _require(connection, course)
            if checked == "teacher":
                _refuse_observer(connection, account_id)
            mine = (CourseMemberRow.course_id == course.id) & (CourseMemberRow.account_id == account_id)
            before = connection.scalar(select(CourseMemberRow.role).where(mine))
            if before is None:
                try:
                    connection.execute(insert(CourseMemberRow), _member(course.id, account_id, checked))
                except IntegrityError:
                    message = phrase("there is no such account any more")
                    raise CourseError(message, "unknown") from None
                return
            connection.execute(update(CourseMemberRow).where(mine).values(role=checked))
            if before == "teacher":
                _refuse_without_teacher(connection, course)

    def remove_member(self, course: Course, account_id: str) -> None:
        """Take somebody out of a course.

        Raises:
            CourseError: they are not in it, or nobody would be left to teach it.
        """
        with self._changing("course.member", course.slug, f"{account_id} out") as connection:
            _require(connection, course)
            mine = (CourseMemberRow.course_id == course.id) & (CourseMemberRow.account_id == account_id)
            before = connection.scalar(select(CourseMemberRow.role).where(mine))
            if before is None:
                message = phrase("they do not belong to the class {slug}", slug=course.slug)
                raise CourseError(message, "unknown")
            connection.execute(delete(CourseMemberRow).where(mine))
            if before == "teacher":
                _refuse_without_teacher(connection, course)

    # What was stored of them.

    def course_of(self, session_id: int) -> int | None:
        """Which course a stored class belongs to; None for none, and where there is no such class."""
        with self._reading() as session:
            return session.scalar(select(SessionRow.course_id).where(SessionRow.id == session_id))

    def close_torn(self, course_id: int) -> None:
        """End what a process that fell silent has left open of a course, at its last sign of life."""
        open_ones = (SessionRow.course_id == course_id) & SessionRow.ended_at.is_(None)
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            values = {"ended_at": SessionRow.last_seen_at, "ended_how": "torn"}
            connection.execute(update(SessionRow).where(open_ones).values(values))

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with told_plainly(self._engine.url), Session(self._reader) as session:
            yield session

    @contextmanager
    def _changing(self, action: str, slug: str, detail: str = "") -> Iterator[Connection]:
        with self._house.told(self._actor, action, f"{slug} {detail}".strip()) as connection:
            yield connection


def _member(course_id: int, account_id: str, role: CourseRole) -> dict[str, object]:
    return {"course_id": course_id, "account_id": account_id, "role": role}


def _free_slug(connection: Connection, wanted: str) -> str:
    taken = set(connection.scalars(select(CourseRow.slug).where(CourseRow.slug.startswith(wanted, autoescape=True))))
    found = next((slug for slug in _slugs(wanted) if slug not in taken), None)
    if found is None:
        message = phrase("too many classes are called {slug}: give it another name", slug=wanted)
        raise CourseError(message, "input")
    return found


def _slugs(wanted: str) -> Iterator[str]:
    yield wanted
    for number in range(2, SLUG_TRIES):
        yield f"{wanted}-{number}"


def _require(connection: Connection, course: Course) -> None:
    """Hold the course's row to the end of the transaction."""
    query = select(CourseRow.id).where(CourseRow.id == course.id).with_for_update()
    if connection.scalar(query) is None:
        raise _unknown(course.slug)


def _refuse_without_teacher(connection: Connection, course: Course) -> None:
    teachers = (CourseMemberRow.course_id == course.id) & (CourseMemberRow.role == "teacher")
    if connection.scalar(select(CourseMemberRow.account_id).where(teachers).limit(1)) is None:
        message = phrase("the class {slug} needs a teacher: make somebody else one first", slug=course.slug)
        raise CourseError(message, "last")


def _refuse_observer(connection: Connection, account_id: str) -> None:
    """Whoever is an observer in this school could do nothing as a teacher of a class."""
    login = connection.scalar(
        select(AccountRow.login).where((AccountRow.id == account_id) & (AccountRow.rank == "observer"))
    )
    if login is not None:
        message = phrase(
            "{login} is an observer in this school and cannot teach a class: add them as an observer, "
            "or have an admin make them a teacher first",
            login=login,
        )
        raise CourseError(message, "input")


def _unknown(slug: str) -> CourseError:
    return CourseError(phrase("there is no class {slug}", slug=repr(slug[:40])), "unknown")
