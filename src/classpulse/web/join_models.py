"""The networks that a student's device may run by itself: the server's own files, where the law allows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.inference import entries
from classpulse.policy import Task
from classpulse.web.join_schema import ModelFile, ModelInput, Models

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.inference import Entry
    from classpulse.joining.room import Room
    from classpulse.settings import Settings

NAMES = ("emotion.onnx", "detector.onnx")


class DeviceModels:
    """Tells a device which networks to fetch, and where they are; files are read and hashed once."""

    def __init__(self, settings: Settings) -> None:
        """Read nothing yet."""
        self._settings = settings
        self._entries: dict[str, Entry] = {}
        self._told: Models | None = None

    def of(self, room: Room) -> Models | None:
        """What a device needs; None where nobody takes part with a device that reads faces.

        Raises:
            ModelError: a file says nothing of itself that makes sense.
        """
        if not self._served(room):
            return None
        if self._told is None:
            files = [_told(name, self._entry(name)) for name in NAMES]
            self._told = Models(emotion=files[0], detector=files[1], min_face_px=self._settings.emotion.min_face_px)
        return self._told

    def path(self, name: str, room: Room) -> Path | None:
        """The file of that name; None where there is none for students."""
        if name not in NAMES or not self._served(room):
            return None
        return self._entry(name).path

    def _served(self, room: Room) -> bool:
        policy = room.policy
        return "device" in room.ways and policy is not None and policy.allows(Task.EMOTION)

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            known = entries(self._settings)
            chosen = known["emotion"] if name == "emotion.onnx" else known["centerface-web"]
            if name == "emotion.onnx" and self._settings.emotion.model is not None:
                chosen = type(chosen)("emotion", self._settings.emotion.model, chosen.purpose, "")
            self._entries[name] = chosen
        return self._entries[name]


def _told(name: str, entry: Entry) -> ModelFile:
    contract, sha256 = entry.contract, entry.sha256
    return ModelFile(
        url=f"api/v1/join/models/{name}?v={sha256[:16]}",
        sha256=sha256,
        size_bytes=entry.path.stat().st_size,
        labels=list(contract.labels),
        output=contract.output,
        temperature=contract.temperature,
        input=ModelInput.model_validate(contract.input),
    )
