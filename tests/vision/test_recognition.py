"""Scripted scenes: who is named when, and what it costs."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from looks import Painted, gallery, person, scene, tracked

from classpulse.errors import PeopleError
from classpulse.settings import RecognitionSettings
from classpulse.types import Faces, Tracks
from classpulse.vision.gallery import Gallery
from classpulse.vision.recognition import FORGET_S, LOOKS_PER_FRAME, FaceRecognizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from looks import Place

    from classpulse.types import Identities

FPS = 15
ONE: dict[int, Place] = {1: (300, 300, 100)}
TWO: dict[int, Place] = {1: (300, 300, 100), 2: (700, 300, 100)}


class Class:
    """A recognizer at work, with its clock."""

    def __init__(self, known: Gallery, likeness: float = 0.8) -> None:
        self.embedder = Painted(likeness)
        self.recognizer = FaceRecognizer(self.embedder, known, RecognitionSettings())
        self.time_s = 0.0
        self.names: list[tuple[str | None, ...]] = []

    def watch(
        self, places: Mapping[int, Place], duration_s: float, ids: Sequence[int] | None = None, *, turned: float = 0.0
    ) -> tuple[str | None, ...]:
        """Let people be seen for some time, each under their own number if no ids are given; returns the last names."""
        image, faces = scene(places, turned=turned)
        for _ in range(round(duration_s * FPS)):
            found = self.recognizer.recognize(image, tracked(list(places) if ids is None else ids, faces), self.time_s)
            self.names.append(found.people)
            self.time_s += 1 / FPS
        return self.names[-1]

    def wait(self, duration_s: float) -> None:
        """Nobody is in the picture."""
        self.watch({}, duration_s)


def test_who_enrolled_is_named_and_a_stranger_is_not() -> None:
    room = Class(gallery(1, 5, 6))
    assert room.watch(TWO, 3) == ("p1", None)
    result = room.recognizer.recognize(*_still(TWO), room.time_s)
    assert result.similarities[0] == pytest.approx(0.8, abs=0.001)


def _still(places: Mapping[int, Place]) -> tuple[np.ndarray, Tracks]:
    image, faces = scene(places)
    return image, tracked(list(places), faces)


def test_a_name_needs_more_than_one_look() -> None:
    room = Class(gallery(1))
    room.watch(ONE, 2 / FPS)
    assert room.embedder.seen == [1]
    assert room.names == [(None,)] * 2
    room.watch(ONE, 1)
    assert room.names[-1] == ("p1",)
    first = room.names.index(("p1",))
    assert 0.25 * FPS <= first <= FPS, "pictures of one moment are one look"


def test_once_named_a_track_keeps_its_name() -> None:
    room = Class(gallery(1, 2), likeness=0.75)
    room.watch(ONE, 60)
    named = [names[0] for names in room.names]
    assert set(named[named.index("p1") :]) == {"p1"}


def test_a_face_that_is_sometimes_unlike_does_not_flicker() -> None:
    room = Class(gallery(1, 2))
    for i in range(60):
        room.embedder.likeness = 0.8 if i % 3 else 0.5
        room.watch(ONE, 1)
    changes = sum(a != b for a, b in pairwise(room.names))
    assert changes == 1, "from unknown to the name"


def test_looks_become_rare_where_they_agree_and_never_stop() -> None:
    room = Class(gallery(1))
    room.watch(TWO, 60)
    early = len(room.embedder.seen)
    assert early <= 2 * 12
    room.watch(TWO, 60)
    assert Counter(room.embedder.seen[early:]) == {1: 6, 2: 6}


def test_a_frame_costs_a_bounded_number_of_looks() -> None:
    crowd: dict[int, Place] = {n: (60 + 110 * (n % 11), 100 + 200 * (n // 11), 60) for n in range(1, 31)}
    room = Class(gallery(*crowd))
    image, faces = scene(crowd)
    at_once, frames = [], 300
    for i in range(frames):
        before = len(room.embedder.seen)
        room.recognizer.recognize(image, tracked(list(crowd), faces), i / FPS)
        at_once.append(len(room.embedder.seen) - before)
    assert max(at_once) <= 2
    assert sum(at_once) <= frames * LOOKS_PER_FRAME + 2
    names = room.recognizer.recognize(image, tracked(list(crowd), faces), frames / FPS).people
    assert names == tuple(f"p{n}" for n in crowd), "all thirty within twenty seconds"


def test_new_faces_come_before_settled_ones() -> None:
    crowd: dict[int, Place] = {n: (60 + 110 * (n % 11), 100 + 200 * (n // 11), 60) for n in range(1, 21)}
    room = Class(gallery(*crowd, 50))
    room.watch(crowd, 30)
    for track in room.recognizer._tracks.values():
        track.due_s = 0.0  # as if it were time for all of them at once
    room.watch(crowd | {50: (1200, 650, 60)}, 1.5)
    assert room.names[-1][-1] == "p50"


@pytest.mark.parametrize("what", ["small", "turned", "cut off", "blurred"])
def test_a_face_that_tells_nothing_is_not_looked_at(what: str) -> None:
    room = Class(gallery(1))
    if what == "small":
        room.watch({1: (300, 300, 20)}, 3)
    elif what == "turned":
        room.watch(ONE, 3, turned=0.59)
    elif what == "cut off":
        room.watch({1: (20, 300, 100)}, 3)
    else:
        _, faces = scene(ONE)
        flat = np.full((720, 1280, 3), 1, np.uint8)
        for i in range(45):
            room.recognizer.recognize(flat, tracked([1], faces), i / FPS)
    assert room.embedder.seen == []
    room.time_s += 4
    assert room.watch(ONE, 2) == ("p1",), "and is, once it tells something"


def test_landmarks_that_are_no_numbers_are_no_face_to_look_at() -> None:
    room = Class(gallery(1))
    image, faces = scene(ONE)
    broken = Faces(faces.boxes, faces.scores, np.full((1, 5, 2), np.nan, np.float32))
    for i in range(30):
        assert room.recognizer.recognize(image, tracked([1], broken), i / FPS).people == (None,)


# Trouble with tracks.


def test_a_track_that_came_back_as_somebody_else_gets_their_name() -> None:
    room = Class(gallery(1, 2))
    room.watch(ONE, 30)
    room.wait(1)
    room.watch({2: ONE[1]}, 0.2, ids=[1])
    room.watch({2: ONE[1]}, 3, ids=[1])
    assert room.names[-1] == ("p2",)


def test_two_who_crossed_and_changed_tracks_get_their_own_names_back() -> None:
    room = Class(gallery(1, 2))
    assert room.watch(TWO, 30) == ("p1", "p2")
    room.watch({1: (480, 300, 100), 2: (520, 300, 100)}, 0.4)
    assert room.watch({1: TWO[2], 2: TWO[1]}, 4, ids=[2, 1]) == ("p1", "p2")


def test_two_who_crossed_and_kept_their_tracks_keep_their_names_all_the_time() -> None:
    room = Class(gallery(1, 2))
    assert room.watch(TWO, 30) == ("p1", "p2")
    before = len(room.names)
    room.watch({1: (480, 300, 100), 2: (520, 300, 100)}, 0.4)
    room.watch({1: TWO[2], 2: TWO[1]}, 4)
    assert set(room.names[before:]) == {("p1", "p2")}


def test_a_wrong_name_is_found_out_even_where_nothing_happened() -> None:
    room = Class(gallery(1, 2))
    assert room.watch(ONE, 60) == ("p1",)
    assert room.watch({2: ONE[1]}, 40, ids=[1]) == ("p2",)


def test_somebody_unknown_in_a_named_persons_place_becomes_unknown() -> None:
    room = Class(gallery(1))
    assert room.watch(ONE, 60) == ("p1",)
    assert room.watch({9: ONE[1]}, 60, ids=[1]) == (None,)


def test_nobody_is_on_two_tracks_and_the_stronger_evidence_has_the_name() -> None:
    room = Class(gallery(1))
    image, faces = scene(TWO)
    image[299:302, 699:702] = 1  # a second face of the first person: a picture on the wall
    counts = [room.recognizer.recognize(image, tracked([1, 2], faces), i / FPS).people.count("p1") for i in range(150)]
    assert set(counts) == {0, 1}
    assert set(counts[30:]) == {1}


def test_a_person_who_gets_a_new_track_takes_the_name_along() -> None:
    room = Class(gallery(1))
    room.watch(ONE, 30)
    assert room.watch(ONE, 0.6, ids=[8]) == ("p1",)
    # Its old track comes back with somebody else: the name stays where it is now.
    before = len(room.names)
    room.watch({1: (900, 300, 100), 9: ONE[1]}, 3, ids=[8, 1])
    assert set(room.names[before:]) == {("p1", None)}


def test_where_two_claim_to_be_one_person_both_are_looked_at_again_soon() -> None:
    room = Class(gallery(1, 2))
    assert room.watch(ONE, 60) == ("p1",)
    # Unseen, somebody else has taken the first one's place.
    assert room.watch({2: ONE[1], 1: TWO[2]}, 5, ids=[1, 8]) == ("p2", "p1")


def test_a_stranger_who_comes_nearer_is_looked_at_again() -> None:
    room = Class(gallery(1), likeness=0.5)
    room.watch({1: (300, 300, 50)}, 40)
    room.embedder.likeness = 0.8
    seen = len(room.embedder.seen)
    room.watch({1: (300, 300, 90)}, 0.2)
    assert len(room.embedder.seen) == seen + 1


@pytest.mark.parametrize("clock", ["stands still", "steps back", "is no number"])
def test_a_clock_that_is_wrong_stops_nothing(clock: str) -> None:
    room = Class(gallery(1))
    image, tracks = _still(ONE)
    times = {"stands still": [5.0] * 90, "steps back": [50.0 - i for i in range(90)], "is no number": [np.nan] * 90}
    found = [room.recognizer.recognize(image, tracks, time_s).people for time_s in times[clock]]
    assert found[-1] == ("p1",)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classpulse.vision.recognition.MAX_TRACKS", 20)
    room = Class(gallery(1))
    for i in range(60):
        room.watch(ONE, 1 / FPS, ids=[i])
    assert sorted(room.recognizer._tracks) == list(range(40, 60))
    room.time_s += FORGET_S
    room.wait(1)
    assert len(room.recognizer._tracks) == 0


# The gallery.


def test_who_withdrew_is_unknown_in_the_next_frame() -> None:
    room = Class(gallery(1, 2))
    assert room.watch(TWO, 5) == ("p1", "p2")
    room.recognizer.replace_gallery(gallery(2))
    assert room.watch(TWO, 1 / FPS) == (None, "p2")
    assert room.watch(TWO, 5) == (None, "p2")
    room.recognizer.replace_gallery(Gallery.empty())
    assert room.watch(TWO, 5) == (None, None)


def test_who_enrols_in_the_middle_of_a_class_is_named_soon() -> None:
    room = Class(gallery(2))
    assert room.watch(TWO, 60) == (None, "p2")
    room.recognizer.replace_gallery(gallery(1, 2))
    assert room.watch(TWO, 2) == ("p1", "p2")


def test_without_anybody_enrolled_nothing_is_embedded() -> None:
    room = Class(Gallery.empty())
    assert room.watch(TWO, 3) == (None, None)
    assert room.embedder.seen == []


def test_another_embedders_gallery_is_refused_and_the_old_one_stays() -> None:
    other = Gallery("net 9", ("p1",), np.eye(1, 64, dtype=np.float32))
    with pytest.raises(PeopleError, match="enrolled with 'net 9'"):
        FaceRecognizer(Painted(), other, RecognitionSettings())
    room = Class(gallery(1))
    room.watch(ONE, 3)
    with pytest.raises(PeopleError, match="enrolled with 'net 9'"):
        room.recognizer.replace_gallery(other)
    assert room.watch(ONE, 1) == ("p1",)


class Interrupted(Gallery):
    """The first person alone, who withdraws on another thread just when their second look has been matched."""

    looks = 0
    withdrawal: threading.Thread

    def match(self, *arguments: Any, **options: Any) -> Identities:
        found = super().match(*arguments, **options)
        self.looks += 1
        if self.looks == 2:
            self.withdrawal.start()
            self.withdrawal.join(0.2)
        return found


def test_who_withdraws_while_they_are_looked_at_is_not_named_after_all() -> None:
    room = Class(Gallery.empty())
    known = Interrupted("painted 1", ("p1",), person(1)[None])
    known.withdrawal = threading.Thread(target=lambda: room.recognizer.replace_gallery(gallery(2)))
    room.recognizer.replace_gallery(known)
    room.watch(ONE, 0.5)
    known.withdrawal.join()
    before = len(room.names)
    room.watch(ONE, 3)
    assert known.looks == 2
    assert room.recognizer._tracks[1].ballot.evidence("p1") == 0, "nor does anything stay that was counted for them"
    assert set(room.names[before:]) == {(None,)}


def test_two_recognizers_share_nothing() -> None:
    one, other = Class(gallery(1)), Class(gallery(1))
    one.watch(ONE, 3)
    assert other.watch(ONE, 1 / FPS) == (None,)
