"""CenterFace (Xu, Yan, Yang et al. 2019, arXiv 1911.03599): faces as points of a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.errors import ModelError
from classpulse.geometry import suppress
from classpulse.types import Faces
from classpulse.vision.picture import fit, to_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.inference import Model
    from classpulse.types import Image

STRIDE = 4
CHANNELS = (1, 2, 2, 10)
"""Of the heat map, the sizes, the offsets and the landmarks."""
MAX_IOU = 0.3
MAX_FACES = 300


class CenterFaceDetector:
    """Finds faces with CenterFace at a working width."""

    def __init__(self, model: Model, *, width_px: int, min_score: float) -> None:
        """Take an open model.

        Args:
            model: CenterFace with its contract.
            width_px: longest side that a picture is reduced to, px.
            min_score: confidence below which a face is not believed.
        """
        self._model = model
        self._width_px = width_px
        self._min_score = min_score

    def detect(self, image: Image) -> Faces:
        """Find faces in a (height, width, 3) uint8 BGR picture; best first.

        Raises:
            ModelError: the network's outputs are not those of CenterFace.
        """
        small, scale = fit(image, self._width_px)
        maps = self._model.run(to_batch([small], self._model.contract.input))
        found = [out.shape for out in maps]
        wanted = [(1, n, small.shape[0] // STRIDE, small.shape[1] // STRIDE) for n in CHANNELS]
        if found != wanted:
            message = f"{self._model.path} gives outputs of {found}, and CenterFace gives {wanted}"
            raise ModelError(message)
        heatmap, sizes, offsets, landmarks = (out[0] for out in maps)
        return decode(heatmap, sizes, offsets, landmarks, self._min_score, 1 / scale)


def decode(
    heatmap: NDArray[np.float32],
    sizes: NDArray[np.float32],
    offsets: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    min_score: float,
    zoom: float,
) -> Faces:
    """Turn the network's maps into faces (section 3 of the paper).

    A cell `(row, column)` above `min_score` is a face with centre `(column + offset_x + 1/2, row + offset_y + 1/2)`
    and sides `exp(size)`, in units of the stride of 4 px; landmarks are in units of the box from its corner.

    Args:
        heatmap: (1, h, w) confidence.
        sizes: (2, h, w) logarithm of height, width.
        offsets: (2, h, w) row, column.
        landmarks: (10, h, w) five times row, column.
        min_score: confidence below which a cell is no face.
        zoom: pixels of the full picture in one of the working picture.

    Returns:
        The faces after non-maximum suppression, best first.
    """
    rows, columns = np.nonzero(heatmap[0] > min_score)
    scores = heatmap[0, rows, columns]
    if len(rows) > MAX_FACES:
        best = np.argsort(-scores, kind="stable")[: 10 * MAX_FACES]
        rows, columns, scores = rows[best], columns[best], scores[best]
    sides = np.exp(np.clip(sizes[:, rows, columns], -10, 10)) * STRIDE
    centres = (np.stack([rows, columns]) + offsets[:, rows, columns] + 0.5) * STRIDE
    top_left = centres - sides / 2
    boxes = np.concatenate([top_left[::-1], (top_left + sides)[::-1]]).T * zoom
    points = landmarks[:, rows, columns].reshape(5, 2, -1) * sides + top_left
    points = points[:, ::-1].transpose(2, 0, 1) * zoom
    faces = Faces(boxes.astype(np.float32), scores.astype(np.float32), points.astype(np.float32))
    return faces[suppress(faces.boxes, faces.scores, MAX_IOU)[:MAX_FACES]]
