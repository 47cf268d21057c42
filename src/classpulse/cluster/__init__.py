"""The same pipeline on several machines, with Ray (the extra `classpulse[cluster]`).

    serving process                 any node                                     any node
    Runner ── ClusterReader ◀─ numbers ── Ingest: source ▶ Pipeline ── faces ──▶ Replica: the emotion network
                    └─ starts another Ingest, with the last one's memory, where one is lost

One ingest for each class keeps what is remembered of its faces; replicas remember nothing and are as many as the
faces of all classes need. A class's picture stays on the machine that decodes it, but for the faces that are read.
Nothing here is imported before somebody asks for a cluster: start at `connection`.
"""

import os

# Before Ray is imported, which reads them then: nothing is reported to its makers, and a call that comes after the
# cluster was left starts no other one.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
