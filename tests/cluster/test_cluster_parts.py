"""The parts of a cluster that need no cluster."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cluster_machines import needs_ray
from command import run
from live_pictures import class_picture, write_video

from classpulse.cluster import open_cluster
from classpulse.errors import ClusterError, ModelError, SettingsError
from classpulse.inference import entries
from classpulse.pipeline import Pipeline
from classpulse.policy import Policy
from classpulse.settings import ClusterSettings, Settings, load
from classpulse.sources import Health, open_source
from classpulse.sources.recorded import RecordedSource
from classpulse.types import Frame
from classpulse.vision.picture import batch_of, pixels_of, to_batch

ROOT = Path(__file__).parents[2]
pytestmark = needs_ray


@pytest.mark.parametrize("name", ["emotion", "faceres"])
def test_a_batch_that_travels_as_pixels_arrives_as_it_was(name: str) -> None:
    wanted = entries(Settings())[name].contract.input
    side = wanted.height or 0
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8))
    batch = to_batch(pictures, wanted)
    pixels = pixels_of(batch, wanted)
    assert pixels.nbytes * 4 == batch.nbytes
    np.testing.assert_array_equal(batch_of(pixels, wanted), batch)


def test_a_recording_goes_on_after_a_time(tmp_path: Path) -> None:
    source = open_source(write_video(tmp_path / "lesson.mp4", class_picture(1, 1), 12), Settings().stream, fast=True)
    assert isinstance(source, RecordedSource)
    source.skip_to(0.5)
    assert [frame.index for frame in source.frames()] == [6, 7, 8, 9, 10, 11]
    assert source.health.frames == 12


def test_a_pipeline_goes_on_from_the_memory_of_another() -> None:
    picture = class_picture()
    first = Pipeline(jurisdiction="eu")
    before = first.process(Frame(picture, 1.0))
    memory = pickle.loads(pickle.dumps(first.memory))  # noqa: S301 - its own
    memory.tracker.resume()
    memory.tracker.number_after(9)
    second = Pipeline(jurisdiction="eu", memory=memory)
    np.testing.assert_array_equal(second.process(Frame(picture, 60.0)).tracks.ids, before.tracks.ids)
    moved = second.process(Frame(np.roll(picture, 100, axis=1), 60.1))
    assert set(moved.tracks.ids.tolist()) - set(before.tracks.ids.tolist()) <= set(range(10, 20)), "no number twice"


def test_replicas_follow_the_age_of_the_queue() -> None:
    from classpulse.cluster.replicas import by_queue_age

    def wanted(now: int, *ages: float) -> int:
        metrics = {"queue_age_s": dict(enumerate(ages))} if ages else None
        return by_queue_age(SimpleNamespace(aggregated_metrics=metrics, current_num_replicas=now))[0]

    assert wanted(3) == 2, "nothing is known to wait"
    assert wanted(3, 0.02, 0.2, 0.01) == 6, "the one that waits longest counts"
    assert wanted(1, 0.001) == 1


class Answering:
    """What stands for a method of an actor: calls give in turn what was said, raised where it is an error."""

    def __init__(self, *said: Any) -> None:
        self.said = list(said)

    def remote(self, *_: object) -> Any:
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]


class Placing:
    """A cluster whose machines are asked for in turn."""

    def __init__(self, *actors: Any) -> None:
        self.actors = list(actors)

    def nodes(self) -> set[str]:
        return {"one", "two"}

    def place(self, *, avoid: str | None, patience_s: float) -> tuple[Any, str]:
        del avoid, patience_s
        actor = self.actors.pop(0)
        if isinstance(actor, Exception):
            raise actor
        return actor, "two"


def test_a_class_moves_on_whatever_the_machines_that_are_tried_first_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's own errors, and those of a process that begins on a machine that is about to go, end no class."""
    from ray.exceptions import ActorDiedError, RayError, RayTaskError

    from classpulse.cluster import reader
    from classpulse.cluster.ingest import Batch, Facts, Order

    def get(said: Any, *, timeout: float) -> Any:
        del timeout
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr("ray.get", get)
    monkeypatch.setattr("ray.kill", lambda _: None)
    monkeypatch.setattr(reader, "LONGEST_PAUSE_S", 0.0)
    facts = Facts("lesson.mp4", 1, (), recognizes=False, live=False)
    over = Answering(Batch([], Health(), None, over=True))
    dying = RayTaskError("open", "its traceback", RuntimeError("the raylet is gone"))
    first = SimpleNamespace(open=Answering(facts), begin=Answering(None), take=Answering(ActorDiedError()))
    second = SimpleNamespace(open=Answering(dying))
    third = SimpleNamespace(open=Answering(facts), begin=Answering(None), take=over, close=Answering(None))
    order = Order("lesson.mp4", Settings(), Policy("other"), fast=True, threads=1, served=None)
    cluster: Any = Placing(first, RayError("as ever"), second, third)
    kind = SimpleNamespace(name="lesson.mp4", live=False)
    followed = reader.ClusterReader(cluster, kind, order)  # type: ignore[arg-type]
    followed.begin()
    assert list(followed.results()) == []
    assert (followed.health.reopened, cluster.actors) == (1, [])


def test_faces_that_a_replica_gives_up_as_it_ends_are_unread() -> None:
    from ray.exceptions import RayTaskError

    from classpulse.cluster.remote import RemoteModel

    class Response:
        def __init__(self, error: Exception) -> None:
            self.cause, self.cancelled = error, False

        def result(self, *, timeout_s: float) -> None:
            del timeout_s
            name = "read"
            raise RayTaskError(name, "its traceback", self.cause)

        def cancel(self) -> None:
            self.cancelled = True

    model = RemoteModel.__new__(RemoteModel)
    model.contract, model.unread, model._patience_s = entries(Settings())["emotion"].contract, 0, 1.0
    given_up = Response(RuntimeError("cannot schedule new futures after shutdown"))
    assert np.isnan(model._answer(given_up, 3)).all()
    assert (given_up.cancelled, model.unread) == (True, 3)
    with pytest.raises(ModelError, match="another file"):
        model._answer(Response(ModelError("another file on this node")), 3)


def test_a_folder_on_a_disk_is_told_from_one_in_memory() -> None:
    from classpulse.cluster.memory_only import in_memory

    assert in_memory(Path("/dev/shm"))  # noqa: S108 - shared memory
    assert in_memory(Path("/dev/shm/not/there"))  # noqa: S108
    assert not in_memory(ROOT)


def test_the_documented_way_to_start_a_head_is_the_one_that_is_asked_for() -> None:
    from classpulse.cluster.memory_only import SYSTEM_CONFIG

    told = re.findall(r"--system-config='(.*?)'", (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8"))
    assert [json.loads(text) for text in told] == [SYSTEM_CONFIG]


@pytest.mark.parametrize("address", ["auto", "head.school:6379", "10.0.0.7:6379", "[::1]:6379"])
def test_an_address_of_a_cluster(address: str) -> None:
    assert load({"cluster.address": f" {address}"}, environ={}).cluster.address == address


@pytest.mark.parametrize("address", ["", "head.school", "ray://head:10001", "a b:1", "head:port", "-x"])
def test_what_is_no_address_is_refused_with_what_would_be(address: str) -> None:
    with pytest.raises(SettingsError, match=r"head\.school:6379"):
        load({"cluster.address": address}, environ={})


def test_where_no_head_answers_that_is_said_at_once(tmp_path: Path) -> None:
    done = run("live", "demo", "--no-browser", "--cluster", "127.0.0.1:9", data=tmp_path)
    assert done.returncode == ClusterError.exit_code, done.stderr
    assert "no Ray cluster answers at 127.0.0.1:9" in done.stderr
    assert "ray start --address=127.0.0.1:9" in done.stderr


def test_pictures_stay_there_so_no_window_can_show_them(tmp_path: Path) -> None:
    done = run("live", "demo", "--window", "--cluster", "auto", data=tmp_path)
    assert done.returncode == SettingsError.exit_code
    assert "leave out --window" in done.stderr


def test_where_ray_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ClusterError, match=r"pip install 'classpulse\[cluster\]'"):
        open_cluster(ClusterSettings(address="auto"))
