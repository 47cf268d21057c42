"""Who said which law is in force, when and how: a log that is only ever added to, whose last answer counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from classpulse.storage.columns import MAX_SOURCE
from classpulse.storage.database import reader_of, told_plainly
from classpulse.storage.tables import PolicyAnswerRow

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from classpulse.settings import Jurisdiction
    from classpulse.storage.housekeeping import House

HowAnswered = Literal["terminal", "page", "command"]


class LawLog:
    """The answers on which law is in force, in one database. May be used from any thread.

    Attributes:
        house: what keeps it in order; a class that runs for days calls `house.step` now and then.
    """

    def __init__(self, engine: Engine, house: House) -> None:
        """Take a migrated database, and the house that tells its audit log of a new answer."""
        self._engine = engine
        self._reader = reader_of(engine)
        self.house = house

    def answer(self) -> PolicyAnswerRow | None:
        """The last answer on which law is in force, which counts; None while nobody has said.

        Raises:
            StorageError: the database cannot be read.
        """
        with told_plainly(self._engine.url), Session(self._reader) as session:
            return session.scalar(select(PolicyAnswerRow).order_by(PolicyAnswerRow.id.desc()).limit(1))

    def set_jurisdiction(
        self,
        jurisdiction: Jurisdiction,
        answered_by: str,
        how: HowAnswered,
        *,
        exemption: str | None = None,
        declaration: str = "",
    ) -> None:
        """Add an answer to the log; the last one counts.

        Args:
            jurisdiction: the law in force.
            answered_by: who says so.
            how: where it was asked.
            exemption: why the law's ban does not apply here, if that is said.
            declaration: what an exemption, or research, rests on.

        Raises:
            StorageError: the database does not take it.
        """
        with self.house.told(answered_by, "policy.set", jurisdiction) as connection:
            answer = {
                "jurisdiction": jurisdiction,
                "answered_by": answered_by[:MAX_SOURCE],
                "answered_at": datetime.now(UTC),
                "previous": _last_answer(connection),
                "how": how,
                "exemption": exemption,
                "declaration": declaration or None,
            }
            connection.execute(insert(PolicyAnswerRow), answer)

    def policy_log(self) -> list[PolicyAnswerRow]:
        """Every answer, the oldest first.

        Raises:
            StorageError: the database cannot be read.
        """
        with told_plainly(self._engine.url), Session(self._reader) as session:
            return list(session.scalars(select(PolicyAnswerRow).order_by(PolicyAnswerRow.id)))


def _last_answer(connection: Connection) -> str | None:
    return connection.scalar(select(PolicyAnswerRow.jurisdiction).order_by(PolicyAnswerRow.id.desc()).limit(1))
