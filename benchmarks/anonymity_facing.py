"""How well it is recovered by subtraction whether one person faced the screen, with and without the panel.

python -m benchmarks.anonymity_facing [--classes 200]

As `benchmarks.anonymity`, for the share of people who face the screen: of a made-up class of n people one leaves, and
everybody can see who and when. The attacks take n times a figure from before less n - 1 times one from after, and say
"faced the screen" above one half: one takes the pair of windows that does best (chosen on half of the classes, scored
on the others), one in each class the pair whose difference is nearest to 0 or 1. Beside them: what somebody says who
only looks whether most did in the last figure before.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.anonymity import LABELS, LENGTH_S, MIN_GROUP, USUAL, result_of
from benchmarks.record import save
from classpulse.insight.disclosure import disclose
from classpulse.insight.engagement import summarise
from classpulse.insight.panel import Panel
from classpulse.insight.signals import FaceSignals, valence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import FrameResult

    Numbers = NDArray[np.float64]

WINDOWS, LEAVES, LOOKED_AT = 36, 20, 4
EMOTION_S = 60.0
"""How long an emotion is held on average."""


def told(result: FrameResult, facing: Numbers) -> FaceSignals:
    """Signals of a result with one for each face; the mood is that of a face that rests neutral."""
    none = np.zeros(len(result), np.float32)
    assert result.emotions is not None  # noqa: S101 - made here
    mood = valence(result.emotions.probabilities, LABELS)
    return FaceSignals(result.tracks.ids, none, facing.astype(np.float32), none, mood, none, none, none)


def figures_of(people: int, away: float, spell_s: float, chance: np.random.Generator) -> tuple[Numbers, float]:
    """A class, a window at a time.

    Returns:
        (2, windows): the share facing without protection and as published, NaN where it is withheld; and for how much
        of the window before they left the one who leaves faced the screen.
    """
    faces, held = chance.random(people) > away, chance.choice(len(LABELS), people, p=USUAL)
    panel, shown, truth = Panel(MIN_GROUP), np.full((2, WINDOWS), np.nan), np.nan
    for step in range(WINDOWS):
        turns = chance.random(people) < np.where(faces, away, 1 - away) * LENGTH_S / spell_s
        faces = faces ^ turns
        part = chance.random(people)
        facing = np.where(turns, np.where(faces, part, 1 - part), faces)
        held = np.where(chance.random(people) < LENGTH_S / EMOTION_S, chance.choice(len(LABELS), people, p=USUAL), held)
        rows = 0.3 * chance.dirichlet(np.ones(len(LABELS)), people) + 0.7 * np.eye(len(LABELS))[held]
        gone = int(step >= LEAVES)
        truth = float(facing[0]) if step == LEAVES - 1 else truth
        result = result_of(step, rows[gone:], gone)
        signals = [told(result, facing[gone:])]
        window = summarise([result], step * LENGTH_S, (step + 1) * LENGTH_S, signals, expected=people)
        settled = panel.settle(window, [result], signals)
        for row, one in enumerate((window, settled)):
            figure = disclose(one, MIN_GROUP)["facing"]
            shown[row, step] = figure["value"] if isinstance(figure, dict) else np.nan
    return shown, truth


def attack(figures: Numbers, truths: NDArray[np.bool_], people: int) -> dict[str, float]:
    """How often each attack is right, of (classes, windows) figures; one that is withheld counts as wrong."""
    earlier, later = (
        side.ravel() for side in np.meshgrid(range(LEAVES - LOOKED_AT, LEAVES), range(LEAVES, WINDOWS), indexing="ij")
    )
    rest = people * figures[:, earlier] - (people - 1) * figures[:, later]
    right = ((rest > 0.5) == truths[:, None]) & np.isfinite(rest)
    best = right[::2].mean(axis=0).argmax()
    unlikely = np.nan_to_num(np.minimum(np.abs(rest), np.abs(rest - 1)), nan=np.inf)
    found = {
        "best_pair": right[1::2, best].mean(),
        "likeliest_pair": right[np.arange(len(right)), unlikely.argmin(axis=1)].mean(),
        "figure_alone": ((figures[:, LEAVES - 1] > 0.5) == truths).mean(),
    }
    return {name: round(float(share), 3) for name, share in found.items()}


def measure(people: int, away: float, spell_s: float, classes: int) -> dict[str, object]:
    """Both protections on the same classes, those in which it is clear what the one who leaves did."""
    chance = np.random.default_rng(people)
    made = [figures_of(people, away, spell_s, chance) for _ in range(classes)]
    figures, truths = np.array([one for one, _ in made]), np.array([truth for _, truth in made])
    clear = np.abs(truths - 0.5) > 0.4
    bare, shown = figures[clear, 0], figures[clear, 1]
    return {
        "threshold only": attack(bare, truths[clear] > 0.5, people),
        "panel (as published)": attack(shown, truths[clear] > 0.5, people),
        "windows_shown": round(float(np.isfinite(shown).mean()), 3),
        "distance": round(float(np.nanmean(np.abs(shown - bare))), 3),
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=200, help="classes of each kind (default: 200)")
    options = parser.parse_args()
    found = {}
    for people in (6, 12, 25):
        for away, spell_s in ((0.5, np.inf), (0.5, 60.0), (0.5, 20.0), (0.3, 60.0)):
            name = f"{people} people, {away:.0%} turned away for {spell_s:.0f} s"
            found[name] = measure(people, away, spell_s, options.classes)
            print(name, found[name], flush=True)
    save("anonymity-facing", found)


if __name__ == "__main__":
    main()
