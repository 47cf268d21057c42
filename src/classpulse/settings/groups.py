"""The groups of settings that say what a class's figures mean, when somebody is told, and how long rows are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from classpulse.settings.values import UserPath, words


class Group(BaseModel):
    """Settings that belong together: frozen, and an unknown name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AttentionSettings(Group):
    """How it is told who faces the screen, and what the class's figures are made of."""

    enabled: bool = True
    """Whether it is told at all."""
    max_yaw_deg: float = Field(default=30.0, ge=5, le=80)
    """A head turned further than this from the usual direction does not face the screen."""
    hysteresis_deg: float = Field(default=6.0, ge=0, le=30)
    """Half the width of the band around `max_yaw_deg` in which nothing changes."""
    min_turn_s: float = Field(default=1.5, ge=0, le=30)
    """Shorter looks aside do not count."""
    calibration_s: float = Field(default=60.0, ge=0, le=600)
    """How long the usual direction of each seat is learned at the beginning of a class; 0 takes the camera's."""
    min_coverage: float = Field(default=0.5, ge=0, le=1)
    """Share of the class that must be seen for a figure to be shown."""
    mood_weight: float = Field(default=0.1, ge=0, le=0.5)
    """Weight of the mood in the attention score; the rest is the share facing the screen."""


class ConcentrationSettings(Group):
    """Weights of the concentration index of Sharma et al. (arXiv 1909.12913), approximate because eyes are not read."""

    neutral: float = Field(default=0.9, ge=0, le=1)
    """Of a neutral face."""
    happy: float = Field(default=0.6, ge=0, le=1)
    """Of a happy face."""
    surprise: float = Field(default=0.6, ge=0, le=1)
    """Of a surprised face."""
    sad: float = Field(default=0.3, ge=0, le=1)
    """Of a sad face."""
    fear: float = Field(default=0.3, ge=0, le=1)
    """Of a fearful face."""
    angry: float = Field(default=0.25, ge=0, le=1)
    """Of an angry face."""
    disgust: float = Field(default=0.2, ge=0, le=1)
    """Of a disgusted face."""
    facing: float = Field(default=5.0, ge=0, le=5)
    """Of a head that faces the screen, in place of eyes open and centred."""
    turned: float = Field(default=2.0, ge=0, le=5)
    """Of a head that does not, in place of eyes open and off centre."""


class AlertSettings(Group):
    """When and how the teacher is told that something changed."""

    enabled: bool = True
    """Whether alerts are raised."""
    every_min: float = Field(default=5.0, ge=1, le=120)
    """Shortest time between two alerts."""
    smallest_fall: float = Field(default=0.25, ge=0.1, le=1)
    """How far the share facing the screen (0 to 1), or the mood (-1 to 1), has to fall to be told."""
    threshold: float = Field(default=4.0, ge=1, le=50)
    """How much evidence a fall takes: higher is rarer and later. `classpulse alerts replay` shows what it does."""
    lost_share: float = Field(default=0.3, gt=0, le=1)
    """Share of "lost" among the answers that is told."""
    lost_answers: int = Field(default=3, ge=1, le=1000)
    """Fewest "lost" answers that are told."""
    few_share: float = Field(default=0.4, ge=0, lt=1)
    """Share of the class below which few faces are told; 0 never tells it."""
    source_wait_s: float = Field(default=20.0, ge=5, le=3600)
    """How long no picture has to come before that is told."""
    desktop: bool = False
    """Whether the desktop shows a notification."""
    webhook: str | None = None
    """An address (https) that is told of every alert, with the source's name (without password, query and folder)."""
    webhook_secret: str | None = Field(default=None, min_length=16, repr=False)
    """What webhooks are signed with, 16 characters or more."""


CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")


def region_of(text: str) -> tuple[float, float, float, float] | None:
    """A place in a picture, `x,y,wxh` in shares of its width and height; None if it is not written like that.

    >>> region_of("0.75,0,0.25x0.5")
    (0.75, 0.0, 0.25, 0.5)
    """
    number = r"\s*(\d{0,9}\.?\d{1,9})\s*"
    found = re.fullmatch(f"{number},{number},{number}x{number}", text)
    return (float(found[1]), float(found[2]), float(found[3]), float(found[4])) if found else None


def _check_ignored(text: str) -> str:
    text = text.strip().lower()
    region = region_of(text)
    if text not in CORNERS and (region is None or not 0 < region[2] <= 1 or not 0 < region[3] <= 1 or max(region) > 1):
        message = f"give a corner ({', '.join(CORNERS)}), or a place as x,y,wxh in shares from 0 to 1: 0.75,0,0.25x0.25"
        raise ValueError(message)
    return text


class ScreenSettings(Group):
    """How a meeting's window is watched."""

    rate_hz: float = Field(default=10.0, gt=0, le=30)
    """How often a second a picture of the screen is taken."""
    tiles: Literal["screen", "always", "off"] = "screen"
    """Where the tiles of a gallery are followed: on screens; always, also in recordings of one; or nowhere."""
    static_s: float = Field(default=10.0, ge=1, le=600)
    """A face in which nothing has changed for so long is a picture of a person whose camera is off."""
    ignore: Annotated[str, AfterValidator(_check_ignored)] | None = None
    """Whose faces are left out: those of the tile that is in a corner (`top-left`) when the class begins, wherever it
    goes, or those in a place (`x,y,wxh` in shares of the picture), whoever is there."""


class AttendanceSettings(Group):
    """How sightings become presence."""

    gap_s: float = Field(default=60.0, ge=1, le=3600)
    """Out of sight for longer than this counts as a gap."""
    late_after_min: float = Field(default=5.0, ge=0, le=240)
    """First seen later than this after the start is late."""
    left_before_min: float = Field(default=5.0, ge=0, le=240)
    """Last seen earlier than this before the end has left early."""


Way = Literal["answers", "device", "pictures"]
"""How a student takes part by link: with answers alone, with a camera that is read on their own device, or with small
pictures that are read here."""


def _with_answers(ways: tuple[Way, ...]) -> tuple[Way, ...]:
    if "answers" not in ways:
        message = "'answers' must be among the ways: it is the one that everybody can take, without a camera"
        raise ValueError(message)
    return tuple(dict.fromkeys(ways))


class JoinSettings(Group):
    """How students take part by link."""

    title: str = Field(default="", max_length=80)
    """What the class is called on the students' page; nothing if not given."""
    ways: Annotated[tuple[Way, ...], BeforeValidator(words), AfterValidator(_with_answers)] = ("answers", "device")
    """The ways that a student may choose from: `answers`, `device`, `pictures`. The law may leave `answers` alone."""
    names: Literal["optional", "required", "off"] = "optional"
    """Whether students give a name. It is shown to the teacher while the class runs, and never stored."""
    expires_h: float = Field(default=12.0, gt=0, le=72)
    """How long a link takes newcomers, hours; it ends with the class in any case."""
    max_participants: int = Field(default=500, ge=1, le=5000)
    """Most students that take part at once."""
    scores_hz: float = Field(default=1.0, ge=0.2, le=5)
    """How often a device that is asked to sends what it read."""
    pictures_hz: float = Field(default=2.0, ge=0.2, le=5)
    """How often a device sends a picture, where a student chose that."""
    gone_after_s: float = Field(default=20.0, ge=5, le=600)
    """Silence after which a student is not shown as present any more; whoever comes back later is the same one."""
    on_leave: Literal["keep", "delete"] = "keep"
    """What becomes of a student's answers and readings of this class when they leave. Whoever wants them deleted may
    always say so."""


class RetentionSettings(Group):
    """How long each kind of row is kept, in days; what is older is deleted by itself."""

    observations_days: float = Field(default=30, gt=0, le=3650)
    """Single faces at single moments."""
    appearances_days: float = Field(default=90, gt=0, le=3650)
    """Who was taken for whom, and when: attendance."""
    sessions_days: float = Field(default=365, gt=0, le=3650)
    """Classes and their windows."""
    consents_days: float = Field(default=30, gt=0, le=3650)
    """People whose last consent was withdrawn or ran out, counted from then: they are forgotten."""
    audit_days: float = Field(default=1095, gt=0, le=3650)
    """The audit log and the answers on which law is in force."""


class LabSettings(Group):
    """The lab: what it shows, and how much it takes."""

    port: int = Field(default=8701, ge=0, le=65535)
    """Port of the lab when it runs alone; 0 takes any free one."""
    runs_dir: UserPath = Path("runs")
    """Folder whose training runs and models the lab shows."""
    show_classes: bool = True
    """Whether it shows the classes that are stored."""
    take_models: bool = True
    """Whether model files may be uploaded to be compared; off where strangers may come."""
    max_picture_mb: int = Field(default=20, ge=1, le=200)
    """Largest picture that is taken."""
    max_video_mb: int = Field(default=200, ge=1, le=2000)
    """Largest video that is taken."""
    max_video_s: float = Field(default=60.0, ge=1, le=600)
    """How much of a video is read."""


def _check_address(text: str) -> str:
    text = text.strip()
    if text != "auto" and not re.fullmatch(r"[\w.-]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}", text):
        message = "give auto, or the host and port of a cluster's head: head.school:6379"
        raise ValueError(message)
    return text


class ClusterSettings(Group):
    """Several machines that read classes together, with Ray."""

    address: Annotated[str, AfterValidator(_check_address)] | None = None
    """`auto` for the cluster that this machine is part of, or, where it is in none, one of its own; HOST:PORT of a
    cluster's head; everything is read in this process if not given."""
    ingest_cpus: float = Field(default=0.5, gt=0, le=64)
    """Cores that are kept for finding and following one class's faces."""
    replica_cpus: float = Field(default=1.0, gt=0, le=64)
    """Cores that are kept for each copy of the network that reads faces."""
    min_replicas: int = Field(default=1, ge=1, le=1000)
    """Fewest copies."""
    max_replicas: int = Field(default=16, ge=1, le=1000)
    """Most copies, as long as there are cores for them."""
