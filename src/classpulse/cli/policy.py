"""The commands for the law that is in force."""

# ruff: noqa: PLC0415 - heavy imports happen inside the commands, so that `classpulse --help` answers at once
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from classpulse.cli.options import common, login_name
from classpulse.policy import EXEMPTIONS, STRICTEST_FIRST

if TYPE_CHECKING:
    from classpulse.policy import Exemption, Policy
    from classpulse.settings import Jurisdiction, Settings


@click.group(invoke_without_command=True)
@click.pass_context
def policy(context: click.Context) -> None:
    """Show or set the law that is in force here."""
    if context.invoked_subcommand is None:
        context.invoke(show_policy)


@policy.command("show")
@common
def show_policy(settings: Settings) -> None:
    """Show the law in force, what it allows, and who said so when."""
    from classpulse.cli.terminal import policy_table, show
    from classpulse.law import law_in_force
    from classpulse.storage.store import Store

    with Store.of(settings) as store:
        show(policy_table(law_in_force(store, settings), store.policy_log()))


@policy.command("set")
@click.argument("jurisdiction_in_force", metavar="eu|other|research", type=click.Choice(STRICTEST_FIRST))
@click.option("--by", metavar="NAME", help="Who says so, kept with the answer; your login name if not given.")
@click.option("--exemption", type=click.Choice(EXEMPTIONS), help="Under eu: why its ban does not apply here.")
@click.option("--declaration", metavar="TEXT", default="", help="What that, or research, rests on and who approved it.")
@common
def set_policy(
    settings: Settings,
    jurisdiction_in_force: Jurisdiction,
    by: str | None,
    exemption: Exemption | None,
    declaration: str,
) -> None:
    """Say which law is in force here; the answer is kept with who gave it and when.

    An exemption, and research, need a declaration of a sentence, which is kept too.

    \b
    Examples:
      classpulse policy set eu
      classpulse policy set other --by "Head of school"
      classpulse policy set research --declaration "Study 12, approved by the ethics board on 3 May"
    """  # noqa: D301
    from classpulse.law import answer_law
    from classpulse.policy import Policy, stored_policy, told
    from classpulse.storage.store import Store

    policy = Policy(jurisdiction_in_force, exemption, declaration)
    with Store.of(settings) as store:
        before = stored_policy(store.answer())
        answer_law(store, policy, by or login_name(), "command")
    click.echo(f"Jurisdiction: {told(policy.jurisdiction, policy.exemption)}.")
    _warn_looser(before, policy)


def _warn_looser(before: Policy, after: Policy) -> None:
    """Say on standard error what an answer allows that the one before it did not."""
    from classpulse.policy import Task

    new = [task.value for task in Task if after.allows(task) and not before.allows(task)]
    if before.jurisdiction is not None and new:
        click.echo(f"Warning: this allows what was not allowed here before: {', '.join(new)}.", err=True)
