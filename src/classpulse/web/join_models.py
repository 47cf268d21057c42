"""The networks that a student's device may run by itself: the server's own files, where the law allows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import HTTPException

from classpulse.policy import Task
from classpulse.web.join_schema import ModelFile, ModelInput, Models
from classpulse.web.static_files import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request, Response

    from classpulse.inference import Entry
    from classpulse.joining.room import Room
    from classpulse.settings import Settings

NAMES = ("emotion.onnx", "detector.onnx")
RUNTIME = "vendor/ort-wasm-simd-threaded.wasm"


def are_served(room: Room) -> bool:
    """Whether a device of this class reads faces by itself."""
    policy = room.policy
    return "device" in room.ways and policy is not None and policy.allows(Task.EMOTION)


class DeviceModels:
    """Tells a device which networks to fetch, and sends them; files are read and hashed once."""

    def __init__(self, settings: Settings, files: StaticFiles, served: Callable[[Room], bool] = are_served) -> None:
        """Read nothing yet.

        Args:
            settings: which networks these are.
            files: has what runs the networks.
            served: whether they are given out.
        """
        self._settings, self._served = settings, served
        self._runtime = files
        self._entries: dict[str, Entry] = {}
        self._files: StaticFiles | None = None
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
            self._told = Models(
                emotion=files[0],
                detector=files[1],
                runtime=self._runtime.address(RUNTIME),
                min_face_px=self._settings.emotion.min_face_px,
            )
        return self._told

    def answer(self, name: str, room: Room, request: Request) -> Response:
        """A network as the device's browser wants it.

        Raises:
            HTTPException: there is none of that name, or none is given out in this class.
        """
        if not self._served(room):
            raise HTTPException(404, "No network is given out for this class.")
        if self._files is None:
            self._files = StaticFiles({known: self._entry(known).path for known in NAMES})
        return self._files.answer(name, request)

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            from classpulse.inference import entries  # noqa: PLC0415 - ONNX Runtime, which a server at rest is without

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
