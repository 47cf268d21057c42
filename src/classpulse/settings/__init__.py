"""Everything that can be set, as one frozen tree: its groups (`tree`, `groups` and others), and `loading` it.

Settings are made once and handed on, never read from a global. What `classpulse settings` tells of them is in
`listing`; what a training run can be told is not here but in `training.recipe`.
"""

from classpulse.settings.groups import (
    AlertSettings,
    AttendanceSettings,
    AttentionSettings,
    ClusterSettings,
    ConcentrationSettings,
    JoinSettings,
    LabSettings,
    RetentionSettings,
    ScreenSettings,
)
from classpulse.settings.loading import default_config_path, known_names, load
from classpulse.settings.login import OidcSettings
from classpulse.settings.operations import LogSettings, MetricsSettings, TraceSettings
from classpulse.settings.school import ServeSettings
from classpulse.settings.tree import (
    DetectorSettings,
    EmotionSettings,
    Jurisdiction,
    RecognitionSettings,
    Settings,
    StorageSettings,
    StreamSettings,
    TrackerSettings,
    WindowSettings,
)
from classpulse.settings.web import WebSettings

__all__ = [
    "AlertSettings",
    "AttendanceSettings",
    "AttentionSettings",
    "ClusterSettings",
    "ConcentrationSettings",
    "DetectorSettings",
    "EmotionSettings",
    "JoinSettings",
    "Jurisdiction",
    "LabSettings",
    "LogSettings",
    "MetricsSettings",
    "OidcSettings",
    "RecognitionSettings",
    "RetentionSettings",
    "ScreenSettings",
    "ServeSettings",
    "Settings",
    "StorageSettings",
    "StreamSettings",
    "TraceSettings",
    "TrackerSettings",
    "WebSettings",
    "WindowSettings",
    "default_config_path",
    "known_names",
    "load",
]
