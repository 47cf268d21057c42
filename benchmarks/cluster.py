"""A Ray cluster of three nodes on this machine: what it costs, what replicas bring, and how soon a class goes on.

python -m benchmarks.cluster

Replicas share this machine's cores with everything else here, so that two cannot read twice as many faces as one where
there are no more cores than that; the figure beside it is how many the network reads without any cluster.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import ray

from benchmarks.record import save
from classpulse.cluster.connection import Cluster
from classpulse.cluster.memory_only import SYSTEM_CONFIG
from classpulse.cluster.remote import RemoteModel
from classpulse.inference import open_model
from classpulse.policy import Policy, Task
from classpulse.settings import ClusterSettings, Settings
from classpulse.vision.emotion import model_path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

from cluster_machines import STORE_BYTES, Machines, opened
from live_pictures import camera, class_picture
from ray import serve
from ray.cluster_utils import Cluster as LocalCluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.readers import Reader

SENDERS, FACES, MEASURED_S = 4, 12, 10.0
CLASSES = 4
PATIENCE_S = 90.0


def memory_mb(folder: Path) -> dict[str, int]:
    """What belongs to each kind of process alone (USS), MB."""
    sums: dict[str, int] = {}
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        if str(folder) in " ".join(words) or words[0].startswith("ray::"):
            kind = words[0].split("/")[-1].split(".")[0] if words[0].startswith("ray::") else "ray itself"
            sums[kind] = sums.get(kind, 0) + process.memory_full_info().uss
    return {kind: round(total / 1e6) for kind, total in sorted(sums.items())}


def rate(run: Callable[[Any], object], threads: int) -> float:
    """Faces a second, when several threads have a dozen read again and again."""
    faces = np.zeros((FACES, 1, 80, 80), np.float32)
    counts, over = [0] * threads, threading.Event()

    def send(number: int) -> None:
        while not over.is_set():
            run(faces)
            counts[number] += FACES

    run(faces)
    senders = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
    begin = time.perf_counter()
    for sender in senders:
        sender.start()
    over.wait(MEASURED_S)
    over.set()
    for sender in senders:
        sender.join()
    return round(sum(counts) / (time.perf_counter() - begin))


def replicas(address: str, settings: Settings, count: int) -> dict[str, float]:
    """Faces a second through so many replicas, and how many nobody read in time."""
    small = ClusterSettings(address=address, ingest_cpus=0.1, replica_cpus=0.2, min_replicas=count, max_replicas=count)
    with Cluster(small) as cluster:
        served = cluster._serve(settings, Policy("other"))  # noqa: SLF001 - without a class around it
        models = [RemoteModel(served) for _ in range(SENDERS)]
        mine = threading.local()
        free = list(models)

        def run(faces: Any) -> object:  # noqa: ANN401 - an array
            if not hasattr(mine, "model"):
                mine.model = free.pop() if free else models[0]
            return mine.model.run(faces)

        figures = {"faces_per_s": rate(run, SENDERS - 1), "unread": sum(model.unread for model in models)}
        serve.shutdown()
    return figures


def watch(reader: Reader, came: list[float]) -> None:
    """Note when each result of a class came."""
    came.extend(time.monotonic() for _ in reader.results())


def wait(condition: Callable[[], bool]) -> None:
    """Wait for it, at most `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def node_dies(machines: Machines, settings: Settings) -> dict[str, Any]:
    """Start classes, cut the power of a node, and see how long each class gave no result."""
    small = ClusterSettings(address=machines.address, ingest_cpus=0.2, replica_cpus=0.1, min_replicas=2, max_replicas=2)
    with Cluster(small) as cluster, camera(class_picture(), rate_hz=10) as (url, _):
        started, readers, came = [], [], [list[float]() for _ in range(CLASSES)]
        for results in came:
            begin = time.monotonic()
            reader = opened(url, settings, cluster)
            readers.append(reader)
            threading.Thread(target=watch, args=(reader, results), daemon=True).start()
            wait(lambda results=results: bool(results))  # type: ignore[misc]
            started.append(round(time.monotonic() - begin, 2))
        time.sleep(5)
        memory = memory_mb(machines.folder)
        nodes = [reader._node for reader in readers]  # type: ignore[attr-defined]  # noqa: SLF001
        victim = next(node.node_id for node in machines.nodes if node.node_id in nodes)
        killed = time.monotonic()
        machines.kill(victim)
        wait(lambda: all(r.health.reopened for r, n in zip(readers, nodes, strict=True) if n == victim))
        wait(lambda: all(results[-1] > killed + 8 for results in came))
        gaps = [max(b - a for a, b in itertools.pairwise(c) if b > killed) for c in came]
        steady = [statistics.median(b - a for a, b in itertools.pairwise(c) if b < killed) for c in came]
        figures = {
            "start_s": started,
            "results_per_s": [round(1 / gap, 1) for gap in steady],
            "nodes": len(set(nodes)),
            "longest_gap_s_on_the_dead_node": [round(g, 2) for g, n in zip(gaps, nodes, strict=True) if n == victim],
            "longest_gap_s_elsewhere": [round(g, 2) for g, n in zip(gaps, nodes, strict=True) if n != victim],
            "unread_faces": sum(reader.health.unread for reader in readers),
            "memory_mb": memory,
        }
        for reader in readers:
            reader.close()
    return figures


def main() -> None:
    """Measure, print and save."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cp", dir="/tmp"))
    Path("/tmp/ray").mkdir(exist_ok=True)  # noqa: S108 - Ray notes there which cluster is the newest
    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    head = {**node, "include_dashboard": False, "temp_dir": str(folder), "_system_config": SYSTEM_CONFIG}
    begin = time.monotonic()
    local = LocalCluster(initialize_head=True, head_node_args=head)
    machines = Machines(local, folder, [local.add_node(**node) for _ in range(2)])
    figures: dict[str, Any] = {"ray": ray.__version__, "cores": os.cpu_count()}
    figures["three_nodes_up_s"] = round(time.monotonic() - begin, 1)
    time.sleep(3)
    figures["memory_mb_at_rest"] = memory_mb(folder)
    try:
        with tempfile.TemporaryDirectory() as data:
            settings = Settings.model_validate({"data_dir": data, "tracker": {"max_gap_s": 5}})
            model = open_model(model_path(settings), Task.EMOTION, Policy("other"))
            figures["here_one_thread"] = {"faces_per_s": rate(model.run, 1)}
            for count in (1, 2):
                figures[f"replicas_{count}"] = replicas(machines.address, settings, count)
            figures["a_node_dies"] = node_dies(machines, settings)
    finally:
        local.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
    print(figures)
    print(save("cluster", figures))


if __name__ == "__main__":
    main()
