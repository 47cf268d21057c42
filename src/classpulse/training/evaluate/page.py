"""An evaluation as a page for people: both scores first, then where the model fails and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.training.evaluate import figures
from classpulse.training.evaluate.groups import MIN_FACES, NOT_MEASURED
from classpulse.training.evaluate.result import MIN_CERTAINTY, MIXED_NOTE
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.plots import BAD
from classpulse.training.recipe import TITLES
from classpulse.training.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from classpulse.training.evaluate.groups import Grouping
    from classpulse.training.evaluate.metrics import Calibration, Company, Rate, Score
    from classpulse.training.evaluate.result import Evaluation
    from classpulse.training.evaluate.robustness import Robustness
    from classpulse.training.recipe import Target


class _Page:
    """A report in which every figure and table carries the same note, so that none travels without it."""

    def __init__(self, report: Report, note: str) -> None:
        self._report = report
        self._note = note

    def section(self, heading: str, text: str = "") -> None:
        self._report.section(heading, text)

    def text(self, text: str) -> None:
        self._report.text(text)

    def figure(self, name: str, figure: Figure, caption: str, alt: str) -> None:
        if self._note:
            figure.suptitle(self._note, x=0.01, ha="left", color=BAD, fontsize=10)
        self._report.figure(name, figure, self._noted(caption), alt)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> None:
        self._report.table(headers, rows, self._noted(caption))

    def facts(self, facts: Mapping[str, object]) -> None:
        self._report.facts(facts)
        if self._note:
            self._report.text(self._noted(""))

    def _noted(self, caption: str) -> str:
        return f"{caption} ({self._note})".strip() if self._note else caption


def write_page(evaluation: Evaluation, folder: Path) -> Path:
    """Write the page.

    Args:
        evaluation: what it shows.
        folder: for the page and its figures, among them faces of the data.

    Returns:
        The page.

    Raises:
        TrainingError: the folder cannot be written.
    """
    e = evaluation
    lead = f"What the model says of {e.faces:,} faces of {e.split.value}, none of which it should have learned from."
    report = Report(f"{e.name}: {e.split.value}", "\n\n".join([lead, *e.notes]))
    page = _Page(report, MIXED_NOTE if e.split is Split.MIXED else "")
    _scores(page, e)
    _confusion(page, e.scores)
    _certainty(page, e)
    _robustness(page, e.robustness)
    _groups(page, e.groups, e.unknown_names)
    _mistakes(page, e)
    page.section("What was evaluated")
    facts: list[list[object]] = [
        ["model", e.kind],
        ["trained on", e.past.text or "its file does not say"],
        ["code that trained it", e.past.commit or None],
        ["data", f"{e.data}, {e.split.value}"],
        ["pictures of the data that could not be read", e.unreadable],
        ["faces that it was trained on", e.seen if e.past.digests is not None else "could not be counted"],
    ]
    page.table(["what", "is"], facts, "")
    return report.write(folder)


def percent(share: float | None) -> str | None:
    """A share as text, or None.

    >>> percent(0.65772), percent(float("nan"))
    ('65.8 %', None)
    """
    return None if share is None or np.isnan(share) else f"{100 * share:.1f} %"


def interval(rate: Rate) -> str:
    """The ends of a 95 % interval as text."""
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %"


def _scores(page: _Page, e: Evaluation) -> None:
    page.section(
        "The two scores",
        "FER-2013's own label is what other models are compared by; it is often wrong. Agreement with people counts "
        "the faces on which more than five of ten people chose the same of the seven emotions, and is what a teacher "
        "needs.",
    )
    page.facts(
        {f"{title}": percent(e.scores[t].accuracy.value) if t in e.scores else None for t, title in TITLES.items()}
    )
    rows: list[list[object]] = [
        ["right", *_each(e.scores, lambda s: percent(s.accuracy.value))],
        ["95 % interval", *_each(e.scores, lambda s: interval(s.accuracy))],
        ["macro-F1", *_each(e.scores, lambda s: percent(s.macro_f1))],
        ["faces", *_each(e.scores, lambda s: s.faces)],
    ]
    if e.distinct is not None:
        scores, left_out = e.distinct.scores, e.distinct.left_out
        rows.append(
            [
                f"right, without the {left_out:,} like one in Training",
                *_each(scores, lambda s: percent(s.accuracy.value)),
            ]
        )
        rows.append(["faces, without those", *_each(scores, lambda s: s.faces)])
    page.table(["", *TITLES.values()], rows, "Both scores, with the 95 % interval after Wilson.")
    if e.distinct is None:
        page.text("Near-duplicates of Training were not looked for: the data has no Training.")
    if e.company is not None:
        page.text(_among_people(e.company, e.scores.get("people")))
    else:
        page.text("Agreement with people was not measured: the data has no FER+ votes (fer2013new.csv).")


def _each(scores: Mapping[Target, Score], tell: Callable[[Score], object]) -> list[object]:
    return [tell(scores[target]) if target in scores else None for target in TITLES]


def _among_people(company: Company, people: Score | None) -> str:
    said = f"One of the ten, picked at random, agrees with the majority on {percent(company.one_and_majority)} of these"
    if people is not None:
        said += f"; the model on {percent(people.accuracy.value)}"
    return (
        f"{said}. Over all {company.faces:,} faces that people were asked about, the model agrees with one of them in "
        f"{percent(company.network)}, two of them with each other in {percent(company.two_people)}, and nobody could "
        f"reach more than {percent(company.best)}."
    )


def _confusion(page: _Page, scores: dict[Target, Score]) -> None:
    page.section("Emotion by emotion")
    worst = {target: int(np.nanargmin(score.recalls)) for target, score in scores.items()}
    alt = "; ".join(
        f"{TITLES[t]}: {EMOTIONS[i]} is found least, {percent(scores[t].recalls[i])}" for t, i in worst.items()
    )
    caption = (
        "Rows are what a face is, with how many there are; columns what the model says of it, in percent of the row."
    )
    page.figure("confusion", figures.confusion(scores), caption, alt)
    headers, rows = ["emotion"], [[emotion] for emotion in EMOTIONS]  # type: tuple[list[str], list[list[object]]]
    for target, score in scores.items():
        headers += [f"{TITLES[target]}: found", "of"]
        for row, recall, faces in zip(rows, score.recalls, score.confusion.sum(axis=1), strict=True):
            row += [percent(recall), int(faces)]
    page.table(headers, rows, "Share of each emotion's faces that is found (recall).")


def _certainty(page: _Page, e: Evaluation) -> None:
    page.section(
        "How sure it is",
        "A model is calibrated if it is right as often as it is sure. One number, the temperature, divides what the "
        "network says until that fits best; it is fitted on PublicTest and never changes which emotion comes first.",
    )
    found = e.calibration
    if found is None:
        page.text(
            "Not measured: there is no PublicTest in this data to fit a temperature on, or no answers for this target."
        )
    else:
        _reliability(page, found)
    page.figure(
        "coverage",
        figures.coverage(e.coverage),
        'Faces of which the model is less sure than a threshold are called "uncertain"; from left to right the '
        f"threshold rises. The dots are the threshold of a live class, {MIN_CERTAINTY:g}, with certainties at "
        f"temperature {e.temperature:.2f}.",
        f"At the threshold {MIN_CERTAINTY:g}, {percent(e.certain)} of the faces are named.",
    )


def _reliability(page: _Page, found: Calibration) -> None:
    against = "FER-2013's label" if found.target == "label" else "the share of the people who say the same"
    page.figure(
        "reliability",
        figures.reliability(found),
        f"Faces by how sure the model is of them, and how right it is, against {against}. Below, how many faces there "
        "are.",
        f"Expected calibration error {percent(found.before.error)} before and {percent(found.after.error)} after.",
    )
    page.facts(
        {
            "temperature": f"{found.temperature:.3f}",
            "which is": found.origin,
            "calibration error before": percent(found.before.error),
            "after": percent(found.after.error),
            "after, against the majority where people agree": percent(found.majority_error),
        }
    )


def _robustness(page: _Page, found: Robustness | None) -> None:
    if found is None:
        page.section("Blur, distance, light and crop", "Robustness was not measured (--robustness 0).")
        return
    page.section(
        "Blur, distance, light and crop",
        f"The same {found.faces:,} faces, drawn at random from those above, spoilt as a camera and a detector would: "
        "out of focus, far away, dark, compressed, and cut out askew.",
    )
    lowest = {
        TITLES[target]: min(rates[target].value for tried in found.tried for rates in tried.rates)
        for target in found.untouched
    }
    page.figure(
        "robustness",
        figures.robustness(found),
        "Right answers by how far the faces are spoilt; bands are 95 % intervals, rings the faces as they are.",
        "; ".join(f"{title}: at worst {percent(value)}" for title, value in lowest.items()),
    )
    shown = [(target, TITLES[target]) for target in found.untouched]
    rows = [["as they are", *(percent(found.untouched[target].value) for target, _ in shown)]]
    for tried in found.tried:
        pairs = list(zip(tried.family.amounts, tried.rates, strict=True))
        cells = ["; ".join(f"{v:g}: {100 * rates[target].value:.1f}" for v, rates in pairs) for target, _ in shown]
        rows.append([f"{tried.family.name} ({tried.family.unit})", *cells])
    page.table(
        ["what was done", *(f"{title}, %" for _, title in shown)], rows, "The same as a table: amount, and % right."
    )


def _groups(page: _Page, groups: tuple[Grouping, ...], unknown: int) -> None:
    page.section("Groups of people")
    if not groups:
        page.text(f"{NOT_MEASURED}. Give --groups with a table of who belongs to which.")
        return
    for grouping in groups:
        rows: list[list[object]] = []
        for group in grouping.groups:
            row: list[object] = [group.group, group.faces]
            for target in TITLES:
                rate = group.accuracy.get(target)
                row += [percent(rate.value), interval(rate)] if rate else [None, None]
            rows.append(row)
        headers = [grouping.column, "faces", *(text for title in TITLES.values() for text in (title, "95 % interval"))]
        page.table(headers, rows, f"By {grouping.column}; {grouping.ungrouped:,} faces belong to no group.")
        gaps = ", ".join(f"{100 * gap:.1f} points on {TITLES[target]}" for target, gap in grouping.gaps.items())
        page.text(
            f"Largest gap between groups of at least {MIN_FACES} faces: {gaps or 'there are no two such groups'}."
        )
    if unknown:
        page.text(f"{unknown:,} names in the table are none of the faces that were scored.")


def _mistakes(page: _Page, e: Evaluation) -> None:
    worst = e.mistakes
    if not len(worst.faces):
        page.section("The worst mistakes", "There is none.")
        return
    right = "what people agree on" if worst.faces.has_votes else "the label"
    page.section(
        "The worst mistakes",
        f"The {len(worst.faces)} faces on which the model was most sure, and wrong by {right}. They come from your own "
        "copy of the data: keep this page to yourself.",
    )
    page.figure(
        "mistakes",
        figures.mistakes(worst),
        "Above each face what the model says; below, FER-2013's label, and what most people see, with how many of ten.",
        "; ".join(f"{EMOTIONS[said]} for {name}" for said, name in zip(worst.said, worst.faces.names, strict=True)),
    )
