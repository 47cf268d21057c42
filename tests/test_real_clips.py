"""What the command finds in real recordings; each is processed once, and many things are asked of its lines."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NoReturn

import cv2
import numpy as np
import pytest
from command import run

from classpulse.insight.baseline import RestingFaces
from classpulse.insight.facing import FacingJudge
from classpulse.insight.signals import mood
from classpulse.insight.state import class_state
from classpulse.settings import AttentionSettings
from classpulse.storage.store import Store
from classpulse.types import UNCERTAIN, Emotions, HeadPoses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIPS = (
    "meeting-gallery.mp4",
    "one-person-sad-then-happy.mp4",
    "classroom.mp4",
    "person-leaves.mov",
    "nobody.mp4",
    "one-person-smile.mp4",
    "seated-class.gif",
)
SEVEN = {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"}
SHAPE = ["track", "box", "confidence", "emotion", "probabilities", "yaw_deg", "roll_deg"]
TILE = (426, 240)

Face = dict[str, Any]


@dataclass(frozen=True)
class Clip:
    """A processed recording: its path, the lines of its results, and its data folder."""

    path: Path
    lines: list[dict[str, Any]]
    data: Path

    @property
    def faces(self) -> list[tuple[float, Face]]:
        """Every face with its time."""
        return [(line["time_s"], face) for line in self.lines for face in line["faces"]]

    def emotions(self, start_s: float = 0, end_s: float = 1e9) -> Counter[str | None]:
        """How often each word was said between two times."""
        return Counter(face["emotion"] for time_s, face in self.faces if start_s <= time_s < end_s)


def not_json(name: str) -> NoReturn:
    pytest.fail(f"{name} is no JSON")


def process(path: Path, data: Path) -> Clip:
    """All lines of `classpulse live CLIP --fast`, which must be strict JSON."""
    results = data / "results.jsonl"
    finished = run("live", path, "--fast", "--results", results, data=data, timeout_s=500)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == ""
    lines = [json.loads(line, parse_constant=not_json) for line in results.read_text("utf-8").splitlines()]
    return Clip(path, lines, data)


@pytest.fixture(scope="module")
def runs(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Clip]]]:
    """Every clip on its way, two at a time: one process uses half of the cores."""
    pool = ThreadPoolExecutor(2)
    yield {
        name: pool.submit(process, test_data / "clips" / name, tmp_path_factory.mktemp(name.partition(".")[0]))
        for name in CLIPS
    }
    pool.shutdown(cancel_futures=True)


@pytest.fixture
def clip(request: pytest.FixtureRequest, runs: dict[str, Future[Clip]]) -> Clip:
    return runs[request.param].result()


def on(*names: str) -> pytest.MarkDecorator:
    """Run a test on the named clips."""
    return pytest.mark.parametrize("clip", names, indirect=True)


@on(*CLIPS)
def test_one_line_a_decoded_frame_by_the_medias_own_clock(clip: Clip) -> None:
    capture = cv2.VideoCapture(str(clip.path))  # another decoder than the one under test
    times_s = []
    while capture.grab():
        times_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    assert [line["frame"] for line in clip.lines] == list(range(len(times_s)))
    times = [line["time_s"] for line in clip.lines]
    assert times == sorted(times)
    if clip.path.suffix != ".gif":  # of which OpenCV tells no times
        assert times == pytest.approx(times_s, abs=0.002)


@on(*CLIPS)
def test_every_line_has_the_documented_shape(clip: Clip) -> None:
    for line in clip.lines:
        assert list(line) == ["time_s", "frame", "faces"]
        for face in line["faces"]:
            assert list(face) == SHAPE
            x0, y0, x1, y1 = face["box"]
            assert x0 < x1
            assert y0 < y1
            assert isinstance(face["track"], int)
            assert 0 < face["confidence"] <= 1
            assert (face["yaw_deg"] is None) == (face["roll_deg"] is None)
            assert face["yaw_deg"] is None or abs(face["yaw_deg"]) <= 90
            probabilities = face["probabilities"]
            if probabilities is None:
                assert face["emotion"] is None
                continue
            assert set(probabilities) == SEVEN
            assert sum(probabilities.values()) == pytest.approx(1, abs=0.001)
            # Two that are equal by four digits may be told either way.
            assert face["emotion"] == UNCERTAIN or probabilities[face["emotion"]] >= max(probabilities.values()) - 1e-4
        tracks = [face["track"] for face in line["faces"]]
        assert len(tracks) == len(set(tracks))


@on("classroom.mp4")
def test_the_people_of_a_class_are_found_and_keep_their_numbers(clip: Clip) -> None:
    counts = [len(line["faces"]) for line in clip.lines]
    assert sum(5 <= count <= 7 for count in counts) > len(counts) / 2
    assert max(counts) <= 7
    assert len({face["track"] for _, face in clip.faces}) <= 12


@on("nobody.mp4")
def test_where_nobody_is_nobody_is_found(clip: Clip) -> None:
    assert all(line["faces"] == [] for line in clip.lines)


@on("meeting-gallery.mp4")
def test_in_still_tiles_everybody_keeps_one_number_from_start_to_end(clip: Clip) -> None:
    centres: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for _, face in clip.faces:
        x0, y0, x1, y1 = face["box"]
        assert x0 < 2 * TILE[0] or y0 < 2 * TILE[1], "there is nobody in the last tile"
        centres[face["track"]].append(((x0 + x1) / 2 // TILE[0], (y0 + y1) / 2 // TILE[1]))
    steady = Counter(
        Counter(places).most_common(1)[0][0] for places in centres.values() if len(places) >= 0.98 * len(clip.lines)
    )
    # The crying one, the smiling one, the two who turn their heads, and the one who turns to profile.
    assert steady == {(0, 0): 1, (1, 0): 1, (2, 0): 2, (0, 2): 1}


def answers(clip: Clip, centre: tuple[float, float], judge: FacingJudge) -> list[tuple[float, float]]:
    """When the one steady face about a place was said to face the screen, after the first ten seconds."""
    found = []
    for line in clip.lines:
        yaws = np.array([math.nan if f["yaw_deg"] is None else f["yaw_deg"] for f in line["faces"]], np.float32)
        poses = HeadPoses(yaws, np.zeros_like(yaws), np.full_like(yaws, 4))
        facing = judge.update(np.array([f["track"] for f in line["faces"]], np.int64), poses, line["time_s"])
        for face, answer in zip(line["faces"], facing.tolist(), strict=True):
            x0, y0, x1, y1 = face["box"]
            if math.dist(((x0 + x1) / 2, (y0 + y1) / 2), centre) < 60 and line["time_s"] > 10:
                found.append((line["time_s"], answer))
    return found


CRYING, SMILING, TURNING, LEFT_OF_TWO, RIGHT_OF_TWO = (292, 132), (625, 128), (200, 575), (930, 105), (1160, 88)


@on("meeting-gallery.mp4")
def test_who_turns_to_profile_faces_the_screen_again_and_again_and_the_others_all_the_time(clip: Clip) -> None:
    def spans(centre: tuple[float, float]) -> list[float]:
        # The turns last for half a second: they count here because `min_turn_s` is short.
        return [answer for answer, _ in groupby(a for _, a in answers(clip, centre, FacingJudge(25, 6, 0.2, 10)))]

    turning = spans(TURNING)
    assert set(turning) == {0, 1}
    assert len(turning) >= 8, "to and fro, at least four times in ten seconds"
    for steady in (CRYING, SMILING, LEFT_OF_TWO, RIGHT_OF_TWO):
        assert spans(steady) == [1]


@on("meeting-gallery.mp4")
def test_two_who_turn_to_each_other_a_little_are_seen_to_where_little_counts(clip: Clip) -> None:
    for centre, limit_deg in ((LEFT_OF_TWO, 14), (RIGHT_OF_TWO, 8)):
        found = answers(clip, centre, FacingJudge(limit_deg, 2, 0.1, 10))
        assert [answer for answer, _ in groupby(answer for _, answer in found)][:3] == [1, 0, 1]
        turned = [time_s for time_s, answer in found if answer == 0]
        assert all(13.8 < time_s < 15.5 or time_s > 18.4 for time_s in turned), turned
        assert {answer for _, answer in answers(clip, SMILING, FacingJudge(limit_deg, 2, 0.1, 10))} == {1}


@on("meeting-gallery.mp4")
def test_by_default_short_looks_aside_do_not_count(clip: Clip) -> None:
    default = AttentionSettings()
    for centre in (CRYING, SMILING, TURNING, LEFT_OF_TWO, RIGHT_OF_TWO):
        judge = FacingJudge(default.max_yaw_deg, default.hysteresis_deg, default.min_turn_s, default.calibration_s)
        assert {answer for _, answer in answers(clip, centre, judge)} == {1}


@on("one-person-smile.mp4")
def test_a_smile_comes_and_goes(clip: Clip) -> None:
    words = [face["emotion"] for _, face in clip.faces if face["emotion"] not in {None, UNCERTAIN}]
    assert [word for word, _ in groupby(words)] == ["neutral", "happy", "neutral"]
    assert {face["track"] for _, face in clip.faces} == {1}


@on("one-person-sad-then-happy.mp4")
def test_crying_is_sad_and_laughing_is_happy(clip: Clip) -> None:
    crying, laughing = clip.emotions(end_s=7), clip.emotions(start_s=11)
    assert crying["sad"] > crying.total() / 2, crying
    assert crying["happy"] <= 0.05 * crying.total(), crying
    assert laughing["happy"] > 0.9 * laughing.total(), laughing


@on("one-person-sad-then-happy.mp4")
def test_the_mood_turns_when_a_person_would_say_so(clip: Clip) -> None:
    rests, labels = RestingFaces(), tuple(clip.faces[0][1]["probabilities"])
    times, moods = [], []
    for time_s, face in clip.faces:
        if face["probabilities"] is not None:
            shares = np.array([[face["probabilities"][label] for label in labels]], np.float32)
            read = Emotions(labels, shares, np.ones(1, np.bool_))
            times.append(time_s)
            moods.append(float(mood(shares, rests.update(np.ones(1, np.int64), read, time_s), labels)[0]))
    at, values = np.array(times), np.array(moods)
    before, after = np.median(values[at < 7]), np.median(values[(at > 11) & (at < 15)])
    assert after - before > 0.5
    over = values > (before + after) / 2
    turned = next(t for t in at if over[(at >= t) & (at < t + 1)].mean() > 0.8)
    # She cries until about 8 s and smiles from about 9.5 s.
    assert 7.5 <= turned <= 11.5


@on("nobody.mp4")
def test_an_empty_room_is_not_enough_faces(clip: Clip) -> None:
    with Store.open(f"sqlite:///{clip.data / 'classpulse.db'}") as store:
        assert class_state(store.windows(1), None, min_coverage=0.5).name == "not_enough"
    said = run("report", 1, "--format", "html", "--out", "-", data=clip.data).stdout
    assert "<h1>Nobody was seen.</h1>" in said


@on("person-leaves.mov")
def test_who_leaves_is_gone(clip: Clip) -> None:
    counts = [len(line["faces"]) for line in clip.lines]
    assert counts[:30] == [1] * 30
    assert counts[-30:] == [0] * 30
    assert {face["track"] for _, face in clip.faces} == {1}


@on("seated-class.gif")
def test_small_faces_are_counted_and_not_read(clip: Clip) -> None:
    assert Counter(len(line["faces"]) for line in clip.lines).most_common(1)[0][0] == 4
    for _, face in clip.faces:
        assert max(face["box"][2] - face["box"][0], face["box"][3] - face["box"][1]) < 36
        assert face["emotion"] is None
        assert face["probabilities"] is None


@on("classroom.mp4")
def test_the_class_is_stored_in_windows_and_shown_only_where_there_are_enough(clip: Clip) -> None:
    with sqlite3.connect(clip.data / "classpulse.db") as database:
        kept = database.execute("SELECT ended_how, frames, dropped FROM sessions").fetchall()
        observed = database.execute("SELECT count(*), max(time_s) FROM observations").fetchone()
    assert kept == [("ended", len(clip.lines), 0)]
    assert 40 < observed[0] < 13.2 * 8, "one observation a second of each of at most seven people"
    assert observed[1] > 12
    csv = run("sessions", 1, "--csv", "-", data=clip.data).stdout.splitlines()
    header, *rows = [line.split(",") for line in csv]
    assert header[:4] == ["start_s", "end_s", "results", "faces"]
    assert [(row[0], row[1]) for row in rows] == [("0.0", "5.0"), ("5.0", "10.0"), ("10.0", "13.16")]
    by_name = [dict(zip(header, row, strict=True)) for row in rows]
    assert 5 <= float(by_name[0]["faces"]) <= 7
    assert sum(float(by_name[0][label]) for label in SEVEN) == pytest.approx(1, abs=0.01)
    # In the end three people are left and one: too few to say anything of them.
    assert by_name[2]["too_few"] == "1"
    assert {by_name[2][name] for name in ("faces", "people", "read", "uncertain", *SEVEN)} == {""}
