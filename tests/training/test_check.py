from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from command import complaint, here, run
from faces import make_faces, write_csv, write_folders, write_npz
from rich.console import Console

from classpulse.training.check.check import Part, agree, blanks, check
from classpulse.training.check.table import check_table
from classpulse.training.faces.faceset import EMOTIONS, VOTES, FaceSet, Split
from classpulse.training.faces.label_order import TRAINING_COUNTS, wrong_order
from classpulse.training.faces.layouts import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from classpulse.training.check.check import DataCheck

RNG = np.random.default_rng(0)


def shown(count: int) -> NDArray[np.uint8]:
    """Pictures of which no two look the same."""
    small = RNG.integers(0, 256, (count, 7, 7), dtype=np.uint8)
    return np.stack([cv2.resize(image, (48, 48), interpolation=cv2.INTER_CUBIC) for image in small])


def different(per_class: int = 6, *, votes: bool = True) -> FaceSet:
    """The made-up faces' labels, splits and votes, under pictures that are all different."""
    faces = make_faces(per_class, votes=votes)
    return FaceSet(shown(len(faces)), faces.labels, faces.splits, faces.votes, faces.names)


def pick(faces: FaceSet, split: Split, label: str, nth: int = 0) -> int:
    found = np.flatnonzero((faces.splits == split.value) & (faces.labels == EMOTIONS.index(label)))
    return int(found[nth])


def lighter(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(image * 0.8 + 20, np.uint8)


def part(result: DataCheck, split: Split) -> Part:
    return next(part for part in result.parts if part.split == split.value)


def found(result: DataCheck, name: str) -> list[str]:
    return [finding.found for finding in result.findings if finding.name == name]


def shown_as_text(result: DataCheck) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(check_table("made-up", result))
    return capture.get()


def test_a_good_set_has_nothing_to_say_no_to() -> None:
    faces = different()
    result = check(faces, [])
    assert result.faces == 70
    assert {part.split: part.counts for part in result.parts} == {
        "Training": (6,) * 7,
        "PublicTest": (2,) * 7,
        "PrivateTest": (2,) * 7,
    }
    assert (result.groups, result.largest_group, result.contradicting, result.blank) == (0, 0, 0, ())
    assert result.obstacles == []
    assert all(part.exact == part.near == part.near_in_training == part.other_label == 0 for part in result.parts)


def test_copies_are_counted_where_they_are() -> None:
    faces = different()
    images, training = faces.images, Split.TRAINING
    happy = images[pick(faces, training, "happy")]
    images[pick(faces, training, "happy", 1)] = happy
    images[pick(faces, training, "happy", 2)] = lighter(happy)
    images[pick(faces, Split.PUBLIC, "happy")] = happy
    images[pick(faces, Split.PRIVATE, "sad")] = lighter(happy)
    images[pick(faces, Split.PRIVATE, "fear")] = lighter(images[pick(faces, training, "fear")])
    result = check(faces, [])
    assert part(result, training) == Part("Training", (6,) * 7, 0, 1, 3, 0, 0, 0)
    assert part(result, Split.PUBLIC) == Part("PublicTest", (2,) * 7, 0, 0, 0, 1, 1, 0)
    # Lighter as the Training face is, so its pixels are the same, too.
    assert part(result, Split.PRIVATE) == Part("PrivateTest", (2,) * 7, 0, 0, 0, 1, 2, 1)
    assert (result.groups, result.largest_group, result.contradicting) == (2, 5, 1)
    assert found(result, "copies") == [
        f"{which} that look the same as one in Training, {contradicting} of them as one that carries another label"
        for which, contradicting in {"PublicTest: 1 faces (7.1 %)": 0, "PrivateTest: 2 faces (14.3 %)": 1}.items()
    ] + ["groups of pictures that look the same and carry different labels: 1"]
    assert result.obstacles == []


def test_blank_pictures_are_named_and_are_no_copies() -> None:
    faces = different()
    at = [pick(faces, Split.TRAINING, "sad"), pick(faces, Split.PRIVATE, "sad")]
    faces.images[at[0]] = 0
    faces.images[at[1]] = 200 + RNG.integers(-3, 4, (48, 48))
    result = check(faces, [])
    assert sorted(result.blank) == sorted(faces.names[at].tolist())
    assert [part(result, split).blank for split in (Split.TRAINING, Split.PUBLIC, Split.PRIVATE)] == [1, 0, 1]
    assert result.groups == 0
    assert not blanks(make_faces().images).any()


def test_agreement_with_people() -> None:
    faces = different()
    votes = np.zeros_like(faces.votes)
    votes[:, VOTES.index("neutral")] = 5  # five of ten is no majority
    sad = np.flatnonzero(faces.labels == EMOTIONS.index("sad"))
    votes[sad] = 0
    votes[sad[:3], VOTES.index("sad")] = 6
    votes[sad[:3], VOTES.index("unknown")] = 4
    votes[sad[3:], VOTES.index("neutral")] = 10
    result = agree(FaceSet(faces.images, faces.labels, faces.splits, votes, faces.names))
    assert [(row.emotion, row.faces, row.seen_as) for row in result] == [("sad", 10, "neutral"), ("all", 10, "neutral")]
    assert result[0].label == pytest.approx(0.3)
    assert result[0].person == pytest.approx((3 * 0.6 + 7) / 10)


def test_without_a_majority_anywhere_it_says_nothing() -> None:
    faces = different()
    votes = np.ones_like(faces.votes)
    assert check(FaceSet(faces.images, faces.labels, faces.splits, votes, faces.names), []).people == ()


def test_labels_in_the_order_of_the_alphabet_are_seen_by_the_votes() -> None:
    faces = different(12)
    alphabet = np.asarray([sorted(EMOTIONS).index(emotion) for emotion in EMOTIONS], np.uint8)
    permuted = FaceSet(faces.images, alphabet[faces.labels], faces.splits, faces.votes, faces.names)
    assert wrong_order(faces) == ""
    assert wrong_order(permuted) == "by people's votes, sad is neutral, surprise is sad, neutral is surprise"
    assert [obstacle.name for obstacle in check(permuted, []).obstacles] == ["label order"]


def test_labels_in_the_order_of_the_alphabet_are_seen_by_the_sizes() -> None:
    alphabet = np.asarray([sorted(EMOTIONS).index(emotion) for emotion in EMOTIONS], np.uint8)
    kaggle = (3993, 436, 4103, 7164, 4938, 3205, 4982)
    for counts in (TRAINING_COUNTS, kaggle):
        labels = np.repeat(np.arange(7, dtype=np.uint8), counts)
        many = len(labels)
        images = np.broadcast_to(np.uint8(0), (many, 48, 48))
        splits, names = np.full(many, "Training"), np.full(many, "")
        votes = np.broadcast_to(np.uint8(0), (many, 10))
        assert wrong_order(FaceSet(images, labels, splits, votes, names)) == ""
        moved = wrong_order(FaceSet(images, alphabet[labels], splits, votes, names))
        assert moved.startswith("by the class sizes of FER-2013, ")
        assert "neutral is surprise" in moved
        # A set of other faces may have any sizes.
        assert wrong_order(FaceSet(images, labels // 2, splits, votes, names)) == ""


@pytest.mark.parametrize(
    ("keep", "name", "wanted"),
    [
        (lambda faces: faces.labels != EMOTIONS.index("fear"), "classes", "Training has no face for fear"),
        (lambda faces: faces.splits == "PublicTest", "classes", f"Training has no face for {', '.join(EMOTIONS)}"),
        (
            lambda faces: (faces.splits != "PublicTest") | (faces.labels != EMOTIONS.index("sad")),
            "classes",
            "PublicTest, which is chosen by, has no face for sad",
        ),
        (lambda faces: np.zeros(len(faces), np.bool_), "faces", "no face could be read"),
    ],
)
def test_what_cannot_be_trained_on(keep: Any, name: str, wanted: str) -> None:
    faces = different()
    obstacles = check(faces[keep(faces)], [Problem("x", "y")]).obstacles
    assert (obstacles[0].name, obstacles[0].found) == (name, wanted)
    assert obstacles[0].advice


def test_one_training_face_cannot_be_held_out() -> None:
    faces = make_faces(1).split(Split.TRAINING)
    assert [obstacle.found for obstacle in check(faces, []).obstacles] == [
        f"Training has no face for {', '.join(EMOTIONS)}"
    ]


def test_the_table_shows_what_was_found() -> None:
    faces = different()
    faces.images[pick(faces, Split.PUBLIC, "happy")] = faces.images[pick(faces, Split.TRAINING, "happy")]
    problems = [Problem(f"train/sad/[red]{i}.jpg", "it is empty") for i in range(12)]
    text = shown_as_text(check(faces, problems))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "made-up: 70 faces"
    assert "happy 6 2 2 10 14.3 %" in lines
    assert "looks the same as one in Training 1 0" in lines
    assert "train/sad/[red]9.jpg: it is empty" in lines
    assert "train/sad/[red]10.jpg: it is empty" not in lines
    assert "and 2 more: --json lists all" in lines
    assert "· unreadable 12 left out" in lines
    assert "all 70 100.0 % 82.9 %" in lines


def test_the_command_passes_a_good_set(tmp_path: Path) -> None:
    path = write_csv(different(), tmp_path, ferplus=True)
    finished = here("data", "check", path, "--json", tmp_path / "found.json", data=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("fer2013.csv: 70 faces")
    written = json.loads((tmp_path / "found.json").read_text())
    again = here("data", "check", path, "--json", tmp_path / "found.json", data=tmp_path)
    assert again.returncode == 2
    assert "is there already: add --force to write over it" in complaint(again)
    assert here("data", "check", path, "--json", tmp_path / "found.json", "--force", data=tmp_path).returncode == 0
    assert written["trainable"] is True
    assert written["parts"][0]["counts"] == [6] * 7
    overall = written["people"][-1]
    assert (overall["emotion"], overall["faces"], overall["label"]) == ("all", 70, 1.0)
    assert overall["person"] == pytest.approx((6 * 0.8 + 1.0) / 7)


def test_the_command_refuses_a_set_that_lacks_a_class(tmp_path: Path) -> None:
    faces = different()
    folder = write_folders(faces[faces.labels != EMOTIONS.index("disgust")], tmp_path / "data")
    (folder / "images" / "train" / "sad" / "x.jpg").write_bytes(b"")
    finished = run("data", "check", folder, "--json", "-", data=tmp_path)
    assert finished.returncode == 8
    assert complaint(finished) == (
        f"{folder} cannot be trained on: Training has no face for disgust; PublicTest, which is chosen by, has no face "
        "for disgust"
    )
    written = json.loads(finished.stdout)
    assert written["trainable"] is False
    assert written["problems"] == [{"name": "images/train/sad/x.jpg", "reason": "it is empty"}]


def test_the_command_says_what_it_cannot_do(tmp_path: Path) -> None:
    missing = here("data", "check", tmp_path / "nothing", data=tmp_path)
    assert missing.returncode == 8
    assert "does not exist" in complaint(missing)
    path = write_npz(different(), tmp_path / "fer2013.npz")
    unwritten = here("data", "check", path, "--json", tmp_path, data=tmp_path)
    assert unwritten.returncode == 8
    assert complaint(unwritten) == f"--json {tmp_path} cannot be written: Is a directory"


def test_it_needs_nothing_that_only_training_needs(tmp_path: Path) -> None:
    write_csv(different(), tmp_path)
    program = (
        "import sys\nfor name in 'onnx onnxscript optuna scipy sklearn torch'.split(): sys.modules[name] = None\n"
        "from classpulse.cli import cli\ncli.main(['data', 'check', sys.argv[1]], standalone_mode=False)"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "fer2013.csv")]
    finished = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr


def test_its_help_has_examples(tmp_path: Path) -> None:
    finished = here("data", "check", "--help", data=tmp_path)
    assert "classpulse data check fer2013.csv" in finished.stdout
