"""What the lines of the fault table share."""

from __future__ import annotations

from tests.storage.conftest import made

__all__ = ["made"]
