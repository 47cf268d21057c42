"""The commands for alerts: those that were raised, and those that other thresholds would raise."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from classpulse.cli.options import CLASS_OR_ALL, CLASSES, ClassChoice, ClassGroup, chosen_classes, common

if TYPE_CHECKING:
    from classpulse.insight.replay import Replayed
    from classpulse.settings import Settings
    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow


class_argument = click.argument("session", metavar=CLASSES, type=CLASS_OR_ALL, default="all")


@click.group(cls=ClassGroup, subcommand_metavar=f"{CLASSES} | COMMAND [ARGS]…")
def alerts() -> None:
    """Show what the teacher was told in a class, or try other thresholds on it.

    CLASS is its number in `classpulse sessions`, or latest; without one the alerts of all classes are listed.

    \b
    Examples:
      classpulse alerts
      classpulse alerts latest
      classpulse alerts replay all --set alerts.threshold=6
    """  # noqa: D301 - click's own mark for text that is not to be wrapped


@alerts.command("list")
@class_argument
@common
def list_alerts(settings: Settings, session: ClassChoice) -> None:
    """List the alerts of a class, or of all, in the order of their time."""
    from classpulse.cli.alert_views import alerts_table
    from classpulse.cli.terminal import show
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        numbers = chosen_classes(store, session)
        show(alerts_table([(number, alert) for number in numbers for alert in store.moments.alerts(number)]))


@alerts.command("replay")
@class_argument
@click.option("--list", "listed", is_flag=True, help="List the alerts themselves, too.")
@common
def replay_alerts(settings: Settings, session: ClassChoice, *, listed: bool) -> None:
    """Watch stored classes again, with the thresholds of the settings, and tell how many alerts an hour they give.

    Nothing is stored and nobody is told. With alerts.enabled=false no class would be told anything.

    \b
    What to turn, with its range:
      alerts.smallest_fall  0.1 to 1    how far facing or mood has to fall
      alerts.threshold      1 to 50     how much evidence it takes: higher is rarer and later
      alerts.every_min      1 to 120    shortest time between two alerts
      alerts.lost_share     0 to 1      share of "lost" among the answers
      alerts.lost_answers   1 to 1000   fewest "lost" answers
      alerts.few_share      0 to 1      share of the class below which few are visible (0 never)

    \b
    Examples:
      classpulse alerts replay
      classpulse alerts replay 3 --list
      classpulse alerts replay all --set alerts.threshold=6 --set alerts.smallest_fall=0.3
    """  # noqa: D301
    from classpulse.cli.alert_views import alerts_table, replay_table
    from classpulse.cli.terminal import show
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        rows = chosen_classes(store, session)
        replayed = {one: _replay(store, rows[one], settings) for one in rows}
    if listed:
        show(alerts_table([(one, alert) for one, told in replayed.items() for alert in told.alerts]))
    show(replay_table(replayed, rows))
    if not settings.alerts.enabled:
        click.echo("Alerts are switched off (alerts.enabled=false): no class would be told anything.", err=True)


def _replay(store: Store, row: SessionRow, settings: Settings) -> Replayed:
    from classpulse.insight.disclosure import smallest_group
    from classpulse.insight.replay import replay
    from classpulse.watching import rules_of

    rules = rules_of(settings.alerts, smallest_group(None if row.demo else row.min_group))
    replayed = replay(store.windows(row.id), store.moments.answers(row.id), rules)
    return replayed if settings.alerts.enabled else replace(replayed, alerts=())
