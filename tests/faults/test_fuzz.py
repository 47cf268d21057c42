"""What others may send or hand over, made by a fuzzer that looks which lines it reaches; the long form alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS, AT_MOST_S = 40_000, 60
SUPPORT = Path(__file__).parents[1] / "support" / "fuzz.py"
TARGETS = ("message", "settings", "timings", "picture", "model", "source", "name", "waiting")


@pytest.mark.thorough
@pytest.mark.fault("what others send or hand over, made by a fuzzer (atheris)")
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_that_a_fuzzer_makes_ends_in_an_error_of_our_own(
    target: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed")
    command = [sys.executable, str(SUPPORT), target, f"-runs={RUNS}", f"-max_total_time={AT_MOST_S}", "-max_len=4096"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    made = re.search(r"Done (\d+) runs in", done.stderr)
    assert made is not None, done.stderr[-500:]
    record_property("lost", 0)
    record_property("figure", f"{int(made[1]):,} inputs to {target}")
