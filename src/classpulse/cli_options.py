"""What commands have in common: settings as options."""

from __future__ import annotations

import functools
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classpulse.policy import STRICTEST_FIRST

if TYPE_CHECKING:
    from collections.abc import Callable

FLAGS = {"port": "web.port", "browser": "web.open_browser"} | {
    name: name for name in ("individual", "cpu_share", "jurisdiction")
}
"""Flags that are another way to write a setting."""


def common(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that every command about classes has, and hand it the settings they make."""

    @click.option("--config", type=click.Path(path_type=Path), help="Settings file (TOML).")
    @click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Any setting: --set detector.width_px=480")
    @click.option(
        "--jurisdiction", type=click.Choice(STRICTEST_FIRST), help="The law in force; can only tighten the stored one."
    )
    @functools.wraps(command)
    def wrapped(config: Path | None, sets: tuple[str, ...], **rest: Any) -> None:  # noqa: ANN401
        from classpulse.settings import load  # noqa: PLC0415 - a fifth of a second that --help need not wait

        overrides = pairs_of(sets, "detector.width_px=480")
        given = {FLAGS[name]: rest.pop(name) for name in list(rest) if name in FLAGS}
        overrides |= {name: value for name, value in given.items() if value is not None}
        command(load(overrides, config=config), **rest)

    return wrapped


def pairs_of(sets: tuple[str, ...], example: str) -> dict[str, Any]:
    """`NAME=VALUE` pairs, as `--set` takes them, as a mapping.

    >>> pairs_of(("web.port=8701",), "detector.width_px=480")
    {'web.port': '8701'}

    Args:
        sets: as given; of two of one name the last counts.
        example: of a pair, for the error.

    Raises:
        click.UsageError: one has no `=`.
    """
    pairs: dict[str, Any] = {}
    for pair in sets:
        name, equals, value = pair.partition("=")
        if not equals:
            message = f"--set {pair}: write NAME=VALUE, for example --set {example}"
            raise click.UsageError(message)
        pairs[name] = value
    return pairs


def login_name() -> str:
    """The name of the account that runs the command.

    Raises:
        click.UsageError: it has none.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        message = "this account has no name: say who answers with --by NAME"
        raise click.UsageError(message) from None
