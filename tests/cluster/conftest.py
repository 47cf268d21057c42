"""A real Ray cluster of three nodes on this machine, small, for all tests of one file."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cluster_machines import STORE_BYTES, Machines

import classpulse.cluster  # noqa: F401 - sets what Ray reads when it is imported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.cluster.connection import Cluster


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster as LocalCluster

    from classpulse.cluster.memory_only import SYSTEM_CONFIG

    before = dict(os.environ)
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(tmp_path_factory.mktemp("ray") / "token")
    # Ray's sockets lie below it, whose names may be 107 characters long.
    folder = Path(tempfile.mkdtemp(prefix="cp", dir="/tmp"))
    Path("/tmp/ray").mkdir(exist_ok=True)  # noqa: S108 - Ray notes there which cluster is the newest
    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    head = {**node, "include_dashboard": False, "temp_dir": str(folder), "_system_config": SYSTEM_CONFIG}
    local = LocalCluster(initialize_head=True, head_node_args=head)
    try:
        yield Machines(local, folder, [local.add_node(**node) for _ in range(2)])
    finally:
        local.shutdown()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(machines: Machines) -> Iterator[Cluster]:
    from classpulse.cluster.connection import Cluster
    from classpulse.settings import ClusterSettings

    small = ClusterSettings(address=machines.address, ingest_cpus=0.1, replica_cpus=0.1, min_replicas=2, max_replicas=2)
    with Cluster(small) as joined:
        yield joined
