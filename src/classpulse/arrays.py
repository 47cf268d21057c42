"""The kinds of arrays that the stages hand to each other."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


def check_picture(image: Image) -> None:
    """Refuse anything but a colour picture of at least one pixel.

    Raises:
        ValueError: it is none.
    """
    # Of a file that it cannot read OpenCV gives None.
    shape: tuple[int, ...] | None = getattr(image, "shape", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        message = f"a frame is (height, width, 3) BGR, not {type(image).__name__ if shape is None else shape}"
        raise ValueError(message)
    if image.dtype != np.uint8:
        message = f"a frame is uint8, not {image.dtype}"
        raise ValueError(message)


def check_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    """Refuse an array of another shape.

    Raises:
        ValueError: it has one.
    """
    if array.shape != shape:
        message = f"{name} has shape {array.shape}, expected {shape}"
        raise ValueError(message)
