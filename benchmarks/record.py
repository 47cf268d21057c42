"""Where figures go: one dated JSON file a run, with what is needed to believe them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "av", "lapx")


def save(name: str, figures: dict[str, Any]) -> Path:
    """Write figures to `results/DATE-NAME.json`, beside the commit, the machine and the versions.

    Args:
        name: of the benchmark.
        figures: numbers with their units in their names.

    Returns:
        The file.
    """
    now = datetime.now(UTC)
    content = {
        "benchmark": name,
        "measured_at": now.isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed_since": bool(_git("status", "--porcelain", "--untracked-files=no", "--", "../src")),
        "machine": {
            "processor": _processor(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "load_before": [round(v, 2) for v in os.getloadavg()] if hasattr(os, "getloadavg") else None,
            "system": platform.system(),
        },
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%d}-{name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def _git(*args: str) -> str:
    command = ["git", "-C", str(RESULTS.parent), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    kinds = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8") if flag in flags]
    return f"{name} ({', '.join(kinds)})"
