"""Model files: opened here and nowhere else, after the policy has allowed it."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

import cv2
import numpy as np
import onnxruntime as ort

from classpulse.errors import ModelError
from classpulse.inference import contract as contracts
from classpulse.inference.amx import for_amx

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.inference.contract import Contract
    from classpulse.policy import Policy, Task
    from classpulse.types import Floats

MAX_BYTES = 1 << 30
AVX2 = 11
"""Its number among OpenCV's processor features (`cv::CpuFeatures`), which have no names in Python."""

_open: WeakValueDictionary[tuple[str, str, bool], Any] = WeakValueDictionary()
"""Sessions of one thread that somebody has now, by file, hash and form. A session remembers nothing from one call to
another, so classes that read with the same network share its weights, and the memory that a call takes for a moment."""


class Network(Protocol):
    """What reads batches: a model that is open here, or one that runs on another machine.

    Attributes:
        contract: what its file says of itself.
        path: where that came from.
    """

    contract: Contract
    path: Path

    def run(self, batch: Floats) -> list[NDArray[np.float32]]:
        """Run the network on (N, C, height, width) float32; gives one array an output."""
        ...


class Model:
    """A network that is ready to run.

    Attributes:
        contract: what the file says of itself.
        path: where it came from.
        sha256: of the file.
    """

    def __init__(self, session: ort.InferenceSession, contract: Contract, path: Path, sha256: str) -> None:
        """Made by `open_model` only."""
        self.contract = contract
        self.path = path
        self.sha256 = sha256
        self._session = session
        self._input = session.get_inputs()[0].name
        self._outputs = [output.name for output in session.get_outputs()]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in the order of `run`."""
        return list(self._outputs)

    def run(self, batch: Floats) -> list[NDArray[np.float32]]:
        """Run the network.

        Args:
            batch: (N, C, height, width) float32, as the contract's input says.

        Returns:
            One array an output.

        Raises:
            ModelError: the network refused the batch or gave no numbers, so that its file does not keep its contract.
        """
        try:
            return [np.asarray(out, np.float32) for out in self._session.run(self._outputs, {self._input: batch})]
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base class of their own
            message = f"{self.path.name} does not take what its contract says ({batch.shape}): {_first_line(error)}"
            raise ModelError(message) from None


def open_model(path: Path, task: Task, policy: Policy, *, threads: int = 1) -> Model:
    """Open a model file for a task.

    Args:
        path: an ONNX file with its contract in the metadata.
        task: what it is to be used for.
        policy: what is allowed; asked before a byte of the file is read.
        threads: for the arithmetic of one call. With one, a call is done on its caller's own thread: then what is open
            already is shared, and nobody waits for another. More threads are one caller's own.

    Raises:
        PolicyError: the task is not allowed here.
        ModelError: the file is missing, damaged, or made for another task; in the latter case it is not loaded.
    """
    policy.require(task)
    content = _read(path)
    contract = contracts.read(content, str(path))
    if contract.task is not task:
        message = f"{path} is a model for {contract.task.value}, and one for {task.value} is needed"
        raise ModelError(message)
    sha256 = hashlib.sha256(content).hexdigest()
    known = str(path.absolute()), sha256, has_amx()
    shared = _open.get(known) if threads == 1 else None
    if shared is not None:
        return Model(shared, contract, path, sha256)
    try:
        session = ort.InferenceSession(
            suited(content), _options(path, threads), providers=["CPUExecutionProvider"], enable_fallback=0
        )
        for one in (*session.get_inputs(), *session.get_outputs()):
            _ = one.name, one.shape  # raises where its names are no text
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base class of their own
        message = f"{path} is not a model that can be run: {_first_line(error)}"
        raise ModelError(message) from None
    _check_input(session, contract, path)
    if threads == 1:
        _open[known] = session
    return Model(session, contract, path, sha256)


def _options(path: Path, threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Waiting threads that spin tripled the time of a net on two busy cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights in other files are looked for below this place, where there is nothing: a model is one file, and a
    # hostile one may not read others.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.absolute()))
    return options


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            message = f"model file {path} does not exist or is no file: see `classpulse models list` for what there is"
            raise ModelError(message)
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f"model file {path} is {size >> 20} MB, and a model of ours has at most {MAX_BYTES >> 20} MB"
            raise ModelError(message)
        content = path.read_bytes()
    except OSError as error:
        message = f"model file {path} cannot be read: {error.strerror}"
        raise ModelError(message) from None
    if not content:
        message = f"model file {path} is empty: copy or install it again"
        raise ModelError(message)
    return content


def suited(content: bytes) -> bytes:
    """The same network in the form that onnxruntime computes fastest on this processor."""
    return for_amx(content) if has_amx() else content


def _check_input(session: ort.InferenceSession, contract: Contract, path: Path) -> None:
    inputs = session.get_inputs()
    shape = inputs[0].shape if inputs else []
    wanted = [None, contract.input.channels, contract.input.height, contract.input.width]
    fits = len(inputs) == 1 and len(shape) == 4 and inputs[0].type == "tensor(float)"
    if fits:
        fits = all(w is None or not isinstance(s, int) or s == w for s, w in zip(shape, wanted, strict=True))
    if not fits:
        message = f"{path}: its input is {shape}, and its contract says {wanted}"
        raise ModelError(message)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def has_int8_instructions() -> bool:
    """Whether this processor computes int8 networks faster than float ones (x86 AVX2 or VNNI, Arm dot product).

    With AVX2 alone eight-bit weights can saturate; ours have seven bits, and cannot (decision 001).
    """
    return platform.machine().lower() in {"arm64", "aarch64"} or bool(cv2.checkHardwareSupport(AVX2))


def has_amx() -> bool:
    """Whether this processor multiplies matrices of eight-bit integers as such (Xeons from 2023 on, under Linux)."""
    return "amx_int8" in _processor_flags()


@cache
def _processor_flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return ""
