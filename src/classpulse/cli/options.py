"""What commands have in common: settings as options."""

from __future__ import annotations

import functools
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from classpulse.policy import STRICTEST_FIRST

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")

FLAGS = {
    "port": "web.port",
    "host": "web.host",
    "lab_port": "lab.port",
    "browser": "web.open_browser",
    "my_tile": "screen.ignore",
    "cluster": "cluster.address",
    "log_format": "log.format",
} | {name: name for name in ("individual", "cpu_share", "jurisdiction")}
"""Flags that are another way to write a setting."""


ClassChoice = int | Literal["latest", "all"]
"""What a user may write for a class."""


class ClassNumber(click.ParamType):  # type: ignore[type-arg]
    """A class as a user names it: its number in `classpulse sessions`, `latest`, or where it makes sense `all`."""

    name = "class"

    def __init__(self, *, several: bool = False) -> None:
        """Take `all` as well if there may be several."""
        self.words = ("latest", "all") if several else ("latest",)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ClassChoice:  # noqa: ANN401, ARG002 - click's own
        """The number, or the word.

        Raises:
            click.UsageError: it is neither.
        """
        if isinstance(value, int) or value in self.words:
            return value  # type: ignore[no-any-return]
        # SQLite takes no number of more digits.
        if value.isascii() and value.isdigit() and len(value) < 18:
            return int(value)
        message = f"{value!r} is no class: give a number of `classpulse sessions`, or {' or '.join(self.words)}"
        raise click.UsageError(message)


CLASSES = "[CLASS|latest|all]"
ONE_CLASS, CLASS_OR_ALL = ClassNumber(), ClassNumber(several=True)


class ClassGroup(click.Group):
    """A group of commands that takes a class in place of a command, and lists what it has of it, or of all of them."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """`marks 3` is `marks list 3`, and `marks` is `marks list`."""
        listed = not args or args[0].isdecimal() or args[0] in CLASS_OR_ALL.words
        return super().parse_args(context, ["list", *args] if listed else args)


def chosen_classes(store: Store, chosen: ClassChoice) -> dict[int, SessionRow]:
    """The classes that were chosen, by their number, the oldest first.

    Raises:
        StorageError: there is no such class.
    """
    if chosen == "all":
        return {row.id: row for row in reversed(store.sessions())}
    number = number_of(store, chosen)
    return {number: store.require_session(number)}


def number_of(store: Store, chosen: ClassChoice) -> int:
    """The number of the one class that was chosen; whether there is one is not looked up for a number.

    Raises:
        StorageError: `latest`, and no class is stored.
    """
    return chosen if isinstance(chosen, int) else store.latest().id


force_option = click.option("--force", is_flag=True, help="Write over a file that is there already.")


def refuse_to_replace(target: str | Path | None, option: str, *, force: bool) -> None:
    """Refuse to write over a file that is there; a device, a pipe and an empty file hold nothing, - is standard output.

    Args:
        target: where somebody wants something written; None where they do not.
        option: by which another name is given.
        force: whether they said that it may be written over.

    Raises:
        click.UsageError: it is there, and they did not.
    """
    if target is None or str(target) == "-" or force:
        return
    if Path(target).is_file() and Path(target).stat().st_size:
        message = f"{target} is there already: add --force to write over it, or give another name with {option}"
        raise click.UsageError(message)


def common(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that every command about classes has, and hand it the settings they make."""

    @functools.wraps(command)
    def wrapped(overrides: dict[str, Any], config: Path | None, **rest: Any) -> None:  # noqa: ANN401
        from classpulse.settings import load  # noqa: PLC0415 - a fifth of a second that --help need not wait

        command(load(overrides, config=config), **rest)

    return settable(wrapped)


def settable(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the same options, and hand it what they set by dotted names, and the file they name."""

    @click.option("--config", type=click.Path(path_type=Path), help="Settings file (TOML).")
    @click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Any setting: --set detector.width_px=480")
    @click.option(
        "--jurisdiction", type=click.Choice(STRICTEST_FIRST), help="The law in force; can only tighten the stored one."
    )
    @functools.wraps(command)
    def wrapped(config: Path | None, sets: tuple[str, ...], **rest: Any) -> None:  # noqa: ANN401
        overrides = pairs_of(sets, "detector.width_px=480")
        given = {FLAGS[name]: rest.pop(name) for name in list(rest) if name in FLAGS}
        overrides |= {name: value for name, value in given.items() if value is not None}
        command(overrides, config, **rest)

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
