"""What a study found: its page, its table, and the best settings as a command."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from rich.table import Table

from classpulse.training.report import Report
from classpulse.training.tune.plots import NAMES, courses, history, importances, slices
from classpulse.training.tune.search import SPACE, changes_of
from classpulse.training.tune.tune import ENOUGH, STARTUP, best_of

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.training.tune.tune import Outcome, Plan

SHORT = {
    "learning_rate": "rate",
    "weight_decay": "decay",
    "augment": "augm.",
    "augment.mixup": "mixup",
    "label_smoothing": "smooth",
}
"""What settings are called where a line has a hundred characters."""
CAUTION = (
    "The best of many trials is a little lucky: the same PublicTest faces scored all of them, so on other faces its "
    "score is lower. A few epochs also favour what learns fast; settings for a long run may want more regularization."
)


def train_command(plan: Plan, outcome: Outcome) -> str:
    """The command that trains with a trial's settings, for the network's own number of epochs."""
    changes = {**changes_of(outcome.point, {}), **plan.fixed}
    sets = " ".join(f"--set {quote(f'{name}={value}')}" for name, value in changes.items())
    return f"classpulse train {plan.network} --data {quote(str(plan.data))} {sets}"


def write_page(plan: Plan, found: list[Outcome], shares: dict[str, float]) -> Path:
    """Write the study's page into its folder.

    Args:
        plan: of the study.
        found: its trials that ended; at least one.
        shares: as `tune.shares_of` gives them.

    Returns:
        The page.

    Raises:
        TrainingError: it cannot be written.
    """
    best = best_of(found)
    pruned = sum(outcome.pruned for outcome in found)
    done = f"{len(found)} trials of up to {plan.epochs} epochs each, in search of settings for {plan.network}."
    page = Report(f"Tuning {plan.network}", f"{done}\n\n{CAUTION}")
    page.facts(
        {
            "best PublicTest accuracy": f"{100 * best.score:.2f} % ({plan.target}, {best.folder})",
            "trials": f"{len(found)}, of which {pruned} were stopped early",
            "data": plan.data.name,
            "fixed": ", ".join(f"{name}={value}" for name, value in plan.fixed.items()) or "nothing",
        }
    )
    page.section("The best settings", f"They train a network of their own with:\n\n{train_command(plan, best)}")
    page.section(
        "How the search went",
        f"The first {STARTUP} trials are drawn at random; each later one is proposed from those before it (TPE: "
        "Bergstra et al. 2011). A trial that is worse than the median of the others at the same epoch is stopped.",
    )
    said = f"The best of {len(found)} trials reached {100 * best.score:.2f} %."
    page.figure("history", history(found), "PublicTest accuracy of every trial, and the best so far.", said)
    caption = "PublicTest accuracy after each epoch; a trial below the median of the others is stopped."
    page.figure("courses", courses(found), caption, f"Course of each trial; {best.folder} ends above the others.")
    page.section("What mattered")
    if shares:
        first = max(shares, key=lambda name: shares[name])
        caption = "Share of the scores' variance that each setting explains among the trials that ran to their end."
        alt = f"{NAMES[first]} explains most: {100 * shares[first]:.0f} %."
        page.figure("importances", importances(shares), caption, alt)
    else:
        page.text(f"Too few trials ran to their end to tell: {ENOUGH} with different scores are needed.")
    caption = "Every setting against the score; the ring is the best trial."
    page.figure(
        "slices", slices(found), caption, "A small plot for each setting; the table below has the same numbers."
    )
    page.section("Every trial")
    names = [name for name in SPACE if name in best.point]
    rows = [
        [one.folder, f"{100 * one.score:.2f} %", len(one.course), one.pruned, *(one.point[name] for name in names)]
        for one in _ranked(found)
    ]
    page.table(["run", "score", "epochs", "stopped early", *(NAMES[name] for name in names)], rows, "Best first.")
    return page.write(plan.folder)


def trials_table(found: list[Outcome], limit: int = 15) -> Table:
    """The best trials for the terminal.

    Args:
        found: trials that ended; at least one.
        limit: most lines.
    """
    names = [name for name in SPACE if name in found[0].point]
    title = f"The best {limit} of {len(found)} trials" if len(found) > limit else f"{len(found)} trials, best first"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in ("run", "score", "epochs", *(SHORT.get(name, name) for name in names)):
        table.add_column(column, justify="left" if column in {"run", "schedule"} else "right", no_wrap=True)
    for one in _ranked(found)[:limit]:
        epochs = f"{len(one.course)}, stopped" if one.pruned else f"{len(one.course)}"
        point = [_short(one.point[name]) for name in names]
        table.add_row(one.folder, f"{100 * one.score:.2f} %", epochs, *point, style="dim" if one.pruned else "")
    return table


def _ranked(found: list[Outcome]) -> list[Outcome]:
    return sorted(found, key=lambda outcome: -outcome.score)


def _short(value: object) -> str:
    """A value in few characters.

    >>> _short(0.0012345), _short("one-cycle"), _short(0.30000000000000004)
    ('0.00123', 'one-cycle', '0.3')
    """
    return f"{value:.3g}" if isinstance(value, float) else str(value)
