"""The commands for alerts: those that were raised, and those that other thresholds would raise."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli_options import common

if TYPE_CHECKING:
    from classpulse.insight.replay import Replayed
    from classpulse.settings import Settings
    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow


class _Alerts(click.Group):
    """A group that takes a number for the class whose alerts are to be listed; without one it lists those of all."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """`alerts 3` is `alerts list 3`, `alerts` is `alerts list`."""
        listed = not args or args[0].isdecimal()
        return super().parse_args(context, ["list", *args] if listed else args)


@click.group(cls=_Alerts, subcommand_metavar="[CLASS] | COMMAND [ARGS]…")
def alerts() -> None:
    """Show what the teacher was told in a class, or try other thresholds on it.

    CLASS is its number in `classpulse sessions`; without one the alerts of all classes are listed.

    \b
    Examples:
      classpulse alerts
      classpulse alerts 3
      classpulse alerts replay all --set alerts.threshold=6
    """  # noqa: D301 - click's own mark for text that is not to be wrapped


@alerts.command("list")
@click.argument("session", metavar="[CLASS]", type=int, required=False)
@common
def list_alerts(settings: Settings, session: int | None) -> None:
    """List the alerts of a class, or of all, in the order of their time."""
    from classpulse.alert_views import alerts_table
    from classpulse.storage.store import Store
    from classpulse.terminal import show

    with Store.of(settings) as store:
        numbers = sorted(_chosen(store, session))
        show(alerts_table([(number, alert) for number in numbers for alert in store.moments.alerts(number)]))


@alerts.command("replay")
@click.argument("session", metavar="[CLASS|all]", default="all")
@click.option("--list", "listed", is_flag=True, help="List the alerts themselves, too.")
@common
def replay_alerts(settings: Settings, session: str, *, listed: bool) -> None:
    """Watch stored classes again, with the thresholds of the settings, and tell how many alerts an hour they give.

    Nothing is stored and nobody is told. What to turn: alerts.smallest_fall, alerts.threshold, alerts.every_min,
    alerts.lost_share, alerts.lost_answers, alerts.few_share.

    \b
    Examples:
      classpulse alerts replay
      classpulse alerts replay 3 --list
      classpulse alerts replay all --set alerts.threshold=6 --set alerts.smallest_fall=0.3
    """  # noqa: D301
    from classpulse.alert_views import alerts_table, replay_table
    from classpulse.storage.store import Store
    from classpulse.terminal import show

    number = _number(session)
    with Store.of(settings) as store:
        rows = _chosen(store, number)
        replayed = {one: _replay(store, rows[one], settings) for one in sorted(rows)}
    if listed:
        show(alerts_table([(one, alert) for one, told in replayed.items() for alert in told.alerts]))
    show(replay_table(replayed, rows))


def _number(session: str) -> int | None:
    if session == "all":
        return None
    if not session.isdecimal():
        message = f"{session!r} is no class: give its number in `classpulse sessions`, or all"
        raise click.UsageError(message)
    return int(session)


def _chosen(store: Store, session: int | None) -> dict[int, SessionRow]:
    """The class of this number, or all of them."""
    if session is None:
        return {row.id: row for row in store.sessions()}
    return {session: store.require_session(session)}


def _replay(store: Store, row: SessionRow, settings: Settings) -> Replayed:
    from classpulse.insight.disclosure import smallest_group
    from classpulse.insight.replay import replay
    from classpulse.watching import rules_of

    rules = rules_of(settings.alerts, smallest_group(None if row.demo else row.min_group))
    return replay(store.windows(row.id), store.moments.answers(row.id), rules)
