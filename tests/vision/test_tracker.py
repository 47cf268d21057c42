import numpy as np
import pytest
from scenes import Faults, Moment, faces_at, film, follow, hidden, seated, steady, still, uneven, walk

from classpulse.settings import TrackerSettings
from classpulse.types import Faces, Tracks
from classpulse.vision.tracker import MAX_LOST, FaceTracker

GAP_S = 1.5
RATES = [5, 15, 30]
REAL = Faults(jitter=0.03, missed=0.1, false=0.02)
"""A detector that is worse than the one in use."""


@pytest.fixture
def tracker() -> FaceTracker:
    return FaceTracker(TrackerSettings(max_gap_s=GAP_S))


def ids(tracks: Tracks) -> list[int]:
    return [int(i) for i in tracks.ids]


# Scripted scenes: many people, crossings, people out of sight


@pytest.mark.parametrize(
    ("times", "least"),
    [(steady(20, 5), 0.93), (steady(20, 15), 0.93), (steady(20, 30), 0.93), (uneven(20), 0.92)],
    ids=["5/s", "15/s", "30/s", "uneven"],
)
def test_thirty_seated_people_keep_their_numbers(tracker: FaceTracker, times: list[float], least: float) -> None:
    score = follow(tracker, film(seated(30), times, REAL))
    # A tenth is not detected at all, so the best that any tracker can reach is 2 x .9 / (1 + .9) = .947.
    assert score.idf1 > least
    assert score.switches <= 2
    assert len(score.given) <= 30 + 4


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("duration_s", [3, 6])
def test_two_who_cross_keep_their_numbers(tracker: FaceTracker, fps: float, duration_s: float) -> None:
    paths = [
        walk((200, 300, 60), (800, 300, 60), duration_s),
        walk((800, 320, 70), (200, 320, 70), duration_s),
    ]
    score = follow(tracker, film(paths, steady(duration_s, fps), Faults(jitter=0.03)))
    assert score.switches == 0
    assert len(score.given) == 2
    assert score.idf1 > 0.95


@pytest.mark.parametrize("fps", [8, 15, 30])
def test_a_quick_walk_past_ten_seated_people(fps: float) -> None:
    rows = [still(150 + 100 * i, 360, 55) for i in range(10)]
    teacher = walk((90, 300, 60), (1190, 300, 60), 3)  # six face widths a second
    for paths in ([teacher, *rows], [*rows, teacher]):
        score = follow(FaceTracker(TrackerSettings()), film(paths, steady(4, fps), Faults(jitter=0.03, missed=0.05)))
        assert score.switches == 0
        assert len(score.given) == 11


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize(
    "path",
    [still(300, 300), walk((100, 300, 60), (700, 300, 60), 6), walk((600, 150, 40), (600, 500, 110), 6)],
    ids=["sits", "walks by", "comes nearer"],
)
def test_a_second_out_of_sight_is_the_same_person(tracker: FaceTracker, fps: float, path: object) -> None:
    assert callable(path)
    scene = film([hidden(path, (2, 3)), still(420, 420)], steady(6, fps), Faults(jitter=0.03))
    score = follow(tracker, scene)
    assert score.switches == 0
    assert sorted(score.given) == [1, 2]


@pytest.mark.parametrize("fps", RATES)
def test_bursts_of_missed_detections_are_survived(tracker: FaceTracker, fps: float) -> None:
    times = [t for t in steady(9, fps) if not any(a < t % 3 < a + 0.7 for a in (0.5, 1.8))]
    blind = [t for t in steady(9, fps) if t not in times]
    moments = list(film(seated(20), times, Faults(jitter=0.03)))
    moments += [Moment(t, np.empty(0, np.int64), np.empty((0, 4), np.float32), Faces.empty()) for t in blind]
    score = follow(tracker, sorted(moments, key=lambda moment: moment.time_s))
    assert score.switches == 0
    assert len(score.given) == 20


@pytest.mark.parametrize(("away_s", "same"), [(GAP_S - 0.3, True), (GAP_S + 0.3, False)])
@pytest.mark.parametrize("fps", RATES)
def test_who_comes_back_in_time_keeps_the_number(
    tracker: FaceTracker, fps: float, away_s: float, *, same: bool
) -> None:
    paths = [hidden(still(300, 300), (2, 2 + away_s)), still(500, 300)]
    score = follow(tracker, film(paths, steady(6, fps), Faults(jitter=0.03)))
    assert len(score.tracks_of(0)) == (1 if same else 2)
    assert len(score.tracks_of(1)) == 1


def test_a_camera_cut_hands_no_number_to_somebody_else(tracker: FaceTracker) -> None:
    before = [still(160 * i, 200) for i in range(1, 7)]
    after = [*(still(160 * i + 80, 320) for i in range(1, 7)), *(still(160 * i, 200, 150) for i in (2, 5))]
    paths = [*(hidden(path, (3, 9)) for path in before), *(hidden(path, (0, 3)) for path in after)]
    score = follow(tracker, film(paths, steady(6, 15), Faults(jitter=0.03)))
    assert [len(score.tracks_of(person)) for person in range(14)] == [1] * 14
    assert len(score.given) == 14


def test_one_who_leaves_does_not_become_the_neighbour(tracker: FaceTracker) -> None:
    tracker.update(faces_at((300, 300, 60), (400, 300, 60)), 0)
    for i in range(1, 12):
        assert ids(tracker.update(faces_at((400, 300, 60)), i / 10)) == [2]


def test_who_is_seen_stays_before_who_was_lost_comes_back(tracker: FaceTracker) -> None:
    tracker.update(faces_at((300, 300, 60), (330, 300, 60)), 0)
    for i in range(1, 11):
        tracker.update(faces_at((330, 300, 60)), i / 10)
    assert ids(tracker.update(faces_at((312, 300, 60)), 1.1)) == [2]


@pytest.mark.parametrize("size", [20, 60, 300])
def test_a_quick_turn_of_the_head_is_followed_at_any_distance(tracker: FaceTracker, size: float) -> None:
    for i in range(30):
        assert ids(tracker.update(faces_at((600, 400, size)), i / 30)) == [1]
    assert ids(tracker.update(faces_at((600 + 0.6 * size, 400, size)), 1.0)) == [1]
    assert ids(tracker.update(faces_at((600 + 2.6 * size, 400, size)), 31 / 30)) == [2]


# Which detections become somebody


def test_the_first_frame_and_a_single_picture_number_everybody_at_once(tracker: FaceTracker) -> None:
    faces = faces_at((100, 100, 50), (300, 100, 50), (200, 300, 50), score=0.51)
    tracks = tracker.update(faces, 0)
    assert ids(tracks) == [1, 2, 3]
    np.testing.assert_array_equal(tracks.faces.boxes, faces.boxes)
    np.testing.assert_array_equal(tracks.faces.scores, faces.scores)
    assert ids(tracker.update(faces_at((600, 600, 50), score=0.51), 10 * GAP_S)) == [4]


def test_a_doubtful_face_must_be_seen_in_two_frames_in_a_row(tracker: FaceTracker) -> None:
    sure, doubtful = (100, 100, 50), (400, 300, 50)
    tracker.update(faces_at(sure), 0.0)
    seen = []
    for i, there in enumerate([True, False, True, True, True], start=1):
        places = [sure, doubtful] if there else [sure]
        faces = faces_at(*places)
        faces.scores[1:] = 0.55
        seen.append(ids(tracker.update(faces, i / 10)))
    assert seen == [[1], [1], [1], [1, 2], [1, 2]]


def test_a_clear_face_is_believed_at_first_sight(tracker: FaceTracker) -> None:
    tracker.update(faces_at((100, 100, 50)), 0.0)
    assert ids(tracker.update(faces_at((100, 100, 50), (400, 300, 50), score=0.8), 0.1)) == [1, 2]


def test_false_detections_here_and_there_are_nobody(tracker: FaceTracker) -> None:
    score = follow(tracker, film([still(300, 300)], steady(60, 15), Faults(false=0.2)))
    assert len(score.given) <= 2


def test_a_low_score_keeps_a_known_face_and_takes_no_lost_one(tracker: FaceTracker) -> None:
    tracker.update(faces_at((300, 300, 60)), 0.0)
    assert ids(tracker.update(faces_at((300, 300, 60), score=0.52), 0.1)) == [1]
    tracker.update(Faces.empty(), 0.6)
    assert ids(tracker.update(faces_at((360, 300, 60), score=0.52), 1.1)) == []
    assert ids(tracker.update(faces_at((300, 300, 60)), 1.2)) == [1]


def test_high_scores_choose_before_low_ones(tracker: FaceTracker) -> None:
    tracker.update(faces_at((300, 300, 60)), 0.0)
    faces = faces_at((300, 300, 60), (318, 300, 60))
    faces.scores[:] = 0.52, 0.95
    tracks = tracker.update(faces, 0.1)
    assert ids(tracks) == [1]
    assert tracks.faces.boxes[0].tolist() == faces.boxes[1].tolist()


def test_another_size_is_another_person(tracker: FaceTracker) -> None:
    tracker.update(faces_at((300, 300, 60)), 0.0)
    assert ids(tracker.update(faces_at((300, 300, 140)), 0.1)) == [2]


# Numbers and arrays


def test_numbers_belong_to_one_tracker_and_are_never_given_twice() -> None:
    one, other = FaceTracker(TrackerSettings()), FaceTracker(TrackerSettings())
    given = [ids(one.update(faces_at((100, 100, 50)), 5.0 * i)) for i in range(4)]
    assert given == [[1], [2], [3], [4]]
    assert ids(other.update(faces_at((100, 100, 50), (300, 100, 50)), 0)) == [1, 2]
    for i in range(1, 30):
        other.update(faces_at((100, 100, 50)), i / 10)
    assert ids(other.update(faces_at((100, 100, 50), (300, 100, 50)), 3)) == [1, 3]


def test_inputs_are_neither_changed_nor_kept(tracker: FaceTracker) -> None:
    for i in range(4):
        faces = faces_at((100 + i, 100, 50), (300, 100, 50))
        copy = faces[:]
        copy = Faces(copy.boxes.copy(), copy.scores.copy(), copy.landmarks.copy())
        tracks = tracker.update(faces, i / 10)
        np.testing.assert_array_equal(faces.boxes, copy.boxes)
        np.testing.assert_array_equal(faces.scores, copy.scores)
        assert not np.shares_memory(tracks.faces.boxes, faces.boxes)
        tracks.ids[:] = 99
        tracks.faces.boxes[:] = 0
        faces.boxes[:] = 0
    assert ids(tracker.update(faces_at((104, 100, 50), (300, 100, 50)), 0.4)) == [1, 2]


def test_only_faces_of_this_frame_are_returned_in_the_order_of_the_detector(tracker: FaceTracker) -> None:
    tracker.update(faces_at((100, 100, 50), (300, 100, 50), (500, 100, 50)), 0)
    tracks = tracker.update(faces_at((500, 100, 50), (101, 100, 50)), 0.1)
    assert ids(tracks) == [3, 1]
    assert tracks.ids.dtype == np.int64
    assert len(tracker.update(Faces.empty(), 0.2)) == 0


# Hostile input


@pytest.mark.parametrize(
    "box",
    [
        (np.nan, 0, 50, 50),
        (0, 0, np.inf, 50),
        (-np.inf, -np.inf, np.inf, np.inf),
        (50, 50, 50, 50),
        (50, 50, 20, 90),
        (10, 10, 10.2, 60),
    ],
)
def test_what_cannot_be_a_face_is_left_out(tracker: FaceTracker, box: tuple[float, ...]) -> None:
    good = faces_at((100, 100, 50), (300, 100, 50))
    boxes = np.insert(good.boxes, 1, np.array(box, np.float32), axis=0)
    bad = Faces(boxes, np.full(3, 0.9, np.float32), np.full((3, 5, 2), np.nan, np.float32))
    for i in range(3):
        assert ids(tracker.update(bad, i / 10)) == [1, 2]


def test_a_score_that_is_no_number_is_left_out(tracker: FaceTracker) -> None:
    assert ids(tracker.update(faces_at((100, 100, 50), score=np.nan), 0)) == []


def test_boxes_of_any_size_are_survived(tracker: FaceTracker) -> None:
    top = float(np.finfo(np.float32).max)
    boxes = np.array([[-top, -top, top, top], [0, 0, top, 1], [top / 2, 0, top, top], [0, 0, 1, 1]], np.float32)
    faces = Faces(boxes, np.full(4, 0.9, np.float32), np.zeros((4, 5, 2), np.float32))
    for i in range(5):
        assert ids(tracker.update(faces, i / 10)) == [1, 2, 3, 4]
        tracker.update(faces[::-1], i / 10 + 0.05)


@pytest.mark.parametrize(
    "times",
    [[0.0] * 6, [5.0, 4.9, 4.8, 4.7, 5.2, 5.1], [np.nan] * 6, [0.0, np.nan, 0.1, np.inf, -np.inf, 0.2]],
    ids=["stands still", "steps back", "no number", "now and then no number"],
)
def test_a_bad_clock_does_not_lose_anybody(tracker: FaceTracker, times: list[float]) -> None:
    assert [ids(tracker.update(faces_at((100 + 5 * i, 100, 50)), t)) for i, t in enumerate(times)] == [[1]] * 6


@pytest.mark.parametrize("jump", [-100.0, 100.0, 1e300, -1e300])
def test_a_jump_of_the_clock_starts_afresh(tracker: FaceTracker, jump: float) -> None:
    faces = faces_at((100, 100, 50))
    assert [ids(tracker.update(faces, t)) for t in (0.0, 0.1, jump, jump)] == [[1], [1], [2], [2]]


def test_a_thousand_new_faces_in_every_frame_are_survived(tracker: FaceTracker) -> None:
    rng = np.random.default_rng(0)
    last = 0
    for i in range(8):
        centres = rng.uniform(0, 20_000, (1000, 2))
        given = ids(tracker.update(faces_at(*((x, y, 40) for x, y in centres)), i / 30))
        assert len(set(given)) == 1000
        assert max(given) > last
        last = max(given)
        assert len(tracker._tracks) <= 1000 + MAX_LOST
