"""Who belongs to which class of a school, remembered for a moment, as every request asks for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from classpulse.errors import CourseError, StorageError
from classpulse.web.standing import Standing
from classpulse.web.who import AWAY_S

if TYPE_CHECKING:
    from collections.abc import Callable

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
            StorageError: the database cannot be read, and told of no such course shortly before.
        """
        found = self._known_or((slug, ""), lambda: self._find(slug))
        return found if not isinstance(found, Standing) else None

    def standing(self, slug: str, account: Account) -> Standing | None:
        """As whom somebody belongs to a course; None where they do not, or there is no such course.

        Raises:
            StorageError: the database cannot be read, and did not tell so shortly before.
        """
        found = self._known_or((slug, f"{account.id} {account.rank}"), lambda: self._stand(slug, account))
        return found if isinstance(found, Standing) else None

    def _find(self, slug: str) -> Course | None:
        try:
            return self._courses.get(slug)
        except CourseError:
            return None

    def _stand(self, slug: str, account: Account) -> Standing | None:
        course = self.course(slug)
        role = None if course is None else self._courses.role(course, account.id)
        if course is None or role is None:
            return None
        # Whoever only watches in this school does so in every class.
        return Standing(account, "observer" if account.rank == "observer" else role, course)

    def forget(self) -> None:
        """Ask the database anew: something was changed here."""
        with self._lock:
            self._known.clear()

    def _known_or(self, key: tuple[str, str], ask: Callable[[], Course | Standing | None]) -> Course | Standing | None:
        with self._lock:
            before = self._known.get(key)
        age_s = AWAY_S if before is None else time.monotonic() - before[0]
        if before is not None and age_s < REMEMBERED_S:
            return before[1]
        try:
            value = ask()
        except StorageError:
            # The class goes on without its database, and so do its pages.
            if before is None or before[1] is None or age_s >= AWAY_S:
                raise
            return before[1]
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = time.monotonic(), value
        return value
