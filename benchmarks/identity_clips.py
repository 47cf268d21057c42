"""Faces of a clip as an embedder sees them: one track at two times is one person, two tracks at one time are two."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.identity_pairs import verify
from classpulse import Settings
from classpulse.sources import open_source
from classpulse.vision.tracker import FaceTracker

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.types import Image, Tracks
    from classpulse.vision.detector import FaceDetector
    from classpulse.vision.embedder import FaceEmbedder

LOOK_S, KEEP_S = 0.24, 0.96
"""How often faces are looked for, so that they can be followed, and how often they are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A picture of a clip with the faces followed in it."""

    image: Image
    tracks: Tracks


def sightings(clip: Path, detector: FaceDetector) -> list[Sighting]:
    """Follow the faces of a clip."""
    settings = Settings()
    tracker, source = FaceTracker(settings.tracker), open_source(clip, settings.stream, fast=True)
    found, look_s, keep_s = [], 0.0, 0.0
    try:
        for frame in source.frames():
            if frame.time_s < look_s:
                continue
            look_s = frame.time_s + LOOK_S
            tracks = tracker.update(detector.detect(frame.image), frame.time_s)
            if frame.time_s >= keep_s and len(tracks):
                keep_s = frame.time_s + KEEP_S
                found.append(Sighting(frame.image, tracks))
    finally:
        source.close()
    return found


def score(embedder: FaceEmbedder, found: list[Sighting]) -> dict[str, Any]:
    """Verification among the faces of one clip; pairs of two people that are taken for one are told by their tracks."""
    rows = [embedder.embed(one.image, one.tracks.faces) for one in found]
    ids = [one.tracks.ids for one in found]
    same = [
        float(a @ b)
        for i, j in itertools.combinations(range(len(found)), 2)
        for k, a in zip(ids[i], rows[i], strict=True)
        for m, b in zip(ids[j], rows[j], strict=True)
        if k == m
    ]
    different = [
        (float(rows[i][k] @ rows[i][m]), (int(min(ids[i][[k, m]])), int(max(ids[i][[k, m]]))))
        for i in range(len(found))
        for k, m in itertools.combinations(range(len(ids[i])), 2)
    ]
    alike = np.array(same + [likeness for likeness, _ in different])
    result = verify(alike, np.arange(len(alike)) < len(same), (0.01,))
    limit = embedder.min_similarity
    return {
        "same": len(same),
        "different": len(different),
        "auc": round(result.auc, 4),
        "accepted_at_own_threshold": round(float((alike[: len(same)] > limit).mean()), 4),
        "false_at_own_threshold": round(float((alike[len(same) :] > limit).mean()), 4),
        "confused_tracks": sorted({pair for likeness, pair in different if likeness > limit}),
    }
