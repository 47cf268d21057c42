"""Who counts in a meeting, and where each is followed: tiles that change places, photos, the teacher's own tile."""

from __future__ import annotations

import numpy as np
import pytest
from galleries import Gallery, faces_in

from classpulse.errors import SourceError
from classpulse.settings import ScreenSettings, TrackerSettings
from classpulse.types import Faces, Frame
from classpulse.vision.meeting import MeetingView, view_of
from classpulse.vision.tracker import FaceTracker

NAMES = ["Ana", "Ben", "Cem", "Dora", "Finn", "Gia"]


class Class:
    """A meeting that is followed, ten pictures a second."""

    def __init__(self, gallery: Gallery | None = None, **settings: object) -> None:
        self.gallery = gallery or Gallery()
        self.view = MeetingView(ScreenSettings.model_validate(settings))
        self._tracker = FaceTracker(TrackerSettings())
        self.time_s = 0.0

    def see(self, names: list[str], pictures: int = 6) -> dict[str, int]:
        """Show people for a while; returns who is followed at the end of it, by name."""
        seen: dict[str, int] = {}
        for _ in range(pictures):
            seen = self.follow(*self.gallery.show(names, self.time_s), names)
        return seen

    def follow(self, frame: Frame, faces: Faces, names: list[str]) -> dict[str, int]:
        self.time_s += 0.1
        counted, places = self.view.place(frame, faces)
        tracks = self._tracker.update(counted, frame.time_s, places)
        at = [int(np.argmin(np.abs(faces.boxes - box).sum(axis=1))) for box in tracks.faces.boxes]
        return {names[i]: int(track) for i, track in zip(at, tracks.ids, strict=True)}


def test_people_keep_their_numbers_when_tiles_change_places() -> None:
    meeting = Class()
    before = meeting.see(NAMES)
    assert sorted(before) == NAMES
    assert meeting.see(["Gia", "Ana", "Finn", "Ben", "Cem", "Dora"], 1) == before, "at once"
    assert meeting.see(["Ben", "Ana", "Cem", "Dora", "Finn", "Gia"]) == before, "two of them"


def test_people_keep_their_numbers_when_tiles_change_size() -> None:
    meeting = Class(Gallery(scale=1.5))
    before = meeting.see(NAMES)
    meeting.gallery = Gallery(columns=2, scale=2.2)
    assert meeting.see(["Gia", *NAMES[:-1]]) == before


def test_whoever_comes_gets_a_new_number_and_the_others_keep_theirs() -> None:
    meeting = Class()
    before = meeting.see(NAMES)
    after = meeting.see(["Hugo", *NAMES])
    assert {name: after[name] for name in NAMES} == before
    assert after["Hugo"] not in before.values()
    # Somebody takes another's place while nothing else moves, as who speaks does in a large meeting.
    last = meeting.see(["Jon", *NAMES])
    assert {name: last[name] for name in NAMES} == before
    assert last["Jon"] not in {*before.values(), after["Hugo"]}


def test_pictures_between_two_places_are_nobody_new() -> None:
    meeting = Class()
    before = meeting.see(NAMES)
    old, new = NAMES, ["Ben", "Ana", *NAMES[2:]]
    here, there = (meeting.gallery.show(names, 0.0)[0].image for names in (old, new))
    for share in (0.3, 0.6):  # the two tiles fade into each other
        mixed = np.asarray(here * (1 - share) + there * share, np.uint8)
        meeting.follow(Frame(mixed, meeting.time_s), faces_in(list(meeting.gallery.places.values())), new)
    assert meeting.see(new) == before


def test_several_people_in_one_tile_are_followed_where_it_goes() -> None:
    meeting = Class(Gallery(scale=2.0))

    def see(names: list[str]) -> dict[str, int]:
        seen: dict[str, int] = {}
        for _ in range(6):
            frame, _ = meeting.gallery.show(names, meeting.time_s)
            x0, y0, x1, y1 = meeting.gallery.places["Ana"]
            middle = (x0 + x1) // 2
            faces = faces_in([(x0, y0, middle, y1), (middle, y0, x1, y1)])
            seen = meeting.follow(frame, faces, ["left", "right"])
        return seen

    before = see(NAMES)
    assert sorted(before) == ["left", "right"]
    assert see(["Gia", "Finn", "Cem", "Dora", "Ben", "Ana"]) == before


def test_photos_of_people_do_not_count_not_even_when_they_move() -> None:
    meeting = Class()
    names = ["Ana", "Eve*", "Cem", "Dora", "Ida*", "Gia"]
    assert sorted(meeting.see(names)) == ["Ana", "Cem", "Dora", "Gia"]
    assert sorted(meeting.see(names[::-1])) == ["Ana", "Cem", "Dora", "Gia"]
    assert [tile.state for tile in meeting.view.tiles] == ["live", "still", "live", "live", "still", "live"]


def test_a_camera_that_is_switched_off_stops_counting_and_counts_again() -> None:
    meeting = Class(static_s=1.0)
    before = meeting.see(NAMES)
    frame, faces = meeting.gallery.show(NAMES, 0.0)
    seen = before
    for _ in range(12):  # everybody's picture is frozen
        seen = meeting.follow(Frame(frame.image, meeting.time_s), faces, NAMES)
    assert seen == {}
    assert sorted(meeting.see(NAMES, 2)) == sorted(before)


@pytest.mark.parametrize(("corner", "name"), [("top-left", "Ana"), ("bottom-right", "Gia"), ("top-right", "Cem")])
def test_the_teachers_own_tile_is_left_out_wherever_it_goes(corner: str, name: str) -> None:
    meeting = Class(ignore=corner)
    others = sorted(set(NAMES) - {name})
    assert sorted(meeting.see(NAMES)) == others
    assert sorted(meeting.see(["Dora", "Gia", "Finn", "Ana", "Cem", "Ben"])) == others


def test_the_teacher_says_which_tile_is_theirs_while_the_class_runs() -> None:
    meeting = Class()
    meeting.see(NAMES)
    number = meeting.view.tiles[1].number
    meeting.view.choose_own(number)
    assert "Ben" not in meeting.see(["Ben", "Ana", *NAMES[2:]])
    assert [tile.number for tile in meeting.view.tiles].index(number) == 0, "it went to the front"
    assert meeting.view.own == number
    with pytest.raises(SourceError, match="no tile 99"):
        meeting.view.choose_own(99)
    meeting.view.choose_own(None)
    assert "Ben" in meeting.see(NAMES)


def test_a_place_is_left_out_whoever_is_there() -> None:
    meeting = Class(ignore="0,0,0.3x0.5")
    assert sorted(meeting.see(NAMES)) == sorted(NAMES[1:])
    assert "Gia" not in meeting.see(NAMES[::-1])


def test_a_window_that_is_resized_and_one_without_faces() -> None:
    meeting = Class()
    meeting.see(NAMES)
    blank = Frame(np.zeros((300, 400, 3), np.uint8), meeting.time_s)
    assert meeting.follow(blank, Faces.empty(), []) == {}
    assert len(meeting.view.tiles) <= 1
    assert sorted(meeting.see(NAMES)) == NAMES


def test_only_a_screen_has_tiles_unless_the_settings_say_so() -> None:
    assert view_of("screen", ScreenSettings()) is not None
    assert view_of("video", ScreenSettings()) is None
    assert view_of("video", ScreenSettings(tiles="always")) is not None
    assert view_of("screen", ScreenSettings(tiles="off")) is None


def test_faces_outside_of_all_tiles_count_while_they_move() -> None:
    meeting = Class()
    for live in (True, False):
        seen: dict[str, int] = {}
        for _ in range(4):
            frame, faces = meeting.gallery.show([*NAMES, "Hugo*"], meeting.time_s)
            x0, y0, x1, y1 = meeting.gallery.places["Hugo*"]
            frame.image[y0:y1, x0:x1] = 26  # a small picture without a tile around it
            spot = frame.image[y0 + 30 : y0 + 60, x0 + 65 : x0 + 95]
            spot[:] = np.random.default_rng(int(10 * meeting.time_s) if live else 0).integers(90, 200, spot.shape)
            seen = meeting.follow(frame, faces, [*NAMES, "Hugo*"])
        assert ("Hugo*" in seen) == live
        meeting = Class()
