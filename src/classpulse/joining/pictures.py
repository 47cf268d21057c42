"""Small pictures that students' devices send: the newest of each is read by a few workers and dropped at once."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image as Pillow

from classpulse.errors import JoinError
from classpulse.joining.reading import MAX_PICTURE_BYTES, NO_FACE, Reading
from classpulse.policy import Task
from classpulse.vision.detector import open_detector
from classpulse.vision.head_pose import HeadPoseEstimator

if TYPE_CHECKING:
    from classpulse.joining.room import Room
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.types import Faces, Image
    from classpulse.vision.emotion import EmotionClassifier

logger = logging.getLogger(__name__)

MAX_WIDTH_PX, MAX_HEIGHT_PX = 1280, 960
MAX_SCANS = 16
"""A progressive JPEG has about ten; one of a thousand tiny scans would take a minute to decode."""
DETECTOR_PX = 320
"""Width in which the one near face of such a picture is looked for: three times as fast as the room's camera needs."""
MAX_WAITING_BYTES = 32_000_000
"""Pictures that wait, all together; beyond that the one that waited longest is dropped."""
STOP_S = 2.0


class PictureReader:
    """Reads the newest picture of each participant, the one that waited longest first; nothing is kept.

    When more come than can be read, older ones of the same participant are dropped and counted, so that a result is
    never older than the time it takes to go round once.
    """

    def __init__(self, room: Room, settings: Settings, policy: Policy, classifier: EmotionClassifier) -> None:
        """Open the detector and start the workers.

        Raises:
            PolicyError: the policy forbids it.
            ModelError: the detector's file is missing or wrong.
        """
        self._room = room
        small = settings.detector.model_copy(update={"width_px": DETECTOR_PX})
        self._detector = open_detector(settings.model_copy(update={"detector": small}), policy)
        self._classifier = classifier
        watches = settings.attention.enabled and policy.allows(Task.ATTENTION)
        self._poser = HeadPoseEstimator(policy) if watches else None
        self._waiting: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self.received = self.dropped = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"picture reader {i}", daemon=True)
            for i in range(settings.threads)
        ]
        for thread in self._threads:
            thread.start()

    def offer(self, participant: str, jpeg: bytes) -> None:
        """Take a picture in the place of the same participant's one that waits; it is read soon, or dropped.

        Raises:
            JoinError: it is no JPEG, or one that is too large; seen from its beginning, before anything is decoded.
        """
        check_jpeg(jpeg)
        with self._changed:
            self.received += 1
            before = self._waiting.get(participant)
            if before is not None:
                self._bytes -= len(before[0])
                self.dropped += 1
            self._waiting[participant] = jpeg, time.monotonic()  # keeps the place of the one before
            self._bytes += len(jpeg)
            while self._bytes > MAX_WAITING_BYTES:
                _, (old, _) = self._waiting.popitem(last=False)
                self._bytes -= len(old)
                self.dropped += 1
            self._changed.notify()

    def close(self) -> None:
        """Drop what waits and end the workers."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(STOP_S)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                participant, (jpeg, at_s) = self._waiting.popitem(last=False)
                self._bytes -= len(jpeg)
            if self._room.phase != "running":
                continue  # while the class is paused nothing is looked at
            try:
                self._room.take(participant, self._read(jpeg), way="pictures", at_s=at_s)
            except JoinError:
                continue  # damaged beyond its beginning, or they have left meanwhile: the next picture will do
            except Exception:  # those of all others are still to be read
                logger.exception("a student's picture was not read")

    def _read(self, jpeg: bytes) -> Reading:
        image = decode_jpeg(jpeg)
        faces = self._detector.detect(image)
        if not len(faces):
            return NO_FACE
        return self._read_face(image, faces[np.array([faces.sizes_px.argmax()])])

    def _read_face(self, image: Image, face: Faces) -> Reading:
        read = self._classifier.classify(image, face)
        yaw, roll = None, None
        if self._poser is not None:
            poses = self._poser.estimate(face)
            if poses.told[0]:
                yaw, roll = float(poses.yaw_deg[0]), float(poses.roll_deg[0])
        probabilities = tuple(read.probabilities[0].tolist()) if read.read[0] else None
        return Reading(True, probabilities, float(face.scores[0]), float(face.sizes_px[0]), yaw, roll)  # noqa: FBT003


def check_jpeg(jpeg: bytes) -> None:
    """Look at a picture's beginning, and at how it is built.

    Raises:
        JoinError: it is no whole JPEG, or a larger one than is taken.
    """
    if len(jpeg) > MAX_PICTURE_BYTES:
        message = f"a picture has at most {MAX_PICTURE_BYTES // 1000} KB; this one has {len(jpeg) // 1000}"
        raise JoinError(message, "message")
    try:
        with Pillow.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
            width, height = picture.size
    except Exception:  # noqa: BLE001 - a hostile file can make a decoder raise anything
        message = "this is no picture that can be read: send a JPEG"
        raise JoinError(message, "message") from None
    if width > MAX_WIDTH_PX or height > MAX_HEIGHT_PX:
        message = f"a picture has at most {MAX_WIDTH_PX} x {MAX_HEIGHT_PX} px; this one claims {width} x {height}"
        raise JoinError(message, "message")
    # Within the picture's own data these bytes cannot stand: JPEG puts a zero after each 255 there.
    if not jpeg.rstrip(b"\0").endswith(b"\xff\xd9") or jpeg.count(b"\xff\xda") > MAX_SCANS:
        message = "this JPEG is cut short, or built in a way that is not taken: save it again"
        raise JoinError(message, "message")


def decode_jpeg(jpeg: bytes) -> Image:
    """Decode a picture that `check_jpeg` let through.

    Returns:
        (height, width, 3) uint8, BGR.

    Raises:
        JoinError: it is damaged.
    """
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        message = "this picture is damaged: send a JPEG"
        raise JoinError(message, "message")
    return np.asarray(image, np.uint8)
