"""How fast this machine is at a class: results a second, and where the time of a picture goes."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from classpulse.errors import SourceError
from classpulse.pipeline import Pipeline
from classpulse.progress import Progress
from classpulse.sources import describe, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.sources import SourceKind
    from classpulse.types import Frame

PICTURES = 60
"""Pictures that are taken beforehand and shown again and again, there and back: 160 MB of 1280 x 720 px."""
WARM_PICTURES = 20
DECODE, FIGURES, REST = "decode", "figures", "rest"


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured.

    Attributes:
        source: what was looked at.
        size_px: width and height of a picture.
        faces: faces in a picture, on average.
        threads: that finding and reading may use.
        results_per_s: pictures a second, flat out, decoding left out.
        age_p95_ms: time that 95 % of the pictures stay below, from picture to result, flat out.
        stages_ms: processor time of a picture on one thread, by stage, decoding included; they sum to `picture_ms`.
    """

    source: str
    size_px: tuple[int, int]
    faces: float
    threads: int
    results_per_s: float
    age_p95_ms: float
    stages_ms: dict[str, float]

    @property
    def picture_ms(self) -> float:
        """Time of a picture on one thread, from its bytes to the figures of the class."""
        return sum(self.stages_ms.values())

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        stages = {name: round(value, 3) for name, value in self.stages_ms.items()}
        return {
            "source": self.source,
            "size_px": list(self.size_px),
            "faces": round(self.faces, 1),
            "threads": self.threads,
            "results_per_s": round(self.results_per_s, 1),
            "age_p95_ms": round(self.age_p95_ms, 1),
            "picture_ms": round(self.picture_ms, 2),
            "stages_ms": stages,
        }


def measure(
    source: str, settings: Settings, policy: Policy, seconds: float, on_pass: Callable[[float], None] | None = None
) -> Bench:
    """Run classes of the source's first pictures.

    Args:
        source: a file, folder or the demo; nothing live.
        settings: all settings.
        policy: the law in force.
        seconds: how long each of the two passes takes.
        on_pass: told now and then how much of a pass is done, 0 to 1.

    Raises:
        SourceError: it is live, or has no picture.
        PolicyError: a model is not allowed.
    """
    kind = describe(source)
    if kind.live and kind.kind != "demo":
        message = f"bench shows the same pictures again and again: give it a recording or `demo`, and not {kind.name}"
        raise SourceError(message)
    cv2.setNumThreads(settings.threads)
    pictures, decode_s = _pictures(kind, settings)
    times, faces = _flat_out(pictures, settings, policy, seconds, on_pass)
    stages = _stages(pictures, settings, policy, seconds, on_pass)
    decode = {} if kind.kind == "demo" else {DECODE: 1e3 * decode_s}
    begins_s, ends_s = np.transpose(times)
    return Bench(
        source=kind.name,
        size_px=(pictures[0].width, pictures[0].height),
        faces=faces,
        threads=settings.threads,
        results_per_s=float(1 / np.mean(np.diff(begins_s))),
        age_p95_ms=float(1e3 * np.percentile(ends_s - begins_s, 95)),
        stages_ms={**decode, **stages},
    )


def _pictures(kind: SourceKind, settings: Settings) -> tuple[list[Frame], float]:
    """The first pictures of a source, and how long each took to decode, s."""
    opened = open_source(kind.target, settings.stream, fast=True)
    begin = time.perf_counter()
    try:
        pictures = [frame for frame, _ in zip(opened.frames(), range(PICTURES), strict=False)]
    finally:
        opened.close()
    if not pictures:
        message = f"{kind.name} has no picture"
        raise SourceError(message)
    return pictures, (time.perf_counter() - begin) / len(pictures)


def _again(pictures: Sequence[Frame]) -> Iterator[Frame]:
    """Pictures there and back without end, so that nobody jumps; their clock runs on."""
    steps = [after.time_s - before.time_s for before, after in itertools.pairwise(pictures)]
    step_s = float(np.median(steps)) if steps else 0.04
    order = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    for index, place in enumerate(itertools.cycle(order)):
        yield replace(pictures[place], time_s=index * step_s, index=index, captured_at=time.monotonic())


def _flat_out(
    pictures: Sequence[Frame],
    settings: Settings,
    policy: Policy,
    seconds: float,
    on_pass: Callable[[float], None] | None,
) -> tuple[list[tuple[float, float]], float]:
    """When each picture was taken and its result was there, and how many faces a picture has."""
    pipeline = Pipeline(settings, policy=policy)
    times: list[tuple[float, float]] = []
    faces, end_s = 0, float("inf")
    results = pipeline.follow(_again(pictures))
    for number, (frame, result) in enumerate(results):
        now = time.monotonic()
        if number == WARM_PICTURES:
            end_s = now + seconds
        if number >= WARM_PICTURES:
            times.append((frame.captured_at, now))
            faces += len(result)
            _tell(on_pass, 0.0, (now - end_s) / seconds + 1)
        if now > end_s and len(times) > 1:
            break
    results.close()  # type: ignore[attr-defined] # it is a generator
    return times, faces / len(times)


def _stages(
    pictures: Sequence[Frame],
    settings: Settings,
    policy: Policy,
    seconds: float,
    on_pass: Callable[[float], None] | None,
) -> dict[str, float]:
    """Mean time of each stage on one thread, ms; what belongs to none is `rest`."""
    one = settings.model_copy(update={"cpu_share": 1e-6})
    cv2.setNumThreads(one.threads)
    pipeline, progress = Pipeline(one, policy=policy), Progress(one.window.length_s, one.window.min_group, one)
    spent: dict[str, float] = {}
    whole, count, end_s = 0.0, 0, float("inf")

    def note(stage: str, _index: int, begin_s: float, end_s: float) -> None:
        spent[stage] = spent.get(stage, 0.0) + end_s - begin_s

    for number, frame in enumerate(_again(pictures)):
        if number == WARM_PICTURES:
            pipeline.on_stage, end_s = note, time.monotonic() + seconds
        begin_s = time.monotonic()
        result = pipeline.process(frame)
        read_s = time.monotonic()
        progress.add(result, age_s=0.0)
        done_s = time.monotonic()
        if number >= WARM_PICTURES:
            note(FIGURES, number, read_s, done_s)
            whole, count = whole + done_s - begin_s, count + 1
            _tell(on_pass, 0.5, (done_s - end_s) / seconds + 1)
        if done_s > end_s:
            break
    spent[REST] = whole - sum(spent.values())
    return {stage: 1e3 * total / count for stage, total in spent.items()}


def _tell(on_pass: Callable[[float], None] | None, before: float, share: float) -> None:
    """Say how much is done: what was before, and the share of a pass, which takes half."""
    if on_pass is not None:
        on_pass(before + min(1.0, max(0.0, share)) / 2)
