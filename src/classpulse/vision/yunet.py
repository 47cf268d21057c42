"""YuNet (Wu, Peng, Yu 2023, Machine Intelligence Research 20): anchors of one size at three strides."""

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

STRIDES = (8, 16, 32)
CHANNELS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
MAX_IOU = 0.3
MAX_FACES = 300


class YuNetDetector:
    """Finds faces with YuNet at a working width."""

    def __init__(self, model: Model, *, width_px: int, min_score: float) -> None:
        """Take an open model.

        Args:
            model: YuNet with its contract.
            width_px: longest side that a picture is reduced to, px.
            min_score: confidence below which a face is not believed.
        """
        self._model = model
        self._width_px = width_px
        self._min_score = min_score

    def detect(self, image: Image) -> Faces:
        """Find faces in a (height, width, 3) uint8 BGR picture; best first.

        Raises:
            ModelError: the network's outputs are not those of YuNet.
        """
        small, scale = fit(image, self._width_px)
        outputs = self._model.run(to_batch([small], self._model.contract.input))
        maps = dict(zip(self._model.output_names, outputs, strict=True))
        found = {name: out.shape for name, out in maps.items()}
        cells = {stride: small.shape[0] // stride * (small.shape[1] // stride) for stride in STRIDES}
        wanted = {f"{name}_{stride}": (1, cells[stride], n) for stride in STRIDES for name, n in CHANNELS.items()}
        if found != wanted:
            message = f"{self._model.path} gives outputs of {found}, and YuNet gives {wanted}"
            raise ModelError(message)
        return decode({name: out[0] for name, out in maps.items()}, small.shape[1], self._min_score, 1 / scale)


def decode(maps: dict[str, NDArray[np.float32]], width: int, min_score: float, zoom: float) -> Faces:
    """Turn the network's maps into faces.

    The score is `sqrt(cls * obj)`; a box is a centre and the logarithm of its sides, landmarks are points, all
    relative to the cell and in units of its stride.

    Args:
        maps: for each stride `cls_S` (n, 1), `obj_S` (n, 1), `bbox_S` (n, 4), `kps_S` (n, 10), row by row.
        width: of the working picture, px.
        min_score: confidence below which a cell is no face.
        zoom: pixels of the full picture in one of the working picture.

    Returns:
        The faces after non-maximum suppression, best first.
    """
    found: list[Faces] = []
    for stride in STRIDES:
        scores = np.sqrt(np.clip(maps[f"cls_{stride}"], 0, 1) * np.clip(maps[f"obj_{stride}"], 0, 1))[:, 0]
        places = np.nonzero(scores > min_score)[0]
        places = places[np.argsort(-scores[places], kind="stable")[: 10 * MAX_FACES]]
        cells = np.stack([places % (width // stride), places // (width // stride)], axis=1).astype(np.float32)
        box = maps[f"bbox_{stride}"][places]
        centres = (cells + box[:, :2]) * stride
        half = np.exp(np.clip(box[:, 2:], -10, 10)) * stride / 2
        points = (maps[f"kps_{stride}"][places].reshape(-1, 5, 2) + cells[:, None]) * stride
        boxes = np.concatenate([centres - half, centres + half], axis=1)
        found.append(
            Faces(
                (boxes * zoom).astype(np.float32),
                scores[places].astype(np.float32),
                (points * zoom).astype(np.float32),
            )
        )
    faces = Faces(
        np.concatenate([f.boxes for f in found]),
        np.concatenate([f.scores for f in found]),
        np.concatenate([f.landmarks for f in found]),
    )
    return faces[suppress(faces.boxes, faces.scores, MAX_IOU)[:MAX_FACES]]
