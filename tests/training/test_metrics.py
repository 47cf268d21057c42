from __future__ import annotations

import numpy as np
import pytest
from faces import make_faces

from classpulse.training.evaluate.metrics import calibration, company, coverage, rate, score, scores
from classpulse.training.faces.faceset import EMOTIONS, VOTES, FaceSet

ANGRY, DISGUST, FEAR, HAPPY, SAD, SURPRISE, NEUTRAL = range(7)


def faces_of(labels: list[int], votes: list[dict[str, int]]) -> FaceSet:
    """Blank faces with these labels and votes."""
    asked = np.zeros((len(labels), len(VOTES)), np.uint8)
    for row, counts in zip(asked, votes, strict=True):
        for name, count in counts.items():
            row[VOTES.index(name)] = count
    count = len(labels)
    images, names = np.zeros((count, 48, 48), np.uint8), np.array([f"row {i}" for i in range(count)])
    return FaceSet(images, np.array(labels, np.uint8), np.full(count, "PublicTest"), asked, names)


def test_a_known_confusion_gives_known_figures() -> None:
    truth = np.array([HAPPY] * 6 + [SAD] * 4)
    said = np.array([HAPPY] * 5 + [SAD] + [SAD] * 2 + [NEUTRAL] * 2)
    found = score(truth, said)
    assert (found.accuracy.hits, found.faces) == (7, 10)
    assert found.confusion[HAPPY, [HAPPY, SAD]].tolist() == [5, 1]
    assert found.confusion[SAD, [SAD, NEUTRAL]].tolist() == [2, 2]
    assert found.confusion.sum() == 10
    assert found.recalls[[HAPPY, SAD]] == pytest.approx([5 / 6, 1 / 2])
    assert np.isnan(found.recalls[[ANGRY, NEUTRAL]]).all()
    # F1 is 2 tp / (2 tp + fp + fn): happy 10 / 11, sad 4 / (4 + 1 + 2); neutral does not occur.
    assert found.macro_f1 == pytest.approx((10 / 11 + 4 / 7) / 2)


@pytest.mark.parametrize(
    ("hits", "faces", "low", "high"), [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0)]
)
def test_intervals_are_wilsons(hits: int, faces: int, low: float, high: float) -> None:
    found = rate(hits, faces)
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-4)


def test_both_scores_stand_side_by_side() -> None:
    votes = [{"happy": 10}, {"sad": 6, "neutral": 4}, {"sad": 5, "neutral": 5}, {"contempt": 10}]
    faces = faces_of([HAPPY, NEUTRAL, SAD, ANGRY], votes)
    found = scores(faces, np.array([HAPPY, SAD, NEUTRAL, ANGRY]))
    assert (found["label"].accuracy.hits, found["label"].faces) == (2, 4)
    assert (found["people"].accuracy.hits, found["people"].faces) == (2, 2)
    part = scores(faces, np.array([HAPPY, SAD, NEUTRAL, ANGRY]), np.array([False, True, True, True]))
    assert (part["label"].accuracy.hits, part["label"].faces) == (1, 3)
    assert (part["people"].accuracy.hits, part["people"].faces) == (1, 1)


def test_without_votes_there_is_one_score() -> None:
    faces = make_faces(1, votes=False)
    assert list(scores(faces, faces.labels)) == ["label"]
    assert company(faces.votes, faces.labels) is None


def test_the_network_is_set_among_the_people() -> None:
    faces = faces_of([HAPPY, SAD], [{"happy": 6, "neutral": 2}, {"sad": 5, "fear": 3, "unknown": 2}])
    found = company(faces.votes, np.array([HAPPY, FEAR]))
    assert found is not None
    assert found.network == pytest.approx((0.75 + 0.3) / 2)
    assert found.best == pytest.approx((0.75 + 0.5) / 2)
    assert found.two_people == pytest.approx(((30 + 2) / 56 + (20 + 6 + 2) / 90) / 2)
    assert found.one_and_majority == pytest.approx(0.75)  # only of the first more than five are of one mind
    assert found.faces == 2


def test_what_is_named_is_what_is_certain_enough() -> None:
    curve = coverage(np.array([0.2, 0.4, 0.6, 0.8]), np.array([False, True, False, True]), (0.0, 0.4, 0.7, 0.9))
    assert curve.covered.tolist() == [1.0, 0.75, 0.25, 0.0]
    assert curve.accuracy[:3].tolist() == pytest.approx([0.5, 2 / 3, 1.0])
    assert np.isnan(curve.accuracy[3])


def test_calibration_is_judged_by_the_target() -> None:
    faces = faces_of([HAPPY] * 4, [{"happy": 6, "sad": 2}] * 4)
    shares = np.full((4, 7), 1e-9)
    shares[:, HAPPY], shares[:, SAD] = 0.75, 0.25
    logits = np.log(shares)
    people = calibration(faces, logits, "people", 1.0, "told")
    assert people.before.error == pytest.approx(0, abs=1e-6)
    assert people.majority_error == pytest.approx(0.25, abs=1e-6)
    assert calibration(faces, logits, "label", 1.0, "told").before.error == pytest.approx(0.25, abs=1e-6)
    sharpened = calibration(faces, 4 * logits, "people", 4.0, "told")
    assert sharpened.before.error > 0.2
    assert sharpened.after.error == pytest.approx(0, abs=1e-6)


def test_seven_emotions_are_in_the_order_of_the_data() -> None:
    assert EMOTIONS[HAPPY] == "happy"
    assert EMOTIONS[NEUTRAL] == "neutral"
