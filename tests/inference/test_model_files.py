"""Wrong, damaged and hostile model files: each ends in one line with the file's name."""

from __future__ import annotations

import gc
import hashlib
import os
import platform
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_files import SEVEN, contract, emotion_net, packaged, weights, write

from classpulse.errors import ModelError
from classpulse.inference import has_int8_instructions, model, open_model
from classpulse.policy import Policy, Task
from classpulse.settings import EmotionSettings, Settings
from classpulse.vision.centerface import CenterFaceDetector
from classpulse.vision.emotion import EmotionClassifier
from classpulse.vision.yunet import YuNetDetector

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = Policy("other")
EMOTION = "models/emotion.onnx"


def open_emotion(path: Path) -> EmotionClassifier:
    return EmotionClassifier.open(Settings(emotion=EmotionSettings(model=path)), OTHER)


def test_a_right_file_opens_with_its_contract_and_hash(tmp_path: Path) -> None:
    path = emotion_net(tmp_path / "right.onnx")
    opened = open_model(path, Task.EMOTION, OTHER)
    assert opened.path == path
    assert opened.contract.labels == SEVEN
    assert opened.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert opened.output_names == ["scores"]
    faces = np.arange(2 * 64, dtype=np.float32).reshape(2, 1, 8, 8)
    (scores,) = opened.run(faces)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, faces.reshape(2, 64) @ weights(64), rtol=1e-4)


def test_classes_of_one_thread_share_what_is_open_and_read_as_each_would_alone() -> None:
    path = packaged(EMOTION)
    first, second, own = (open_model(path, Task.EMOTION, OTHER, threads=threads) for threads in (1, 1, 2))
    assert first._session is second._session
    assert first._session is not own._session, "its threads are for one class"
    side = first.contract.input.height or 0
    faces = np.random.default_rng(0).normal(size=(4, 6, first.contract.input.channels, side, side)).astype(np.float32)
    alone = [first.run(batch)[0] for batch in faces]
    with ThreadPoolExecutor(4) as classes:
        together = list(classes.map(lambda i: second.run(faces[i % 4])[0], range(40)))
    assert all((scores == alone[i % 4]).all() for i, scores in enumerate(together)), "not a digit is another one"


def test_a_file_that_was_replaced_is_opened_anew_and_none_is_kept_that_nobody_has(tmp_path: Path) -> None:
    path = emotion_net(tmp_path / "net.onnx")
    before = open_model(path, Task.EMOTION, OTHER)
    again = emotion_net(tmp_path / "net.onnx", scores=weights(64, seed=1))
    after = open_model(again, Task.EMOTION, OTHER)
    assert (path, after._session is before._session) == (again, False)
    gone = weakref.ref(before._session)
    del before
    gc.collect()
    assert gone() is None


def cut(path: Path) -> None:
    path.write_bytes(packaged(EMOTION).read_bytes()[:1_000_000])


def damaged_inside(path: Path) -> None:
    content = bytearray(emotion_net(path).read_bytes())
    content[20:60] = b"\xff" * 40
    path.write_bytes(content)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(model.MAX_BYTES + 1)


def unknown_layer(path: Path) -> None:
    write(
        path,
        [helper.make_node("Telepathy", ["x"], ["y"])],
        inputs={"x": ["N", 1, 8, 8]},
        outputs=["y"],
        metadata=contract(),
    )


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "does not exist or is no file"),
    "a folder": (lambda path: path.mkdir(), "does not exist or is no file"),
    "a pipe": (os.mkfifo, "does not exist or is no file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "does not exist or is no file"),
    "a loop": (lambda path: path.symlink_to(path), "does not exist or is no file"),
    "empty": (lambda path: path.touch(), "is empty: copy or install it again"),
    "text": (lambda path: path.write_text("# a model\n"), "is not an ONNX model, or is cut short"),
    "a picture": (
        lambda path: path.write_bytes(packaged("bundled/astronaut.png").read_bytes()),
        "is not an ONNX model, or is cut short",
    ),
    "cut short": (cut, "is not an ONNX model, or is cut short"),
    "damaged inside": (damaged_inside, "is not"),
    "huge": (huge, "is 1024 MB, and a model of ours has at most 1024 MB"),
    "an unknown layer": (unknown_layer, "is not a model that can be run: .*Telepathy"),
    "no contract": (
        lambda path: write(path, [helper.make_node("Relu", ["x"], ["y"])], inputs={"x": ["N", 1, 8, 8]}, outputs=["y"]),
        "carries no contract .*use a model made for Classpulse",
    ),
    "a contract that is not JSON": (
        lambda path: write(
            path,
            [helper.make_node("Relu", ["x"], ["y"])],
            inputs={"x": ["N", 1, 8, 8]},
            outputs=["y"],
            metadata="{labels:",
        ),
        "the contract in its metadata is not JSON",
    ),
    "another task": (
        lambda path: emotion_net(path, {"task": "identity"}),
        "is a model for identity, and one for emotion is needed",
    ),
    "a detector": (
        lambda path: path.write_bytes(packaged("bundled/centerface.onnx").read_bytes()),
        "is a model for face-detection, and one for emotion is needed",
    ),
    "another size than its contract": (
        lambda path: emotion_net(path, {"input.height": 16, "input.width": 16}),
        r"its input is \['N', 1, 8, 8\], and its contract says \[None, 1, 16, 16\]",
    ),
    "other channels than its contract": (
        lambda path: emotion_net(path, shape=("N", 3, 8, 8)),
        r"its input is \['N', 3, 8, 8\], and its contract says \[None, 1, 8, 8\]",
    ),
    "an input that is no picture": (
        lambda path: emotion_net(path, shape=("N", 64)),
        r"its input is \['N', 64\], and its contract says \[None, 1, 8, 8\]",
    ),
    "two inputs": (
        lambda path: write(
            path,
            [helper.make_node("Add", ["x", "z"], ["y"])],
            inputs={"x": ["N", 1, 8, 8], "z": ["N", 1, 8, 8]},
            outputs=["y"],
            metadata=contract(),
        ),
        "its input is",
    ),
    "whole numbers as input": (
        lambda path: write(
            path,
            [helper.make_node("Flatten", ["x"], ["y"])],
            inputs={"x": ["N", 1, 8, 8]},
            outputs=["y"],
            metadata=contract(),
            element=TensorProto.INT64,
        ),
        "its input is",
    ),
    "other labels": (
        lambda path: emotion_net(path, {"labels": ["bored", *SEVEN[1:]]}),
        "tells bored, .*a model for the seven emotions angry, disgust",
    ),
    "a missing label": (
        lambda path: emotion_net(path, {"labels": list(SEVEN[:6])}, scores=weights(64, 6)),
        "tells angry, .*a model for the seven emotions",
    ),
    "a label twice": (
        lambda path: emotion_net(path, {"labels": [*SEVEN, "sad"]}, scores=weights(64, 8)),
        "tells angry, .*a model for the seven emotions",
    ),
    "no labels": (lambda path: emotion_net(path, {"labels": []}), "tells nothing: a model for the seven emotions"),
    "a detector's output": (
        lambda path: emotion_net(path, {"output": "yunet"}),
        "must take square faces of a fixed size and give logits or probabilities: its contract says 'yunet' of 8 x 8",
    ),
    "faces that are not square": (
        lambda path: emotion_net(path, {"input.width": 16}, shape=("N", 1, 8, 16)),
        "must take square faces of a fixed size .* 'logits' of 16 x 8 px",
    ),
    "faces of any size": (
        lambda path: emotion_net(path, {"input.width": None, "input.height": None}),
        "must take square faces of a fixed size",
    ),
    "fewer outputs than labels": (
        lambda path: emotion_net(path, scores=weights(64, 6)),
        r"gives \(2, 6\) for 2 faces, and its labels ask for \(2, 7\)",
    ),
    "one face at a time": (
        lambda path: emotion_net(path, shape=(1, 1, 8, 8)),
        r"does not take what its contract says \(\(2, 1, 8, 8\)\)",
    ),
    "an output of one shape": (
        lambda path: write(
            path,
            [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
            inputs={"x": ["N", 1, 8, 8]},
            outputs=["y"],
            metadata=contract(),
        ),
        r"gives \(\) for 2 faces",
    ),
    "words as output": (
        lambda path: write(
            path,
            [
                helper.make_node("Flatten", ["x"], ["flat"]),
                helper.make_node("MatMul", ["flat", "w"], ["scores"]),
                helper.make_node("Cast", ["scores"], ["truth"], to=TensorProto.BOOL),
                helper.make_node("Where", ["truth", "yes", "no"], ["y"]),
            ],
            inputs={"x": ["N", 1, 8, 8]},
            outputs=["y"],
            constants={"w": weights(64), "yes": np.array(["yes"], object), "no": np.array(["no"], object)},
            metadata=contract(),
        ),
        "does not take what its contract says",
    ),
    "scores that are no probabilities": (
        lambda path: emotion_net(path, {"output": "probabilities"}),
        "not probabilities, as its contract says",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    make, wanted = FILES[name]
    path = tmp_path / "emotions.onnx"
    make(path)
    with pytest.raises(ModelError, match=wanted) as caught:
        open_emotion(path)
    assert str(path) in str(caught.value) or path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code != 0


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = emotion_net(tmp_path / "a.onnx")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ModelError, match=r"a\.onnx cannot be read: Permission denied"):
        open_model(path, Task.EMOTION, OTHER)


@pytest.mark.fault("addresses and files named by others (SSRF)")
@pytest.mark.parametrize("place", ["secret.bin", "below/secret.bin", "../secret.bin", "{folder}/secret.bin"])
def test_weights_in_other_files_are_not_read(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "work"
    (folder / "below").mkdir(parents=True)
    secret = weights(64).tobytes()
    for path in (tmp_path, folder, folder / "below"):
        (path / "secret.bin").write_bytes(secret)
    network = onnx.load(emotion_net(folder / "inside.onnx"))
    tensor = network.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place.format(folder=folder))
    path = folder / "outside.onnx"
    path.write_bytes(network.SerializeToString())
    monkeypatch.chdir(folder)  # where onnxruntime would look
    with pytest.raises(ModelError, match=r"outside\.onnx is not a model that can be run"):
        open_emotion(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_face_that_the_network_cannot_tell_counts_as_not_read(bad: float, tmp_path: Path) -> None:
    path = emotion_net(tmp_path / "a.onnx", scores=np.full((64, 7), bad, np.float32))
    image = np.full((100, 200, 3), 200, np.uint8)
    boxes = np.array([[10, 10, 60, 60], [100, 10, 160, 70]], np.float32)
    assert np.isnan(open_emotion(path).probabilities(image, boxes)).all()


def test_one_unreadable_face_leaves_the_others_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.onnx",
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["sums"]),
            helper.make_node("Div", ["sums", "sums"], ["y"]),  # 0 / 0 for a black face
        ],
        inputs={"x": ["N", 1, 8, 8]},
        outputs=["y"],
        constants={"w": np.ones((64, 7), np.float32)},
        metadata=contract(),
    )
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 100:] = 200
    boxes = np.array([[10, 10, 60, 60], [120, 10, 180, 70]], np.float32)
    black, white = open_emotion(path).probabilities(image, boxes)
    assert np.isnan(black).all()
    np.testing.assert_allclose(white, 1 / 7, rtol=1e-5)


@pytest.mark.parametrize(
    ("detector", "output"), [(CenterFaceDetector, "centerface"), (YuNetDetector, "yunet")], ids=["centerface", "yunet"]
)
@pytest.mark.parametrize("nodes", [1, 4])
def test_a_detector_with_other_outputs_is_refused_by_name(
    detector: type[CenterFaceDetector | YuNetDetector], output: str, nodes: int, tmp_path: Path
) -> None:
    names = [f"y{i}" for i in range(nodes)]
    changes: dict[str, Any] = {"task": "face-detection", "labels": [], "output": output, "input.colour": "bgr"}
    changes |= {"input.mean": [0, 0, 0], "input.std": [1, 1, 1], "input.height": None, "input.width": None}
    path = write(
        tmp_path / "other.onnx",
        [helper.make_node("Relu", ["x"], [name]) for name in names],
        inputs={"x": ["N", 3, "h", "w"]},
        outputs=names,
        metadata=contract(changes),
    )
    opened = open_model(path, Task.FACE_DETECTION, Policy("eu"))
    with pytest.raises(ModelError, match=r"other\.onnx gives outputs of .*, and (CenterFace|YuNet) gives"):
        detector(opened, width_px=320, min_score=0.5).detect(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize(
    ("machine", "avx2", "has"),
    [
        ("arm64", False, True),
        ("aarch64", False, True),
        ("x86_64", True, True),
        ("x86_64", False, False),
        ("AMD64", True, True),
    ],
)
def test_int8_instructions(machine: str, *, avx2: bool, has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("cv2.checkHardwareSupport", lambda feature: avx2 and feature == model.AVX2)
    assert has_int8_instructions() is has


def test_the_processor_is_asked_on_every_system() -> None:
    assert cv2.getHardwareFeatureName(model.AVX2) == "AVX2"
    told = Path("/proc/cpuinfo")
    if told.is_file() and platform.machine() == "x86_64":
        assert has_int8_instructions() is ("avx2" in told.read_text(encoding="utf-8"))


def test_the_engine_leaves_no_trace_and_tells_nobody(tmp_path: Path) -> None:
    """Its telemetry keeps an id of the machine and what is still to be sent in the user's cache."""
    code = "from classpulse import Pipeline; Pipeline()"
    kept = {
        name: value for name, value in os.environ.items() if name not in {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    }
    subprocess.run([sys.executable, "-c", code], env={**kept, "HOME": str(tmp_path)}, check=True)
    assert [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name] == []
