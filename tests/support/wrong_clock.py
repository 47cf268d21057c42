"""A clock that somebody sets while a class runs."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Self, cast

if TYPE_CHECKING:
    import pytest


class WallClock:
    """What all of Classpulse takes for the time of day, from now on.

    Attributes:
        ahead: by how much it is wrong.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta(0)
        clock = self

        class Wrong(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return cast("Self", datetime.now(tz) + clock.ahead)

        for name, module in list(sys.modules.items()):
            if name.startswith("classpulse") and getattr(module, "datetime", None) is datetime:
                monkeypatch.setattr(module, "datetime", Wrong)
