"""A course's own settings: which it may have, and what they make of the school's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from classpulse.errors import CourseError
from classpulse.settings import Settings
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = (
    "individual",
    "alerts.enabled",
    "alerts.every_min",
    "attendance.gap_s",
    "attendance.late_after_min",
    "attendance.left_before_min",
    "join.max_participants",
    "join.names",
    "join.on_leave",
    "join.title",
    "join.ways",
    "recognition.enabled",
    "screen.ignore",
    "window.min_group",
)
"""What a course may set for itself. Nothing of it reaches beyond the class, and none makes a figure tell of fewer
people than the school's own settings let it."""


def settings_of(settings: Settings, overrides: Mapping[str, Any], *, share: int = 1) -> Settings:
    """The settings that a course runs under.

    Args:
        settings: the school's.
        overrides: the course's own, by dotted name.
        share: among how many classes the processor's time is divided.

    Raises:
        CourseError: a name is not among those that a course may set, or a value makes no sense.
    """
    values = settings.model_dump()
    for name, value in overrides.items():
        if name not in OWN:
            message = phrase("a class cannot set {name}: it may set {names}", name=name[:60], names=", ".join(OWN))
            raise CourseError(message, "input")
        group, _, field = name.rpartition(".")
        (values[group] if group else values)[field] = value
    values["cpu_share"] = settings.cpu_share / share
    try:
        own = Settings.model_validate(values)
    except ValidationError as error:
        found = error.errors()[0]
        name = ".".join(str(part) for part in found["loc"])
        message = phrase("{name} cannot be set so: {why}", name=name, why=str(found["msg"]).lower())
        raise CourseError(message, "input") from None
    # Compared as what they mean, and not as they were written: "false" is a text.
    smallest = max(own.window.min_group, settings.window.min_group)
    recognizes = own.recognition.enabled and settings.recognition.enabled
    return own.model_copy(
        update={
            "window": own.window.model_copy(update={"min_group": smallest}),
            "recognition": own.recognition.model_copy(update={"enabled": recognizes}),
        }
    )
