"""The nodes of a Ray cluster on this machine, and classes that are read on them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from classpulse.joining.room import Room
from classpulse.policy import Policy
from classpulse.readers import open_reader
from classpulse.roll import Roll
from classpulse.sources import describe

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.cluster.connection import Cluster
    from classpulse.readers import Reader
    from classpulse.settings import Settings

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
"""Ray itself is imported where a test runs: it takes seconds, which every worker would spend."""

STORE_BYTES = 80 << 20
"""The smallest that Ray takes."""


@dataclass
class Machines:
    """The nodes of the cluster, which die when a test says so."""

    local: Any
    folder: Path
    nodes: list[Any]

    @property
    def address(self) -> str:
        return str(self.local.address)

    def raylets(self) -> list[psutil.Process]:
        nodes = [self.local.head_node, *self.nodes]
        return [psutil.Process(node.all_processes["raylet"][0].process.pid) for node in nodes]

    def kill(self, node_id: str) -> None:
        """Cut the power of a node that is not the head: all its processes at once."""
        node = next(node for node in self.nodes if node.node_id == node_id)
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in [raylet, *raylet.children(recursive=True)]:
            process.kill()


def opened(
    source: str | Path,
    settings: Settings,
    cluster: Cluster,
    *,
    law: str = "other",
    roll: Roll | None = None,
    **options: Any,
) -> Reader:
    """What a runner opens for a class whose pictures are read on a cluster."""
    room = Room(settings.join, camera=True, on_answer=lambda *_: None, on_erase=lambda *_: None)
    policy = Policy(law)  # type: ignore[arg-type]
    return open_reader(
        describe(source), settings, policy, roll=roll or Roll(None), room=room, cluster=cluster, **options
    )
