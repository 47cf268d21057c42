"""What may leave the program of a class's figures: page, report, CSV and API show what this returns and nothing else.

The rules are those of statistical disclosure control (Hundepool et al. 2012; the handbook of Eurostat's SDC centre):
no figure of fewer than a threshold of people, none either by subtraction of two that are shown (complementary
suppression), and no contributor who weighs more than the others (dominance). `Panel` sees to the differences between
moments. Single views are of everybody or, as a rule, of nobody: none is left over to be told by subtraction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.insight.engagement import SMALLEST_GROUP
from classpulse.insight.moments import SAID, AnswerCounts

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.estimate import Estimate


def smallest_group(min_group: int | None) -> int:
    """Fewest people behind a figure: the setting, never below `SMALLEST_GROUP`; 0 for None, the demo.

    >>> smallest_group(5), smallest_group(1), smallest_group(None)
    (5, 3, 0)
    """
    return 0 if min_group is None else max(min_group, SMALLEST_GROUP)


def names_to_show(
    people: Mapping[int, str | None], names: Mapping[str, str], may_be_named: Container[str]
) -> dict[int, str]:
    """The names that single views may carry: of people who were recognised and have agreed to be shown by name.

    Everybody else is a number.

    >>> names_to_show({1: "a7", 2: "c3", 3: None}, {"a7": "Ana", "c3": "Ben"}, {"a7"})
    {1: 'Ana'}

    Args:
        people: the random id by track; None where nobody was recognised.
        names: the name by random id.
        may_be_named: ids of those with a valid consent to it now.
    """
    known = {track: person for track, person in people.items() if person is not None and person in may_be_named}
    return {track: names[person] for track, person in known.items() if person in names}


def disclose(window: ClassWindow, min_group: int | None) -> dict[str, object]:
    """The figures of a window that may be shown, ready for JSON: the one place that withholds small groups.

    Keys are `start_s`, `end_s`, `results`, which tell nothing of people and are always there; the figures
    `faces`, `people`, `read`, `mix` (share by emotion), `uncertain`, `expected`, `posed`, `facing`, `mood`,
    `attention`, `concentration` (each `{"value", "low", "high"}`) and `movement`; and why figures are withheld:

    - `people` below the group: every figure is None, `too_few` is True.
    - `people` enough and `read` below it: `read` and what is made of readings, `mix`, `uncertain`, `mood`,
      `attention` and `concentration`, are None, `too_few_read` is True.
    - `people` enough and `posed` below it: `posed`, `facing`, `attention`, `concentration` and `movement` are None,
      `too_few_posed` is True.
    - groups enough, but too small a part of the class (`FigureRules.min_coverage`): `facing`, `attention`,
      `concentration` and `movement` are None where it is `posed`, `mood` and `concentration` where it is `read`,
      `too_few_seen` is True.

    Nobody is not a group: an empty room is said to be empty (`people` 0), and a class in which no face
    could or may be read is said to be so (`read` 0, `mix` None).

    Args:
        window: what was measured.
        min_group: fewest people behind a figure, taken as `SMALLEST_GROUP` if it is smaller; None for the
            demo, whose people are not there: everything is shown.
    """
    needed = smallest_group(min_group)
    too_few = 0 < window.people < needed
    too_few_read = not too_few and 0 < window.read < needed
    too_few_posed = not too_few and 0 < window.posed < needed
    hidden_read, hidden_posed = too_few or too_few_read, too_few or too_few_posed
    return {
        "start_s": round(window.start_s, 3),
        "end_s": round(window.end_s, 3),
        "results": window.results,
        "faces": None if too_few else round(window.faces, 2),
        "people": None if too_few else window.people,
        "read": None if hidden_read else window.read,
        "mix": None if hidden_read else _by_label(window),
        "uncertain": None if hidden_read else _rounded(window.uncertain),
        "expected": None if too_few else window.expected,
        "posed": None if hidden_posed else window.posed,
        "facing": None if hidden_posed else _with_ends(window.facing),
        "mood": None if hidden_read else _with_ends(window.mood),
        "attention": None if hidden_read or hidden_posed else _with_ends(window.attention),
        "concentration": None if hidden_read or hidden_posed else _with_ends(window.concentration),
        "movement": None if hidden_posed else _rounded(window.movement),
        "too_few": too_few,
        "too_few_read": too_few_read,
        "too_few_posed": too_few_posed,
        "too_few_seen": not (hidden_read or hidden_posed) and _part_of_class(window),
    }


def _part_of_class(window: ClassWindow) -> bool:
    """Whether figures are missing because those who were seen are too small a part of the class: `with_figures`."""
    posed, read = (0 < count < window.expected for count in (window.posed, window.read))
    return (posed and window.facing is None) or (read and window.posed > 0 and window.mood is None)


def held(shown: Mapping[str, object], before: Mapping[str, object] | None) -> frozenset[str]:
    """Which figures of a window are those of the window before, since none that are newer may be shown.

    A `Panel` lets the last figures stay for a while. Emotions that are the same to the last digit, or a share that
    faces the screen with the same movement, are nothing else: no face stays as it was for that long. Whoever has the
    two windows can see it, so that to say so tells nothing more.

    Args:
        shown: what `disclose` gave of the window.
        before: what it gave of the one before; None for the first.

    Returns:
        `mix` and what is made with it, `facing` and what is made with it, or both, by their keys in `shown`.
    """
    if before is None:
        return frozenset()
    read = shown["mix"] is not None and all(shown[name] == before[name] for name in ("mix", "uncertain"))
    turned = shown["movement"] is not None and shown["movement"] == before["movement"]
    posed = turned and _value(shown["facing"]) == _value(before["facing"])
    both = ("attention", "concentration") if read and posed else ()
    names = [*(("mix", "uncertain", "mood") if read else ()), *(("facing", "movement") if posed else ()), *both]
    return frozenset(name for name in names if shown[name] is not None)


def _value(figure: object) -> object:
    """A figure without its ends, which also go by how many people the class has."""
    return figure["value"] if isinstance(figure, dict) else None


def disclose_answers(counts: AnswerCounts, min_group: int | None) -> dict[str, int | None]:
    """The answers that may be shown, ready for JSON: `with_you`, `unsure`, `lost` and `total`.

    All four are None where somebody has said something, but fewer than a figure may come from. Nobody is not a group:
    that nobody has answered is said (four zeros). An answer is given under a random id that is new in every class, so
    that a count of one among enough others is nobody who could be named.

    >>> disclose_answers(AnswerCounts(with_you=4, lost=1), 5)
    {'with_you': 4, 'unsure': 0, 'lost': 1, 'total': 5}
    >>> disclose_answers(AnswerCounts(with_you=4), 5)["total"] is None
    True

    Args:
        counts: the answers that hold.
        min_group: as for `disclose`.
    """
    shown = not 0 < counts.total < smallest_group(min_group)
    return {name: getattr(counts, name) if shown else None for name in (*SAID, "total")}


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)


def _with_ends(figure: Estimate | None) -> dict[str, float] | None:
    if figure is None:
        return None
    return {name: round(end, 4) for name, end in (("value", figure.value), ("low", figure.low), ("high", figure.high))}


def _by_label(window: ClassWindow) -> dict[str, float] | None:
    if window.mix is None:
        return None
    return {label: round(share, 4) for label, share in zip(window.labels, window.mix, strict=True)}
