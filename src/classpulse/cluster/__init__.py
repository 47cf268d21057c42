"""The same pipeline on several machines, with Ray (the extra `classpulse[cluster]`).

    serving process                 any node                                     any node
    Runner ── ClusterReader ◀─ numbers ── Ingest: source ▶ Pipeline ── faces ──▶ Replica: the emotion network
                    └─ starts another Ingest, with the last one's memory, where one is lost

One ingest for each class keeps what is remembered of its faces; replicas remember nothing and are as many as the
faces of all classes need. A class's picture stays on the machine that decodes it, but for the faces that are read.
Nothing here is imported before somebody asks for a cluster: start at `connection`.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from classpulse.errors import ClusterError

if TYPE_CHECKING:
    from classpulse.cluster.connection import Cluster
    from classpulse.settings import ClusterSettings

# Before Ray is imported, which reads them then: nothing is reported to its makers, and a call that comes after the
# cluster was left starts no other one.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"


def open_cluster(settings: ClusterSettings) -> Cluster:
    """Join the machines that read classes together.

    Raises:
        ClusterError: it is not installed, or the cluster cannot be reached.
    """
    if importlib.util.find_spec("ray") is None:
        message = "the cluster is not installed: pip install 'classpulse[cluster]', or leave out --cluster"
        raise ClusterError(message)
    from classpulse.cluster.connection import Cluster  # noqa: PLC0415 - Ray takes a second

    return Cluster(settings)
