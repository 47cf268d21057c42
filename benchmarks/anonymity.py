"""How well one person's emotion is recovered from a class's figures by subtraction, with and without protection.

python -m benchmarks.anonymity [--classes 150]

In a made-up class of n people whose emotions are known, which is watched for two and a half minutes, one leaves after
a minute, and everybody can see who. The attacks take pairs of figures that were published, n times the earlier less
n - 1 times the later, and call the largest share that person's emotion. One takes the pair of moments that does best
(chosen on half of the classes, scored on the others), one in each class the pair whose difference looks most like one
person. Beside them: what somebody says who only looks at the last figure before.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import save
from classpulse.insight.disclosure import disclose
from classpulse.insight.engagement import RollingWindow, WindowBuilder
from classpulse.insight.panel import Panel
from classpulse.progress import Progress
from classpulse.types import Emotions, Faces, FrameResult, Tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from classpulse.insight.engagement import ClassWindow

    Shares = NDArray[np.float64]
    """(..., labels); NaN where a figure was withheld."""
    Publisher = Callable[[tuple[FrameResult, ...]], Iterator[list[float]]]

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USUAL = np.array([0.06, 0.04, 0.06, 0.22, 0.12, 0.08, 0.42])
"""How often each emotion is the first in a class, made up."""
RATE_HZ = 1.0
LENGTH_S = 5.0
LEAVES_S = 60.0
LASTS_S = 150.0
MIN_GROUP = 5


@dataclass(frozen=True, slots=True)
class MadeUpClass:
    """A class whose truth is known.

    Attributes:
        results: what the pipeline would give.
        people: how many there are at first; the one with track 1 leaves.
        truth: the first emotion of that one, over the last full window.
    """

    results: tuple[FrameResult, ...]
    people: int
    truth: int


def make_class(people: int, dwell_s: float, chance: np.random.Generator) -> MadeUpClass:
    """A class in which everybody holds an emotion for `dwell_s` on average (infinite: for ever)."""
    steps = round(LASTS_S * RATE_HZ)
    held = chance.choice(len(LABELS), size=people, p=USUAL)
    rows = np.empty((steps, people, len(LABELS)))
    for step in range(steps):
        change = chance.random(people) < 1 / (dwell_s * RATE_HZ)
        held = np.where(change, chance.choice(len(LABELS), size=people, p=USUAL), held)
        rows[step] = 0.3 * chance.dirichlet(np.ones(len(LABELS)), people)
        rows[step, np.arange(people), held] += 0.7
    leaves = round(LEAVES_S * RATE_HZ)
    last = rows[leaves - round(LENGTH_S * RATE_HZ) : leaves, 0].mean(axis=0)
    results = tuple(result_of(step, rows[step, int(step >= leaves) :], int(step >= leaves)) for step in range(steps))
    return MadeUpClass(results, people, int(last.argmax()))


def result_of(step: int, rows: Shares, gone: int) -> FrameResult:
    """One picture; tracks are numbered from 1, and the first `gone` are not there."""
    n = len(rows)
    faces = Faces(np.zeros((n, 4), np.float32), np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))
    emotions = Emotions(LABELS, rows.astype(np.float32), np.ones(n, bool))
    return FrameResult(step / RATE_HZ, step, 640, 360, Tracks(np.arange(n, dtype=np.int64) + 1 + gone, faces), emotions)


def shares_of(window: ClassWindow | None, min_group: int = MIN_GROUP) -> list[float]:
    """The published shares of a window; NaN where they are withheld."""
    mix = None if window is None else disclose(window, min_group)["mix"]
    return [mix[label] for label in LABELS] if isinstance(mix, dict) else [np.nan] * len(LABELS)


def as_before(results: tuple[FrameResult, ...]) -> Iterator[list[float]]:
    """Only the threshold: after every picture the last finished window, then the rolling one."""
    builder, rolling, finished = WindowBuilder(LENGTH_S), RollingWindow(LENGTH_S), None
    for result in results:
        finished = builder.add(result) or finished
        rolling.add(result)
        yield shares_of(finished)
        yield shares_of(rolling.window())


def fixed_windows(results: tuple[FrameResult, ...]) -> Iterator[list[float]]:
    """The threshold, and no window that overlaps another."""
    builder, finished = WindowBuilder(LENGTH_S), None
    for result in results:
        finished = builder.add(result) or finished
        yield shares_of(finished)


def rounded(results: tuple[FrameResult, ...]) -> Iterator[list[float]]:
    """Fixed windows with shares rounded to 5 %."""
    for shares in fixed_windows(results):
        yield [round(20 * share) / 20 if share == share else share for share in shares]  # noqa: PLR0124 - NaN


def as_published(results: tuple[FrameResult, ...]) -> Iterator[list[float]]:
    """What page, CSV and API give: the last finished window, then "now"."""
    progress = Progress(LENGTH_S, MIN_GROUP)
    for result in results:
        progress.add(result, age_s=0)
        state = progress.state(individual=False)
        yield shares_of(state["history"][-1] if state["history"] else None)
        yield shares_of(state["now"])


PROTECTIONS: dict[str, Publisher] = {
    "threshold only": as_before,
    "fixed windows only": fixed_windows,
    "fixed windows, rounded to 5 %": rounded,
    "panel (as published)": as_published,
}


def recovered(classes: list[MadeUpClass], publish: Publisher) -> Found:
    """How often each attack names the emotion, and the last figure alone."""
    figures = np.array([list(publish(made.results)) for made in classes])  # (classes, moments, labels)
    truths = np.array([made.truth for made in classes])
    people = classes[0].people
    moments = distinct(figures)
    left = round(figures.shape[1] * LEAVES_S / LASTS_S)
    earlier, later = np.triu_indices(len(moments), 1)
    hits = np.zeros((len(truths), len(earlier)), np.bool_)
    likeliest = np.zeros(len(truths), np.int64)
    across = np.flatnonzero((moments[earlier] < left) & (moments[later] >= left))
    for i, figure in enumerate(figures[:, moments]):
        rest = people * figure[earlier] - (people - 1) * figure[later]  # (pairs, labels)
        hits[i] = guess(rest) == truths[i]
        likeliest[i] = guess(rest[across[unlike_one_person(rest[across]).argmin()]])
    best = hits[::2].mean(axis=0).argmax()
    return Found(
        best_pair=float(hits[1::2, best].mean()),
        likeliest_pair=float((likeliest == truths).mean()),
        figure_alone=float((guess(figures[:, left - 1]) == truths).mean()),
    )


def unlike_one_person(rest: Shares) -> Shares:
    """How far what is left after a subtraction is from what is read of one person; infinite where withheld."""
    usual = 0.3 / len(LABELS) + 0.7 * np.eye(len(LABELS))
    distances = np.abs(rest[..., None, :] - usual).sum(axis=-1).min(axis=-1)
    return np.where(np.isfinite(distances), distances, np.inf)


@dataclass(frozen=True, slots=True)
class Found:
    """How often the emotion was named, 0 to 1.

    Attributes:
        best_pair: by the pair of moments that does best in other classes of the same kind.
        likeliest_pair: by the pair, of one figure before and one after, whose difference looks most like a person.
        figure_alone: by the largest share of the last figure before.
    """

    best_pair: float
    likeliest_pair: float
    figure_alone: float


def guess(shares: Shares) -> NDArray[np.int64]:
    """The label of the largest share along the last axis; -1 where figures were withheld."""
    known = np.isfinite(shares).all(axis=-1)
    largest: NDArray[np.int64] = np.nan_to_num(shares, nan=-np.inf).argmax(axis=-1)
    return np.where(known, largest, -1)


def distinct(figures: Shares) -> NDArray[np.int64]:
    """Moments whose figures differ from those of the moment before of the same kind, from half a minute before."""
    per_s = figures.shape[1] / LASTS_S
    first = round(per_s * (LEAVES_S - 30))
    pairs = ((figures[:, i], figures[:, i - 2]) for i in range(first, figures.shape[1]))
    changed = [first + i for i, pair in enumerate(pairs) if not np.array_equal(*pair, equal_nan=True)]
    return np.array(changed, np.int64)


def measure(people: int, dwell_s: float, classes: int) -> dict[str, Any]:
    """Every protection on the same classes."""
    chance = np.random.default_rng(people)
    made = [make_class(people, dwell_s, chance) for _ in range(classes)]
    found = {name: recovered(made, publish) for name, publish in PROTECTIONS.items()}
    return {name: {what: round(share, 3) for what, share in asdict(each).items()} for name, each in found.items()}


def cost(people: int, dwell_s: float, lost_every_s: float, minutes: int = 10) -> dict[str, float]:
    """What the panel costs in a class of people who turn away (5 % of the time) and whose tracks are lost.

    Returns:
        The share of windows that have a figure, and the mean distance of the shown shares from the truth, as the
        share of people who would have to change their emotion; without the panel too.
    """
    chance = np.random.default_rng(people)
    builders = {"panel": WindowBuilder(LENGTH_S, Panel(MIN_GROUP)), "threshold": WindowBuilder(LENGTH_S)}
    distances: dict[str, list[float]] = {name: [] for name in builders}
    held = chance.choice(len(LABELS), size=people, p=USUAL)
    truth: list[Shares] = []
    tracks, away, windows = np.arange(people), np.zeros(people), 0
    for second in range(60 * minutes):
        change = chance.random(people) < 1 / dwell_s
        held = np.where(change, chance.choice(len(LABELS), size=people, p=USUAL), held)
        lost = chance.random(people) < 1 / lost_every_s
        tracks = np.where(lost, tracks.max() + 1 + np.arange(people), tracks)
        away = np.where((away <= 0) & (chance.random(people) < 0.05 / 8), 8, away - 1)
        rows = 0.3 * chance.dirichlet(np.ones(len(LABELS)), people)
        rows[np.arange(people), held] += 0.7
        result = result_of(second, np.where(away[:, None] > 0, np.nan, rows), 0)
        result = replace(result, tracks=Tracks(tracks, result.tracks.faces))
        closed = {name: builder.add(result) for name, builder in builders.items()}
        for name, window in closed.items():
            if window is not None:
                distance = float(np.abs(np.array(shares_of(window)) - np.mean(truth, axis=0)).sum() / 2)
                distances[name] += [distance] if np.isfinite(distance) else []
        if closed["panel"] is not None:
            windows, truth = windows + 1, []
        truth.append(rows.mean(axis=0))
    shown = {f"{name}_windows_shown": len(found) / windows for name, found in distances.items()}
    errors = {f"{name}_distance": float(np.mean(found)) for name, found in distances.items()}
    return {name: round(value, 3) for name, value in (shown | errors).items()}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=150, help="classes of each kind (default: 150)")
    options = parser.parse_args()
    figures = {}
    for people in (6, 12, 25):
        for dwell_s in (np.inf, 60.0, 15.0):
            name = f"{people} people, emotions held {'for ever' if dwell_s == np.inf else f'{dwell_s:.0f} s'}"
            figures[name] = measure(people, dwell_s, options.classes)
            print(name, *figures[name].items(), sep="\n  ")
    costs = {}
    for people in (6, 8, 12, 25):
        for dwell_s, lost_every_s in ((60.0, 300.0), (15.0, 60.0)):
            name = f"{people} people, emotions held {dwell_s:.0f} s, tracks lost every {lost_every_s:.0f} s"
            costs[name] = cost(people, dwell_s, lost_every_s)
            print(name, costs[name])
    save("anonymity", {"recovered": figures, "cost": costs})


if __name__ == "__main__":
    main()
