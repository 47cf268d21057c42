"""The proof that no path to a model goes round the policy: in the source, and in what a process really opens."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx_files import emotion_net, packaged, portrait

import classpulse
from classpulse import Frame, Pipeline, Policy, Settings
from classpulse.enrolment.photos import PhotoReader, read_photos
from classpulse.errors import ClassPulseError, ModelError, PolicyError
from classpulse.inference import entries, open_model
from classpulse.inference.model import suited
from classpulse.policy import Task
from classpulse.settings import DetectorSettings, EmotionSettings, RecognitionSettings
from classpulse.vision.embedder import FaceEmbedder
from classpulse.vision.emotion import EmotionClassifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.inference import Entry, Model

SOURCE = Path(classpulse.__file__).parent

# --- the source, read as a tree ---

OPENS_MODELS = "inference/model.py"
TRAINING = "training/"
"""Trains networks on sets of faces, with torch; nothing that watches a class may import it."""
KNOWN_LIBRARIES = {
    "alembic",
    "anyio",
    "av",
    "classpulse",
    "click",
    "cryptography",
    "cv2",
    "fastapi",
    "numpy",
    "packaging",
    "PIL",
}
KNOWN_LIBRARIES |= {"desktop_notifier", "httpx", "jinja2", "lap", "limits", "markupsafe", "matplotlib", "tenacity"}
KNOWN_LIBRARIES |= {"argon2", "authlib", "joserfc", "websockets"}
KNOWN_LIBRARIES |= {"opentelemetry", "prometheus_client", "pythonjsonlogger"}
KNOWN_LIBRARIES |= {"altair", "mss", "pandas", "psycopg", "Quartz", "ray", "segno", "streamlit"}
KNOWN_LIBRARIES |= {
    "platformdirs",
    "plutoprint",
    "psutil",
    "pydantic",
    "rich",
    "sqlalchemy",
    "starlette",
    "uvicorn",
}
"""Libraries that run no network, but for cv2.dnn; another one must be looked at before it is added here."""
SIDE_WAYS = {"InferenceSession", "TrainingSession", "ort", "onnxruntime", "dnn", "FaceDetectorYN", "FaceRecognizerSF"}
SIDE_WAYS |= {"CascadeClassifier", "Model", "eval", "exec", "__import__"}
"""What runs a network or hides that one is run. `Model` counts where it is called."""


def breaches(code: str, place: str) -> list[str]:
    """Ways in which a module outside `OPENS_MODELS` reaches a network."""
    found = []
    for node in ast.walk(ast.parse(code)):
        found += [f"imports {name}" for name in imported(node) if is_strange(name)]
        if isinstance(node, ast.ImportFrom):
            found += [f"imports {alias.name}" for alias in node.names if alias.name in SIDE_WAYS - {"Model"}]
        if isinstance(node, ast.Attribute | ast.Name) and word(node) in SIDE_WAYS - {"Model"}:
            found.append(f"uses {word(node)}")
        if isinstance(node, ast.Constant) and node.value in SIDE_WAYS - {"Model"}:
            found.append(f"names {node.value}")
        if isinstance(node, ast.Call) and word(node.func) == "Model":
            found.append("makes a Model")
        if isinstance(node, ast.Call) and word(node.func) == "import_module":
            inside = ast.unparse(node.args[0]).startswith("f'classpulse.") and place == "__init__.py"
            found += [] if inside else ["imports by name"]
    return found


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []


def is_strange(name: str) -> bool:
    library, *parts = name.split(".")
    known = library in KNOWN_LIBRARIES or library in sys.stdlib_module_names
    return not known or not SIDE_WAYS.isdisjoint(parts)


def word(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def modules() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), path.read_text(encoding="utf-8")


def test_only_one_module_can_reach_a_model() -> None:
    found = {place: breaches(code, place) for place, code in modules() if not place.startswith(TRAINING)}
    assert len(found) > 40
    assert [place for place in found if found[place]] == [OPENS_MODELS], found


def test_what_trains_networks_cannot_be_reached_from_a_class() -> None:
    users = [
        place
        for place, code in modules()
        if not place.startswith(TRAINING)
        and any(
            f"{name}.".startswith("classpulse.training.")
            for node in ast.walk(ast.parse(code))
            for name in imported(node)
        )
    ]
    assert users == ["cli/data.py", "cli/training.py"]


def test_training_quantizes_but_opens_no_model_file_by_itself() -> None:
    used = {
        (place, name)
        for place, code in modules()
        if place.startswith(TRAINING)
        for node in ast.walk(ast.parse(code))
        for name in imported(node)
        if name.split(".")[0] in {"onnxruntime", "ort"}
    }
    assert used == {("training/export/quantize.py", "onnxruntime.quantization")}


@pytest.mark.parametrize(
    "code",
    [
        "import onnxruntime",
        "import onnxruntime as ort",
        "from onnxruntime import InferenceSession",
        "from onnxruntime.capi import session",
        "import torch",
        "def f():\n    import tensorflow.lite",
        "import cv2\nnet = cv2.dnn.readNetFromONNX('a.onnx')",
        "from cv2 import dnn",
        "from cv2.dnn import readNet",
        "import cv2\nf = cv2.FaceDetectorYN.create('a.onnx', '', (1, 1))",
        "import importlib\nort = importlib.import_module('onnx' + 'runtime')",
        "ort = __import__('onnxruntime')",
        "import sys\nort = sys.modules['onnxruntime']",
        "exec('import onnxruntime')",
        "from classpulse.inference import model\ns = model.ort.InferenceSession(b'')",
        "from classpulse.inference import Model\nm = Model(session, contract, path, '')",
    ],
)
def test_every_side_way_would_be_seen(code: str) -> None:
    assert breaches(code, "vision/emotion.py")
    assert breaches(code, "__init__.py")


def the_opener(code: str) -> ast.FunctionDef:
    """The one function that builds sessions, after a check that it asks the policy before it does anything else."""
    tree = ast.parse(code)
    opener = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "open_model")
    everywhere = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and word(node) == "InferenceSession"]
    hints = [ast.walk(arg.annotation) for arg in ast.walk(tree) if isinstance(arg, ast.arg) and arg.annotation]
    hinted = {id(node) for walk in hints for node in walk}
    built = [node for node in everywhere if id(node) not in hinted]
    assert len(built) == 1, "sessions are built in one place"
    assert built[0] in list(ast.walk(opener)), "sessions are built in open_model"
    assert isinstance(opener.body[0], ast.Expr), "a docstring"
    assert ast.unparse(opener.body[1]) == "policy.require(task)", "the policy is asked before anything else is done"
    assert [node.arg for node in opener.args.args] == ["path", "task", "policy"]
    assert not opener.args.defaults, "neither task nor policy may be left out"
    texts = [ast.unparse(node) for node in opener.body]
    loads = next(i for i, text in enumerate(texts) if "InferenceSession" in text)
    checked = next(i for i, text in enumerate(texts) if text.startswith("if contract.task is not task:"))
    assert "raise" in texts[checked]
    assert checked < loads, "the contract's task is compared before the model is loaded"
    return opener


def test_the_policy_is_asked_first() -> None:
    assert the_opener((SOURCE / OPENS_MODELS).read_text(encoding="utf-8")).name == "open_model"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    policy.require(task)\n", ""),
        (
            "    policy.require(task)\n    content = _read(path)\n",
            "    content = _read(path)\n    policy.require(task)\n",
        ),
        ("    policy.require(task)\n", "    if policy:\n        policy.require(task)\n"),
        ("def _read(", "def quick(content):\n    return ort.InferenceSession(content)\n\n\ndef _read("),
        ("def _read(", "build = ort.InferenceSession\n\n\ndef _read("),
        ("policy: Policy, *", "policy: Policy = None, *"),
        ("    if contract.task is not task:", "    if False:"),
    ],
)
def test_a_change_that_goes_round_would_be_seen(old: str, new: str) -> None:
    code = (SOURCE / OPENS_MODELS).read_text(encoding="utf-8")
    assert code.count(old) == 1
    with pytest.raises((AssertionError, StopIteration)):
        the_opener(code.replace(old, new))


# --- what a process really opens ---

WATCHED = """
import hashlib, json, sys
import onnxruntime

opened, loaded = [], []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
build = onnxruntime.InferenceSession


class Watched(build):
    def __init__(self, model, *args, **kwargs):
        loaded.append(hashlib.sha256(model).hexdigest() if isinstance(model, bytes) else str(model))
        super().__init__(model, *args, **kwargs)


onnxruntime.InferenceSession = Watched

import numpy

from classpulse import Gallery, Pipeline, Settings

settings = Settings(**json.loads(sys.argv[3]))
gallery = Gallery("some embedder", ("somebody",), numpy.eye(1, 512, dtype=numpy.float32))
pipeline = Pipeline(settings, jurisdiction=sys.argv[1] or None, gallery=gallery if "enrolled" in sys.argv else None)
if "enrolled" in sys.argv:
    pipeline.replace_gallery(gallery)
results = list(pipeline.run(sys.argv[2]))
json.dump(
    {
        "faces": [len(result) for result in results],
        "emotions": [result.emotions is not None for result in results],
        "names": [face["emotion"] for result in results for face in result.as_record()["faces"]],
        "labels": pipeline.labels,
        "identities": [result.identities is not None for result in results],
        "opened": sorted({path for path in opened if path.endswith(".onnx")}),
        "loaded": loaded,
    },
    sys.stdout,
)
"""


def given(entry: Entry) -> str:
    """What onnxruntime is given of a model, as a hash."""
    return hashlib.sha256(suited(entry.path.read_bytes())).hexdigest()


def watched(jurisdiction: str, picture: Path, settings: dict[str, object], *more: str) -> dict[str, list[object]]:
    command = [sys.executable, "-c", WATCHED, jurisdiction, str(picture), json.dumps(settings), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    seen: dict[str, list[object]] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_under_eu_a_process_opens_the_detector_and_nothing_else(precision: str) -> None:
    known = entries(Settings())
    detector = known["centerface-int8" if precision == "int8" else "centerface"]
    emotion = known["emotion"]
    settings: dict[str, object] = {"detector": {"precision": precision}}

    under_eu = watched("eu", packaged("bundled/astronaut.png"), settings)
    assert under_eu["faces"] == [1]
    assert under_eu["emotions"] == [False]
    assert under_eu["names"] == [None]
    assert under_eu["labels"] == []
    assert under_eu["opened"] == [str(detector.path)]
    assert under_eu["loaded"] == [given(detector)]

    elsewhere = watched("other", packaged("bundled/astronaut.png"), settings)
    assert elsewhere["names"] == ["happy"]
    assert elsewhere["opened"] == sorted([str(detector.path), str(emotion.path)])
    assert elsewhere["loaded"] == [given(detector), given(emotion)]


@pytest.mark.parametrize(
    ("jurisdiction", "settings"),
    [("eu", {}), ("eu", {"recognition": {"enabled": True}}), ("", {}), ("other", {"recognition": {"enabled": False}})],
)
def test_where_nobody_may_be_recognised_the_embedder_is_not_opened(
    jurisdiction: str, settings: dict[str, object]
) -> None:
    detector = entries(Settings())["centerface-int8"]
    settings = settings | {"detector": {"precision": "int8"}}
    seen = watched(jurisdiction, packaged("bundled/astronaut.png"), settings, "enrolled")
    assert seen["faces"] == [1]
    assert seen["identities"] == [False]
    reads = jurisdiction != "eu"
    assert seen["loaded"] == [given(detector)] + [given(entries(Settings())["emotion"])] * reads


def test_under_eu_a_model_named_in_the_settings_is_not_even_opened(tmp_path: Path) -> None:
    mine = emotion_net(tmp_path / "mine.onnx")
    seen = watched("eu", packaged("bundled/grace_hopper.jpg"), {"emotion": {"model": str(mine)}})
    assert seen["faces"] == [1]
    assert str(mine) not in seen["opened"]
    assert len(seen["loaded"]) == 1


@pytest.mark.parametrize("jurisdiction", ["eu", None])
def test_the_embedder_cannot_be_opened_before_somebody_has_answered_or_under_eu(
    jurisdiction: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy(jurisdiction)
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: pytest.fail("a model was loaded"))
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    for embedder in ("faceres", "dlib"):  # the second one is not even there
        settings = Settings(data_dir=tmp_path, recognition=RecognitionSettings(embedder=embedder))
        ways: list[Callable[[], object]] = [
            partial(FaceEmbedder.open, settings, policy),
            partial(PhotoReader.open, settings, policy),
            partial(read_photos, [packaged("bundled/astronaut.png")], settings, policy),
        ]
        for way in ways:
            with pytest.raises(PolicyError, match="does not allow identity models"):
                way()


def test_enrolling_opens_the_embedder_through_the_one_opener(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Task]] = []

    def seen(path: Path, task: Task, policy: Policy, *, threads: int = 1) -> Model:
        asked.append((path.name, task))
        return open_model(path, task, policy, threads=threads)

    for module in ("embedder", "detector"):
        monkeypatch.setattr(f"classpulse.vision.{module}.open_model", seen)
    PhotoReader.open(Settings(), Policy("other"))
    assert [task for _, task in asked] == [Task.IDENTITY, Task.FACE_DETECTION]


def test_a_model_of_another_kind_cannot_be_made_an_embedder() -> None:
    detector = open_model(packaged("bundled/centerface.onnx"), Task.FACE_DETECTION, Policy("eu"))
    with pytest.raises(ModelError, match="is a model for face-detection, and one for identity is needed"):
        FaceEmbedder(detector, RecognitionSettings())


def test_an_embedder_named_as_something_else_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path, recognition=RecognitionSettings(embedder="dlib"))
    place = entries(settings)["dlib"].path
    place.parent.mkdir()
    emotion_net(place, {"task": "emotion"})
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: pytest.fail("a model was loaded"))
    with pytest.raises(ModelError, match=r"dlib\.onnx is a model for emotion, and one for identity is needed"):
        FaceEmbedder.open(settings, Policy("other"))


@pytest.mark.parametrize("task", [Task.EMOTION, Task.IDENTITY])
def test_asking_directly_is_refused_before_the_file_is_looked_at(task: Task, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="does not allow"):
        open_model(tmp_path / "not-there.onnx", task, Policy("eu"))
    with pytest.raises(PolicyError, match="does not allow"):
        open_model(packaged("models/emotion.onnx"), task, Policy("eu"))


def test_the_classifier_cannot_be_opened_under_eu(tmp_path: Path) -> None:
    for model in (None, tmp_path / "not-there.onnx"):
        settings = Settings(emotion=EmotionSettings(model=model))
        with pytest.raises(PolicyError, match="'eu' does not allow emotion models: only faces may be counted"):
            EmotionClassifier.open(settings, Policy("eu"))


def test_a_detectors_model_cannot_be_made_a_classifier() -> None:
    detector = open_model(packaged("bundled/centerface.onnx"), Task.FACE_DETECTION, Policy("eu"))
    with pytest.raises(ModelError, match="is a model for face-detection, and one for emotion is needed"):
        EmotionClassifier(detector, EmotionSettings())


@pytest.mark.parametrize("task", ["emotion", "identity"])
def test_a_model_for_something_else_in_the_detectors_place_is_not_loaded(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path, detector=DetectorSettings(name="yunet"))
    place = entries(settings)["yunet"].path
    place.parent.mkdir()
    emotion_net(place, {"task": task})

    def build(*_: object, **__: object) -> None:
        pytest.fail("a model was loaded")

    monkeypatch.setattr("onnxruntime.InferenceSession", build)
    with pytest.raises(ModelError, match=rf"yunet\.onnx is a model for {task}, and one for face-detection is needed"):
        Pipeline(settings, jurisdiction="eu")


def test_a_contract_that_lies_about_its_task_reads_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, detector=DetectorSettings(name="yunet"))
    place = entries(settings)["yunet"].path
    place.parent.mkdir()
    for output in ("logits", "yunet"):
        emotion_net(place, {"task": "face-detection", "output": output})
        with pytest.raises(ClassPulseError, match=r"yunet\.onnx"):
            Pipeline(settings, jurisdiction="eu").process(Frame(portrait("astronaut.png")))


def test_under_eu_results_hold_counts_and_no_emotion() -> None:
    result = Pipeline(jurisdiction="eu").process(Frame(portrait("astronaut.png")))
    assert len(result) == 1
    assert result.emotions is None
    (face,) = json.loads(json.dumps(result.as_record(), allow_nan=False))["faces"]
    assert (face["emotion"], face["probabilities"]) == (None, None)
    assert np.isfinite(face["box"]).all()
