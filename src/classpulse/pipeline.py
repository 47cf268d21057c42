"""The way of one frame: faces are found, followed, recognised and read. Start reading here.

    Frame ── FaceFinder ── FaceTracker ─┬─ FaceRecognizer ────────────────────────┬──▶ FrameResult
                                        ├─ HeadPoseEstimator ─────────────────────┤
                                        └─ EmotionClassifier ── EmotionSmoother ──┘

In a meeting's window a `MeetingView` stands between finding and following: it says who counts there, and where.
Every stage is a class with one verb and typed arrays in between; what may run is asked of the `Policy`, which
the models ask too before they are opened.
"""

from __future__ import annotations

import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import check_kind
from classpulse.policy import UNSET_NOTICE, Policy, Task, tighten, told
from classpulse.settings import Settings
from classpulse.sources import describe, open_source
from classpulse.types import Frame, FrameResult, Tracks
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.emotion import EmotionClassifier, EmotionSmoother, ReadingSchedule
from classpulse.vision.finder import FaceFinder
from classpulse.vision.gallery import Gallery
from classpulse.vision.head_pose import HeadPoseEstimator
from classpulse.vision.meeting import view_of
from classpulse.vision.recognition import FaceRecognizer
from classpulse.vision.tracker import FaceTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from classpulse.settings import Jurisdiction
    from classpulse.types import Faces, Image
    from classpulse.vision.meeting import MeetingView

    OnStage = Callable[[str, int, float, float], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a pipeline remembers of the faces so far. It can be pickled, so that another pipeline may go on from it."""

    tracker: FaceTracker
    smoother: EmotionSmoother


class Pipeline:
    """Finds, follows and reads the faces of one class.

    A pipeline remembers who is who from frame to frame: use one for each camera or recording, and one thread at a time
    for its frames. For pictures that have nothing to do with each other there is `look`.

    Attributes:
        on_stage: called after every stage with its name, the frame's index, and when it began and ended, s by
            `time.monotonic()`, on the thread of the stage; None tells nobody.

    >>> pipeline = Pipeline(jurisdiction="other")
    >>> import numpy as np
    >>> len(pipeline.process(Frame(np.zeros((360, 640, 3), np.uint8))))
    0
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        jurisdiction: Jurisdiction | None = None,
        policy: Policy | None = None,
        gallery: Gallery | None = None,
        meeting: MeetingView | None = None,
        classifier: EmotionClassifier | None = None,
        memory: Memory | None = None,
    ) -> None:
        """Open the models that are allowed.

        Args:
            settings: all settings; defaults if not given.
            jurisdiction: the law that is in force; it may be stricter than that of the settings, not looser.
                Under `"eu"` faces are counted, no emotion model is loaded, and no pose is told.
            policy: the answer to which law is in force, with its exemption and declaration, if it has been given;
                settings and `jurisdiction` can only tighten it. `research` is given in this way alone.
            gallery: the people to recognise; nobody is where it is None or empty, the settings say so, or the law
                forbids it or is not known.
            meeting: knows the tiles, where the pictures are of a meeting's window; None elsewhere.
            classifier: reads emotions in place of one that is opened here; unused where the law forbids reading.
            memory: of a pipeline whose class this one goes on with, on other pictures of the same place.

        Raises:
            PolicyError: a model is not allowed, or the jurisdiction is looser than the settings' or the
                policy's, or needs a declaration.
            ModelError: a model file is missing or wrong.
            PeopleError: another embedder made the gallery.
            TypeError: `settings` are no `Settings`, or `policy` is no `Policy`.
        """
        self.settings = Settings() if settings is None else settings
        check_kind("settings", self.settings, Settings, 'Settings.model_validate({…}); a law is jurisdiction="other"')
        answered = Policy() if policy is None else policy
        check_kind("policy", answered, Policy, 'Policy("other")')
        self.policy = tighten(tighten(answered, self.settings.jurisdiction), jurisdiction)
        if self.policy.declaration:  # which is kept with the answer, and may name somebody
            logger.info("in force by a declaration: %s", told(self.policy.jurisdiction, self.policy.exemption))
        self.on_stage: OnStage | None = None
        self._last_s = -math.inf
        reads = self.policy.allows(Task.EMOTION)
        # Finding and reading go on side by side (see `follow`) and share the threads.
        reading = self.settings.threads // 2 if reads else 0
        finding = self.settings.threads - reading
        self._detector = open_detector(self.settings, self.policy, threads=finding)
        self._finder = FaceFinder(self._detector, self.settings.detector.interval_s)
        self.memory = memory or Memory(FaceTracker(self.settings.tracker), EmotionSmoother(self.settings.emotion))
        self._meeting = meeting
        self._classifier = None
        if reads:
            self._classifier = classifier or EmotionClassifier.open(self.settings, self.policy, threads=max(1, reading))
        self._schedule = ReadingSchedule(self.settings.emotion.interval_s)
        watches = self.settings.attention.enabled and self.policy.allows(Task.ATTENTION)
        self._poser = HeadPoseEstimator(self.policy) if watches else None
        self._recognizer: FaceRecognizer | None = None
        self.replace_gallery(gallery)

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that are read, in the order of their columns; none where the policy forbids reading."""
        return self._classifier.labels if self._classifier else ()

    @property
    def recognizes(self) -> bool:
        """Whether people may be recognised here at all, by the law and the settings."""
        return self.settings.recognition.enabled and self.policy.allows(Task.IDENTITY)

    def replace_gallery(self, gallery: Gallery | None) -> None:
        """Recognise these people from the next frame on; whoever is not among them is unknown at once.

        May be called from another thread than the one that processes frames.

        Raises:
            ModelError: these are the first people, and the embedder's file is missing or wrong.
            PeopleError: another embedder made the gallery.
        """
        if self._recognizer is not None:
            self._recognizer.replace_gallery(gallery or Gallery.empty())
        elif gallery and self.recognizes:
            # Recognising and reading go on in turn, and share the threads.
            embedder = FaceEmbedder.open(self.settings, self.policy, threads=max(1, self.settings.threads // 2))
            self._recognizer = FaceRecognizer(embedder, gallery, self.settings.recognition)

    def look(self, image: Image) -> FrameResult:
        """Look at one picture by itself: nobody in it is taken for anybody seen before, and nothing is remembered.

        May be called from several threads at once, and while frames are processed.

        Args:
            image: (height, width, 3) uint8, BGR.

        Returns:
            All faces that the detector finds, best first, with the numbers from 1 on, and read where that is allowed;
            nobody is recognised, as that takes several looks.

        Raises:
            ValueError: it is no such picture.
        """
        frame, faces = Frame(image), self._detector.detect(image)
        emotions = None if self._classifier is None else self._classifier.classify(image, faces)
        poses = None if self._poser is None else self._poser.estimate(faces)
        tracks = Tracks(np.arange(1, len(faces) + 1, dtype=np.int64), faces)
        return FrameResult(0.0, 0, frame.width, frame.height, tracks, emotions, None, poses)

    def process(self, frame: Frame) -> FrameResult:
        """Take the next frame of the class.

        Args:
            frame: a picture with its time; times do not run backwards.

        Returns:
            The faces seen in it, followed, and read where that is allowed.

        Raises:
            TypeError: it is no `Frame`.
            ValueError: its time lies before that of the frame before.
        """
        return self._read(frame, self._find(frame))

    def follow(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, FrameResult]]:
        """Take frames one after the other; given two threads, find the next one's faces while these are read.

        Args:
            frames: in the order of time. If they are a live source's, close the source before you leave this early.

        Yields:
            Each frame with its result.

        Raises:
            TypeError: one is no `Frame`.
            ValueError: its time lies before that of the frame before.
        """
        coming = iter(frames)
        if self.settings.threads < 2 or not (self._classifier or self._recognizer):
            for frame in coming:
                yield frame, self.process(frame)
            return

        def look() -> tuple[Frame, Faces] | None:
            frame = next(coming, None)
            return None if frame is None else (frame, self._find(frame))

        with ThreadPoolExecutor(1, "finder") as ahead:
            found = ahead.submit(look).result()
            while found is not None:
                following = ahead.submit(look)
                yield found[0], self._read(*found)
                found = following.result()

    def _find(self, frame: Frame) -> Faces:
        check_kind("frame", frame, Frame, "Frame(image, time_s), or look(image) for a picture by itself")
        if frame.time_s < self._last_s:
            message = (
                f"times do not run backwards: {frame.time_s:g} s comes after {self._last_s:g} s; "
                "use a pipeline for each recording, and look(image) for pictures by themselves"
            )
            raise ValueError(message)
        self._last_s = frame.time_s
        with self._stage("find", frame):
            return self._finder.find(frame.image, frame.time_s)

    def _read(self, frame: Frame, faces: Faces) -> FrameResult:
        places, identities, emotions, poses = None, None, None, None
        if self._meeting is not None:
            with self._stage("place", frame):
                faces, places = self._meeting.place(frame, faces)
        with self._stage("follow", frame):
            tracks = self.memory.tracker.update(faces, frame.time_s, places)
        recognizer = self._recognizer
        if recognizer is not None:
            with self._stage("recognize", frame):
                identities = recognizer.recognize(frame.image, tracks, frame.time_s)
        if self._classifier is not None:
            with self._stage("read", frame):
                due = self._schedule.due(tracks.ids, frame.time_s)
                fresh = self._classifier.classify(frame.image, tracks.faces, due)
                emotions = self.memory.smoother.update(tracks.ids, fresh, frame.time_s, due)
        if self._poser is not None:
            with self._stage("pose", frame):
                poses = self._poser.estimate(tracks.faces)
        return FrameResult(
            *(frame.time_s, frame.index, frame.width, frame.height),
            *(tracks, emotions, identities, poses),
            file=frame.file,
        )

    @contextmanager
    def _stage(self, name: str, frame: Frame) -> Iterator[None]:
        """Tell whoever watches the stages how long one took."""
        begin_s = time.monotonic()
        yield
        if self.on_stage is not None:
            self.on_stage(name, frame.index, begin_s, time.monotonic())

    def run(self, source: str | int | Path, *, fast: bool = True) -> Iterator[FrameResult]:
        """Take a whole source, frame by frame.

        Args:
            source: a webcam's number, a video, a picture, a folder of pictures, a stream's URL, a `"screen"`, or
                `"demo"`. Pictures come in the natural order of their names (`2.jpg` before `10.jpg`, capitals do not
                matter), two seconds apart, and their results have the `file`'s name; one that cannot be read is named
                in the log and leaves a gap in the numbers.
            fast: whether a file is processed as fast as it goes, every frame, and not at its own pace.

        Yields:
            A result a frame; of a live source only the newest frames.

        Raises:
            PolicyError: the source is live, and no jurisdiction is given.
            SourceError: it cannot be opened.
        """
        kind = describe(source)
        if kind.real:
            self.policy.require_live(kind.name)
        if self.policy.jurisdiction is None:
            logger.warning(UNSET_NOTICE)
        self._meeting = self._meeting or view_of(kind.kind, self.settings.screen)
        opened = open_source(kind.target, self.settings.stream, fast=fast, screen=self.settings.screen)
        self._last_s = -math.inf  # each source has its own clock
        try:
            for _, result in self.follow(opened.frames()):
                yield result
        finally:
            opened.close()
