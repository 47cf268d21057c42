"""No picture may reach a disk: how a cluster is set up for that, and the proof that each node asks for.

Ray keeps large objects in shared memory. When that is full it writes them to files ("spilling"), and with that off it
maps files of the node's temporary folder that have no name any more, so that no listing shows them. Pictures are sent
in messages small enough never to become such objects (see `remote`); this is the second line.
"""

from __future__ import annotations

import json
from pathlib import Path

import psutil
from ray._private.state import state as cluster_state

from classpulse.errors import ClusterError

MEMORY_ONLY = {"automatic_object_spilling_enabled": False, "local_fs_capacity_threshold": 0.0}
"""Without spilling, and with every disk taken for full, so that an object that finds no memory is refused."""

SYSTEM_CONFIG = MEMORY_ONLY | {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""What a cluster for classes is started with. A machine that falls silent is given up after some five seconds, where
Ray's own values take half a minute."""

IN_MEMORY = {"tmpfs", "ramfs"}


def require_memory_only() -> None:
    """Refuse a node on which a picture could be written to a disk; asked on it, before the first one is opened.

    Raises:
        ClusterError: the cluster may write objects to files, or this node's object store is itself a file on a disk.
    """
    config = cluster_state.get_system_config()
    if any(config.get(name) != value for name, value in MEMORY_ONLY.items()):
        message = (
            "this Ray cluster may write pictures to its disks, so no class is read on it: start its head with "
            f"ray start --head --system-config='{json.dumps(SYSTEM_CONFIG)}'"
        )
        raise ClusterError(message)
    folder = _store_folder()
    if folder is None or not in_memory(folder):
        message = (
            f"this node's object store is in {folder or 'an unknown place'} and not in memory, so no class is read on "
            "it: give it a larger /dev/shm, or less object store (ray start --object-store-memory=134217728)"
        )
        raise ClusterError(message)


def in_memory(folder: Path) -> bool:
    """Whether a folder is on a file system that has no disk."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    nearest = next((place for place in (folder, *folder.parents) if place in mounts), None)
    return nearest is not None and mounts[nearest] in IN_MEMORY


def _store_folder() -> Path | None:
    """Where this node's object store is, as the process that started this worker was told."""
    option = "--plasma_directory="
    for process in psutil.Process().parents():
        for argument in process.cmdline():
            if argument.startswith(option):
                return Path(argument.removeprefix(option))
    return None
