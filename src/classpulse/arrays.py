"""The kinds of arrays that the stages hand to each other."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


def check_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    """Refuse an array of another shape.

    Raises:
        ValueError: it has one.
    """
    if array.shape != shape:
        message = f"{name} has shape {array.shape}, expected {shape}"
        raise ValueError(message)
