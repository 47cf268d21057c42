"""Who belongs to which class of a school, remembered for a moment, as every request asks for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from classpulse.errors import CourseError
from classpulse.web.standing import Standing

if TYPE_CHECKING:
    from classpulse.storage.account import Account
    from classpulse.storage.course import Course
    from classpulse.storage.courses import Courses

REMEMBERED_S = 2.0
"""A member that another process took out of a class has that long."""
MOST = 4096


class Membership:
    """Looks up courses and who belongs to them. May be used from any thread, and waits for the database."""

    def __init__(self, courses: Courses) -> None:
        """Know nobody yet."""
        self._courses = courses
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Course | Standing | None]] = {}

    def course(self, slug: str) -> Course | None:
        """A course by its name in addresses; None where there is none.

        Raises:
            StorageError: the database cannot be read.
        """
        found = self._remembered((slug, ""))
        if found is None:
            try:
                course: Course | None = self._courses.get(slug)
            except CourseError:
                course = None
            self._remember((slug, ""), course)
            return course
        return found[1] if not isinstance(found[1], Standing) else None

    def standing(self, slug: str, account: Account) -> Standing | None:
        """As whom somebody belongs to a course; None where they do not, or there is no such course.

        Raises:
            StorageError: the database cannot be read.
        """
        key = (slug, f"{account.id} {account.rank}")
        found = self._remembered(key)
        if found is not None:
            return found[1] if isinstance(found[1], Standing) else None
        course = self.course(slug)
        role = None if course is None else self._courses.role(course, account.id)
        standing = None
        if course is not None and role is not None:
            # Whoever only watches in this school does so in every class.
            standing = Standing(account, "observer" if account.rank == "observer" else role, course)
        self._remember(key, standing)
        return standing

    def forget(self) -> None:
        """Ask the database anew: something was changed here."""
        with self._lock:
            self._known.clear()

    def _remembered(self, key: tuple[str, str]) -> tuple[float, Course | Standing | None] | None:
        with self._lock:
            found = self._known.get(key)
        return found if found is not None and time.monotonic() - found[0] < REMEMBERED_S else None

    def _remember(self, key: tuple[str, str], value: Course | Standing | None) -> None:
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = time.monotonic(), value
