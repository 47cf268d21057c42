"""The tree of settings itself: what there is to set, by groups, and the defaults."""

from __future__ import annotations

import os
from typing import Literal

import platformdirs
from pydantic import Field

from classpulse.settings.groups import (
    AlertSettings,
    AttendanceSettings,
    AttentionSettings,
    ClusterSettings,
    ConcentrationSettings,
    Group,
    JoinSettings,
    LabSettings,
    RetentionSettings,
    ScreenSettings,
)
from classpulse.settings.login import OidcSettings
from classpulse.settings.operations import LogSettings, MetricsSettings, TraceSettings
from classpulse.settings.school import ServeSettings
from classpulse.settings.values import UserPath  # noqa: TC001 - pydantic reads the annotations
from classpulse.settings.web import Networks, WebSettings

Jurisdiction = Literal["eu", "other", "research"]


class DetectorSettings(Group):
    """How faces are found."""

    name: Literal["centerface", "yunet"] = "centerface"
    """Which network; `yunet` must be installed first (`classpulse models install yunet`)."""
    width_px: int = Field(default=640, ge=160, le=1920)
    """Width that the picture is reduced to before faces are looked for."""
    min_score: float = Field(default=0.5, gt=0, lt=1)
    """Confidence below which a face is not believed."""
    precision: Literal["auto", "int8", "fp32"] = "auto"
    """Arithmetic of CenterFace; `auto` takes int8 where the processor is faster with it (AVX2, VNNI, Arm)."""
    interval_s: float = Field(default=0.25, ge=0, le=2)
    """Time between two looks for faces; in between they are followed by their texture. 0 looks at every picture."""


class TrackerSettings(Group):
    """How faces are followed."""

    max_gap_s: float = Field(default=1.5, gt=0, le=60)
    """How long a face may be out of sight and still be the same track."""


class EmotionSettings(Group):
    """How emotions are read."""

    model: UserPath | None = None
    """Another model file (ONNX with its contract inside) in place of the built-in one."""
    min_face_px: float = Field(default=36, ge=8)
    """Faces smaller than this are not read: accuracy falls from 66 to under 60 % there."""
    min_certainty: float = Field(default=0.4, ge=0, le=1)
    """Probability of the first choice below which the face counts as uncertain."""
    smoothing_s: float = Field(default=0.25, ge=0, le=10)
    """Time constant of the smoothing over time, per track; 0 switches it off."""
    interval_s: float = Field(default=0.2, ge=0, le=2)
    """Time between two readings of the same face, which is shown as last read in between; 0 reads every picture."""


class RecognitionSettings(Group):
    """How people who enrolled are recognised."""

    enabled: bool = True
    """Whether they are; without consent on record nobody is."""
    embedder: Literal["faceres", "dlib"] = "faceres"
    """Which network; `dlib` must be installed first (`classpulse models install dlib`), and whoever enrolled with
    another one must enrol again."""
    min_similarity: float | None = Field(default=None, gt=0, lt=1)
    """Likeness below which a face stays unknown; the embedder's own, chosen by measurement, if not given."""
    min_face_px: float = Field(default=32, ge=16)
    """Faces smaller than this stay unknown."""


class WindowSettings(Group):
    """How single faces become a figure of the class."""

    length_s: float = Field(default=5.0, ge=1, le=60)
    """Length of a class window."""
    min_group: int = Field(default=5, ge=3)
    """Fewest people a figure may come from."""


class StorageSettings(Group):
    """What is written, and how often."""

    observations_hz: float = Field(default=1.0, gt=0, le=30)
    """How many observations a second are kept of each track."""


class StreamSettings(Group):
    """How long to wait for a live source."""

    timeout_s: float = Field(default=3.0, gt=0, le=60)
    """Silence after which a camera or stream counts as stalled and is opened again."""
    reopen_max_s: float = Field(default=30.0, gt=0, le=600)
    """Longest pause between two tries to open it again."""
    guarded: bool = False
    """Whether a stream may lead nowhere but to its own address, a public one: no redirect, no playlist of other ones,
    and no name that leads elsewhere a moment later. For streams that others than whoever runs the server may name."""
    networks: Networks = ()
    """Private networks that a guarded stream may be in all the same, like 10.20.0.0/16."""


class Settings(Group):
    """Every setting of Classpulse."""

    jurisdiction: Jurisdiction | None = None
    """The law that is in force where the class is: `eu`, `other` or `research`."""
    data_dir: UserPath = Field(default_factory=lambda: platformdirs.user_data_path("classpulse", appauthor=False))
    """Where the database and installed models are."""
    database_url: str | None = None
    """Any SQLAlchemy URL; a SQLite file in `data_dir` if not given."""
    key_file: UserPath = Field(
        default_factory=lambda: platformdirs.user_config_path("classpulse", appauthor=False) / "people.key"
    )
    """The key under which people's data is sealed, kept away from the database; `CLASSPULSE_KEY` wins."""
    cpu_share: float = Field(default=0.5, gt=0, le=1)
    """Share of the processor's cores to use, so that the teacher's own call does not stutter; `classpulse serve` takes
    all of them if it is not given."""
    language: Literal["en", "es", "hi"] = "en"
    """Of reports and notifications, and of pages for a browser that asks for none of these."""
    individual: bool | None = None
    """Whether single faces are shown and written; if not given, only for `demo`."""
    detector: DetectorSettings = DetectorSettings()
    tracker: TrackerSettings = TrackerSettings()
    emotion: EmotionSettings = EmotionSettings()
    recognition: RecognitionSettings = RecognitionSettings()
    attention: AttentionSettings = AttentionSettings()
    concentration: ConcentrationSettings = ConcentrationSettings()
    alerts: AlertSettings = AlertSettings()
    attendance: AttendanceSettings = AttendanceSettings()
    retention: RetentionSettings = RetentionSettings()
    window: WindowSettings = WindowSettings()
    storage: StorageSettings = StorageSettings()
    stream: StreamSettings = StreamSettings()
    join: JoinSettings = JoinSettings()
    screen: ScreenSettings = ScreenSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    trace: TraceSettings = TraceSettings()
    lab: LabSettings = LabSettings()
    serve: ServeSettings = ServeSettings()
    oidc: OidcSettings = OidcSettings()
    cluster: ClusterSettings = ClusterSettings()

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'classpulse.db'}"

    @property
    def threads(self) -> int:
        """Threads for arithmetic: `cpu_share` of the cores, at least one."""
        return max(1, round((os.cpu_count() or 1) * self.cpu_share))
