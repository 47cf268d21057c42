"""A school with people on file and classes that were held: a real database, a real key, and the pages over them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from blank_database import blank_database
from onnx_files import portrait
from people_on_file import EMBEDDER, photos
from sqlalchemy import insert, update

from classpulse.insight.appearances import Appearance
from classpulse.insight.engagement import ClassWindow
from classpulse.settings import Settings, WebSettings
from classpulse.storage.people_tables import ConsentRow
from classpulse.storage.store import Store
from classpulse.storage.tables import ObservationRow, SessionRow
from classpulse.web.app import create_app
from classpulse.web.office import Office

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import FastAPI

    from classpulse.hub import Controls, Hub
    from classpulse.storage.people import People

TEACHER = "T. Eacher"
NAMES = ("Ana Sousão", "Ben Okoye", "Chloé <img src=x onerror=alert(1)>")
"""Whoever is on file in this order; the last name is text that looks like HTML."""


@dataclass(frozen=True, slots=True)
class School:
    """A store with a key beside it, and what is built on them.

    Attributes:
        store, settings: of the school.
        people: as whoever runs the server.
    """

    store: Store
    settings: Settings
    people: People

    def app(self, hub: Hub, controls: Controls, **web: Any) -> FastAPI:
        """The application, with changes to the settings of its pages."""
        settings = self.settings.model_copy(update={"web": WebSettings(**web)})
        return create_app(hub, controls, self.store, office=Office(self.store, settings, TEACHER), settings=settings)

    def enrol(self, name: str, seed: int, *, individual: bool = False, photos_: int = 3) -> str:
        """Somebody who agreed an hour ago, with photos of a made-up face."""
        person_id = ""
        for purpose in ("recognition", "individual") if individual else ("recognition",):
            person_id = self.people.record_consent(name, purpose, given_by=name, guardian=False, valid_days=300)
        self.people.enrol(person_id, EMBEDDER, *photos(seed, photos_))
        with self.store._engine.begin() as connection:
            earlier = update(ConsentRow).where(ConsentRow.person_id == person_id)
            connection.execute(earlier.values(recorded_at=datetime.now(UTC) - timedelta(hours=1)))
        return person_id

    def hold_class(self, *appearances: Appearance, minutes: int = 45, unknown: int = 6, over: bool = True) -> int:
        """A class with these appearances, and some tracks that nobody was recognised in; returns its number."""
        recorder = self.store.start_session(
            "webcam 0", kind="webcam", jurisdiction="other", demo=False, min_group=5, labels=("happy", "sad")
        )
        for end_s in range(300, 60 * minutes + 1, 300):
            recorder.add_window(ClassWindow(end_s - 300.0, float(end_s), 10, 8.0, 8, 0, ("happy", "sad"), None, None))
        for appearance in appearances:
            recorder.add_appearance(appearance)
        number = recorder.session_id
        recorder.finish("ended")
        if not over:
            self._go_on(number)
        tracks = [one.track for one in appearances] + list(range(500, 500 + unknown))
        rows = [_observation(number, track, time_s) for track in tracks for time_s in (10.0, 20.0)]
        with self.store._engine.begin() as connection:
            connection.execute(insert(ObservationRow), rows)
        return number

    def _go_on(self, number: int) -> None:
        with self.store._engine.begin() as connection:
            row = update(SessionRow).where(SessionRow.id == number)
            connection.execute(row.values(ended_at=None, ended_how=None))


def _observation(session_id: int, track: int, time_s: float) -> dict[str, object]:
    return {
        "session_id": session_id,
        "time_s": time_s,
        "track": track,
        **dict.fromkeys(("x0", "y0", "x1", "y1"), 10.0),
        "confidence": 0.9,
        "emotion": None,
        "probabilities": None,
    }


def open_school(folder: Path, law: str | None = "other") -> School:
    """An empty school under a law."""
    settings = Settings(data_dir=folder / "data", key_file=folder / "keys" / "people.key")
    blank_database(settings.data_dir / "classpulse.db")
    store = Store.of(settings)
    if law is not None:
        store.set_jurisdiction(law, answered_by="Head", how="command")  # type: ignore[arg-type]
    return School(store, settings, store.people(store.vault(settings.key_file, create=True), TEACHER))


def appearance(track: int, person_id: str, start_s: float, end_s: float, confidence: float = 0.8) -> Appearance:
    """A stretch of a class."""
    return Appearance(track, person_id, start_s, end_s, confidence)


def face_picture(name: str = "grace_hopper.jpg", *, faces: int = 1, width: int = 640, height: int = 480) -> np.ndarray:
    """A picture of 640 x 480 px with one of the portraits in it, or several, or none: BGR."""
    picture = np.full((height, width, 3), 96, np.uint8)
    if faces:
        image = portrait(name)
        share = width // faces
        scale = min(share / image.shape[1], height / image.shape[0])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for i in range(faces):
            x = i * share + (share - small.shape[1]) // 2
            picture[: small.shape[0], x : x + small.shape[1]] = small
    return picture


def jpeg(image: np.ndarray) -> bytes:
    """A picture as a browser sends it."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


def write_y4m(path: Path, images: list[np.ndarray]) -> Path:
    """A recording that Chromium takes for a camera."""
    height, width = images[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode())
        for image in images:
            file.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path
