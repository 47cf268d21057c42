"""Every setting as it is told to somebody: what it is now, what it would be, where that comes from, what it means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from classpulse.settings.loading import Places, known_names, load
from classpulse.settings.tree import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

ADDRESSES = frozenset({"alerts.webhook", "database_url", "trace.endpoint"})
"""Settings whose user, password, path or query may let somebody in; where they lead to is told."""
HIDDEN = "(secret)"
UNSET = "(not set)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, all in text.

    Attributes:
        name: its dotted name.
        value, default: as `--set` takes them; a secret is not told.
        origin: what gave the value; empty for the default.
        meaning: in a sentence or two.
    """

    name: str
    value: str
    default: str
    origin: str
    meaning: str


def list_settings(
    overrides: Mapping[str, Any], *, config: Path | None = None, environ: Mapping[str, str] | None = None
) -> list[Setting]:
    """Every setting, in the order in which they are written down.

    Args:
        overrides: dotted names and values, as for `load`.
        config: a file, as for `load`.
        environ: the environment, as for `load`.

    Raises:
        SettingsError: as for `load`.
    """
    settings = load(overrides, config=config, environ=environ)
    given = origins(overrides, config=config, environ=environ)
    found = []
    for name in known_names():
        group: BaseModel = settings
        default: BaseModel | None = None
        *groups, last = name.split(".")
        for part in groups:
            default, group = Settings.model_fields[part].default, getattr(group, part)
        field = type(group).model_fields[last]
        usual = field.get_default(call_default_factory=True) if default is None else getattr(default, last)
        meaning = " ".join((field.description or "").split())
        found.append(
            Setting(
                name,
                _told(name, getattr(group, last), field),
                _told(name, usual, field),
                given.get(name, ""),
                meaning,
            )
        )
    return found


def origins(
    overrides: Mapping[str, Any], *, config: Path | None = None, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Where each setting that is not left at its default comes from, by its dotted name.

    Args:
        overrides: dotted names and values, as for `load`.
        config: a file, as for `load`.
        environ: the environment, as for `load`.

    Raises:
        SettingsError: the file cannot be read.
    """
    places = Places.read(overrides, config, os.environ if environ is None else environ)
    return {name: origin for name in known_names() if (origin := places.origin(name))}


def _told(name: str, value: object, field: FieldInfo) -> str:
    """A value as it is written; of a secret (`repr=False`) whether there is one."""
    if value is None or value == "":
        return UNSET
    if not field.repr:
        return HIDDEN
    if name in ADDRESSES:
        return _without_secrets(str(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _without_secrets(address: str) -> str:
    """Where an address leads to.

    >>> _without_secrets("postgresql://ana:pass@db.school:5433/x?password=y"), _without_secrets("sqlite:////data/x.db")
    ('postgresql://db.school:5433/…', 'sqlite:////data/x.db')
    """
    parts = urlsplit(address)
    if not parts.netloc and not parts.query:
        return address
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
