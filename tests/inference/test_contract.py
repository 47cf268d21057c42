from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from onnx_files import contract, emotion_net, packaged

from classpulse.errors import ModelError
from classpulse.inference.contract import parse, read
from classpulse.policy import Task

if TYPE_CHECKING:
    from pathlib import Path

PLACES = ["bundled/centerface.onnx", "models/centerface-int8.onnx", "models/emotion.onnx"]


@pytest.mark.parametrize("place", PLACES)
def test_every_model_of_the_package_says_what_it_is(place: str) -> None:
    said = read(packaged(place).read_bytes(), place)
    assert said.task is (Task.EMOTION if "emotion" in place else Task.FACE_DETECTION)
    assert said.name
    assert said.licence
    assert said.trained_on
    assert len(said.labels) == (7 if said.task is Task.EMOTION else 0)


def test_a_contract_is_read_as_it_was_written() -> None:
    changes = {"input.colour": "rgb", "input.mean": [1, 2, 3], "input.std": [4, 5, 6], "temperature": 0.7, "new": 1}
    said = parse(json.dumps(contract(changes)), "a.onnx")
    assert said.labels == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert (said.input.channels, said.input.mean, said.input.std) == (3, [1, 2, 3], [4, 5, 6])
    assert (said.input.height, said.input.width, said.temperature) == (8, 8, 0.7)
    assert (said.licence, said.source) == ("", "")


def test_detectors_take_any_size_and_one_channel_is_gray() -> None:
    said = parse(json.dumps(contract({"input.height": None, "input.width": None})), "a.onnx")
    assert said.input.height is None
    assert said.input.width is None
    assert said.input.channels == 1


def test_no_contract_is_said_by_name() -> None:
    with pytest.raises(ModelError, match=r"face\.onnx carries no contract .*'classpulse'.*use a model made for"):
        parse(None, "face.onnx")


@pytest.mark.parametrize(
    "text", ["", "{", "not json", "NaN", "[" * 100_000, '{"temperature": ' + "9" * 5000 + "}", "\ud800"]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"face\.onnx: the contract in its metadata is"):
        parse(text, "face.onnx")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"task": "grading"}, "task"),
        ({"task": ...}, "task"),
        ({"name": ""}, "name"),
        ({"labels": "happy"}, "labels"),
        ({"labels": [1, 2]}, "labels.0"),
        ({"output": "votes"}, "output"),
        ({"output": ...}, "output"),
        ({"input": ...}, "input"),
        ({"input": 3}, "input"),
        ({"input.layout": "NHWC"}, "input.layout"),
        ({"input.height": ...}, "input.height"),
        ({"input.height": 0}, "input.height"),
        ({"input.width": 100_000}, "input.width"),
        ({"input.colour": "cmyk"}, "input.colour"),
        ({"input.mean": [float("nan")]}, "input.mean.0"),
        ({"input.std": [0.0]}, "input.std.0"),
        ({"input.std": [-1.0]}, "input.std.0"),
        ({"input.std": [float("inf")]}, "input.std.0"),
        ({"input.mean": [0.0, 0.0, 0.0]}, "input.mean"),
        ({"input.colour": "bgr"}, "input.mean"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"temperature": 1e-30}, "temperature"),
    ],
)
def test_wrong_values_are_refused_where_they_are(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(ModelError, match=rf"face\.onnx: .*'{where}'"):
        parse(json.dumps(contract(changes)), "face.onnx")


@pytest.mark.parametrize("text", ["[]", "null", "3", '"emotion"'])
def test_a_contract_is_a_table(text: str) -> None:
    with pytest.raises(ModelError, match=r"face\.onnx: the contract in its metadata is wrong"):
        parse(text, "face.onnx")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 64,
        b"\xff" * 64,
        b"<!DOCTYPE html><html><body>404: Not Found</body></html>",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04" + bytes(60),
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # a graph of 2**64 bytes
        b"\x80" * 40,  # a number without an end
        b"\x08\x07",  # a format's version and nothing else
        b"\x3b\x00",  # an unknown kind of field
        b"\x3d\x00",  # four bytes, and one is there
    ],
)
def test_other_files_are_told_from_networks(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"face\.onnx is not an ONNX model, or is cut short: copy or install"):
        read(content, "face.onnx")


def test_a_file_cut_anywhere_is_refused_in_one_line(tmp_path: Path) -> None:
    content = emotion_net(tmp_path / "whole.onnx").read_bytes()
    assert read(content, "face.onnx").name == "test"
    for end in range(len(content)):
        with pytest.raises(ModelError, match=r"^face\.onnx (is not an ONNX model|carries no contract)[^\n]*$"):
            read(content[:end], "face.onnx")


def test_metadata_that_is_no_text_is_refused(tmp_path: Path) -> None:
    content = emotion_net(tmp_path / "whole.onnx").read_bytes()
    for bad in (b"\x72\x02\x0a\x01", b"\x72\x0f\x0a\x0aclasspulse\x12\x01\xff"):
        with pytest.raises(ModelError, match=r"^face\.onnx"):
            read(content + bad, "face.onnx")


def test_of_two_contracts_the_last_counts(tmp_path: Path) -> None:
    first = emotion_net(tmp_path / "a.onnx").read_bytes()
    text = json.dumps(contract({"name": "later"})).encode()
    entry = b"\x0a\x0aclasspulse\x12" + bytes([len(text) & 0x7F | 0x80, len(text) >> 7]) + text
    content = first + b"\x72" + bytes([len(entry) & 0x7F | 0x80, len(entry) >> 7]) + entry
    assert read(content, "a.onnx").name == "later"
