"""Classes on a real cluster of three nodes: read as here, and going on when processes and nodes die."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from cluster_machines import needs_ray, opened
from live_pictures import camera, class_picture, write_video
from sqlalchemy import text

from classpulse.errors import ModelError, SourceError
from classpulse.pipeline import Pipeline
from classpulse.policy import Policy
from classpulse.readers import CameraReader
from classpulse.roll import GalleryFeed, Roll
from classpulse.runner import Runner
from classpulse.settings import Settings
from classpulse.sources import describe
from classpulse.storage.store import Store
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.gallery import Gallery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cluster_machines import Machines

    from classpulse.cluster.connection import Cluster
    from classpulse.types import Frame, FrameResult

DIES = "what reads a class on a cluster (Ray) is killed: a process, a replica, a node"
FULL = "a cluster's (Ray) object stores are full, or it would write them to a disk"
PATIENCE_S = 90.0
STORED_HZ = 30
PICTURE = class_picture()
pytestmark = [needs_ray, pytest.mark.xdist_group("cluster")]
"""One cluster for all, also where tests are spread one by one."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path, "tracker": {"max_gap_s": 30}})


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def process_of(reader: Any) -> psutil.Process:
    """The process that reads a class, wherever it is."""
    import ray

    return psutil.Process(ray.get(reader._ingest.__ray_call__.remote(lambda _: os.getpid())))


def read_here(source: Path, settings: Settings) -> list[FrameResult]:
    return list(Pipeline(settings, policy=Policy("other")).run(source))


def seats(result: FrameResult) -> list[int]:
    """The tracks' numbers, row by row."""
    corners = np.round(result.tracks.faces.boxes[:, :2] / 100)
    return [int(number) for number in result.tracks.ids[np.lexsort(corners.T)]]


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("lesson") / "lesson.mp4", PICTURE, 40)


def test_a_recording_is_read_on_the_cluster_as_it_is_here(cluster: Cluster, settings: Settings, lesson: Path) -> None:
    reader = opened(lesson, settings, cluster, fast=True)
    assert (reader.name, reader.total_frames, len(reader.labels)) == ("lesson.mp4", 40, 7)
    there, here = list(reader.results()), read_here(lesson, settings)
    assert [result.index for _, result in there] == list(range(40))
    for (frame, far), near in zip(there, here, strict=True):
        assert frame.image.size == 3, "no picture comes back"
        assert frame.time_s == far.time_s == near.time_s
        np.testing.assert_array_equal(far.tracks.ids, near.tracks.ids)
        assert far.emotions is not None
        assert near.emotions is not None
        np.testing.assert_allclose(far.emotions.probabilities, near.emotions.probabilities, atol=1e-3)
    assert reader.health.state == "ended"
    assert (reader.health.frames, reader.health.unread) == (40, 0)


@pytest.mark.fault(DIES)
@pytest.mark.thorough  # its short sister kills a node with several
def test_a_recording_goes_on_where_its_process_was_killed(
    cluster: Cluster, settings: Settings, lesson: Path, record_property: Callable[[str, object], None]
) -> None:
    reader = opened(lesson, settings, cluster, fast=True)
    seen = []
    for _, result in reader.results():
        seen.append(result)
        if len(seen) == 5:
            process_of(reader).kill()
    record_property("lost", 40 - len({result.index for result in seen}))
    record_property("figure", "an ingest in the middle of a recording: every frame read once")
    assert [result.index for result in seen] == list(range(40)), "every frame once"
    assert all(seats(result) == seats(seen[0]) for result in seen), "everybody keeps their number"
    assert (reader.health.frames, reader.health.reopened) == (40, 1)


@pytest.mark.fault(DIES)
@pytest.mark.thorough
def test_a_process_that_freezes_is_given_up(cluster: Cluster, settings: Settings) -> None:
    with camera(PICTURE) as (url, _):
        reader = opened(url, settings, cluster)
        results = reader.results()
        before = next(results)[1]
        frozen = process_of(reader)
        frozen.send_signal(signal.SIGSTOP)
        try:
            result = before
            while reader.health.reopened == 0:
                result = next(results)[1]
        finally:
            with suppress(psutil.NoSuchProcess):  # Ray may have been quicker
                frozen.kill()
            reader.close()
        assert result.time_s > before.time_s, "the class's clock goes on"
        assert seats(result) == seats(before)
        assert list(results) == []


@pytest.mark.fault(DIES)
@pytest.mark.thorough
def test_while_nobody_reads_faces_they_are_still_counted(
    cluster: Cluster, settings: Settings, record_property: Callable[[str, object], None]
) -> None:
    with camera(PICTURE) as (url, _):
        reader = opened(url, settings, cluster)
        results = reader.results()
        assert next(results)[1].emotions.read.all()  # type: ignore[union-attr]
        for process in psutil.process_iter(["cmdline"]):
            if (process.info["cmdline"] or [""])[0].startswith("ray::ServeReplica:emotion"):
                process.kill()
        while reader.health.unread == 0:
            assert len(next(results)[1]) == 6
        while not next(results)[1].emotions.read.all():  # type: ignore[union-attr]
            pass
        record_property("lost", 0)
        record_property(
            "figure", f"all replicas: no face uncounted, {reader.health.unread} unread until there were new ones"
        )
        reader.close()


@pytest.mark.thorough
def test_people_are_recognised_there_until_they_withdraw(cluster: Cluster, settings: Settings) -> None:
    policy = Policy("other")
    faces = open_detector(settings, policy).detect(PICTURE)
    embedder = FaceEmbedder.open(settings, policy)
    known = Gallery(embedder.name, ("ana",), embedder.embed(PICTURE, faces[:1]))
    stamp = ["first"]
    feed = GalleryFeed(lambda: stamp[0], lambda: known if stamp[0] == "first" else Gallery.empty())
    roll = Roll(feed)
    with camera(PICTURE) as (url, _):
        reader = opened(url, settings, cluster, roll=roll)
        results = reader.results()
        while "ana" not in next(results)[1].identities.people:  # type: ignore[union-attr]
            pass
        process_of(reader).kill()
        while reader.health.reopened == 0:
            next(results)
        while "ana" not in next(results)[1].identities.people:  # type: ignore[union-attr]
            pass
        stamp[0] = "withdrawn"
        while "ana" in roll.check(next(results)[1]).identities.people:  # type: ignore[union-attr]
            roll.refresh()
        while "ana" in next(results)[1].identities.people:  # type: ignore[union-attr]
            pass
        reader.close()


def test_what_cannot_be_opened_is_told_with_the_machine(cluster: Cluster, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=re.escape(os.uname().nodename)):
        opened("http://127.0.0.1:9/", settings, cluster)
    wrong = settings.model_copy(update={"detector": settings.detector.model_copy(update={"name": "yunet"})})
    with pytest.raises(ModelError, match="yunet"):
        opened(write_video(tmp_path / "short.mp4", PICTURE, 3), wrong, cluster)


def test_under_a_law_that_forbids_reading_faces_are_counted(cluster: Cluster, settings: Settings, lesson: Path) -> None:
    reader = opened(lesson, settings, cluster, law="eu", fast=True)
    assert reader.labels == ()
    result = next(reader.results())[1]
    assert (len(result), result.emotions, result.poses) == (6, None, None)
    reader.close()


def test_what_is_bound_to_this_machine_is_looked_at_here_and_read_there(
    cluster: Cluster, settings: Settings, lesson: Path
) -> None:
    from classpulse.cluster.remote import RemoteModel
    from classpulse.vision.meeting import view_of

    tiled = settings.model_copy(update={"screen": settings.screen.model_copy(update={"tiles": "always"})})
    reader = opened(lesson, tiled, cluster, fast=True, meeting=view_of("video", tiled.screen))
    assert isinstance(reader, CameraReader)
    classifier: Any = reader._pipeline._classifier
    assert isinstance(classifier._model, RemoteModel)
    result = classifier.classify(PICTURE, open_detector(tiled, Policy("other")).detect(PICTURE))
    assert result.read.all()
    reader.close()


def test_a_school_has_its_classes_read_there(cluster: Cluster, tmp_path: Path) -> None:
    from classpulse.school.school import School
    from classpulse.storage.runs import Process

    with Store.of(Settings(data_dir=tmp_path, key_file=tmp_path / "people.key")) as store:
        store.set_jurisdiction("eu", answered_by="Head", how="command")
        school = School(store, Settings(data_dir=tmp_path), Process.this("http://127.0.0.1:1"), lambda *_: None)  # type: ignore[arg-type]
        school.own.cluster = cluster
        maths = store.courses().add("Maths 7b", "demo")
        try:
            school.begin(maths)
            while not store.sessions(maths.id):
                school._turn()
                time.sleep(0.05)
            held: Any = school.held(maths.id)
            assert type(held.runner._reader).__name__ == "ClusterReader"
        finally:
            school.close()


FACE_BYTES = 80 * 80
"""The smallest picture that travels."""


def files_of(machines: Machines) -> list[str]:
    """What the nodes' object stores keep outside of memory, names taken away or not, and files as large as a picture.

    Ray maps a file and takes its name away at once, so it is looked for among what its processes have mapped.
    """
    found = []
    for raylet in machines.raylets():
        with open(f"/proc/{raylet.pid}/maps", encoding="utf-8") as maps:  # noqa: PTH123
            found += [line for line in maps if "plasma" in line and "/dev/shm/" not in line]  # noqa: S108
    logs = {".log", ".out", ".err", ".txt", ".json"}
    large = (path for path in machines.folder.rglob("*") if path.is_file() and path.stat().st_size >= FACE_BYTES)
    return found + [str(path) for path in large if path.suffix not in logs]


@pytest.mark.fault(FULL)
def test_nothing_reaches_a_disk_while_the_object_stores_are_full(
    machines: Machines, cluster: Cluster, tmp_path: Path
) -> None:
    import ray

    settings = Settings(data_dir=tmp_path)
    with camera(class_picture()) as (url, _):
        reader = opened(url, settings, cluster)
        results = reader.results()
        next(results)
        kept: list[object] = []
        while len(kept) < 50:
            try:
                kept.append(ray.put(np.zeros(8 << 20, np.uint8)))
            except ray.exceptions.RayError:
                break
        assert 5 <= len(kept) < 50, "full, and not written out"
        read, deadline = 0, time.monotonic() + PATIENCE_S
        while read < 10:  # now and then one is late on a busy machine, and its faces are only counted
            emotions = next(results)[1].emotions
            assert emotions is not None
            read += bool(emotions.read.all())
            assert time.monotonic() < deadline, "the class needs no room in the store"
        assert files_of(machines) == []
        reader.close()


class Followed:
    """One class of a school, and what came of it."""

    def __init__(self, url: str, settings: Settings, store: Store, cluster: Cluster) -> None:
        self.seen: list[FrameResult] = []
        self.came_s: list[float] = []
        self.store = store
        self.runner = Runner(describe(url), settings, store, policy=Policy("other"), listeners=[self.look])
        self.runner.read_on(cluster)
        self.runner.start()

    def look(self, _: Frame, result: FrameResult) -> None:
        self.seen.append(result)
        self.came_s.append(time.monotonic())

    def not_stored(self) -> int:
        """How many faces that were seen are in no row, once the class is over."""
        with self.store._engine.connect() as connection:
            rows = text("SELECT time_s, track FROM observations WHERE session_id = :id")
            found = connection.execute(rows, {"id": self.runner.hub.state.session_id})
            stored = np.array([(row.time_s, row.track) for row in found])
        seen = np.array([(one.time_s, track) for one in self.seen for track in one.tracks.ids])
        # Of two that come within an interval of storing the later one is kept.
        near = np.abs(seen[:, None, 0] - stored[None, :, 0]) <= 1 / STORED_HZ
        return int((~(near & (seen[:, None, 1] == stored[None, :, 1])).any(axis=1)).sum())

    @property
    def reader(self) -> Any:
        return self.runner._reader

    def told(self) -> str:
        """How it does, for whoever looks why a test failed."""
        state, waits_s = self.runner.hub.state, sorted(after - before for before, after in pairwise(self.came_s))[-3:]
        where = "nowhere" if self.reader is None else f"on {self.reader._node[:6]}, {self.reader.health}"
        ago = (
            f"the last {time.monotonic() - self.came_s[-1]:.1f} s ago, the longest waits {waits_s}" if self.seen else ""
        )
        ends = [(one.index, seats(one)) for one in self.seen[-3:]]
        return f"{state.phase}, trouble {state.trouble!r}, {where}, {len(self.seen)} results {ago}, seats {ends}"


@pytest.fixture
def classes(settings: Settings, cluster: Cluster) -> Iterator[list[Followed]]:
    every = settings.model_copy(update={"storage": settings.storage.model_copy(update={"observations_hz": STORED_HZ})})
    with Store.of(settings) as store, camera(PICTURE, rate_hz=5) as (url, _):
        four = [Followed(url, every, store, cluster) for _ in range(4)]
        yield four
        end(four)
        assert [session.ended_how for session in store.sessions()] == ["stopped"] * 4


def end(classes: list[Followed]) -> None:
    for one in classes:
        one.runner.stop()
    assert all(one.runner.join(PATIENCE_S) for one in classes)


@contextmanager
def explained(machines: Machines, classes: list[Followed]) -> Iterator[None]:
    """Add to whatever fails in here what it takes to see why; the log is beside it."""
    import ray
    from ray._private import state

    try:
        yield
    except BaseException as error:
        error.add_note(
            f"load {os.getloadavg()[0]:.1f}, nodes that can be killed: {[n.node_id for n in machines.nodes]}"
        )
        for node in ray.nodes():
            error.add_note(f"node {node['NodeID']}: {'alive' if node['Alive'] else 'dead'}, {node['Resources']}")
        for number, one in enumerate(classes):
            error.add_note(f"class {number}: {one.told()}")
        for actor in state.actors().values():
            facts = (actor[key] for key in ("ActorClassName", "State", "StartTime", "EndTime"))
            error.add_note(f"actor {' '.join(map(str, facts))} on {actor['Address']['NodeID']}")
        raise


@pytest.mark.fault(DIES)
def test_four_classes_go_on_when_one_of_three_nodes_dies(
    machines: Machines, classes: list[Followed], record_property: Callable[[str, object], None]
) -> None:
    with explained(machines, classes):
        lose_a_node(machines, classes, record_property)


def lose_a_node(machines: Machines, classes: list[Followed], record_property: Callable[[str, object], None]) -> None:
    until(lambda: all(len(one.seen) > 20 for one in classes))
    nodes = [one.reader._node for one in classes]
    assert len(set(nodes)) == 3, "they are spread"
    victim = next(node.node_id for node in machines.nodes if node.node_id in nodes)
    counts, ids = [len(one.seen) for one in classes], [seats(one.seen[-1]) for one in classes]
    machines.kill(victim)
    killed_s = time.monotonic()
    moved = [one for one, node in zip(classes, nodes, strict=True) if node == victim]
    until(lambda: all(one.reader.health.reopened for one in moved))
    after = [len(one.seen) for one in classes]
    until(lambda: all(len(one.seen) > count + 10 for one, count in zip(classes, after, strict=True)))
    assert all(one.reader._node != victim for one in classes)
    for one, count, before in zip(classes, counts, ids, strict=True):
        numbers = [result.index for result in one.seen]
        assert numbers == sorted(set(numbers)), "no result twice, none out of order"
        times = [result.time_s for result in one.seen]
        assert times == sorted(times)
        assert all(seats(result) == before for result in one.seen[count:])
        assert one.runner.hub.state.trouble == ""
    end(classes)
    lost = sum(one.not_stored() for one in classes)
    # What was read and not fetched any more is what lies between the last result that came and the end.
    missing_s = max(killed_s - max(came for came in one.came_s if came < killed_s) for one in moved)
    away_s = max(after - before for one in moved for before, after in pairwise(one.came_s))
    record_property("lost", lost)
    figure = f"a node with {len(moved)} of 4 classes: the last {missing_s:.1f} s not fetched"
    record_property("figure", f"{figure}, seen again after {away_s:.0f} s")
    assert lost == 0, "what came is stored"
