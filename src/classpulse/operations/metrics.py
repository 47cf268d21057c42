"""Figures of a process for Prometheus: counted while classes run, and looked up when somebody asks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from classpulse import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import Metric

    from classpulse.hub import Hub, LiveState
    from classpulse.joining.pictures import PictureReader
    from classpulse.storage.waiting import Backlog

AGE_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Upper edges of the ages of results, s: a teacher is shown the last second or two."""
STAGE_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PHASES = ("asking", "starting", "running", "paused", "ended")
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Watched(Protocol):
    """A class that figures are told of: a `Runner`."""

    hub: Hub

    @property
    def source_kind(self) -> str:
        """What kind of source it has, one word."""
        ...

    @property
    def backlog(self) -> Backlog:
        """What waits for the database."""
        ...

    @property
    def student_pictures(self) -> PictureReader | None:
        """Reads the pictures of students' devices; None where there are none."""
        ...

    @property
    def alive(self) -> bool:
        """Whether its thread runs, or has come to its end."""
        ...


class Metrics:
    """One process's figures, in a registry of their own.

    Attributes:
        registry: of prometheus-client; nothing else registers there.
        results, faces, ages: counted by every class while it runs, by its number.
        stages: time of single stages of the pipeline, s, of all classes together.
        requests, request_s: answers of the server, without what stays open.
    """

    def __init__(self, streams: Callable[[], int], ready: Callable[[], bool]) -> None:
        """Begin to count.

        Args:
            streams: how many event streams are open.
            ready: whether the process can do its work.
        """
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        Info("classpulse_build", "Which Classpulse this is.", registry=self.registry).info({"version": __version__})
        self.results = Counter("classpulse_results", "Results of a class.", ("course",), registry=self.registry)
        self.faces = Counter("classpulse_faces", "Faces in those results.", ("course",), registry=self.registry)
        self.ages = Histogram(
            "classpulse_result_age_seconds",
            "From a picture's capture to its result.",
            ("course",),
            buckets=AGE_S,
            registry=self.registry,
        )
        self.stages = Histogram(
            "classpulse_stage_seconds",
            "Time a stage of the pipeline took for one picture.",
            ("stage",),
            buckets=STAGE_S,
            registry=self.registry,
        )
        self.requests = Counter(
            "classpulse_http_requests", "Requests that were answered.", ("method", "status"), registry=self.registry
        )
        self.request_s = Histogram(
            "classpulse_http_request_seconds",
            "Time to the end of an answer, without event streams.",
            buckets=REQUEST_S,
            registry=self.registry,
        )
        Gauge("classpulse_event_streams", "Event streams that are open.", registry=self.registry).set_function(streams)
        Gauge(
            "classpulse_ready", "Whether the process can do its work (1) or not (0).", registry=self.registry
        ).set_function(lambda: float(ready()))
        self._classes = _Classes()
        self.registry.register(self._classes)

    def follow(self, course: int, watched: Watched) -> None:
        """Tell of a class from now on; one of the same number takes the place of the one before."""
        # From the start at 0, so that the first increase is seen as one.
        for counted in (self.results, self.faces, self.ages):
            counted.labels(course)
        self._classes.follow(course, watched)

    def leave(self, course: int) -> None:
        """Tell of a class no more."""
        self._classes.leave(course)
        for counted in (self.results, self.faces, self.ages):
            counted.remove(course)

    @property
    def watched(self) -> list[Watched]:
        """The classes that are told of."""
        return [one for _, one in self._classes.all()]

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self.registry)


class _Classes(Collector):
    """What is known of each class when somebody asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, Watched] = {}

    def follow(self, course: int, watched: Watched) -> None:
        with self._lock:
            self._watched[course] = watched

    def leave(self, course: int) -> None:
        with self._lock:
            self._watched.pop(course, None)

    def all(self) -> list[tuple[int, Watched]]:
        with self._lock:
            return sorted(self._watched.items())

    def collect(self) -> Iterable[Metric]:
        classes = [(str(course), one, one.hub.state) for course, one in self.all()]
        yield from _phases([state for _, _, state in classes])
        yield from _sources(classes)
        yield from _storage(classes)
        yield from _students(classes)


def _phases(states: list[LiveState]) -> Iterable[Metric]:
    phases = GaugeMetricFamily("classpulse_classes", "Classes by their phase.", labels=("phase",))
    for phase in PHASES:
        phases.add_metric((phase,), sum(state.phase == phase for state in states))
    yield phases


def _sources(classes: list[tuple[str, Watched, LiveState]]) -> Iterable[Metric]:
    by = ("course", "kind")
    rate = GaugeMetricFamily("classpulse_results_per_second", "Results a second lately.", labels=("course",))
    frames = CounterMetricFamily("classpulse_frames", "Pictures that the source gave.", labels=by)
    dropped = CounterMetricFamily("classpulse_frames_dropped", "Those a newer one took the place of.", labels=by)
    failures = CounterMetricFamily("classpulse_source_failures", "Times the source failed or stayed silent.", labels=by)
    reopened = CounterMetricFamily("classpulse_source_reopened", "Times it was opened again.", labels=by)
    waiting = GaugeMetricFamily("classpulse_source_waiting", "Whether it gives no pictures now (1).", labels=by)
    for course, one, state in classes:
        health, names = state.health, (course, one.source_kind)
        rate.add_metric((course,), state.results_per_s if state.phase == "running" else 0.0)
        frames.add_metric(names, health.frames)
        dropped.add_metric(names, health.dropped)
        failures.add_metric(names, health.failures)
        reopened.add_metric(names, health.reopened)
        waiting.add_metric(names, health.state == "waiting" and state.phase in {"running", "paused"})
    yield from (rate, frames, dropped, failures, reopened, waiting)


def _storage(classes: list[tuple[str, Watched, LiveState]]) -> Iterable[Metric]:
    by = ("course",)
    waiting = GaugeMetricFamily("classpulse_rows_waiting", "Rows that wait for the database.", labels=by)
    lost = CounterMetricFamily("classpulse_rows_lost", "Rows that it did not take in time.", labels=by)
    trouble = GaugeMetricFamily("classpulse_database_trouble", "Whether the class cannot be stored now (1).", labels=by)
    for course, one, _ in classes:
        backlog = one.backlog
        waiting.add_metric((course,), backlog.waiting)
        lost.add_metric((course,), backlog.lost)
        trouble.add_metric((course,), backlog.trouble)
    yield from (waiting, lost, trouble)


def _students(classes: list[tuple[str, Watched, LiveState]]) -> Iterable[Metric]:
    by = ("course",)
    people = GaugeMetricFamily("classpulse_people_by_link", "Students whose devices were heard lately.", labels=by)
    received = CounterMetricFamily("classpulse_student_pictures", "Pictures that students' devices sent.", labels=by)
    dropped = CounterMetricFamily("classpulse_student_pictures_dropped", "Those that were not read.", labels=by)
    for course, one, state in classes:
        pictures = one.student_pictures
        people.add_metric((course,), state.attendees.present)
        received.add_metric((course,), 0 if pictures is None else pictures.received)
        dropped.add_metric((course,), 0 if pictures is None else pictures.dropped)
    yield from (people, received, dropped)
