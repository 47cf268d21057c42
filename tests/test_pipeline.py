from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from onnx_files import packaged, portrait

from classpulse import Faces, Frame, Gallery, Pipeline, Settings
from classpulse.errors import PeopleError, PolicyError, SourceError
from classpulse.policy import UNSET_NOTICE, Policy
from classpulse.settings import DetectorSettings, EmotionSettings
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.finder import FaceFinder

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.settings import Jurisdiction
    from classpulse.types import Image


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames, a tenth of a second apart, of the astronaut moving to the right."""
    path = tmp_path_factory.mktemp("film") / "astronaut.mp4"
    face = portrait("astronaut.png")[:256, 96:352, ::-1]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for i in range(8):
            image = np.full((360, 640, 3), 120, np.uint8)
            image[50:306, 100 + 6 * i : 356 + 6 * i] = face
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def gallery(people: int) -> Image:
    """A picture with so many faces."""
    canvas = np.full((360, 1280, 3), 120, np.uint8)
    for i in range(people):
        canvas[50:306, 20 + 310 * i : 276 + 310 * i] = portrait("astronaut.png")[:256, 96:352]
    return canvas


def test_a_frame_becomes_a_result() -> None:
    pipeline = Pipeline(jurisdiction="other")
    result = pipeline.process(Frame(gallery(3), time_s=4.5, index=17))
    assert (result.time_s, result.index, result.width, result.height) == (4.5, 17, 1280, 360)
    assert len(result) == 3
    assert sorted(result.tracks.ids.tolist()) == [1, 2, 3]
    assert result.emotions is not None
    assert result.emotions.labels == pipeline.labels
    assert result.emotions.names() == ["happy"] * 3


def test_a_picture_by_itself_is_read_and_nothing_is_remembered() -> None:
    """Faces of a second, unrelated picture are believed as those of the first one are, and followed by nobody."""
    pipeline = Pipeline(jurisdiction="other")
    before = pipeline.process(Frame(gallery(3), 0.0))
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(pipeline.look, (gallery(3), gallery(1)))
    assert (len(one), len(two), one.width, one.time_s) == (3, 1, 1280, 0.0)
    assert one.tracks.ids.tolist() == [1, 2, 3]
    assert one.emotions is not None
    assert one.emotions.names() == ["happy"] * 3
    assert one.poses is not None
    assert one.poses.told.all()
    after = pipeline.process(Frame(gallery(3), 0.1))
    assert after.tracks.ids.tolist() == before.tracks.ids.tolist()
    with pytest.raises(ValueError, match=r"\(height, width, 3\) BGR, not NoneType"):
        pipeline.look(cv2.imread("no-such-picture.jpg"))  # type: ignore[arg-type] # None, as many will find out


def test_a_picture_by_itself_is_only_counted_under_eu() -> None:
    result = Pipeline(jurisdiction="eu").look(gallery(2))
    assert (len(result), result.emotions, result.poses) == (2, None, None)


def test_the_frame_is_left_as_it_was() -> None:
    image = gallery(2)
    before = image.copy()
    image.flags.writeable = False
    Pipeline(jurisdiction="other").process(Frame(image))
    np.testing.assert_array_equal(image, before)


def test_two_pipelines_share_nothing() -> None:
    one, other = Pipeline(jurisdiction="other"), Pipeline(jurisdiction="other")
    for i in range(3):
        assert sorted(one.process(Frame(gallery(3), i / 10)).tracks.ids.tolist()) == [1, 2, 3]
    assert other.process(Frame(gallery(1), 0.3)).tracks.ids.tolist() == [1]
    assert sorted(one.process(Frame(gallery(4), 0.6)).tracks.ids.tolist()) == [1, 2, 3, 4]
    assert sorted(other.process(Frame(gallery(2), 0.7)).tracks.ids.tolist()) == [1, 2]


def test_a_video_gives_one_result_a_frame(film: Path) -> None:
    results = list(Pipeline(jurisdiction="other").run(film))
    assert [result.index for result in results] == list(range(8))
    assert [result.time_s for result in results] == pytest.approx([i / 10 for i in range(8)])
    assert [result.tracks.ids.tolist() for result in results] == [[1]] * 8
    lefts = [float(result.tracks.faces.boxes[0, 0]) for result in results]
    assert lefts[-1] - lefts[0] == pytest.approx(42, abs=6)
    assert [result.emotions.names() for result in results if result.emotions] == [["happy"]] * 8


@pytest.mark.parametrize("jurisdiction", ["eu", "other"])
def test_looking_ahead_changes_no_result(
    jurisdiction: Jurisdiction, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def records(cores: int) -> list[dict[str, object]]:
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        settings = Settings(cpu_share=1)
        assert settings.threads == cores
        return [result.as_record() for result in Pipeline(settings, jurisdiction=jurisdiction).run(film)]

    alone = records(1)
    assert len(alone) == 8
    assert records(2) == alone
    assert records(3) == alone


@pytest.mark.parametrize("cores", [1, 2])
def test_frames_come_back_with_their_own_results(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    pipeline = Pipeline(Settings(cpu_share=1), jurisdiction="other")
    frames = [Frame(gallery(people), i / 4, i) for i, people in enumerate((1, 2, 3, 3, 1))]
    pairs = list(pipeline.follow(frames))
    assert [frame for frame, _ in pairs] == frames
    assert [result.index for _, result in pairs] == [0, 1, 2, 3, 4]
    assert [len(result) for _, result in pairs] == [1, 2, 3, 3, 1]
    assert list(pipeline.follow([])) == []


def test_a_picture_and_a_folder_of_pictures_are_sources_too(tmp_path: Path) -> None:
    (result,) = Pipeline(jurisdiction="eu").run(str(packaged("bundled/grace_hopper.jpg")))
    assert len(result) == 1
    for name in ("astronaut.png", "grace_hopper.jpg"):
        (tmp_path / name).write_bytes(packaged(f"bundled/{name}").read_bytes())
    results = list(Pipeline(jurisdiction="eu").run(tmp_path))
    assert [(result.file, len(result)) for result in results] == [("astronaut.png", 1), ("grace_hopper.jpg", 1)]


def test_the_results_of_a_video_name_no_file(film: Path) -> None:
    assert {result.file for result in Pipeline(jurisdiction="eu").run(film)} == {None}


def test_a_picture_without_its_frame_is_refused_in_words() -> None:
    pipeline: Any = Pipeline(jurisdiction="eu")
    image = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(TypeError, match=r"^frame must be Frame, not ndarray: Frame\(image, time_s\), or look\(image\)"):
        pipeline.process(image)
    with pytest.raises(TypeError, match=r"^frame must be Frame, not ndarray"):
        next(pipeline.follow([image]))


@pytest.mark.parametrize("cores", [1, 4])
def test_times_that_run_backwards_are_refused(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    pipeline = Pipeline(jurisdiction="other")
    early, late = (Frame(np.zeros((8, 8, 3), np.uint8), time_s) for time_s in (1.0, 5.0))
    for _ in range(2):
        pipeline.process(late)
    with pytest.raises(ValueError, match=r"^times do not run backwards: 1 s comes after 5 s; use a pipeline for each"):
        pipeline.process(early)
    assert [frame for frame, _ in pipeline.follow([late])] == [late]
    with pytest.raises(ValueError, match=r"^times do not run backwards"):
        list(pipeline.follow([early]))


def test_each_source_has_its_own_clock(film: Path) -> None:
    pipeline = Pipeline(jurisdiction="eu")
    assert len(list(pipeline.run(film))) == len(list(pipeline.run(film)))


def test_under_eu_there_are_no_emotions(film: Path) -> None:
    pipeline = Pipeline(jurisdiction="eu")
    assert pipeline.labels == ()
    results = list(pipeline.run(film))
    assert [(len(result), result.emotions) for result in results] == [(1, None)] * 8


@pytest.mark.parametrize("source", [0, "0", "/dev/video3", "rtsp://127.0.0.1:1/class", "http://127.0.0.1:1/class.mjpg"])
def test_a_live_class_without_a_law_is_refused_before_anything_is_opened(
    source: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_source(*_: object, **__: object) -> None:
        pytest.fail("the source was opened")

    monkeypatch.setattr("classpulse.pipeline.open_source", open_source)
    with pytest.raises(PolicyError, match="is a live source, and no jurisdiction is set"):
        next(Pipeline().run(source))


def test_with_a_law_a_live_class_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def open_source(target: object, *_: object, **__: object) -> None:
        asked.append(target)
        message = "there is no camera here"
        raise SourceError(message)

    monkeypatch.setattr("classpulse.pipeline.open_source", open_source)
    with pytest.raises(SourceError, match="no camera"):
        next(Pipeline(jurisdiction="eu").run(2))
    assert asked == [2]


def test_a_recording_without_a_law_runs_with_a_notice(film: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "classpulse"):
        assert len(list(Pipeline().run(film))) == 8
    assert caplog.messages == [UNSET_NOTICE]
    caplog.clear()
    list(Pipeline(jurisdiction="other").run(film))
    assert caplog.messages == []


class Opened:
    """A source that says whether it was closed, and fails after three frames if it should."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.closed = False

    def frames(self) -> Any:
        for i in range(3):
            yield Frame(np.zeros((90, 160, 3), np.uint8), i / 10, i)
        if self.fails:
            message = "the cable was pulled"
            raise SourceError(message)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("how", ["to the end", "given up", "failed"])
@pytest.mark.parametrize("cores", [1, 2])
def test_the_source_is_closed_however_it_ends(
    how: str, cores: int, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    source = Opened(fails=how == "failed")
    monkeypatch.setattr("classpulse.pipeline.open_source", lambda *_, **__: source)
    results = Pipeline(Settings(cpu_share=1), jurisdiction="other").run(film)
    assert next(results).index == 0
    assert not source.closed
    if how == "given up":
        del results
    elif how == "failed":
        with pytest.raises(SourceError, match="cable"):
            list(results)
    else:
        assert len(list(results)) == 2
    assert source.closed


def test_settings_reach_the_stages() -> None:
    image = gallery(1)
    none = Pipeline(Settings(detector=DetectorSettings(min_score=0.99)), jurisdiction="other")
    assert len(none.process(Frame(image))) == 0
    strict = Settings(emotion=EmotionSettings(min_face_px=500))
    unread = Pipeline(strict, jurisdiction="other").process(Frame(image))
    assert unread.emotions is not None
    assert unread.emotions.names() == [None]
    sure = Settings(emotion=EmotionSettings(min_certainty=1))
    unsure = Pipeline(sure, jurisdiction="other").process(Frame(image))
    assert unsure.emotions is not None
    assert unsure.emotions.names() == ["uncertain"]


class Dazzled:
    """A detector whose network has gone mad."""

    def detect(self, _: Image) -> Faces:
        boxes = np.array([[np.nan] * 4, [100, 50, 300, 306], [0, 0, np.inf, 50]], np.float32)
        return Faces(boxes, np.array([0.9, 0.9, 0.9], np.float32), np.full((3, 5, 2), np.nan, np.float32))


def test_a_box_that_is_no_number_is_nobody() -> None:
    pipeline = Pipeline(jurisdiction="other")
    pipeline._finder = FaceFinder(Dazzled(), 0.12)
    result = pipeline.process(Frame(gallery(1)))
    assert result.tracks.faces.boxes.tolist() == [[100, 50, 300, 306]]
    json.dumps(result.as_record(), allow_nan=False)


def test_the_law_of_a_pipeline_can_be_read() -> None:
    assert Pipeline().policy == Policy(None)
    assert Pipeline(Settings(jurisdiction="other")).policy == Policy("other")


def test_research_is_declared_and_told(caplog: pytest.LogCaptureFixture) -> None:
    declared = Policy("research", declaration="Study 12, approved by the ethics board on 3 May")
    with pytest.raises(PolicyError, match=r"'research' needs .* Pipeline\(policy=Policy\(\"research\", declaration="):
        Pipeline(jurisdiction="research")
    with pytest.raises(PolicyError, match="'research' needs a declaration"):
        Pipeline(Settings(jurisdiction="research"))
    with caplog.at_level("INFO", "classpulse"):
        assert Pipeline(policy=declared).policy == declared
    assert caplog.messages == ["in force by a declaration: research"], "the declaration itself may name somebody"
    assert Pipeline(Settings(jurisdiction="eu"), policy=declared).policy == Policy("eu")
    assert Pipeline(policy=declared, jurisdiction="eu").policy == Policy("eu")


@pytest.mark.parametrize("settings", ["other", {"cpu_share": 1.0}, {}])
def test_what_are_no_settings_is_said_in_words(settings: Any) -> None:
    with pytest.raises(TypeError, match=r'Settings\.model_validate\(\{…\}\); a law is jurisdiction="other"'):
        Pipeline(settings)


def test_what_is_no_policy_is_said_in_words() -> None:
    wrong: Any = "other"
    with pytest.raises(TypeError, match=r'policy must be Policy, not str: Policy\("other"\)'):
        Pipeline(policy=wrong)


# Who is here.


def enrolled(picture: str = "astronaut.png", name: str = "eileen") -> Gallery:
    """One person, by one of the portraits in the package."""
    policy = Policy("other")
    image, embedder = portrait(picture), FaceEmbedder.open(Settings(), policy)
    faces = open_detector(Settings(), policy).detect(image)
    return Gallery(embedder.name, (name,), embedder.embed(image, faces[:1]))


def people(pipeline: Pipeline, image: Image, frames: int = 30, start_s: float = 0.0) -> list[str | None]:
    """Who is named in the last of some frames, a fifteenth of a second apart."""
    results = [result for _, result in pipeline.follow(Frame(image, start_s + i / 15, i) for i in range(frames))]
    return [] if results[-1].identities is None else list(results[-1].identities.people)


@pytest.mark.parametrize("cores", [1, 2])
def test_who_enrolled_is_recognised(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    settings = Settings(cpu_share=1)
    assert people(Pipeline(settings, jurisdiction="other", gallery=enrolled()), gallery(1)) == ["eileen"]
    assert people(Pipeline(settings, jurisdiction="other", gallery=enrolled("grace_hopper.jpg")), gallery(1)) == [None]


def test_three_pictures_of_one_person_are_not_three_times_that_person() -> None:
    found = people(Pipeline(jurisdiction="other", gallery=enrolled()), gallery(3), frames=60)
    assert sorted(found, key=str) == [None, None, "eileen"]


def test_the_gallery_can_be_replaced_in_the_middle_of_a_class() -> None:
    pipeline = Pipeline(jurisdiction="other")
    image = gallery(1)
    assert people(pipeline, image, frames=2) == [], "nobody is to be recognised"
    pipeline.replace_gallery(enrolled())
    assert people(pipeline, image, start_s=1) == ["eileen"]
    pipeline.replace_gallery(None)
    assert people(pipeline, image, frames=1, start_s=4) == [None]
    pipeline.replace_gallery(enrolled(name="again"))
    assert people(pipeline, image, start_s=5) == ["again"]


@pytest.mark.parametrize("empty", [None, Gallery.empty()])
def test_without_anybody_enrolled_nobody_is_looked_for(empty: Gallery | None) -> None:
    pipeline = Pipeline(jurisdiction="other", gallery=empty)
    assert pipeline.process(Frame(gallery(1))).identities is None


@pytest.mark.parametrize(
    ("jurisdiction", "enabled", "may"),
    [("other", True, True), ("other", False, False), ("eu", True, False), (None, True, False)],
)
def test_law_and_settings_decide_whether_anybody_may_be_recognised(
    jurisdiction: Jurisdiction | None, enabled: bool, may: bool
) -> None:
    settings = Settings.model_validate({"recognition": {"enabled": enabled}})
    pipeline = Pipeline(settings, jurisdiction=jurisdiction, gallery=enrolled())
    assert pipeline.recognizes is may
    pipeline.replace_gallery(enrolled())
    assert (pipeline.process(Frame(gallery(1))).identities is not None) is may


def test_another_embedders_gallery_is_refused_with_the_way_to_enrol_again() -> None:
    other = Gallery("an older one", ("eileen",), np.eye(1, 512, dtype=np.float32))
    with pytest.raises(PeopleError, match=r"enrolled with 'an older one' .* enrol them again with `classpulse people"):
        Pipeline(jurisdiction="other", gallery=other)
    pipeline = Pipeline(jurisdiction="other", gallery=enrolled())
    with pytest.raises(PeopleError, match="an older one"):
        pipeline.replace_gallery(other)
    assert people(pipeline, gallery(1)) == ["eileen"]
