from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from faces import make_faces, write_npz
from torch import nn

from classpulse.cli.training import export as export_command
from classpulse.errors import ClassPulseError, DataError, TrainingError
from classpulse.inference import open_model
from classpulse.policy import Policy, Task
from classpulse.settings import EmotionSettings, Settings
from classpulse.training.augment import plain
from classpulse.training.evaluate.calibration import answer_shares, fit_temperature
from classpulse.training.evaluate.subject import open_subject
from classpulse.training.export import export as exporting
from classpulse.training.export.export import Exported, export
from classpulse.training.export.onnx_graph import halved, to_onnx
from classpulse.training.export.provenance import licence_of, source_of
from classpulse.training.export.quantize import Calibration, quantized
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.networks import MEAN, STD, build, mobilenet
from classpulse.training.recipe import make_recipe
from classpulse.training.runs import Run
from classpulse.training.scoring import load_network
from classpulse.types import Faces
from classpulse.vision.emotion import EmotionClassifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.networks.heads import Network
    from classpulse.training.recipe import Recipe, Target

NETWORKS: dict[str, dict[str, Any]] = {
    "compact": {"widths": (8, 8, 8, 16), "side_px": 32},
    "seed-cnn": {"widths": (8, 8, 8, 16), "side_px": 48, "targets": "label:1,people:1"},
    "mobilenet": {"side_px": 32},
}
ALL = get_args(exporting.Precision)


def recipe_of(name: str) -> Recipe:
    return make_recipe(name, NETWORKS[name])


def lively(recipe: Recipe, faces: FaceSet) -> Network:
    """A network with random features, as batch norm has them after it saw faces, and heads fitted to the labels.

    It tells faces apart, though nobody trained it; with fresh weights alone many layers give one answer to all.
    """
    torch.manual_seed(0)
    network = build(recipe)
    training = faces.split(Split.TRAINING)
    images = plain(torch.from_numpy(training.images), recipe.side_px)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            layer.momentum = 1.0
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.3, 0.3)
    with torch.no_grad():
        nn.Module.train(network)(images)  # frozen layers too
        features = network.eval().features(images)
        features = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
        wanted = 9 * torch.nn.functional.one_hot(torch.from_numpy(training.labels.astype(np.int64)), 7).double() - 1
        ridge = 0.02 * float((features**2).mean()) * len(features) * torch.eye(features.shape[1]).double()
        fitted = torch.linalg.solve(features.T @ features + ridge, features.T @ wanted).float()
        for i, head in enumerate(network.heads.values()):
            assert isinstance(head, nn.Linear)
            head.weight.copy_((1 + 0.1 * i) * fitted[:-1].T)
            head.bias.copy_(fitted[-1])
    return network.requires_grad_(requires_grad=False)


def make_run(folder: Path, faces: FaceSet, name: str) -> Run:
    """A run's folder as training leaves it, with a network that nobody trained."""
    recipe = recipe_of(name)
    run = Run.create(folder, recipe, faces, Path("made-up"))
    run.begin(faces.split(Split.TRAINING))
    network = lively(recipe, faces)
    for target in recipe.targets:
        run.save(f"best-{target}.pt", {"network": network.state_dict(), "epoch": 0, "score": 0.5})
    return run


Exporter = Callable[..., onnx.ModelProto]


@pytest.fixture(scope="module", autouse=True)
def exporter() -> Iterator[Exporter]:
    """Torch's exporter takes seconds a network: here mobilenet is shallow, and no network is exported twice."""
    known: dict[tuple[float, str, float, bool], bytes] = {}

    def remember(network: Network, target: str, temperature: float, *, mirrored: bool = False) -> onnx.ModelProto:
        key = sum(float(weights.double().sum()) for weights in network.parameters()), target, temperature, mirrored
        if key not in known:
            known[key] = to_onnx(network, target, temperature, mirrored=mirrored).SerializeToString()
        return onnx.load_from_string(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "to_onnx", remember)
        patch.setattr(mobilenet, "BLOCKS", mobilenet.BLOCKS[:6])
        yield remember


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    return make_faces(12)


@pytest.fixture(scope="module", params=list(NETWORKS))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, faces: FaceSet) -> Exported:
    """Each network's `people` head in all precisions, in the folder of its run."""
    folder = tmp_path_factory.mktemp(request.param)
    make_run(folder, faces, request.param)
    return export(folder, "people", faces, folder / "model.onnx", ALL)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory, faces: FaceSet) -> Path:
    return make_run(tmp_path_factory.mktemp("run"), faces, "seed-cnn").folder


def inputs(faces: FaceSet, network: Network, count: int) -> torch.Tensor:
    return plain(torch.from_numpy(faces.images[:count].copy()), network.side_px)


def run_file(path: Path, batch: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return open_model(path, Task.EMOTION, Policy("other")).run(batch.numpy())[0]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_file_says_what_pytorch_says_of_any_number_of_faces(exported: Exported, faces: FaceSet, count: int) -> None:
    path = exported.variants[0].path
    network = load_network(path.parent, "people")
    batch = inputs(faces, network, count)
    wanted = network(batch)["people"].numpy() / exported.temperature
    said = run_file(path, batch)
    assert said.shape == (count, 7)
    assert np.abs(said - wanted).max() < 1e-4
    assert wanted.std(axis=1).min() > 0.01, "the network says something"
    if count > 1:
        assert wanted.std(axis=0).max() > 0.01, "and not the same of every face"


def test_a_mirrored_file_answers_for_the_face_and_its_mirror_image(tmp_path: Path, faces: FaceSet) -> None:
    folder = make_run(tmp_path, faces, "seed-cnn").folder
    done = export(folder, "people", faces, tmp_path / "model.onnx", ALL, mirrored=True)
    network = load_network(folder, "people")
    batch = inputs(faces, network, 5)
    plainly, turned = (network(images)["people"].numpy() for images in (batch, batch.flip(3)))
    assert np.abs(plainly - turned).max() > 0.01, "or this would show nothing"
    wanted = (plainly + turned) / 2 / done.temperature
    for variant, off in zip(done.variants, (1e-4, 0.1, 0.3 * wanted.std()), strict=True):
        said = run_file(variant.path, batch)
        assert np.sqrt(((said - wanted) ** 2).mean()) < off, variant.precision
        assert np.abs(said - run_file(variant.path, batch.flip(3).contiguous())).max() < 1e-4
        assert "mirrored" in open_model(variant.path, Task.EMOTION, Policy("other")).contract.version


def test_the_temperature_is_fitted_on_public_test_and_folded_in(exported: Exported, faces: FaceSet) -> None:
    path = exported.variants[0].path
    network, public = load_network(path.parent, "people"), faces.split(Split.PUBLIC)
    batch = inputs(public, network, len(public))
    logits = network(batch)["people"]
    fitted = fit_temperature(logits.numpy(), answer_shares(public, "people"))
    assert exported.temperature == pytest.approx(fitted, rel=1e-3)
    assert abs(fitted - 1) > 0.05, "or this would show nothing"
    wanted = torch.softmax(logits / fitted, dim=1).numpy()
    model = open_model(path, Task.EMOTION, Policy("other"))
    assert model.contract.temperature == 1
    assert np.abs(torch.softmax(torch.from_numpy(model.run(batch.numpy())[0]), dim=1).numpy() - wanted).max() < 1e-4


def test_the_graph_has_nothing_in_it_but_arithmetic(exported: Exported) -> None:
    model = onnx.load(exported.variants[0].path)
    assert {node.op_type for node in model.graph.node} <= {
        "Conv", "Relu", "Clip", "Add", "MaxPool", "ReduceMean", "Reshape", "Gemm"
    }  # fmt: skip
    assert [(o.domain, o.version >= 13) for o in model.opset_import] == [("", True)]
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    content = exported.variants[0].path.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b"/site-packages/" not in content


def test_half_precision_halves_the_file_and_every_answer_stays(exported: Exported, faces: FaceSet) -> None:
    whole, half, _ = exported.variants
    assert half.size_bytes < 0.62 * whole.size_bytes
    assert half.path.name == "model-fp16.onnx"
    batch = inputs(faces, load_network(half.path.parent, "people"), 20)
    first, second = run_file(whole.path, batch), run_file(half.path, batch)
    assert 0 < np.abs(first - second).max() < 0.05
    model = onnx.load(half.path)
    kinds = {w.name: w.data_type for w in model.graph.initializer}
    kernels = [node.input[1] for node in model.graph.node if node.op_type in {"Conv", "Gemm"}]
    casts = {node.output[0]: node for node in model.graph.node if node.op_type == "Cast"}
    assert kernels
    for kernel in kernels:  # stored in half precision, and single precision where it is computed with
        assert kinds[casts[kernel].input[0]] == onnx.TensorProto.FLOAT16
        assert casts[kernel].attribute[0].i == onnx.TensorProto.FLOAT


def test_eight_bits_nearly_agree(exported: Exported, faces: FaceSet) -> None:
    whole, _, eight = exported.variants
    assert eight.size_bytes < whole.size_bytes
    batch = inputs(faces, load_network(eight.path.parent, "people"), len(faces))
    first, second = run_file(whole.path, batch), run_file(eight.path, batch)
    assert (first.argmax(axis=1) == second.argmax(axis=1)).mean() > 0.8
    assert np.sqrt(((first - second) ** 2).mean()) < 0.3 * first.std()
    assert run_file(eight.path, batch[:3]) == pytest.approx(second[:3], abs=1e-4)


def test_eight_bit_weights_have_seven_and_a_scale_for_each_channel(exported: Exported) -> None:
    model = onnx.load(exported.variants[2].path)
    weights = {w.name: onnx.numpy_helper.to_array(w) for w in model.graph.initializer}
    kernels = {name: w for name, w in weights.items() if w.dtype == np.int8 and w.ndim == 4}
    assert kernels
    assert max(int(np.abs(w.astype(int)).max()) for w in kernels.values()) <= 64
    scales = {n.input[0]: weights[n.input[1]] for n in model.graph.node if n.op_type == "DequantizeLinear"
              and n.input[0] in kernels}  # fmt: skip
    assert all(scales[name].shape == (len(w),) for name, w in kernels.items())
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    assert weights[first.input[1]].dtype == np.float32, "the first layer stays in single precision"


def test_its_contract_and_its_record_are_in_the_metadata(exported: Exported, faces: FaceSet) -> None:
    seen = faces.split(Split.TRAINING)
    for variant in exported.variants:
        contract = open_model(variant.path, Task.EMOTION, Policy("other")).contract
        side = load_network(variant.path.parent, "people").side_px
        assert contract.labels == EMOTIONS
        assert (contract.output, contract.temperature, contract.name) == ("logits", 1.0, "model")
        assert (contract.input.layout, contract.input.colour) == ("NCHW", "gray")
        assert (contract.input.height, contract.input.width) == (side, side)
        assert (contract.input.mean, contract.input.std) == ([MEAN], [STD])
        assert contract.licence == "Apache-2.0"
        assert "FER+ votes" in contract.trained_on
        assert contract.version.endswith({"fp32": "", "fp16": "-fp16", "int8": "-int8"}[variant.precision])
        props = {prop.key: prop.value for prop in onnx.load(variant.path).metadata_props}
        assert set(props) == {"classpulse", "classpulse_training"}
        assert json.loads(props["classpulse_training"]) == {
            "fingerprint": seen.fingerprint(),
            "split": "Training",
            "faces": len(seen),
            "run": variant.path.parent.name,
            "commit": Run.open(variant.path.parent).record["commit"],
            "target": "people",
        }
        subject = open_subject(variant.path)
        assert (subject.target, subject.past.fingerprint) == ("people", seen.fingerprint())


def test_what_a_run_went_on_from_counts_and_another_of_ours_is_ours(tmp_path: Path, faces: FaceSet) -> None:
    first = make_run(tmp_path / "first", faces, "mobilenet")
    second = recipe_of("mobilenet").model_copy(update={"weights": first.folder / "best-people.pt"})
    assert licence_of(second) == "Apache-2.0"
    assert "HSE_FaceRec_tf (Apache-2.0)" in source_of(second)
    strange = tmp_path / "from-somewhere.pt"
    strange.write_bytes((first.folder / "best-people.pt").read_bytes())
    foreign = second.model_copy(update={"weights": strange})
    assert licence_of(foreign) == "Apache-2.0, and that of from-somewhere.pt"
    assert source_of(foreign) == "mobilenet, started from from-somewhere.pt"


def test_the_live_pipeline_opens_it_and_reads_faces(exported: Exported, faces: FaceSet) -> None:
    for variant in exported.variants:
        settings = Settings(emotion=EmotionSettings(model=variant.path, min_face_px=16))
        classifier = EmotionClassifier.open(settings, Policy("other"))
        network = load_network(variant.path.parent, "people")
        side = network.side_px  # a face of this size is not resized, so that the gray levels are the same
        level = faces.images[0][:side, :side]
        box = np.array([[0, 0, side, side]], np.float32)
        found = Faces(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))
        read = classifier.classify(np.repeat(level[:, :, None], 3, axis=2), found)
        logits = network(plain(torch.from_numpy(level.copy())[None], side))["people"]
        wanted = torch.softmax(logits / exported.temperature, dim=1)[0].numpy()
        allowed = {"fp32": 1e-4, "fp16": 0.01, "int8": 0.1}[variant.precision]
        assert np.abs(read.probabilities[0] - wanted).max() < allowed
        assert classifier.labels == EMOTIONS


def test_scores_and_times_are_those_of_the_files(exported: Exported, faces: FaceSet) -> None:
    public = faces.split(Split.PUBLIC)
    assert exported.checked_on == len(public)
    for variant in exported.variants:
        side = load_network(variant.path.parent, "people").side_px
        said = run_file(variant.path, plain(torch.from_numpy(public.images), side)).argmax(axis=1)
        assert variant.label == pytest.approx((said == public.labels).mean())
        assert variant.people == variant.label, "people agree with the label in these made-up faces"
        assert variant.size_bytes == variant.path.stat().st_size
        assert set(variant.ms_per_face) == {1, 8, 32}
        assert min(variant.ms_per_face.values()) > 0


def test_without_data_a_head_is_exported_as_it_is(tmp_path: Path, faces: FaceSet, run_folder: Path) -> None:
    network = load_network(run_folder, "label")
    batch = inputs(faces, network, 4)
    done = export(run_folder, "label", None, tmp_path / "model.onnx")
    said = run_file(done.variants[0].path, batch)
    answers = network(batch)
    assert np.abs(said - answers["label"].numpy()).max() < 1e-4
    assert np.abs(said - answers["people"].numpy()).max() > 1e-2, "the other head says something else"
    assert (done.temperature, done.variants[0].label, done.variants[0].people) == (1.0, None, None)


def refused(
    folder: Path,
    match: str,
    target: Target,
    faces: FaceSet | None,
    precisions: Sequence[exporting.Precision] = ("fp32",),
    error: type[ClassPulseError] = TrainingError,
) -> None:
    """An export that ends in one line and leaves nothing."""
    out = folder / "not-there" / "model.onnx"
    before = sorted(folder.rglob("*"))
    with pytest.raises(error, match=match) as caught:
        export(folder, target, faces, out, precisions)
    assert "\n" not in str(caught.value)
    assert sorted(folder.rglob("*")) == before


def test_what_a_run_does_not_have_is_not_exported(tmp_path: Path, faces: FaceSet, run_folder: Path) -> None:
    refused(tmp_path, "holds no run", "label", None)
    made = Run.create(tmp_path / "label", make_recipe("compact", {**NETWORKS["compact"], "targets": "label"}), faces,
                      Path("made-up"))  # fmt: skip
    made.begin(faces.split(Split.TRAINING))
    refused(made.folder, "was not trained for 'people', but for label", "people", None)
    refused(made.folder, "has not finished an epoch", "label", None)
    (made.folder / "best-label.pt").write_bytes(b"not a network")
    refused(made.folder, "is not a checkpoint, or is damaged", "label", None)
    refused(run_folder, "int8 needs --data", "people", None, ("int8",))


def test_other_data_and_data_without_votes_are_refused(tmp_path: Path, run_folder: Path) -> None:
    refused(run_folder, "is not the data that the run", "people", make_faces(12, seed=1), error=DataError)
    silent = make_faces(12, votes=False)
    folder = make_run(tmp_path, silent, "seed-cnn").folder
    refused(folder, r"fer2013new\.csv", "people", silent)


def test_a_file_that_differs_from_pytorch_is_not_written(
    monkeypatch: pytest.MonkeyPatch, faces: FaceSet, run_folder: Path, exporter: Exporter
) -> None:
    def skewed(network: Network, target: str, temperature: float, **rest: Any) -> onnx.ModelProto:
        model = exporter(network, target, temperature, **rest)
        bias = next(w for w in model.graph.initializer if w.name == model.graph.node[-1].input[2])
        values = onnx.numpy_helper.to_array(bias) + np.float32(2e-4)
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
        return model

    monkeypatch.setattr(exporting, "to_onnx", skewed)
    refused(run_folder, "the fp32 file differs from PyTorch by 0.0002.* nothing was written", "people", faces)


def test_weights_that_half_precision_cannot_hold_are_noticed(
    monkeypatch: pytest.MonkeyPatch, faces: FaceSet, run_folder: Path, exporter: Exporter
) -> None:
    def large(network: Network, target: str, temperature: float, **rest: Any) -> onnx.ModelProto:
        """The same function, by way of weights that are too large."""
        model = exporter(network, target, temperature, **rest)
        gemm = model.graph.node[-1]
        next(a for a in gemm.attribute if a.name == "alpha").f = 1e-6
        kernel = next(w for w in model.graph.initializer if w.name == gemm.input[1])
        values = onnx.numpy_helper.to_array(kernel) * np.float32(1e6)
        kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
        return model

    monkeypatch.setattr(exporting, "to_onnx", large)
    refused(run_folder, "the fp16 file differs from PyTorch", "people", faces, ("fp16",))


def test_a_network_that_is_no_number_any_more_is_refused(tmp_path: Path, faces: FaceSet) -> None:
    run = make_run(tmp_path, faces, "seed-cnn")
    state = run.load("best-label.pt")["network"]
    state["heads.label.bias"][2] = float("nan")
    run.save("best-label.pt", {"network": state})
    refused(tmp_path, "gives no finite numbers", "label", faces)


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path, run_folder: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(TrainingError, match="cannot be written"):
        export(run_folder, "label", None, tmp_path / "taken" / "model.onnx")
    (tmp_path / "model-fp16.onnx").mkdir()
    with pytest.raises(TrainingError, match="cannot be written"):
        export(run_folder, "label", None, tmp_path / "model.onnx", ("fp16", "fp32"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model-fp16.onnx", "taken"]


def test_ranges_are_measured_on_training_faces_alone(
    monkeypatch: pytest.MonkeyPatch, faces: FaceSet, run_folder: Path, tmp_path: Path
) -> None:
    given: list[FaceSet] = []

    def noted(model: onnx.ModelProto, training: FaceSet, side_px: int) -> onnx.ModelProto:
        given.append(training)
        return quantized(model, training, side_px)

    monkeypatch.setattr(exporting, "quantized", noted)
    export(run_folder, "people", faces, tmp_path / "model.onnx", ("int8",))
    assert set(given[0].splits) == {Split.TRAINING.value}
    reader, batches = Calibration(given[0], 48), []
    while (batch := reader.get_next()) is not None:
        batches.append(batch["faces"])
    assert sum(map(len, batches)) == len(given[0])
    assert np.array_equal(np.concatenate(batches), plain(torch.from_numpy(given[0].images), 48).numpy())


def test_the_original_is_not_changed_by_its_variants(faces: FaceSet, run_folder: Path, exporter: Exporter) -> None:
    model = exporter(load_network(run_folder, "label"), "label", 1.0)
    before = model.SerializeToString()
    halved(model)
    quantized(model, faces.split(Split.TRAINING), 48)
    assert model.SerializeToString() == before


def test_the_command_prints_a_table_and_leaves_its_figures(
    tmp_path: Path, run_folder: Path, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write_npz(faces, tmp_path / "fer2013.npz")
    words = [str(run_folder), "--target", "people", "--data", str(data), "--out", "out/live.onnx"]
    done = CliRunner().invoke(
        export_command, [*words, "--precision", "fp32", "--precision", "int8"], catch_exceptions=False
    )
    assert done.exit_code == 0
    figures = json.loads((tmp_path / "out" / "live.json").read_text())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["live-int8.onnx", "live.json", "live.onnx"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fer2013.npz", "out"], "no temporary file stays behind"
    assert figures["target"] == "people"
    assert figures["split"] == "PublicTest"
    for variant, file in zip(figures["variants"], ("live.onnx", "live-int8.onnx"), strict=True):
        assert variant["file"] == file
        assert variant["bytes"] == (tmp_path / "out" / file).stat().st_size
        assert f"{100 * variant['people']:.2f}" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert "…" not in done.stdout, "nothing is cut off"
    assert "emotion.model=out/live.onnx" in done.stderr


def test_the_command_without_data_says_what_was_not_done(tmp_path: Path, run_folder: Path) -> None:
    out = tmp_path / "live.onnx"
    words = [str(run_folder), "--target", "label", "--out"]
    done = CliRunner().invoke(export_command, [*words, str(out)], catch_exceptions=False)
    assert "temperature was not fitted and nothing was scored" in done.stderr
    figures = json.loads(out.with_suffix(".json").read_text())
    assert figures["variants"][0]["label"] == figures["split"] == "not measured"
    wrong = CliRunner().invoke(export_command, [*words, str(tmp_path / "live.bin")])
    assert wrong.exit_code == 2
    assert "ends in .onnx" in wrong.output
