"""What a column may hold, how long it may be, and how it is written so that every database reads the same from it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Integer, String, TypeDecorator

from classpulse.insight.estimate import Estimate

MAX_SOURCE = 200
"""Characters of a source's name that are kept."""
MAX_WORD = 40
MAX_LABELS = 400
MAX_DECLARATION = 400
MAX_NUMBERS = 400
"""Characters of a list of shares: sixteen at full precision, fifty at four digits."""

MAX_ESTIMATE = 40
MAX_NUMBER = 2**31 - 1
"""Largest number of a class."""

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the key is an INTEGER."""


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, also on databases that know no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From what the database gives: in UTC if it says nothing else."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[tuple[str, ...]]):
    """A few words, separated by blanks."""

    impl = String(MAX_LABELS)
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To one text."""
        return None if value is None else " ".join(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002
        """To words."""
        return None if value is None else tuple(value.split())


class Numbers(TypeDecorator[tuple[float, ...]]):
    """A few numbers, separated by blanks, in the order of the session's labels."""

    impl = String(MAX_NUMBERS)
    cache_ok = True

    def process_bind_param(self, value: tuple[float, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To one text, in the shortest way that reads back as the same numbers."""
        return None if value is None else " ".join(map(repr, value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[float, ...] | None:  # noqa: ARG002
        """To numbers."""
        return None if value is None else tuple(map(float, value.split()))


class Interval(TypeDecorator[Estimate]):
    """A figure with the ends of its interval: `value low high`."""

    impl = String(MAX_ESTIMATE)
    cache_ok = True

    def process_bind_param(self, value: Estimate | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To one text, four digits each: there is no more in them."""
        return None if value is None else f"{value.value:.4f} {value.low:.4f} {value.high:.4f}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Estimate | None:  # noqa: ARG002
        """From one text."""
        return None if value is None else Estimate(*map(float, value.split()))


def bounded(*columns: tuple[str, int]) -> tuple[CheckConstraint, ...]:
    """Constraints that have the database refuse longer texts: SQLite takes a column's length for a comment."""
    return tuple(CheckConstraint(f"length({name}) <= {limit}", name=f"{name}_length") for name, limit in columns)
