"""How well a tracker keeps who is who: IDF1 (Ristani et al. 2016, arXiv 1609.01775) and identity switches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from classpulse.geometry import iou

if TYPE_CHECKING:
    from classpulse.types import Floats, Ints, Tracks

MIN_IOU = 0.5


@dataclass
class IdentityScore:
    """Counts over a scene, one frame after the other.

    Attributes:
        frames_together: how often each (person, track) pair was in the same place.
        visible: how often each person was there to be seen.
        given: how often each track was given.
        switches: how often a person's track was another than the last time.
    """

    frames_together: dict[tuple[int, int], int] = field(default_factory=dict)
    visible: dict[int, int] = field(default_factory=dict)
    given: dict[int, int] = field(default_factory=dict)
    switches: int = 0
    _last: dict[int, int] = field(default_factory=dict)

    def add(self, people: Ints, boxes: Floats, tracks: Tracks) -> None:
        """Count one frame: the people who are there, (M,), their true boxes, (M, 4), and the tracker's answer."""
        for person in people.tolist():
            self.visible[person] = self.visible.get(person, 0) + 1
        for track in tracks.ids.tolist():
            self.given[track] = self.given.get(track, 0) + 1
        overlap = iou(boxes, tracks.faces.boxes)
        for i, j in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[i, j] >= MIN_IOU:
                self._meet(int(people[i]), int(tracks.ids[j]))

    def _meet(self, person: int, track: int) -> None:
        self.frames_together[person, track] = self.frames_together.get((person, track), 0) + 1
        self.switches += self._last.get(person, track) != track
        self._last[person] = track

    @property
    def idf1(self) -> float:
        """Share of detections with the right identity, under the best pairing of people with tracks; 0 to 1."""
        people, tracks = list(self.visible), list(self.given)
        together = np.zeros((len(people), len(tracks)))
        for (person, track), count in self.frames_together.items():
            together[people.index(person), tracks.index(track)] = count
        right = together[linear_sum_assignment(-together)].sum()
        return float(2 * right / (sum(self.visible.values()) + sum(self.given.values())))

    def tracks_of(self, person: int) -> set[int]:
        """Every track that a person was ever given."""
        return {track for one, track in self.frames_together if one == person}
