"""The cluster as a class's reader sees it: where ingests are placed and replicas are found."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy
from ray.serve.schema import ApplicationStatus

from classpulse.cluster.actors import ask, drop
from classpulse.cluster.ingest import Ingest, Order
from classpulse.cluster.memory_only import SYSTEM_CONFIG
from classpulse.cluster.reader import ClusterReader
from classpulse.cluster.remote import Served, remote_classifier
from classpulse.cluster.replicas import Replica
from classpulse.errors import ClusterError
from classpulse.inference import open_model
from classpulse.policy import Task
from classpulse.settings import Settings
from classpulse.vision.emotion import model_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.cluster.remote import RemoteModel
    from classpulse.policy import Policy
    from classpulse.settings import ClusterSettings
    from classpulse.sources import SourceKind
    from classpulse.vision.emotion import EmotionClassifier

logger = logging.getLogger(__name__)

STORE_BYTES = 128 << 20
"""Of the object store of a cluster that is started here: galleries go through it, and no pictures."""
KNOCK_S = 3.0
"""How long the head of a cluster may take to pick up."""
NEEDED = {"jurisdiction", "data_dir", "detector", "tracker", "emotion", "recognition", "attention", "stream", "screen"}
"""The settings that an ingest is told; addresses and secrets of other things stay here."""


class Cluster:
    """The machines that read classes together; a context manager that leaves them at the end."""

    def __init__(self, settings: ClusterSettings) -> None:
        """Join them, or start a cluster of this machine alone where the address is `auto` and there is none.

        Args:
            settings: the address, and what is kept for a class and for a copy of the network.

        Raises:
            ClusterError: nobody answers there, or this process is in another cluster already.
        """
        self._settings = settings
        self._serving = threading.Lock()
        self._models: weakref.WeakSet[RemoteModel] = weakref.WeakSet()
        with _own_signals():
            _join(settings.address or "auto")

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the cluster; one that was started here ends."""
        for model in list(self._models):  # of classes that never began
            model.close()
        ray.shutdown()

    def reaches(self, kind: SourceKind) -> bool:
        """Whether any machine can open a source of this kind; a webcam and a screen belong to this one."""
        return kind.kind in {"stream", "video", "pictures", "demo"}

    def open_reader(
        self,
        kind: SourceKind,
        settings: Settings,
        policy: Policy,
        *,
        fast: bool,
        attach: Callable[[ClusterReader], None],
    ) -> ClusterReader:
        """Have a class read on any machine.

        Args:
            kind: the source.
            settings: all settings.
            policy: the law in force.
            fast: whether a file is processed flat out.
            attach: called with what is to be told whom to recognise, before the first picture is read.

        Raises:
            ClusterError: no machine has room for it.
            ClassPulseError: the source, a model or the law does not allow it.
        """
        order = Order(
            target=kind.target,
            settings=Settings(**settings.model_dump(include=NEEDED)),
            policy=policy,
            fast=fast,
            threads=max(1, round(self._settings.ingest_cpus)),
            served=self._serve(settings, policy) if policy.allows(Task.EMOTION) else None,
        )
        reader = ClusterReader(self, kind, order)
        try:
            attach(reader)
        except BaseException:
            reader.close()
            raise
        reader.begin()
        return reader

    def classifier(
        self, settings: Settings, policy: Policy
    ) -> tuple[EmotionClassifier, RemoteModel] | tuple[None, None]:
        """What reads, on other machines, the faces of a class that is looked at here; None where the law forbids it.

        The second is its network, which is to be closed at the end.

        Raises:
            ClassPulseError: the model cannot be opened.
        """
        if not policy.allows(Task.EMOTION):
            return None, None
        classifier, model = remote_classifier(self._serve(settings, policy), settings.emotion, policy)
        self._models.add(model)
        return classifier, model

    def place(self, *, avoid: str | None, patience_s: float) -> tuple[Any, str]:
        """Start an ingest somewhere, away from the other ones where that is possible.

        Args:
            avoid: a node that is not to be taken.
            patience_s: how long to wait for a place.

        Returns:
            The actor, and the node that it is on.

        Raises:
            LostError: there is no room, or the machine that was chosen does not answer.
        """
        options: dict[str, Any] = {} if avoid is None else {"label_selector": {"ray.io/node-id": f"!{avoid}"}}
        actor = (
            ray.remote(Ingest)
            .options(
                num_cpus=self._settings.ingest_cpus,
                max_concurrency=4,
                scheduling_strategy="SPREAD",
                **options,
            )
            .remote()
        )
        try:
            return actor, ask(actor.node, patience_s=patience_s)
        except BaseException:
            drop(actor)
            raise

    def nodes(self) -> set[str]:
        """Those that are alive, as far as the head knows."""
        return {node["NodeID"] for node in ray.nodes() if node["Alive"]}

    def _serve(self, settings: Settings, policy: Policy) -> Served:
        """The replicas of the emotion network that the settings name, started by the first class that needs them."""
        path = model_path(settings)
        model = open_model(path, Task.EMOTION, policy)
        app = f"emotion-{model.sha256[:12]}"
        with self._serving:
            running = serve.status().applications.get(app) if _serves() else None
            if running is None or running.status is not ApplicationStatus.RUNNING:
                try:
                    serve.start(proxy_location="Disabled")
                    serve.run(
                        self._replicas().bind(path, model.sha256, policy, self._threads), name=app, route_prefix=None
                    )
                except (RuntimeError, RayError) as error:
                    message = f"the network that reads faces does not start on the cluster: {_last_line(error)}"
                    raise ClusterError(message) from None
        return Served(app, model.contract, path)

    @property
    def _threads(self) -> int:
        return max(1, round(self._settings.replica_cpus))

    def _replicas(self) -> Any:  # noqa: ANN401 - Ray Serve has no types
        settings = self._settings
        return serve.deployment(
            Replica,
            name="faces",
            ray_actor_options={"num_cpus": settings.replica_cpus},
            max_ongoing_requests=64,
            max_queued_requests=64,
            health_check_period_s=1.0,
            health_check_timeout_s=3.0,
            graceful_shutdown_timeout_s=2.0,
            autoscaling_config=AutoscalingConfig(
                min_replicas=settings.min_replicas,
                max_replicas=max(settings.min_replicas, settings.max_replicas),
                metrics_interval_s=1.0,
                look_back_period_s=5.0,
                upscale_delay_s=3.0,
                downscale_delay_s=60.0,
                policy=AutoscalingPolicy(policy_function="classpulse.cluster.replicas:by_queue_age"),
            ),
        )


def _join(address: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.WARNING, "namespace": "classpulse"}
    try:
        if address != "auto":
            _knock(address)
        ray.init(address=address, **quiet)
    except OSError:  # Ray's own ConnectionError is one
        if address != "auto":
            message = (
                f"no Ray cluster answers at {address}, or this machine is not part of it: "
                f"run `ray start --address={address}` here first"
            )
            raise ClusterError(message) from None
        ray.init(
            object_store_memory=STORE_BYTES,
            include_dashboard=False,
            _system_config=SYSTEM_CONFIG,
            _plasma_directory="/dev/shm" if sys.platform == "linux" else None,  # noqa: S108 - shared memory
            **quiet,
        )
    except (RuntimeError, RayError) as error:
        message = f"the cluster at {address} cannot be joined: {_last_line(error)}"
        raise ClusterError(message) from None


def _knock(address: str) -> None:
    """See whether anybody is there: Ray itself goes on trying for minutes."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what SIGTERM does here: Ray puts its own way to end in its place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _serves() -> bool:
    """Whether Ray Serve runs in the cluster: asking for its status would start it, with a web server."""
    try:
        ray.get_actor("SERVE_CONTROLLER_ACTOR", namespace="serve")
    except ValueError:
        return False
    return True


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__
