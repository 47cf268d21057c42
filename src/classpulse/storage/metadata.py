"""Every table that there is: whoever needs all of them asks here, as a table is known once its module is loaded."""

from __future__ import annotations

from classpulse.storage import account_tables, course_tables, moment_tables, people_tables
from classpulse.storage.tables import Base

METADATA = Base.metadata

__all__ = ["METADATA", "account_tables", "course_tables", "moment_tables", "people_tables"]
