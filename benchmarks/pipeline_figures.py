"""Arithmetic of `benchmarks.pipeline_peers`: rates, ratios with their intervals, faces found, cost of a face."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from benchmarks.record import RESULTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Figures = dict[str, Any]
RATES = ("frames_per_s", "told_per_s", "told_per_cpu_s", "fresh_per_cpu_s")
"""Frames; faces whose emotion a result tells, a second and a second of one core's work; faces read anew, likewise."""
NEAR, SIZE = 0.5, 3.0
"""How far beyond a face's middle a box may end, in heights of the face, and how many times as high it may be."""


def rates(stretch: Mapping[str, Any]) -> dict[str, float]:
    """What one stretch comes to a second.

    >>> rates({"frames": 4, "told": 12, "fresh": 6, "wall_s": 2.0, "cpu_s": 3.0})
    {'frames_per_s': 2.0, 'told_per_s': 6.0, 'told_per_cpu_s': 4.0, 'fresh_per_cpu_s': 2.0}
    """
    return {
        "frames_per_s": stretch["frames"] / stretch["wall_s"],
        "told_per_s": stretch["told"] / stretch["wall_s"],
        "told_per_cpu_s": stretch["told"] / max(stretch["cpu_s"], 1e-9),
        "fresh_per_cpu_s": stretch["fresh"] / max(stretch["cpu_s"], 1e-9),
    }


def summary(stretches: Sequence[Mapping[str, Any]]) -> Figures:
    """One entrant in one scene, over the rounds: medians of the rates, and of all frames how long they took."""
    late_ms = np.concatenate([stretch["late_ms"] for stretch in stretches])
    each = [rates(stretch) for stretch in stretches]
    frames = sum(stretch["frames"] for stretch in stretches)
    return {
        **{name: round(float(np.median([rate[name] for rate in each])), 2) for name in RATES},
        "frames": frames,
        "faces_per_frame": round(sum(stretch["faces"] for stretch in stretches) / frames, 1),
        "told_per_frame": round(sum(stretch["told"] for stretch in stretches) / frames, 1),
        "p50_ms": round(float(np.percentile(late_ms, 50)), 1),
        "p95_ms": round(float(np.percentile(late_ms, 95)), 1),
    }


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figures | None:
    """How many times theirs ours is, with the 95 % interval of the mean over the rounds (t, on logarithms, in pairs).

    >>> found = ratio([20, 22, 18], [2, 2, 2])
    >>> found["times"], found["interval_95"][0] < 9.9 < found["interval_95"][1]
    (9.97, True)

    Args:
        ours: of each round, 2 or more.
        theirs: of the same rounds, in the same order.

    Returns:
        None if one of them did nothing in a round.
    """
    if min(*ours, *theirs) <= 0:
        return None
    logs = np.log(np.asarray(ours, np.float64)) - np.log(np.asarray(theirs, np.float64))
    half = float(stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs)))
    mean = float(logs.mean())
    return {
        "times": round(float(np.exp(mean)), 2),
        "interval_95": [round(float(np.exp(mean - half)), 2), round(float(np.exp(mean + half)), 2)],
        "rounds": len(logs),
    }


def over_all(scenes: Mapping[str, Sequence[float]]) -> list[float]:
    """Geometric mean over scenes, round by round; every scene weighs the same.

    >>> over_all({"a": [1.0, 4.0], "b": [4.0, 4.0]})
    [2.0, 4.0]
    """
    return [float(v) for v in np.exp(np.log(np.asarray(list(scenes.values()), np.float64)).mean(axis=0))]


def match(boxes: Sequence[Sequence[float]], faces: Sequence[Sequence[float]]) -> tuple[set[int], set[int]]:
    """Which boxes are which faces, one to one, the nearest first.

    >>> match([[0, 0, 10, 10], [50, 50, 60, 60]], [[6, 5, 9], [200, 5, 9]])
    ({0}, {0})

    Args:
        boxes: N of `x0, y0, x1, y1`, px.
        faces: M of middle `x, y` and height, px.

    Returns:
        Places of the boxes and of the faces that belong together.
    """
    pairs = []
    for i, (x0, y0, x1, y1) in enumerate(boxes):
        for j, (x, y, height) in enumerate(faces):
            away = float(np.hypot((x0 + x1) / 2 - x, (y0 + y1) / 2 - y)) / height
            inside = x0 < x < x1 and y0 < y < y1
            if inside and away < NEAR and 1 / SIZE < (y1 - y0) / height < SIZE:
                pairs.append((away, i, j))
    taken: set[int] = set()
    found: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in taken and j not in found:
            taken.add(i)
            found.add(j)
    return taken, found


def found(boxes: Sequence[Sequence[float]], truth: Mapping[str, Any]) -> tuple[int, int]:
    """How many of a frame's faces were found, and how many boxes are no face at all.

    >>> found([[0, 0, 10, 10], [50, 50, 60, 60]], {"faces": [[5, 5, 9]], "unsure": [[55, 55, 9]]})
    (1, 0)
    """
    taken, hits = match(boxes, truth["faces"])
    others = [box for i, box in enumerate(boxes) if i not in taken]
    doubtful, _ = match(others, truth.get("unsure", ()))
    return len(hits), len(others) - len(doubtful)


def cost(rounds: Sequence[Mapping[int, float]]) -> Figures:
    """What a face more costs, of milliseconds a frame by number of faces.

    Args:
        rounds: 2 or more, each with the same numbers of faces, 3 or more.

    Returns:
        The slope of a line through all, with its 95 % interval over the rounds, and how steep the upper half of the
        numbers is beside the lower half: 1 is a line, less flattens.
    """
    numbers = np.asarray(sorted(rounds[0]), np.float64)
    times = np.asarray([[ms[int(n)] for n in numbers] for ms in rounds])
    slopes = np.polyfit(numbers, times.T, 1)[0]
    half = float(stats.t.ppf(0.975, len(slopes) - 1) * stats.sem(slopes))
    middle, typical = len(numbers) // 2, np.median(times, axis=0)
    lower = (typical[middle] - typical[0]) / (numbers[middle] - numbers[0])
    upper = (typical[-1] - typical[middle]) / (numbers[-1] - numbers[middle])
    return {
        "ms_per_added_face": round(float(slopes.mean()), 2),
        "interval_95": [round(float(slopes.mean()) - half, 2), round(float(slopes.mean()) + half, 2)],
        "upper_half_beside_lower": round(float(upper / lower), 2) if lower > 0 else None,
        "ms_per_frame": {str(int(n)): round(float(ms), 1) for n, ms in zip(numbers, typical, strict=True)},
    }


def accuracies(folder: Path = RESULTS) -> dict[str, Figures]:
    """The emotion networks' scores on PrivateTest, from the newest committed result; they are not scored again."""
    results = sorted(folder.glob("*-emotion-peers.json"))
    if not results:
        return {}
    networks = json.loads(results[-1].read_text(encoding="utf-8"))["figures"]["networks"]
    return {
        row["name"]: {
            "result": results[-1].name,
            "version": row["version"],
            **{kind: {key: row[kind][key] for key in ("accuracy", "interval_95")} for kind in ("label", "people")},
        }
        for row in networks
    }
