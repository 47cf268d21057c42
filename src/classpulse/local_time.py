"""Moments by the clock of this machine, with its zone named. What is stored and exported is UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_NAME = 5


def zone(at: datetime) -> str:
    """The short name of this machine's zone at a moment: `CET`, or `UTC+05:30` where it has none.

    Args:
        at: any moment that knows its zone; summer time depends on it.
    """
    local = at.astimezone()
    name = local.tzname() or ""
    # Not "+03" of zones without a name, "Europe" of one that this machine does not know, or the words that Windows has.
    if name.isalpha() and name.isupper() and len(name) <= LONGEST_NAME:
        return name
    offset = local.strftime("%z")
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"


def local_time(at: datetime, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment by this machine's clock, with its zone.

    Args:
        at: any moment that knows its zone.
        form: as `strftime` takes it, without the zone.
    """
    return f"{at.astimezone().strftime(form)} {zone(at)}"
