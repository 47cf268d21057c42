"""What the lines of the fault table share."""

from __future__ import annotations

from tests.storage.conftest import made, postgres

__all__ = ["made", "postgres"]
