"""What can be measured on a set of faces: light, sharpness, mean and eigen-faces, labels against people's votes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from sklearn.decomposition import PCA

from classpulse.training.faces.faceset import EMOTIONS, SIDE_PX, majority

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.types import Floats

EIGEN_SAMPLE = 1500
"""Faces of one emotion that its eigen-faces are taken from: more change nothing that can be seen."""


@dataclass(frozen=True, slots=True)
class Eigenfaces:
    """How the faces of one emotion look on average, and how they differ most.

    Attributes:
        mean: (48, 48) float32, gray levels.
        directions: (k, 48, 48) float32, of length 1, what explains most first.
        shares: (k,) float32, the part of all variance that each explains.
    """

    mean: Floats
    directions: Floats
    shares: Floats


def brightness(images: NDArray[np.uint8]) -> Floats:
    """(N,) float32, each face's mean gray level, 0 to 255."""
    return np.asarray(images.mean(axis=(1, 2), dtype=np.float32), np.float32)


def sharpness(images: NDArray[np.uint8]) -> Floats:
    """(N,) float32, the variance of each face's Laplacian, in squared gray levels (Pech-Pacheco et al. 2000).

    >>> flat, edge = np.zeros((48, 48), np.uint8), np.zeros((48, 48), np.uint8)
    >>> edge[:, 24:] = 200
    >>> blurred = cv2.GaussianBlur(edge, (0, 0), 3)
    >>> a, b, c = sharpness(np.stack([flat, blurred, edge])).tolist()
    >>> a == 0 < b < c
    True
    """
    return np.asarray([cv2.Laplacian(image, cv2.CV_32F).var() for image in images], np.float32)


def eigenfaces(images: NDArray[np.uint8], count: int) -> Eigenfaces:
    """Mean and principal components of faces (Turk & Pentland 1991, "Eigenfaces for Recognition").

    Args:
        images: (N, 48, 48) uint8, at least one; of more than `EIGEN_SAMPLE` so many are used, evenly chosen.
        count: components that are wanted; fewer where there are fewer faces.

    Returns:
        The mean of all, and the components of those used; each component's largest value is above 0.
    """
    used = images[np.linspace(0, len(images) - 1, min(len(images), EIGEN_SAMPLE)).astype(np.intp)]
    flat = used.reshape(len(used), -1).astype(np.float32)
    mean = images.mean(axis=0, dtype=np.float64).astype(np.float32)
    count = min(count, len(used) - 1)
    if count < 1 or not np.ptp(flat, axis=0).any():
        return Eigenfaces(mean, np.empty((0, SIDE_PX, SIDE_PX), np.float32), np.empty(0, np.float32))
    pca = PCA(count, svd_solver="randomized", random_state=0).fit(flat)
    directions = np.asarray(pca.components_, np.float32)
    strongest = np.abs(directions).argmax(axis=1, keepdims=True)
    directions *= np.sign(np.take_along_axis(directions, strongest, axis=1))
    return Eigenfaces(
        mean, directions.reshape(-1, SIDE_PX, SIDE_PX), np.asarray(pca.explained_variance_ratio_, np.float32)
    )


def label_against_people(faces: FaceSet) -> NDArray[np.intp]:
    """How many faces of each label most people saw as what.

    Args:
        faces: with votes.

    Returns:
        (7, 8): row by FER-2013's label; columns are the majority's emotion and, last, faces without a majority. Faces
        that nobody was asked about are left out.
    """
    seen, agreed = majority(faces.votes)
    columns = np.where(agreed, seen, len(EMOTIONS))
    table = np.zeros((len(EMOTIONS), len(EMOTIONS) + 1), np.intp)
    asked = faces.votes.any(axis=1)
    np.add.at(table, (faces.labels[asked].astype(np.intp), columns[asked]), 1)
    return table
