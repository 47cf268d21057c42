"""The report's sentences: what a figure says, in words that a teacher would use, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.insight.state import percent

if TYPE_CHECKING:
    from classpulse.insight.moments import StateName
    from classpulse.report.contents import ClassReport
    from classpulse.report.standouts import Standout

STATES: dict[StateName, str] = {
    "with_you": "with you",
    "mixed": "mixed",
    "losing": "losing them",
    "not_enough": "not enough faces",
}
FEW = 0.5
"""Where fewer than this face the screen, the headline says for how long."""


def headline(report: ClassReport) -> str:
    """How the class went, in one or two sentences."""
    if not report.windows:
        return _without_windows(report)
    facing = report.mean("facing")
    if facing is None:
        return _without_attention(report)
    below_s = sum(w.end_s - w.start_s for w in report.windows if w.facing is not None and w.facing.value < FEW)
    whole = f"{100 * facing.low:.0f} to {percent(facing.high)} of the whole class"
    first = f"On average {percent(facing.value)} of those who could be seen faced the screen ({whole})."
    if below_s >= 60:
        return f"{first} For {minutes(below_s)} it was less than half of them."
    return f"{first} It was never seen below half for long."


def _without_windows(report: ClassReport) -> str:
    if report.answers.most:
        return f"No camera was used. Up to {report.answers.most} students said how they followed."
    return "There is nothing to report: the class was over before its first figures."


def _without_attention(report: ClassReport) -> str:
    faces = [window.faces for window in report.windows if window.faces is not None]
    if not faces:
        if any(window.withheld for window in report.windows):
            return f"Too few people were seen: figures take at least {report.min_group}."
        return "Nobody was seen."
    if max(faces) == 0:
        return "Nobody was seen."
    seen = f"{sum(faces) / len(faces):.0f} faces were visible at a time on average, {max(faces):.0f} at most."
    if report.reads:
        return f"{seen} Not enough of them could be read to say how the class followed."
    return f"{seen} Under this law faces are counted and nothing is read in them."


def standout_text(moment: Standout) -> str:
    """What stands out, in a sentence."""
    way = "fell to" if moment.kind == "low" else "rose to"
    after = f", after “{moment.after}”" if moment.after else ""
    return f"attention {way} {percent(moment.value)}{after}; {percent(moment.usual)} was usual"


def said_by_the_page(report: ClassReport) -> list[tuple[StateName, str]]:
    """How long the live page said each of its words, from the best to the worst; empty where it said none."""
    lengths = report.states_s
    return [(name, f"{word} for {minutes(lengths[name])}") for name, word in STATES.items() if name in lengths]


def minutes(length_s: float) -> str:
    """A length for reading.

    >>> minutes(30), minutes(60), minutes(2700)
    ('less than a minute', '1 minute', '45 minutes')
    """
    whole = round(length_s / 60)
    if length_s < 55:
        return "less than a minute"
    return f"{max(1, whole)} minute{'' if whole <= 1 else 's'}"
