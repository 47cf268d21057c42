"""How commands come to people's data: the store, the key, who acts, and the law."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import login_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.storage.people import People
    from classpulse.storage.store import Store

by_option = click.option("--by", metavar="NAME", help="Who does this, kept in the log [default: your login name].")


@contextmanager
def opened(settings: Settings, by: str | None) -> Iterator[tuple[Store, People | None]]:
    """The store and its people; None where there never were any, which takes no key."""
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        known = store.people(store.vault(settings.key_file), by or login_name()) if store.holds_people() else None
        yield store, known


@contextmanager
def known_people(settings: Settings, by: str | None) -> Iterator[People]:
    """The people of a store that has some."""
    from classpulse.cli.people_views import NOBODY
    from classpulse.errors import PeopleError

    with opened(settings, by) as (_, known):
        if known is None:
            raise PeopleError(NOBODY)
        yield known


@contextmanager
def enrolling(settings: Settings, by: str | None) -> Iterator[tuple[People, Policy]]:
    """The people of a store where the law allows to recognise anybody; before any key is made or photo read."""
    from classpulse.law import law_in_force
    from classpulse.policy import Task
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        policy = law_in_force(store, settings)
        policy.require(Task.IDENTITY)
        vault = store.vault(settings.key_file, create=True)
        yield store.people(vault, by or login_name()), policy


def remark(remarks: tuple[str, ...]) -> None:
    """Say on standard error what could not be done yet."""
    for remark in remarks:
        click.echo(f"Note: {remark}.", err=True)
