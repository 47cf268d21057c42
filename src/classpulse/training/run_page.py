"""The page of a run: its curves, its best epochs, and what was asked and seen. Written anew after every epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.training.plots import curves
from classpulse.training.recipe import TITLES
from classpulse.training.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from classpulse.training.recipe import Target
    from classpulse.training.runs import Run

LEAD = (
    "How this run went so far. Gradients saw FER-2013's Training faces only; PublicTest chose the epoch that is kept; "
    "PrivateTest was not opened."
)


def write_run_page(run: Run, history: Sequence[Mapping[str, float]]) -> Path:
    """Write `index.html` with its figures into the run's folder.

    Args:
        run: what was asked and seen.
        history: a row an epoch, at least one.

    Returns:
        The page.

    Raises:
        TrainingError: the folder cannot be written.
    """
    recipe, record = run.recipe, run.record
    report = Report(f"{recipe.network}: {len(history)} of {recipe.epochs} epochs", LEAD)
    report.section("Curves")
    report.figure(
        "curves", curves(history), "Loss, accuracy and learning rate by epoch.", _spoken(history, recipe.targets)
    )
    report.section("Best epochs")
    rows = []
    for target in recipe.targets:
        best = max(history, key=lambda row: row[f"public_{target}"])
        last = history[-1][f"public_{target}"]
        rows.append([TITLES[target], int(best["epoch"]), _percent(best[f"public_{target}"]), _percent(last)])
    report.table(["PublicTest", "best epoch", "best", "last"], rows)
    seen = record["data"]["trained_on"]
    report.section("What it saw")
    report.facts(
        {
            "data": record["data"]["name"],
            "faces for gradients": f"{seen['faces']:,} of {seen['split']}",
            "faces to choose by": f"{record['data']['chosen_by']['faces']:,} of {record['data']['chosen_by']['split']}",
            "fingerprint": seen["fingerprint"][:16],
            "hours so far": round(sum(row["seconds"] for row in history) / 3600, 2),
        }
    )
    report.section("What was asked")
    report.facts({name: _plain(value) for name, value in record["recipe"].items()})
    report.section("With what")
    report.facts({**record["versions"], "commit": record["commit"], **record["machine"]})
    return report.write(run.folder)


def _spoken(history: Sequence[Mapping[str, float]], targets: Iterable[Target]) -> str:
    first, last = history[0], history[-1]
    scores = []
    for target in targets:
        before, after = (_percent(row[f"public_{target}"]) for row in (first, last))
        scores.append(f"PublicTest {TITLES[target]} from {before} to {after}")
    return f"Over {len(history)} epochs: loss from {first['loss']:.2f} to {last['loss']:.2f}, {', '.join(scores)}."


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _plain(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
        case list():
            return ", ".join(map(str, value)) or "none"
        case None:
            return "none"
        case _:
            return str(value)
