"""The measurement of a machine: its parts sum to the whole, and nothing live is measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from click.testing import CliRunner
from onnx_files import portrait

from classpulse import Policy, Settings
from classpulse.bench import measure
from classpulse.cli import cli
from classpulse.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

LAW = Policy("other")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures of a face."""
    path = tmp_path_factory.mktemp("bench") / "face.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for i in range(4):
            image = np.full((360, 640, 3), 120, np.uint8)
            image[50:306, 100 + i : 356 + i] = portrait("astronaut.png")[:256, 96:352, ::-1]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_stages_sum_to_the_picture_and_all_are_there(clip: Path) -> None:
    told: list[float] = []
    measured = measure(str(clip), Settings(), LAW, 0.3, told.append)
    assert set(measured.stages_ms) == {"decode", "find", "follow", "read", "pose", "figures", "rest"}
    assert all(spent_ms > 0 for spent_ms in measured.stages_ms.values())
    assert measured.stages_ms["rest"] < 0.2 * measured.picture_ms
    assert measured.faces == pytest.approx(1)
    assert measured.size_px == (640, 360)
    assert measured.results_per_s > 0
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1, abs=0.2)


def test_under_eu_nothing_is_read_in_faces(clip: Path) -> None:
    assert not {"read", "pose"} & set(measure(str(clip), Settings(), Policy("eu"), 0.1).stages_ms)


@pytest.mark.parametrize("source", ["0", "screen", "rtsp://127.0.0.1:1/none", "join"])
def test_what_is_live_is_not_measured(source: str) -> None:
    with pytest.raises(SourceError, match="give it a recording or `demo`"):
        measure(source, Settings(), LAW, 0.1)


def test_the_command_tells_people_and_programs(clip: Path, tmp_path: Path) -> None:
    options = ["--seconds", "0.2", "--set", f"data_dir={tmp_path}", "--jurisdiction", "other"]
    told = CliRunner().invoke(cli, ["bench", str(clip), "--profile", *options], catch_exceptions=False)
    assert told.exit_code == 0
    assert "results a second on" in told.output
    assert "a picture" in told.output
    figures = CliRunner().invoke(cli, ["bench", str(clip), "--json", *options], catch_exceptions=False)
    record = json.loads(figures.stdout)
    assert record["picture_ms"] == pytest.approx(sum(record["stages_ms"].values()), abs=0.05)
    endless = CliRunner().invoke(cli, ["bench", "demo", *options, "--seconds", "nan"])
    assert endless.exit_code == 2
    assert "it is a number of seconds" in endless.output
