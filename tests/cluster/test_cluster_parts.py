"""The parts of a cluster that need no cluster."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cluster_machines import needs_ray
from command import run
from live_pictures import class_picture, write_video

from classpulse.cluster import open_cluster
from classpulse.errors import ClusterError, SettingsError
from classpulse.inference import entries
from classpulse.pipeline import Pipeline
from classpulse.settings import ClusterSettings, Settings, load
from classpulse.sources import open_source
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
