from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from onnx_files import packaged

from classpulse import Policy, Settings
from classpulse.errors import ModelError
from classpulse.inference import entries
from classpulse.inference.catalogue import Entry
from classpulse.settings import DetectorSettings
from classpulse.vision import detector
from classpulse.vision.centerface import CenterFaceDetector
from classpulse.vision.detector import model_path, open_detector


@pytest.mark.parametrize(
    ("precision", "instructions", "file"),
    [
        ("auto", True, "centerface-int8.onnx"),
        ("auto", False, "centerface.onnx"),
        ("int8", False, "centerface-int8.onnx"),
        ("fp32", True, "centerface.onnx"),
    ],
)
def test_int8_where_the_processor_has_it_or_the_setting_says_so(
    precision: str, file: str, *, instructions: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detector, "has_int8_instructions", lambda: instructions)
    settings = Settings(detector=DetectorSettings.model_validate({"precision": precision}))
    assert model_path(settings).name == file
    assert isinstance(open_detector(settings, Policy("eu")), CenterFaceDetector)


def test_another_detector_in_its_place_is_refused_by_name(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, detector=DetectorSettings(name="yunet"))
    place = entries(settings)["yunet"].path
    place.parent.mkdir()
    shutil.copy(packaged("bundled/centerface.onnx"), place)
    with pytest.raises(ModelError, match=r"yunet\.onnx is centerface, and yunet is needed"):
        open_detector(settings, Policy("eu"))


def test_a_package_without_its_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {"centerface": Entry("centerface", Path("nowhere"), "finds faces", "MIT")}
    monkeypatch.setattr(detector, "entries", lambda _: nowhere)
    with pytest.raises(ModelError, match="'centerface' is not installed: install classpulse again"):
        open_detector(Settings(detector=DetectorSettings(precision="fp32")), Policy("eu"))
