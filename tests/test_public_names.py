from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from onnx_files import packaged
from tools.public_api import public_api

import classpulse

EXAMPLE = Path(__file__).parents[1] / "examples" / "faces.py"
PUBLIC = Path(__file__).with_name("public_api.txt")
HEAVY = "numpy cv2 onnxruntime fastapi sqlalchemy alembic pydantic scipy av PIL uvicorn rich"


def python(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_public_is_as_it_was() -> None:
    was = PUBLIC.read_text(encoding="utf-8").splitlines()
    assert public_api() == was, "see docs/versions.md; where it is meant, `python -m tools.public_api` writes the file"


def test_the_public_names_are_all_that_a_module_tells() -> None:
    assert dir(classpulse) == sorted(classpulse.__all__)


@pytest.mark.parametrize("name", classpulse.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    thing = getattr(classpulse, name)
    assert getattr(classpulse, name) is thing
    if name != "__version__":
        assert thing.__doc__
        assert thing.__module__.startswith("classpulse.")


def test_every_name_can_be_imported_first() -> None:
    for name in classpulse.__all__:
        python("-c", f"from classpulse import {name}")


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'classpulse' has no attribute 'Pipelin'"):
        _ = classpulse.Pipelin
    assert not hasattr(classpulse, "numpy")


@pytest.mark.parametrize("statement", ["import classpulse", "import classpulse.cli", "import classpulse.errors"])
def test_imports_cost_nothing(statement: str) -> None:
    told = python("-c", f"{statement}\nimport sys\nprint([m for m in '{HEAVY}'.split() if m in sys.modules])")
    assert told.strip() == "[]"


@pytest.mark.parametrize("command", [["--help"], ["live", "--help"], ["--version"]])
def test_help_costs_nothing(command: list[str]) -> None:
    told = python(
        "-c",
        f"import sys\nfrom classpulse.cli import cli\ncli.main({command!r}, standalone_mode=False)\n"
        f"print([m for m in '{HEAVY}'.split() if m in sys.modules])",
    )
    assert told.splitlines()[-1] == "[]"


def test_a_server_at_rest_has_nothing_that_only_a_class_needs() -> None:
    of_classes = "cv2 onnxruntime PIL av matplotlib scipy lap"
    told = python("-c", f"import classpulse.serve, sys\nprint([m for m in '{of_classes}'.split() if m in sys.modules])")
    assert told.strip() == "[]"


def test_the_policy_and_its_errors_need_no_arithmetic() -> None:
    told = python(
        "-c",
        "from classpulse import ClassPulseError, Policy\nimport sys\n"
        "print([m for m in 'numpy cv2 onnxruntime'.split() if m in sys.modules])",
    )
    assert told.strip() == "[]"


def test_a_class_and_its_report_need_no_scipy() -> None:
    told = python(
        "-c",
        "import sys\nsys.modules['scipy'] = None\n"
        "import classpulse.live, classpulse.report.files, classpulse.serve\n"
        "import numpy as np\nfrom classpulse import Gallery, Pipeline\n"
        "from classpulse.insight.intervals import estimate\n"
        "from classpulse.insight.self_report import rank_correlation\n"
        "from classpulse.vision.tile_memory import TileMemory\n"
        f"results = list(Pipeline(jurisdiction='other').run({str(packaged('bundled/astronaut.png'))!r}))\n"
        "Gallery('one', ('ana',), np.eye(1, dtype=np.float32)).match(np.eye(1, dtype=np.float32), 0.5)\n"
        "rank_correlation(np.random.default_rng(0).random((50, 2)))\n"
        "print(len(results[0]), estimate([0, 1, 1, 1], 5).low > 0)",
    )
    assert told == "1 True\n"


def test_the_example_runs_as_it_is_written() -> None:
    code = EXAMPLE.read_text(encoding="utf-8")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    told = python(str(EXAMPLE), str(packaged("bundled/astronaut.png")))
    assert told == "  0.00 s: 1 faces {1: 'happy'}\n"
