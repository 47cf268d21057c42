"""One frozen tree of settings: flags over environment over file over defaults.

The file is TOML with a table per group (`[detector]`, `width_px = 480`); the environment has
`CLASSPULSE_DETECTOR__WIDTH_PX=480`; a flag is `--set detector.width_px=480`. A name that is not known
is refused, with the nearest one that is. What a hosting service says (`hosting.py`) counts
more than the file. Settings are made once and handed on, never read from a global.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import platformdirs
from pydantic import Field, ValidationError

from classpulse.errors import SettingsError
from classpulse.hosting import HOSTED, check_memory, settings_from
from classpulse.login_settings import OidcSettings
from classpulse.operation_settings import LogSettings, MetricsSettings, TraceSettings
from classpulse.school_settings import ServeSettings
from classpulse.setting_groups import (
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
    UserPath,
)
from classpulse.setting_names import names_of, not_a_name
from classpulse.web_settings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "CLASSPULSE_"
NOT_SETTINGS = frozenset({"CLASSPULSE_CONFIG", "CLASSPULSE_TEST_DATA", "CLASSPULSE_KEY", HOSTED})
"""Names that share the prefix: where the settings file is, where the test data is, the key, and whether a service
runs us."""
SECRET = frozenset({"alerts.webhook_secret", "metrics.token", "oidc.client_secret", "oidc"})
"""What an error does not repeat; a group, where it tells of one that is not whole."""

Jurisdiction = Literal["eu", "other", "research"]


class DetectorSettings(Group):
    """How faces are found."""

    name: Literal["centerface", "yunet"] = "centerface"
    """Which network; `yunet` must be installed first (`classpulse models install yunet`)."""
    width_px: int = Field(640, ge=160, le=1920)
    """Width that the picture is reduced to before faces are looked for."""
    min_score: float = Field(0.5, gt=0, lt=1)
    """Confidence below which a face is not believed."""
    precision: Literal["auto", "int8", "fp32"] = "auto"
    """Arithmetic of CenterFace; `auto` takes int8 where the processor is faster with it (AVX2, VNNI, Arm)."""
    interval_s: float = Field(0.25, ge=0, le=2)
    """Time between two looks for faces; in between they are followed by their texture. 0 looks at every picture."""


class TrackerSettings(Group):
    """How faces are followed."""

    max_gap_s: float = Field(1.5, gt=0, le=60)
    """How long a face may be out of sight and still be the same track."""


class EmotionSettings(Group):
    """How emotions are read."""

    model: UserPath | None = None
    """Another model file (ONNX with its contract inside) in place of the built-in one."""
    min_face_px: float = Field(36, ge=8)
    """Faces smaller than this are not read: accuracy falls from 66 to under 60 % there."""
    min_certainty: float = Field(0.4, ge=0, le=1)
    """Probability of the first choice below which the face counts as uncertain."""
    smoothing_s: float = Field(0.25, ge=0, le=10)
    """Time constant of the smoothing over time, per track; 0 switches it off."""
    interval_s: float = Field(0.2, ge=0, le=2)
    """Time between two readings of the same face, which is shown as last read in between; 0 reads every picture."""


class RecognitionSettings(Group):
    """How people who enrolled are recognised."""

    enabled: bool = True
    """Whether they are; without consent on record nobody is."""
    embedder: Literal["faceres", "dlib"] = "faceres"
    """Which network; `dlib` must be installed first (`classpulse models install dlib`), and whoever enrolled with
    another one must enrol again."""
    min_similarity: float | None = Field(None, gt=0, lt=1)
    """Likeness below which a face stays unknown; the embedder's own, chosen by measurement, if not given."""
    min_face_px: float = Field(32, ge=16)
    """Faces smaller than this stay unknown."""


class WindowSettings(Group):
    """How single faces become a figure of the class."""

    length_s: float = Field(5.0, ge=1, le=60)
    """Length of a class window."""
    min_group: int = Field(5, ge=3)
    """Fewest people a figure may come from."""


class StorageSettings(Group):
    """What is written, and how often."""

    observations_hz: float = Field(1.0, gt=0, le=30)
    """How many observations a second are kept of each track."""


class StreamSettings(Group):
    """How long to wait for a live source."""

    timeout_s: float = Field(3.0, gt=0, le=60)
    """Silence after which a camera or stream counts as stalled and is opened again."""
    reopen_max_s: float = Field(30.0, gt=0, le=600)
    """Longest pause between two tries to open it again."""
    guarded: bool = False
    """Whether a stream may lead nowhere but to its own address: no redirect and no playlist of other ones. For streams
    that others than whoever runs the server may name."""


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
    cpu_share: float = Field(0.5, gt=0, le=1)
    """Share of the processor's cores to use, so that the teacher's own call does not stutter."""
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


def default_config_path() -> Path:
    """Where the settings file is looked for if no other is named."""
    return platformdirs.user_config_path("classpulse", appauthor=False) / "classpulse.toml"


def load(
    overrides: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read settings from every place they may be given.

    Args:
        overrides: dotted names and values, as flags give them: `{"detector.width_px": "480"}`.
        config: a TOML file; if not given, `CLASSPULSE_CONFIG` or the user's own file, if it is there.
        environ: the environment; the process's own if not given.

    Raises:
        SettingsError: a name is unknown, a value makes no sense, the file cannot be read, or the hosting service's
            disk would forget what is stored.
    """
    environ = os.environ if environ is None else environ
    merged: dict[str, Any] = read_file(config, environ)
    _merge(merged, settings_from(environ))
    _merge(merged, read_environment(environ))
    for name, value in (overrides or {}).items():
        _merge(merged, _nest(name.split("."), value))
    settings = _validate(merged)
    check_memory(environ, settings.database_url)
    return settings


def _validate(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(e["loc"], e) for e in error.errors()[:3])) from None


def _explain(location: tuple[int | str, ...], error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    name = ".".join(str(part) for part in location)
    if error["type"] not in {"model_type", "extra_forbidden"}:
        given = "" if name in SECRET else f", not {error['input']!r}"
        return f"setting {name!r}: {error['msg'].lower()}{given}"
    if isinstance(error["input"], dict):  # a whole group is unknown: its first setting says best what was meant
        name = ".".join([name, *list(error["input"])[:1]])
    return not_a_name(name, known_names(), "classpulse settings")


def known_names() -> list[str]:
    """Every setting's dotted name.

    >>> "detector.width_px" in known_names()
    True
    """
    return names_of(Settings)


def config_path(config: Path | None, environ: Mapping[str, str]) -> Path:
    """Which file is read: the one that is given, that of `CLASSPULSE_CONFIG`, or the user's own."""
    return config or Path(environ.get("CLASSPULSE_CONFIG") or default_config_path())


def read_file(config: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    """What the file sets, by groups; nothing if the user has none.

    Raises:
        SettingsError: it is none, or cannot be read.
    """
    path = config_path(config, environ)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if config is None and not environ.get("CLASSPULSE_CONFIG"):
            return {}
        message = f"settings file {path} does not exist: create it, or leave out --config and CLASSPULSE_CONFIG"
        raise SettingsError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"settings file {path} cannot be read: {error}"
        raise SettingsError(message) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"settings file {path} is not valid TOML: {error}"
        raise SettingsError(message) from None


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the environment sets, by groups."""
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS and text != "":
            _merge(values, _nest(variable.removeprefix(PREFIX).lower().split("__"), text))
    return values


def _nest(path: list[str], value: Any) -> dict[str, Any]:  # noqa: ANN401 - a value of any setting
    for part in reversed(path):
        value = {part: value}
    return dict(value)


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
