"""What is kept of each kind of row, and until when: what the doctor shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from classpulse.storage.people_tables import AppearanceRow, AuditRow, ConsentRow, PersonLinkRow
from classpulse.storage.tables import ObservationRow, PolicyAnswerRow, SessionRow

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from classpulse.settings import RetentionSettings


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of row.

    Attributes:
        what: what to call it.
        days: how long it is kept; None where each row says so itself.
        since: UTC; from when the time of the oldest counts; None where there is no row that will go.
    """

    what: str
    days: float | None
    since: datetime | None

    @property
    def goes(self) -> datetime | None:
        """When the oldest goes."""
        return None if self.since is None else self.since + timedelta(days=self.days or 0)


def outlook(connection: Connection, days: RetentionSettings) -> list[Kept]:
    """Every kind of row that is kept.

    Raises:
        SQLAlchemyError: the database cannot be read.
    """
    end = func.coalesce(ConsentRow.withdrawn_at, ConsentRow.expires_at)
    last_ends = select(func.max(end).label("end")).group_by(ConsentRow.person_id).subquery()
    last_answer = select(func.max(PolicyAnswerRow.id)).scalar_subquery()
    kinds: list[tuple[str, float | None, Select[Any]]] = [
        ("observations", days.observations_days, _oldest_class(ObservationRow)),
        ("attendance", days.appearances_days, _oldest_class(AppearanceRow)),
        ("classes, windows, marks, answers and alerts", days.sessions_days, select(func.min(SessionRow.last_seen_at))),
        ("people after consent", days.consents_days, select(func.min(last_ends.c.end))),
        ("links to own pages", None, select(func.min(PersonLinkRow.expires_at))),
        (
            "answers on the law",
            days.audit_days,
            select(func.min(PolicyAnswerRow.answered_at)).where(PolicyAnswerRow.id != last_answer),
        ),
        ("audit log", days.audit_days, select(func.min(AuditRow.at))),
    ]
    return [Kept(what, kept, connection.scalar(query)) for what, kept, query in kinds]


def _oldest_class(row: type[ObservationRow | AppearanceRow]) -> Select[Any]:
    has_some = select(row.id).where(row.session_id == SessionRow.id).exists()
    return select(func.min(SessionRow.last_seen_at)).where(has_some)
