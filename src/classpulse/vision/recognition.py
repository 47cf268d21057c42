"""Who is who: a few looks a second at the faces that need one, and votes over each track."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from classpulse.geometry import iou
from classpulse.types import Identities
from classpulse.vision.quality import readable, view_quality
from classpulse.vision.votes import Ballot, settle, weigh

if TYPE_CHECKING:
    from classpulse.settings import RecognitionSettings
    from classpulse.types import Faces, Floats, Image, Mask, Tracks
    from classpulse.vision.gallery import Gallery

LOOKS_PER_FRAME = 1 / 3
"""Faces that are embedded for each frame, on average: one in every third frame while there is something to find out.
An embedding takes about as long as finding the faces of half a frame."""
FIRST_S = 0.3
"""Time between two looks at a face that is new or in doubt: pictures closer than that say the same twice."""
LONGEST_S = 10.0
"""Time between two looks at a face of which all looks agree; it doubles with each that does."""
CONTESTED_S = 1.0
"""Time between two looks at faces that claim to be the same person."""
GAP_S = 0.5
"""Out of sight for longer than this, a track may have been taken up by somebody else."""
TOUCHING = 0.1
"""Overlap (IoU) from which two faces may have changed places."""
PAUSE_S = 1.0
"""Least time between two doubts: faces that keep touching are no news."""
GROWN = 1.5
"""A face of nobody we know that has become so many times larger deserves another look."""
MIN_QUALITY = 0.4
"""Quality of a view (see `view_quality`) below which it tells nothing."""
FORGET_S = 60.0
"""No tracker setting lets a track come back after a longer time out of sight."""
MAX_TRACKS = 2000
"""Most tracks that are remembered; those out of sight for the longest time go first. About 4 MB."""
NOMINAL_STEP_S = 1 / 30
"""Step that is assumed where the clock stands still, steps back or is no number, as the tracker does."""


class Embedder(Protocol):
    """Turns faces into points that are near each other for one person."""

    name: str
    size: int
    min_similarity: float

    def embed(self, image: Image, faces: Faces) -> Floats:
        """Embed faces of one picture: (N, size) float32, rows of unit length."""
        ...


@dataclass(slots=True)
class _Track:
    """What is remembered of one track; times by the recognizer's own clock, which never runs backwards."""

    seen_s: float
    due_s: float
    interval_s: float = FIRST_S
    doubted_s: float = -math.inf
    looked_px: float = math.inf
    touching: bool = False
    ballot: Ballot = field(default_factory=Ballot)

    def doubt(self, now_s: float) -> None:
        """It may be somebody else now: look soon, and believe what was seen before less."""
        if now_s - self.doubted_s >= PAUSE_S:
            self.ballot.doubt()
            self.hurry(now_s)
            self.doubted_s = now_s

    def hurry(self, now_s: float) -> None:
        """Look as soon as there is time, and again soon after."""
        self.interval_s, self.due_s = FIRST_S, min(self.due_s, now_s)


class FaceRecognizer:
    """Names tracks after people who enrolled. "Unknown" is the usual answer.

    A frame costs at most `LOOKS_PER_FRAME` embeddings on average and two at once. New tracks and doubtful ones
    come first. A track whose looks agree is looked at after .3, .6, 1.2 … seconds, at the latest every ten; one
    that was out of sight, touched another or contradicted itself, as soon as possible. Each look is a vote (see
    `votes`), a name needs several, and nobody has two faces in one frame.

    May be used by one thread while another replaces the gallery.
    """

    def __init__(self, embedder: Embedder, gallery: Gallery, settings: RecognitionSettings) -> None:
        """Start without a track.

        Args:
            embedder: makes the points that are compared.
            gallery: the people who may be named.
            settings: how small a face may be.

        Raises:
            PeopleError: another embedder made the gallery.
        """
        gallery.require(embedder.name, embedder.size)
        self._embedder = embedder
        self._gallery = gallery
        self._min_face_px = settings.min_face_px
        self._tracks: dict[int, _Track] = {}
        self._credit = 1.0
        self._time_s = math.nan  # by the caller's clock
        self._now_s = 0.0
        self._lock = threading.Lock()

    def replace_gallery(self, gallery: Gallery) -> None:
        """From now on only these people are named; whoever is not among them is unknown at once.

        Raises:
            PeopleError: another embedder made the gallery; the old one stays.
        """
        gallery.require(self._embedder.name, self._embedder.size)
        with self._lock:
            self._gallery = gallery
            for track in self._tracks.values():
                track.ballot.keep(gallery.people)
                if track.ballot.name is None:
                    track.ballot.doubt()
                track.hurry(self._now_s)

    def recognize(self, image: Image, tracks: Tracks, time_s: float) -> Identities:
        """Say who the faces of the next frame are.

        Args:
            image: (height, width, 3) uint8, BGR.
            tracks: the N faces in it, followed.
            time_s: the frame's time.

        Returns:
            A person or nobody for each of the N faces.
        """
        with self._lock:
            self._advance(time_s)
            seen = [self._meet(track) for track in tracks.ids.tolist()]
            self._suspect(seen, tracks.faces)
            if len(self._gallery):
                self._look(image, tracks.faces, seen)
            names = self._settle(tracks, seen)
            self._forget()
        likeness = [np.nan if n is None else t.ballot.similarity(n) for n, t in zip(names, seen, strict=True)]
        return Identities(tuple(names), np.array(likeness, np.float32))

    def _advance(self, time_s: float) -> None:
        step_s = time_s - self._time_s
        self._now_s += step_s if math.isfinite(step_s) and step_s > 0 else NOMINAL_STEP_S
        self._time_s = time_s if math.isfinite(time_s) else self._time_s
        self._credit = min(2.0, self._credit + LOOKS_PER_FRAME)

    def _meet(self, number: int) -> _Track:
        """What is known of a track that is in the frame; begun if it is new."""
        track = self._tracks.get(number)
        if track is None:
            track = self._tracks[number] = _Track(self._now_s, self._now_s)
        if self._now_s - track.seen_s > GAP_S:
            track.doubt(self._now_s)
        track.seen_s = self._now_s
        return track

    def _suspect(self, seen: list[_Track], faces: Faces) -> None:
        """Doubt the tracks whose faces begin or cease to touch, and look at strangers who have come nearer."""
        overlaps = iou(faces.boxes, faces.boxes) > TOUCHING
        touching = (overlaps.sum(axis=1) > 1).tolist()
        for track, touches, size_px in zip(seen, touching, faces.sizes_px.tolist(), strict=True):
            if touches != track.touching:
                track.doubt(self._now_s)
            if track.ballot.name is None and size_px > GROWN * track.looked_px:
                track.hurry(self._now_s)
                track.looked_px = size_px
            track.touching = touches

    def _look(self, image: Image, faces: Faces, seen: list[_Track]) -> None:
        """Embed the faces whose turn it is, and let each vote."""
        chosen, qualities = self._choose(image, faces, seen)
        if not len(chosen):
            return
        self._credit -= len(chosen)
        embeddings = self._embedder.embed(image, faces[chosen])
        least = self._embedder.min_similarity
        found = self._gallery.match(embeddings, least)
        for k, i in enumerate(chosen.tolist()):
            track, person = seen[i], found.people[k]
            track.ballot.add(weigh(person, float(found.similarities[k]), qualities[k], least))
            agrees = person == track.ballot.name
            track.interval_s = min(LONGEST_S, 2 * track.interval_s) if agrees else FIRST_S
            track.due_s = self._now_s + track.interval_s
            track.looked_px = float(faces.sizes_px[i])

    def _choose(self, image: Image, faces: Faces, seen: list[_Track]) -> tuple[np.ndarray, list[float]]:
        """The places of the faces whose turn it is, as many as there is time for, and the quality of each view."""
        height, width = image.shape[:2]
        fit: Mask = readable(faces, width, height, self._min_face_px)
        due = [i for i, track in enumerate(seen) if track.due_s <= self._now_s and fit[i]]
        due.sort(key=lambda i: (seen[i].interval_s > FIRST_S, seen[i].due_s))
        chosen: list[int] = []
        qualities: list[float] = []
        for i in due:
            if len(chosen) + 1 > self._credit:
                break
            quality = float(view_quality(image, faces[i : i + 1])[0])
            if quality < MIN_QUALITY:
                seen[i].due_s = self._now_s + FIRST_S
                continue
            chosen.append(i)
            qualities.append(quality)
        return np.array(chosen, np.int64), qualities

    def _settle(self, tracks: Tracks, seen: list[_Track]) -> list[str | None]:
        """Name the tracks in the frame, and take their names from all that are out of sight."""
        ids = tracks.ids.tolist()
        given = settle({number: track.ballot for number, track in zip(ids, seen, strict=True)})
        names = [given[number] for number in ids]
        claimed = {t.ballot.claim() for n, t in zip(names, seen, strict=True) if n is None} - {None}
        for name, track in zip(names, seen, strict=True):
            if claimed and (name in claimed or (name is None and track.ballot.claim() in claimed)):
                track.due_s = min(track.due_s, self._now_s + CONTESTED_S)
            track.ballot.name = name
        taken = set(names) - {None}
        for track in self._tracks.values():
            if track.seen_s < self._now_s and track.ballot.name in taken:
                track.ballot.name = None
        return names

    def _forget(self) -> None:
        """Drop what is remembered of tracks that cannot come back."""
        self._tracks = {n: t for n, t in self._tracks.items() if self._now_s - t.seen_s <= FORGET_S}
        if len(self._tracks) > MAX_TRACKS:
            newest = sorted(self._tracks.items(), key=lambda item: item[1].seen_s)[-MAX_TRACKS:]
            self._tracks = dict(newest)
