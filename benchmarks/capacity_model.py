"""Classes on a machine as a discrete-event simulation: how often results come, how old they are, what gives way first.

Each class has a camera that gives a picture every `1 / fps` seconds and takes the newest one as soon as it is done
with the last. A picture goes through what `Costs` says, in the order of `pipeline.py`: work in native code may run on
any free core, work in Python only while its process runs nothing else in Python (the interpreter's lock). Cores are
handed out first come, first served. No cost is fitted to what the simulation is checked against: all are measured on
one class alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import simpy

if TYPE_CHECKING:
    from collections.abc import Generator

    from simpy.events import Event


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor time of one class alone, by what it is spent on.

    Attributes:
        decode_ms: a picture out of its stream, whether it is used or not.
        look_ms: the detector on one picture.
        follow_ms: the picture in grey and the flow of its faces, between two looks.
        read_ms: one face read.
        python_ms: all else of a picture: following, smoothing, windows, what is published and stored.
        look_interval_s: between two looks.
        read_interval_s: between two readings of one face.
    """

    decode_ms: float
    look_ms: float
    follow_ms: float
    read_ms: float
    python_ms: float
    look_interval_s: float = 0.25
    read_interval_s: float = 0.2

    def picture_ms(self, faces: float, rate: float) -> float:
        """Mean processor time of one picture with so many faces at so many pictures a second.

        >>> Costs(4, 20, 2, 0.5, 3).picture_ms(30, 25)
        18.0
        """
        looks = 1 / max(1, math.ceil(0.9 * self.look_interval_s * rate))
        found = looks * self.look_ms + (1 - looks) * self.follow_ms
        reads = math.ceil(min(faces, faces / (rate * self.read_interval_s)) - 1e-6)
        return self.decode_ms + found + reads * self.read_ms + self.python_ms


@dataclass(slots=True)
class Outcome:
    """What became of the classes.

    Attributes:
        results: of each class, how many results it had.
        ages_s: time from a picture's capture to its result, of all classes.
        busy_s: processor time spent.
        lasted_s: time simulated.
        cores: of the machine.
    """

    lasted_s: float
    cores: int
    results: list[int] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    busy_s: float = 0.0

    @property
    def results_per_s(self) -> float:
        """Of a class, on average."""
        return float(np.mean(self.results)) / self.lasted_s

    @property
    def age_p95_ms(self) -> float:
        """Age that 95 % of the results stay below."""
        return float(np.percentile(self.ages_s, 95)) * 1e3 if self.ages_s else math.nan

    @property
    def cores_busy(self) -> float:
        """Cores in use, on average."""
        return self.busy_s / self.lasted_s


class Machine:
    """Cores, and the processes on them."""

    def __init__(self, cores: int, lasts_s: float) -> None:
        """Start with nothing to do.

        Args:
            cores: how many programs can compute at once.
            lasts_s: how long to simulate.
        """
        self.world = simpy.Environment()
        self.outcome = Outcome(lasts_s, cores)
        self._cores = simpy.Resource(self.world, cores)

    def process(self) -> simpy.Resource:
        """The lock of one more process's interpreter."""
        return simpy.Resource(self.world, 1)

    def add(self, costs: Costs, *, fps: float, faces: int, interpreter: simpy.Resource, begins_s: float) -> None:
        """Add a class to the process whose interpreter it is."""
        self.outcome.results.append(0)
        number = len(self.outcome.results) - 1
        self.world.process(self._class(number, costs, fps, faces, interpreter, begins_s))

    def run(self) -> Outcome:
        """Let the time pass."""
        self.world.run(until=self.outcome.lasted_s)
        return self.outcome

    def _class(
        self, number: int, costs: Costs, fps: float, faces: int, interpreter: simpy.Resource, begins_s: float
    ) -> Generator[Event, None, None]:
        yield self.world.timeout(begins_s)
        picture, looked_s, done_s, unread = 0, -math.inf, begins_s, float(faces)
        while True:
            captured_s = begins_s + picture / fps
            if captured_s > self.world.now:
                yield self.world.timeout(captured_s - self.world.now)
            looks = captured_s - looked_s >= 0.9 * costs.look_interval_s
            looked_s = captured_s if looks else looked_s
            due = math.ceil(unread - 1e-6)
            native_ms = costs.decode_ms + (costs.look_ms if looks else costs.follow_ms) + due * costs.read_ms
            yield from self._work(native_ms / 1e3)
            with interpreter.request() as lock:
                yield lock
                yield from self._work(costs.python_ms / 1e3)
            self.outcome.results[number] += 1
            self.outcome.ages_s.append(self.world.now - captured_s)
            newest = max(picture + 1, math.floor((self.world.now - begins_s) * fps))
            # What was replaced by a newer picture was decoded all the same.
            yield from self._work((newest - picture - 1) * costs.decode_ms / 1e3)
            unread = min(faces, faces * (captured_s - done_s + 1 / fps) / costs.read_interval_s)
            picture, done_s = newest, captured_s + 1 / fps

    def _work(self, seconds: float) -> Generator[Event, None, None]:
        if seconds <= 0:
            return
        with self._cores.request() as core:
            yield core
            yield self.world.timeout(seconds)
        self.outcome.busy_s += seconds


def simulate(
    costs: Costs, classes: int, *, cores: int, fps: float, faces: int, lasts_s: float = 60.0, processes: int = 1
) -> Outcome:
    """So many like classes on one machine.

    Args:
        costs: of one of them.
        classes: how many.
        cores: of the machine.
        fps: pictures a second of each camera.
        faces: in each picture.
        lasts_s: how long to simulate.
        processes: among which the classes are shared out.
    """
    machine = Machine(cores, lasts_s)
    interpreters = [machine.process() for _ in range(processes)]
    for i in range(classes):
        # Cameras do not begin at the same instant; the golden ratio spreads any number of them evenly.
        begins_s = (i * 0.618 % 1) / fps
        machine.add(costs, fps=fps, faces=faces, interpreter=interpreters[i % processes], begins_s=begins_s)
    return machine.run()
