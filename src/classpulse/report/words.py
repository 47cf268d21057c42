"""The report's sentences: what a figure says, in words that a teacher would use, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.insight.moments import clock
from classpulse.insight.state import percent
from classpulse.policy import told
from classpulse.sources.screen_target import WINDOW
from classpulse.texts import counted, phrase

if TYPE_CHECKING:
    from classpulse.insight.moments import StateName
    from classpulse.report.contents import ClassReport
    from classpulse.report.standouts import Standout
    from classpulse.texts import Catalogue

STATES: dict[StateName, str] = {
    "with_you": phrase("with you"),
    "mixed": phrase("mixed"),
    "losing": phrase("losing them"),
    "not_enough": phrase("not enough to tell"),
}
FEW = 0.5
"""Where fewer than this face the screen, the headline says for how long."""
SOME_S, MUCH_S = 60.0, 600.0
"""Figures of a shorter time than the first say nothing of a class; that something never was takes the second."""
MOST = 0.75
"""And it takes figures of so much of the class."""
LAWS = {
    told(None, None): phrase("law: not said"),
    told("eu", None): phrase("law: EU"),
    told("eu", "medical"): phrase("law: EU, medical exemption"),
    told("eu", "safety"): phrase("law: EU, safety exemption"),
    told("other", None): phrase("law: outside the EU"),
    told("research", None): phrase("law: approved study"),
}
MOST_GAPS, MOST_EMOTIONS = 6, 3
"""Holes of the charts, and emotions of a class beside others, that are written out."""
OURS = frozenset({"demo", "join", "screen", "webcam"})
"""Kinds of sources whose names are our words; others are called as somebody named a file or a stream."""


def headline(report: ClassReport) -> str:
    """How the class went, in one or two sentences."""
    if report.by_answers and report.answers.most:
        return _of_answers(report)
    if not report.windows:
        return _without_windows(report)
    facing = report.mean("facing")
    if facing is None:
        return _without_attention(report)
    first = phrase(
        "On average {share} of those who could be seen faced the screen ({low} to {high} of the whole class).",
        share=percent(facing.value),
        low=f"{100 * facing.low:.0f}",
        high=percent(facing.high),
    )
    return _and_for_how_long(report, first)


def _and_for_how_long(report: ClassReport, first: str) -> str:
    """The headline with what the length of the class carries, and no more."""
    if report.told_s < SOME_S:
        time = phrase("{seconds} seconds", seconds=round(report.told_s))
        return phrase(
            "{first} The figures are of {time} alone, too short to say how a class follows.", first=first, time=time
        )
    below_s = sum(w.end_s - w.start_s for w in report.windows if w.facing is not None and w.facing.value < FEW)
    time, below, whole = minutes(report.told_s), minutes(below_s), minutes(report.length_s)
    if below_s >= SOME_S:
        return phrase(
            "{first} For {below} out of {time} it was less than half of them.", first=first, below=below, time=time
        )
    if report.told_share < MOST:
        return phrase("{first} This could be told for {time} out of {whole}.", first=first, time=time, whole=whole)
    if report.told_s < MUCH_S:
        return phrase("{first} It was watched for {time}.", first=first, time=time)
    return phrase("{first} It was never seen below half for long.", first=first)


def source(report: ClassReport, texts: Catalogue) -> str:
    """What was watched, in the reader's language where its name is ours."""
    title = report.source.removeprefix(WINDOW.format(title=""))
    if report.kind == "screen" and title != report.source:
        return texts.text(WINDOW, title=title)
    return texts.retold(report.source) if report.kind in OURS else report.source


def law(report: ClassReport) -> str:
    """Which law was in force, for somebody who does not know the settings' words."""
    return LAWS.get(report.law, report.law)


def _of_answers(report: ClassReport) -> str:
    """What those who answered said, where nothing else is known."""
    first = phrase("Up to {most} students said how they followed.", most=report.answers.most)
    with_you, lost = report.answers.share("with_you"), report.answers.share("lost")
    if with_you is None or lost is None:
        return first
    return phrase(
        "{first} On average {share} of them were with you, and {lost} were lost.",
        first=first,
        share=percent(with_you),
        lost=percent(lost),
    )


def _without_windows(report: ClassReport) -> str:
    if report.answers.most:
        return phrase("No camera was used. Up to {most} students said how they followed.", most=report.answers.most)
    return phrase("There is nothing to report: the class was over before its first figures.")


def _without_attention(report: ClassReport) -> str:
    faces = [window.faces for window in report.windows if window.faces is not None]
    if report.by_answers:
        return phrase(
            "Too few students said how they followed to tell of it: figures take at least {group}.",
            group=report.min_group,
        )
    if not faces:
        if any(window.withheld for window in report.windows):
            return phrase("Too few people were seen: figures take at least {group}.", group=report.min_group)
        return phrase("Nobody was seen.")
    if max(faces) == 0:
        said = _of_answers(report) if report.answers.most else ""
        return phrase("Nobody was seen. {said}", said=said) if said else phrase("Nobody was seen.")
    seen = phrase(
        "{mean} faces were visible at a time on average, {most} at most.",
        mean=f"{sum(faces) / len(faces):.0f}",
        most=f"{max(faces):.0f}",
    )
    if report.reads:
        return phrase("{seen} Not enough of them could be read to say how the class followed.", seen=seen)
    return phrase("{seen} Under this law faces are counted and nothing is read in them.", seen=seen)


def standout_text(moment: Standout) -> str:
    """What stands out, in a sentence."""
    value, low = percent(moment.value), moment.kind == "low"
    way = phrase("attention fell to {value}", value=value) if low else phrase("attention rose to {value}", value=value)
    if moment.after:
        way = phrase("{way}, after “{mark}”", way=way, mark=moment.after)
    return f"{way}; {phrase('{share} was usual', share=percent(moment.usual))}"


def said_by_the_page(report: ClassReport) -> list[tuple[StateName, str]]:
    """How long each word of the live page held, from the best to the worst; empty where none did."""
    lengths = report.states_s
    return [
        (name, phrase("{seen} for {time}", seen=word, time=minutes(lengths[name])))
        for name, word in STATES.items()
        if name in lengths
    ]


def without_figures(report: ClassReport) -> str:
    """Why there are holes in the charts, and when; empty where there are none."""
    spans = [f"{clock(start_s)}–{clock(end_s)}" for start_s, end_s in report.gaps]  # noqa: RUF001 - from and to
    if not spans:
        return ""
    told = ", ".join([*spans[:MOST_GAPS], *(["…"] if len(spans) > MOST_GAPS else [])])
    return phrase("No figures at {times}: the class was paused, or gave no picture.", times=told)


def deleted(report: ClassReport) -> str:
    """Why an alert tells of more answers than the rest of the report; empty where none does."""
    if not report.deleted:
        return ""
    return phrase(
        "An alert counts more answers than the rest of this report: students who left had theirs deleted, and counts "
        "of the others change a whole group at a time."
    )


def largest(report: ClassReport, texts: Catalogue) -> str:
    """The emotions that were guessed most, with their shares; empty where none were read."""
    first = list(report.mix.items())[:MOST_EMOTIONS]
    return ", ".join(f"{texts.retold(label)} {texts.retold(percent(share))}" for label, share in first)


def minutes(length_s: float) -> str:
    """A length for reading.

    >>> minutes(30), minutes(60), minutes(2700)
    ('less than a minute', '1 minute', '45 minutes')
    """
    whole = round(length_s / 60)
    if length_s < 55:
        return phrase("less than a minute")
    return counted("{n} minute", "{n} minutes", max(1, whole))
