"""npm's `@vladmandic/human` under Node, by its own models and TensorFlow.js's WASM backend, as a peer."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import cv2

from classpulse.errors import ModelError

if TYPE_CHECKING:
    from classpulse.types import Image

HERE = Path(__file__).with_name("human")
LOCKS = ("package.json", "package-lock.json")


def fetch(folder: Path) -> Path:
    """Install the packages of `package-lock.json`, by hash, into a folder.

    Args:
        folder: to install to; if they are there already, nothing is done.

    Returns:
        The folder.

    Raises:
        ModelError: there is no npm or Node, or npm cannot install them.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        message = "@vladmandic/human needs Node.js with npm: install them (Debian: nodejs npm)"
        raise ModelError(message)
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / LOCKS[1]).read_bytes()
    done = folder / "installed.json"
    if done.is_file() and done.read_bytes() == lock:
        return folder
    for name in LOCKS:
        shutil.copyfile(HERE / name, folder / name)
    # No scripts: one of TensorFlow.js's would fetch more.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        message = f"npm cannot install @vladmandic/human: {(ran.stderr.strip().splitlines() or ['no reason'])[-1]}"
        raise ModelError(message)
    done.write_bytes(lock)
    return folder


def versions() -> dict[str, str]:
    """Of the packages, and of Node if it is here."""
    told: dict[str, str] = json.loads((HERE / LOCKS[0]).read_text(encoding="utf-8"))["dependencies"]
    if shutil.which("node"):
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
        told["node"] = said.strip().removeprefix("v")
    return told


class Human:
    """A process of Node that reads one picture after the other.

    Attributes:
        started_s: when it was started, by `time.monotonic()`.
        peak_mb: the most memory it had until its last answer.
    """

    def __init__(self, folder: Path) -> None:
        """Start it.

        Args:
            folder: what `fetch` gave.
        """
        self.started_s = time.monotonic()
        self.peak_mb = 0.0
        self._node = subprocess.Popen(
            ["node", str(HERE / "read.mjs"), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def read(self, image: Image) -> dict[str, Any]:
        """Find and read the faces of one picture.

        Args:
            image: (height, width, 3) uint8, BGR.

        Returns:
            `boxes`, N of `x0, y0, x1, y1`, px; how many faces were `told` an emotion; `ms` and `cpu_ms` that it took,
            without the way through the pipe.

        Raises:
            ModelError: it ended.
        """
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        pictures, answers = self._pipes()
        try:
            pictures.write(struct.pack("<II", image.shape[1], image.shape[0]) + rgb.tobytes())
            pictures.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            message = f"Node ended with status {self._node.wait()}; what it said is above"
            raise ModelError(message)
        answer: dict[str, Any] = json.loads(line)
        self.peak_mb = float(answer["peak_mb"])
        return answer

    def close(self) -> None:
        """Let it end."""
        self._pipes()[0].close()
        self._node.wait()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        pictures, answers = self._node.stdin, self._node.stdout
        if pictures is None or answers is None:
            raise AssertionError  # both were asked for
        return pictures, answers
