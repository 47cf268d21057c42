"""No picture reaches a disk: not under memory pressure, and not on a cluster that is not set up for that."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from cluster_machines import opened
from command import environment
from live_pictures import camera, class_picture

from classpulse.settings import Settings

ray = pytest.importorskip("ray")

if TYPE_CHECKING:
    from pathlib import Path

    from cluster_machines import Machines

    from classpulse.cluster.connection import Cluster

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


def test_nothing_reaches_a_disk_while_the_object_stores_are_full(
    machines: Machines, cluster: Cluster, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    with camera(class_picture()) as (url, _):
        reader = opened(url, settings, cluster)
        results = reader.results()
        next(results)
        kept = []
        while len(kept) < 50:
            try:
                kept.append(ray.put(np.zeros(8 << 20, np.uint8)))
            except ray.exceptions.RayError:
                break
        assert 5 <= len(kept) < 50, "full, and not written out"
        for _ in range(10):
            result = next(results)[1]
            assert result.emotions is not None
            assert result.emotions.read.all(), "the class needs no room in the store"
        assert files_of(machines) == []
        reader.close()


REFUSED = """
import json, sys
import ray
from cluster_machines import opened
from classpulse.cluster.connection import Cluster
from classpulse.errors import ClusterError
from classpulse.settings import ClusterSettings, Settings

options = json.loads(sys.argv[1])
started = ray.init(num_cpus=1, object_store_memory=80 << 20, include_dashboard=False, _temp_dir=sys.argv[2], **options)
ray.shutdown = lambda: None  # it was started here
try:
    opened("demo", Settings(data_dir=sys.argv[3]), Cluster(ClusterSettings(address="auto")), law="eu")
except ClusterError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "may write pictures to its disks"),
        pytest.param({"_system_config": "SAFE", "_plasma_directory": "FOLDER"}, "is in", marks=pytest.mark.thorough),
    ],
)
def test_a_cluster_that_could_write_pictures_is_refused(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, options: dict[str, object], text: str
) -> None:
    from classpulse.cluster.memory_only import SYSTEM_CONFIG

    values = {"SAFE": SYSTEM_CONFIG, "FOLDER": str(tmp_path)}
    options = {name: values[str(value)] for name, value in options.items()}
    folder = tmp_path_factory.getbasetemp() / "r"
    env = {**environment(tmp_path), "RAY_USAGE_STATS_ENABLED": "0"}
    words = [sys.executable, "-c", REFUSED, json.dumps(options), str(folder), str(tmp_path)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert text in done.stdout, done.stderr
