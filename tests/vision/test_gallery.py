from __future__ import annotations

import numpy as np
import pytest
from looks import SIZE, gallery, person, unit

from classpulse.errors import PeopleError
from classpulse.vision.gallery import FEW, Gallery


def like(**parts: float) -> np.ndarray:
    """A face with these cosines to three people who have nothing in common, and the rest in nobody's direction."""
    row = np.zeros(8, np.float32)
    row[:3] = [parts.get(name, 0.0) for name in ("ana", "ben", "cleo")]
    row[7] = np.sqrt(1 - (row**2).sum())
    return row


@pytest.fixture
def three() -> Gallery:
    return Gallery("net 1", ("ana", "ben", "cleo"), np.eye(3, 8, dtype=np.float32))


def test_a_stranger_is_unknown(three: Gallery) -> None:
    found = three.match(np.array([like(ana=0.59), like(ben=0.61), like()]), 0.6)
    assert found.people == (None, "ben", None)
    assert found.similarities[1] == pytest.approx(0.61)
    assert np.isnan(found.similarities[[0, 2]]).all()


def test_of_several_photos_the_most_like_one_counts() -> None:
    rows = np.eye(8, dtype=np.float32)[[0, 3, 1, 4]]
    two = Gallery("net 1", ("ana", "ben", "ben", "ana"), rows)
    assert two.people == ("ana", "ben")
    scores = two.similarities(rows[[2, 3, 1]])
    np.testing.assert_allclose(scores, [[0, 1], [1, 0], [0, 1]])


def test_nobody_is_found_twice_and_the_more_like_face_wins(three: Gallery) -> None:
    found = three.match(np.array([like(ana=0.7), like(ana=0.9), like(ana=0.8)]), 0.6)
    assert found.people == (None, "ana", None)


def test_people_are_assigned_and_not_each_taken_by_the_nearest_face(three: Gallery) -> None:
    # The first face is most like Ana, who is closer to the second; it is Ben, whom it is like as well.
    found = three.match(np.array([like(ana=0.68, ben=0.66), like(ana=0.9)]), 0.6)
    assert found.people == ("ben", "ana")


def test_who_is_as_like_one_as_another_is_not_named(three: Gallery) -> None:
    assert three.match(np.array([like(ana=0.67, ben=0.64)]), 0.6).people == (None,)
    assert three.match(np.array([like(ana=0.67, ben=0.61)]), 0.6).people == ("ana",)
    assert three.match(np.array([like(ana=0.63, ben=0.59)]), 0.6).people == (None,), "also if the other is below"
    # Ana was given to a face that she is less like than the first one: then the first is not surely Ben.
    shared = three.match(np.array([like(ana=0.7, ben=0.68), like(ana=0.69)]), 0.6)
    assert shared.people == (None, "ana")


def test_one_or_many_faces_are_found_alike() -> None:
    many = gallery(*range(40), photos=3)
    faces = np.array([unit(person(n) + 0.5 * person(100 + n)) for n in range(20)])
    assert len(faces) > FEW
    together = many.match(faces, 0.6)
    assert together.people == tuple(f"p{n}" for n in range(20))
    for i in range(20):
        alone = many.match(faces[i : i + 1], 0.6)
        assert alone.people == together.people[i : i + 1]
        assert alone.similarities[0] == pytest.approx(together.similarities[i], abs=1e-5)


def test_nobody_and_no_face() -> None:
    empty = Gallery.empty()
    assert (len(empty), empty.people) == (0, ())
    assert not empty
    assert empty.match(np.array([person(1)]), 0.6).people == (None,)
    assert gallery(1).match(np.empty((0, SIZE), np.float32), 0.6).people == ()


def test_a_face_that_is_no_number_is_nobody() -> None:
    faces = np.array([person(1), np.full(SIZE, np.nan, np.float32)])
    assert gallery(1, 2).match(faces, 0.6).people == ("p1", None)


def test_another_embedders_gallery_is_refused_by_name() -> None:
    with pytest.raises(
        PeopleError, match=r"'painted 1' \(64 .*'net 2' \(64\).*enrol them again with `classpulse people"
    ):
        gallery(1).require("net 2", SIZE)
    with pytest.raises(PeopleError, match="enrol them again"):
        gallery(1).require("painted 1", 128)
    gallery(1).require("painted 1", SIZE)
    Gallery.empty().require("net 2", 128)


def test_rows_that_make_no_sense_are_refused() -> None:
    with pytest.raises(PeopleError, match="a row for each of its 2 photos"):
        Gallery("net 1", ("ana", "ben"), np.eye(3, dtype=np.float32))
    for bad in (np.zeros((1, 4)), np.full((1, 4), np.nan), np.ones((1, 4))):
        with pytest.raises(PeopleError, match="damaged"):
            Gallery("net 1", ("ana",), bad.astype(np.float32))


def test_the_rows_are_the_gallerys_own() -> None:
    rows = np.eye(2, dtype=np.float32)
    mine = Gallery("net 1", ("ana", "ben"), rows)
    rows[:] = 0
    assert mine.match(np.eye(2, dtype=np.float32), 0.6).people == ("ana", "ben")
