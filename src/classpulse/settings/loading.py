"""Settings from every place they may be given: flags over environment over file over defaults.

The file is TOML with a table per group (`[detector]`, `width_px = 480`); the environment has
`CLASSPULSE_DETECTOR__WIDTH_PX=480`; a flag is `--set detector.width_px=480`. A name that is not known
is refused, with the nearest one that is. What a hosting service says (`hosting.py`) counts
more than the file.
"""

from __future__ import annotations

import os
import tomllib
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
    merged: dict[str, Any] = read_file(config, environ)
    _merge(merged, settings_from(environ))
    _merge(merged, read_environment(environ))
    for name, value in (overrides or {}).items():
        _merge(merged, _nest(name.split("."), value))
    settings = _validate(merged)
    check_memory(environ, settings.database_url)
    return settings


def _validate(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(e["loc"], e) for e in error.errors()[:3])) from None


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
