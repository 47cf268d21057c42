"""A map of faces in two dimensions, on which faces that look alike in what tells emotions apart lie together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import torch
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from torch.nn import functional

from classpulse.errors import TrainingError
from classpulse.training.augment import plain
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.hog import hog
from classpulse.training.networks.mobilenet import MobileNet, load_folded
from classpulse.training.pretrained import FACERES, faceres, folded_mobilenet
from classpulse.training.recipe import Hog

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.training.faces.faceset import FaceSet
    from classpulse.types import Floats

FIT_PER_EMOTION, SHOWN_PER_EMOTION = 430, 170
NEIGHBOURS = 15
FEWEST = 40
"""With fewer faces to show there is no map."""
UNITS, SIDE, POOLED, BATCH = 11, 80, 3, 64
"""The pre-trained network is cut after so many of its 27 layers: behind them it knows people better than faces."""


@dataclass(frozen=True, slots=True)
class FaceMap:
    """Where faces lie.

    Attributes:
        places: (M, 2) float32.
        faces: the M faces, none of which the projection was fitted to.
        features: what was looked at, in words.
        fitted_to: faces that the projection was fitted to.
        alike: share of the faces with whose label most of their nearest neighbours on the map agree.
        chance: share that would be so if all were called by the most frequent label.
    """

    places: Floats
    faces: FaceSet
    features: str
    fitted_to: int
    alike: float
    chance: float


def map_faces(faces: FaceSet, seed: int = 0) -> FaceMap | None:
    """Lay faces out by what tells their labels apart.

    Features of a face go through PCA to a linear discriminant analysis, fitted to Training faces by their labels; its
    (at most six) directions are laid flat by t-SNE (van der Maaten & Hinton 2008). Only other faces are shown, of
    PublicTest if there are any, so what is near together there was not learned by heart.

    Measured on FER-2013 (6,000 faces fitted, 1,500 shown; how often 15 neighbours on the map vote for a face's label,
    where the largest class has 25 %): the pre-trained network's middle layers 46 %, without the discriminant analysis
    32 %, its last layer 32 %, histograms of gradients 33 %, pixels 32 % and, without the discriminant analysis, 21 %.

    Args:
        faces: Training and PublicTest.
        seed: of what is drawn and of t-SNE.

    Returns:
        The map, or None where there are too few faces or fewer than three emotions.
    """
    rng = np.random.default_rng(seed)
    training, others = faces.split(Split.TRAINING), faces.split(Split.PUBLIC)
    if not len(others):
        half = rng.permutation(len(training))
        training, others = training[half[::2]], training[half[1::2]]
    fitted, shown = _balanced(training, FIT_PER_EMOTION, rng), _balanced(others, SHOWN_PER_EMOTION, rng)
    if len(shown) < FEWEST or len(fitted) < FEWEST or np.unique(fitted.labels).size < 3:
        return None
    learned, seen, features = _features(fitted, shown)
    pca = PCA(min(200, len(fitted) // 4), svd_solver="randomized", random_state=seed).fit(learned)
    apart = LinearDiscriminantAnalysis().fit(pca.transform(learned), fitted.labels)
    flat = apart.transform(pca.transform(seen)).astype(np.float32)
    tsne = TSNE(2, perplexity=min(40, (len(shown) - 1) / 3), init="pca", random_state=seed)
    places = np.asarray(tsne.fit_transform(flat), np.float32)
    return FaceMap(places, shown, features, len(fitted), *_alike(places, shown.labels))


def _balanced(faces: FaceSet, per_emotion: int, rng: np.random.Generator) -> FaceSet:
    """At most so many faces of each emotion, drawn at random."""
    chosen = [rng.permutation(np.flatnonzero(faces.labels == label))[:per_emotion] for label in range(len(EMOTIONS))]
    return faces[np.concatenate(chosen)]


def _features(fitted: FaceSet, shown: FaceSet) -> tuple[Floats, Floats, str]:
    cache = platformdirs.user_cache_path("classpulse", appauthor=False) / "weights"
    if all((cache / name).is_file() for name in FACERES):  # a page to look at is no reason to fetch 7 MB
        try:
            network = MobileNet((), side_px=SIDE, dropout=0, frozen_layers=0)
            load_folded(network, folded_mobilenet(faceres()), plain(torch.from_numpy(fitted.images[::10]), SIDE))
        except TrainingError:
            pass  # damaged, and cannot be fetched: the map without it will do
        else:
            words = "the middle of a network that was pre-trained to tell people apart (faceres)"
            return _middle(network, fitted), _middle(network, shown), words
    words = "histograms of oriented gradients (the pre-trained network, which is better, is fetched by a first run)"
    return hog(fitted.images, Hog()), hog(shown.images, Hog()), words


@torch.no_grad()
def _middle(network: MobileNet, faces: FaceSet) -> Floats:
    """(N, 2304) what the network's middle says of each face, in nine places."""
    network.eval()
    parts = []
    for i in range(0, len(faces), BATCH):
        inner = plain(torch.from_numpy(faces.images[i : i + BATCH]), SIDE)
        for unit in network.units[:UNITS]:
            inner = unit(inner)
        parts.append(functional.adaptive_avg_pool2d(inner, POOLED).flatten(1).numpy())
    return np.concatenate(parts)


def _alike(places: Floats, labels: NDArray[np.uint8]) -> tuple[float, float]:
    """How often neighbours vote for a face's label, and how often the most frequent label would be right."""
    count = min(NEIGHBOURS, len(places) - 1)
    near = NearestNeighbors(n_neighbors=count).fit(places).kneighbors(return_distance=False)
    votes = (labels[near][:, :, None] == np.arange(len(EMOTIONS))).sum(axis=1)
    share = float((votes.argmax(axis=1) == labels).mean())
    return share, float(np.bincount(labels).max() / len(labels))
