"""A cluster that could write pictures to a disk is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest
from cluster_machines import needs_ray
from command import environment

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = """
import json, sys
from cluster_machines import opened
from classpulse.cluster.connection import Cluster
from classpulse.errors import ClusterError
from classpulse.settings import ClusterSettings
from classpulse.settings import Settings
from ray.cluster_utils import Cluster as LocalCluster

options = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False, **json.loads(sys.argv[1])}
local = LocalCluster(initialize_head=True, head_node_args={**options, "temp_dir": sys.argv[2]})
try:
    with Cluster(ClusterSettings(address=local.address)) as cluster:
        opened("demo", Settings(data_dir=sys.argv[3]), cluster, law="eu")
except ClusterError as error:
    print(error)
finally:
    local.shutdown()
"""


@needs_ray
@pytest.mark.fault("a cluster's (Ray) object stores are full, or it would write them to a disk")
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "may write pictures to its disks"),
        pytest.param({"_system_config": "SAFE", "plasma_directory": "FOLDER"}, "is in", marks=pytest.mark.thorough),
    ],
)
def test_a_cluster_that_could_write_pictures_is_refused(tmp_path: Path, options: dict[str, object], text: str) -> None:
    from classpulse.cluster.memory_only import SYSTEM_CONFIG

    values = {"SAFE": SYSTEM_CONFIG, "FOLDER": str(tmp_path)}
    options = {name: values[str(value)] for name, value in options.items()}
    env = {**environment(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    with tempfile.TemporaryDirectory(prefix="cp", dir="/tmp") as folder:
        words = [sys.executable, "-c", REFUSED, json.dumps(options), folder, str(tmp_path)]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert text in done.stdout, done.stderr
