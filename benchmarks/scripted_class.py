"""A class that follows a script: who comes, turns away, smiles, looks down and leaves, when; so its truth is known.

It gives what the pipeline would give, with the noise of readings drawn from a seed:

    lesson = ScriptedClass([Person(), Person(acts=(Act("away", 60, 90),))], length_s=120)
    for result in lesson.results(): ...
    lesson.facing(60, 90)  # 0.5
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classpulse.types import Emotions, Faces, FrameResult, HeadPoses, Identities, Tracks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
RESTING = (0.06, 0.02, 0.04, 0.08, 0.12, 0.04, 0.64)
"""What is read of a face at rest, made up; some look sad or angry when they are not."""
HAPPY, SAD = LABELS.index("happy"), LABELS.index("sad")
CLEAR = 0.75
"""How much of a reading a smile or a frown takes."""
AWAY_YAW_DEG = 55.0
SEEN_DOWN = 0.5
"""In how many pictures a face that looks down is found."""
TRACK_GAP_S = 1.5
"""Out of sight for longer than this is another track afterwards."""
WIDTH, HEIGHT = 1280, 720
FACE_PX = 80.0

Does = Literal["away", "aside", "down", "smile", "frown", "hidden"]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody does for a while.

    Attributes:
        does: `"away"` turns the head away and does not follow; `"aside"` turns it and follows (keep it short);
            `"down"` looks down to write: found in half of the pictures, and follows; `"smile"`, `"frown"`;
            `"hidden"` is not in the picture.
        start_s, end_s: from when to when, by the clock of the class.
    """

    does: Does
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the class.

    Attributes:
        acts: in any order; they may overlap.
        comes_s, leaves_s: when they are there.
        usual_yaw_deg: which way the head is turned that looks at the screen, as the camera sees it.
        resting: what is read of the face at rest, in the order of `LABELS`.
        name: a random id, of somebody who enrolled and is recognised; None for everybody else.
    """

    acts: tuple[Act, ...] = ()
    comes_s: float = 0.0
    leaves_s: float = np.inf
    usual_yaw_deg: float = 0.0
    resting: tuple[float, ...] = RESTING
    name: str | None = None


class ScriptedClass:
    """A class with its script; what it gives is the same every time.

    Attributes:
        people: who is in it.
        length_s: how long it is.
        rate_hz: results a second.
    """

    def __init__(
        self,
        people: Sequence[Person],
        length_s: float,
        *,
        rate_hz: float = 2.0,
        yaw_noise_deg: float = 5.0,
        reading_noise: float = 0.15,
        seed: int = 0,
    ) -> None:
        """Lay the script out over time.

        Args:
            people: who is in it, at least one.
            length_s: how long it is.
            rate_hz: results a second.
            yaw_noise_deg: standard deviation of the error of each single yaw; 0 for none.
            reading_noise: how much of each reading is noise, 0 to 1.
            seed: of all noise.
        """
        self.people, self.length_s, self.rate_hz = tuple(people), length_s, rate_hz
        self._yaw_noise_deg, self._reading_noise, self._seed = yaw_noise_deg, reading_noise, seed
        self._times = np.arange(round(length_s * rate_hz)) / rate_hz
        comes = np.array([one.comes_s for one in people])
        leaves = np.array([one.leaves_s for one in people])
        self._here = (self._times[:, None] >= comes) & (self._times[:, None] < leaves)  # (steps, people), as all Flags
        self._doing = {does: self._when(does) for does in ("away", "aside", "down", "smile", "frown", "hidden")}

    def _when(self, does: str) -> Flags:
        found = np.zeros((len(self._times), len(self.people)), np.bool_)
        for column, person in enumerate(self.people):
            for act in person.acts:
                if act.does == does:
                    found[(self._times >= act.start_s) & (self._times < act.end_s), column] = True
        return found

    # The truth.

    def present(self, time_s: float) -> int:
        """How many people are in the room, in the picture or not."""
        return int(self._here[self._step(time_s)].sum())

    def facing(self, start_s: float, end_s: float) -> float:
        """Share of the people in the room who follow, 0 to 1; NaN where nobody is there."""
        return self._share(~self._doing["away"], start_s, end_s)

    def smiling(self, start_s: float, end_s: float) -> float:
        """Share of the people in the room who smile, 0 to 1; NaN where nobody is there."""
        return self._share(self._doing["smile"], start_s, end_s)

    def _share(self, flags: Flags, start_s: float, end_s: float) -> float:
        span = slice(self._step(start_s), max(self._step(start_s) + 1, self._step(end_s)))
        here = self._here[span]
        return float(flags[span][here].mean()) if here.any() else float("nan")

    def _step(self, time_s: float) -> int:
        return min(len(self._times) - 1, max(0, round(time_s * self.rate_hz)))

    # What a pipeline would see of it.

    def results(self) -> Iterator[FrameResult]:
        """The results in the order of time, from the first at 0 s."""
        chance = np.random.default_rng(self._seed)
        n = len(self.people)
        tracks, seen_at = np.zeros(n, np.int64), np.full(n, -np.inf)
        centres = self._centres()
        for step, time_s in enumerate(self._times):
            found = chance.random(n) < np.where(self._doing["down"][step], SEEN_DOWN, 1.0)
            seen = self._here[step] & ~self._doing["hidden"][step] & found
            fresh = seen & (time_s - seen_at > TRACK_GAP_S)
            tracks[fresh] = tracks.max() + 1 + np.arange(fresh.sum())
            seen_at[seen] = time_s
            yaws, readings = self._yaws(step, chance), self._readings(step, chance)
            boxes = self._boxes(centres + chance.normal(0, 0.01 * FACE_PX, centres.shape))
            everybody = FrameResult(
                float(time_s),
                step,
                WIDTH,
                HEIGHT,
                Tracks(tracks.copy(), Faces(boxes, np.full(n, 0.9, np.float32), np.zeros((n, 5, 2), np.float32))),
                Emotions(LABELS, readings, readings.max(axis=1) >= 0.4),
                None,
                HeadPoses(yaws, np.zeros(n, np.float32), np.full(n, max(1.0, self._yaw_noise_deg), np.float32)),
            )
            yield self._named(only(everybody, seen), seen)

    def _yaws(self, step: int, chance: np.random.Generator) -> NDArray[np.float32]:
        turned = self._doing["away"][step] | self._doing["aside"][step]
        usual = np.array([one.usual_yaw_deg for one in self.people])
        side = np.where(usual > 0, -1, 1)  # across the picture, so that the face stays in sight
        yaws = usual + np.where(turned, side * AWAY_YAW_DEG, 0)
        return np.asarray(yaws + chance.normal(0, 1, len(usual)) * self._yaw_noise_deg, np.float32)

    def _readings(self, step: int, chance: np.random.Generator) -> NDArray[np.float32]:
        rows = np.array([one.resting for one in self.people], np.float64)
        for does, label in (("smile", HAPPY), ("frown", SAD)):
            shown = np.eye(len(LABELS))[label]
            rows = np.where(self._doing[does][step][:, None], (1 - CLEAR) * rows + CLEAR * shown, rows)
        noise = chance.dirichlet(np.ones(len(LABELS)), len(rows))
        return np.asarray((1 - self._reading_noise) * rows + self._reading_noise * noise, np.float32)

    def _centres(self) -> NDArray[np.float64]:
        """(people, 2) px: seats in rows of eight."""
        seats = np.arange(len(self.people))
        return np.stack([100 + 150 * (seats % 8), 80 + 120 * (seats // 8)], axis=1).astype(np.float64)

    @staticmethod
    def _boxes(centres: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.concatenate([centres - FACE_PX / 2, centres + FACE_PX / 2], axis=1).astype(np.float32)

    def _named(self, result: FrameResult, seen: Flags) -> FrameResult:
        names = tuple(one.name for one, there in zip(self.people, seen, strict=True) if there)
        if not any(names):
            return result
        likeness = np.array([np.nan if name is None else 0.8 for name in names], np.float32)
        return replace(result, identities=Identities(names, likeness))


def only(result: FrameResult, seen: Flags) -> FrameResult:
    """A result with emotions and poses, of the faces in a mask alone."""
    emotions, poses = result.emotions, result.poses
    return replace(
        result,
        tracks=result.tracks[seen],
        emotions=emotions and Emotions(emotions.labels, emotions.probabilities[seen], emotions.certain[seen]),
        poses=poses and HeadPoses(poses.yaw_deg[seen], poses.roll_deg[seen], poses.yaw_sd_deg[seen]),
    )


# Scripts.


def quiet_class(count: int, length_s: float, seed: int, *, away: float = 0.12, spell_s: float = 20.0) -> list[Person]:
    """People of a class in which nothing happens: each looks aside, down and away at times, smiles, and has a face.

    Args:
        count: how many people.
        length_s: how long it is.
        seed: of the script.
        away: share of the time in which somebody does not follow, each by themselves.
        spell_s: how long that lasts on average.
    """
    chance = np.random.default_rng(seed)
    habits: tuple[tuple[Does, float, float], ...] = (
        ("away", away, spell_s),
        ("aside", 0.02, 0.5),
        ("down", 0.10, 8.0),
        ("smile", 0.08, 6.0),
    )
    people = []
    for _ in range(count):
        acts = [act for does, share, mean_s in habits for act in _spells(does, share, mean_s, length_s, chance)]
        resting = chance.dirichlet(30 * np.array(RESTING))
        people.append(Person(tuple(acts), usual_yaw_deg=float(chance.normal(0, 8)), resting=tuple(resting)))
    return people


def _spells(does: Does, share: float, mean_s: float, length_s: float, chance: np.random.Generator) -> Iterator[Act]:
    """Spells of exponential length that take `share` of the time."""
    now_s = 0.0
    while share > 0 and now_s < length_s:
        now_s += chance.exponential(mean_s * (1 - share) / share)
        end_s = now_s + chance.exponential(mean_s)
        yield Act(does, now_s, end_s)
        now_s = end_s


def together(people: Sequence[Person], act: Act, who: Collection[int]) -> list[Person]:
    """The same people, some of whom (by place in the list) do something at the same time."""
    return [replace(one, acts=(*one.acts, act)) if i in who else one for i, one in enumerate(people)]
