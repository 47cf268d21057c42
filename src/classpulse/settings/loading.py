"""Settings from every place they may be given: flags over environment over file over defaults.

The file is TOML with a table per group (`[detector]`, `width_px = 480`); the environment has
`CLASSPULSE_DETECTOR__WIDTH_PX=480`; a flag is `--set detector.width_px=480`. A name that is not known
is refused, with the nearest one that is. What a hosting service says (`hosting.py`) counts
more than the file.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from pydantic import ValidationError

from classpulse.errors import SettingsError
from classpulse.settings.hosting import HOSTED, check_memory, settings_from
from classpulse.settings.names import names_of, not_a_name
from classpulse.settings.tree import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "CLASSPULSE_"
NOT_SETTINGS = frozenset({"CLASSPULSE_CONFIG", "CLASSPULSE_TEST_DATA", "CLASSPULSE_KEY", HOSTED})
"""Names that share the prefix: where the settings file is, where the test data is, the key, and whether a service
runs us."""
SECRET = frozenset({"alerts.webhook_secret", "metrics.token", "oidc.client_secret", "oidc"})
"""What an error does not repeat; a group, where it tells of one that is not whole."""
FLAG = "a flag"


def default_config_path() -> Path:
    """Where the settings file is looked for if no other is named."""
    return platformdirs.user_config_path("classpulse", appauthor=False) / "classpulse.toml"


def load(
    overrides: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read settings from every place they may be given.

    Args:
        overrides: dotted names and values, as flags give them: `{"detector.width_px": "480"}`.
        config: a TOML file; if not given, `CLASSPULSE_CONFIG` or the user's own file, if it is there.
        environ: the environment; the process's own if not given.

    Raises:
        SettingsError: a name is unknown, a value makes no sense, the file cannot be read, or the hosting service's
            disk would forget what is stored.
    """
    environ = os.environ if environ is None else environ
    settings = _validate(Places.read(overrides or {}, config, environ))
    check_memory(environ, settings.database_url)
    return settings


@dataclass(frozen=True, slots=True)
class Places:
    """What each place says, by groups; those above count before those below.

    Attributes:
        flags, environment, hosted, inside: what flags, the environment, the hosting service and the file set.
        file: where that is, or would be.
    """

    flags: dict[str, Any]
    environment: dict[str, Any]
    hosted: dict[str, Any]
    inside: dict[str, Any]
    file: Path

    @classmethod
    def read(cls, overrides: Mapping[str, Any], config: Path | None, environ: Mapping[str, str]) -> Places:
        """Look at every place; arguments as for `load`.

        Raises:
            SettingsError: the file cannot be read.
        """
        flags: dict[str, Any] = {}
        for name, value in overrides.items():
            _merge(flags, _nest(name.split("."), value))
        inside, file = read_file(config, environ), config_path(config, environ)
        return cls(flags, read_environment(environ), settings_from(environ), inside, file)

    def merged(self) -> dict[str, Any]:
        """What they make together."""
        merged: dict[str, Any] = {}
        for values in (self.inside, self.hosted, self.environment, self.flags):
            _merge(merged, values)
        return merged

    def origin(self, name: str) -> str:
        """Which of them gives a setting or a group; empty if none does."""
        if _holds(self.flags, name):
            return FLAG
        if _holds(self.environment, name):
            group = any(known.startswith(f"{name}.") for known in known_names())
            return f"the environment ({PREFIX}{name.upper().replace('.', '__')}{'__…' if group else ''})"
        if _holds(self.hosted, name):
            return "the hosting service (PORT, DATABASE_URL)"
        return f"the file {self.file}" if _holds(self.inside, name) else ""


def _holds(values: Any, name: str) -> bool:  # noqa: ANN401 - what a file holds
    for part in name.split("."):
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


def _validate(places: Places) -> Settings:
    try:
        return Settings(**places.merged())
    except ValidationError as error:
        told = [_where(e["loc"], places) + _explain(e["loc"], e) for e in error.errors()[:3]]
        raise SettingsError("; ".join(told)) from None


def _where(location: tuple[int | str, ...], places: Places) -> str:
    """What to write before an error: where to mend it. Whoever wrote a flag has it before their eyes."""
    for end in range(len(location), 0, -1):  # a part of a list, or what is missing, is in no place by itself
        origin = places.origin(".".join(map(str, location[:end])))
        if origin:
            return "" if origin == FLAG else f"from {origin}: "
    return ""


def _explain(location: tuple[int | str, ...], error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    name = ".".join(str(part) for part in location)
    if error["type"] not in {"model_type", "extra_forbidden"}:
        given = "" if name in SECRET else f", not {error['input']!r}"
        return f"setting {name!r}: {error['msg'].lower()}{given}"
    if isinstance(error["input"], dict):  # a whole group is unknown: its first setting says best what was meant
        name = ".".join([name, *list(error["input"])[:1]])
    return not_a_name(name, known_names(), "classpulse settings")


def known_names() -> list[str]:
    """Every setting's dotted name.

    >>> "detector.width_px" in known_names()
    True
    """
    return names_of(Settings)


def config_path(config: Path | None, environ: Mapping[str, str]) -> Path:
    """Which file is read: the one that is given, that of `CLASSPULSE_CONFIG`, or the user's own."""
    return config or Path(environ.get("CLASSPULSE_CONFIG") or default_config_path())


def read_file(config: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    """What the file sets, by groups; nothing if the user has none.

    Raises:
        SettingsError: it is none, or cannot be read.
    """
    path = config_path(config, environ)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if config is None and not environ.get("CLASSPULSE_CONFIG"):
            return {}
        message = f"settings file {path} does not exist: create it, or leave out --config and CLASSPULSE_CONFIG"
        raise SettingsError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"settings file {path} cannot be read: {error}"
        raise SettingsError(message) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"settings file {path} is not valid TOML: {error}"
        raise SettingsError(message) from None


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the environment sets, by groups."""
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS and text != "":
            _merge(values, _nest(variable.removeprefix(PREFIX).lower().split("__"), text))
    return values


def _nest(path: list[str], value: Any) -> dict[str, Any]:  # noqa: ANN401 - a value of any setting
    for part in reversed(path):
        value = {part: value}
    return dict(value)


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
