"""Parts of the page about a set that are about how its faces look: mean and eigen-faces, the map, light, sharpness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.training.explore.charts import ridges, scatter
from classpulse.training.explore.map import NEIGHBOURS, SHOWN_PER_EMOTION, map_faces
from classpulse.training.explore.measures import brightness, eigenfaces, sharpness
from classpulse.training.explore.pictures import Strip, atlas, eigen_strips, strips
from classpulse.training.faces.faceset import EMOTIONS

if TYPE_CHECKING:
    from classpulse.training.faces.faceset import FaceSet
    from classpulse.training.report import Report

EIGENFACES = 9
EXTREMES = 11


def add_eigenfaces(page: Report, faces: FaceSet) -> None:
    """How the faces of each emotion look on average, and how they differ."""
    page.section(
        "Mean faces and eigen-faces",
        "The mean of each emotion's faces, with its contrast raised, and after it their principal components (Turk & "
        "Pentland 1991) with the share of the variance that each explains. The first few are light and pose: what "
        "faces differ in most is not what they express.",
    )
    found = {
        emotion: eigenfaces(faces.images[faces.labels == label], EIGENFACES)
        for label, emotion in enumerate(EMOTIONS)
        if (faces.labels == label).any()
    }
    told = [f"{emotion} {100 * float(eigen.shares[0]):.0f} %" for emotion, eigen in found.items() if len(eigen.shares)]
    alt = "A row for each emotion: its mean face, then its eigen-faces."
    alt += f" The first explains: {', '.join(told)}." if told else ""
    page.figure("eigenfaces", eigen_strips(found, EIGENFACES), "", alt)


def add_map(page: Report, faces: FaceSet) -> None:
    """Where faces lie when those that look alike lie together."""
    page.section("A map of the faces")
    found = map_faces(faces)
    if found is None:
        page.text("There are too few faces, or fewer than three emotions: no map can be drawn.")
        return
    page.text(
        f"Features are {found.features}; a linear discriminant analysis, fitted to {found.fitted_to:,} Training faces "
        "by their labels, keeps what tells emotions apart, and t-SNE lays that flat (van der Maaten & Hinton 2008). "
        f"The {len(found.faces):,} faces shown are others, which it was not fitted to, up to {SHOWN_PER_EMOTION} of "
        "each emotion. Only who is near whom means something; directions and distances do not."
    )
    measure = (
        f"{NEIGHBOURS} neighbours on the map vote for a face's own label in {100 * found.alike:.0f} % of the faces; "
        f"always naming the most frequent label would be right in {100 * found.chance:.0f} %"
    )
    page.figure("map", scatter(found), f"Each dot is a face. {measure}.", f"Dots coloured by emotion. {measure}.")
    page.figure(
        "map-of-faces",
        atlas(found),
        "The same map made of faces, each framed in the colour of its label; of faces in one place one is shown.",
        "Faces laid out on the map, each framed in the colour of its label.",
    )


def add_light(page: Report, faces: FaceSet) -> None:
    """How bright and how sharp faces are."""
    light, sharp = brightness(faces.images), sharpness(faces.images)
    page.section(
        "Brightness and sharpness",
        "Brightness is the mean gray level, 0 to 255. Sharpness is the variance of the Laplacian (Pech-Pacheco et al. "
        "2000), on a logarithmic axis. An emotion that differs much from the others here can be recognised without "
        "looking at the face.",
    )
    medians = [
        (emotion, float(np.median(light[of])), float(np.median(sharp[of])))
        for label, emotion in enumerate(EMOTIONS)
        if (of := faces.labels == label).any()
    ]
    told = ", ".join(f"{emotion} {a:.0f} and {b:,.0f}" for emotion, a, b in medians)
    page.figure(
        "light",
        ridges({"Brightness": light, "Sharpness (log)": sharp}, faces.labels),
        "The line in each hill is its median.",
        f"Distributions for each emotion. Median brightness and sharpness: {told}.",
    )
    count = min(EXTREMES, len(faces))
    orders = {"darkest": light, "brightest": -light, "most blurred": sharp, "sharpest": -sharp}
    rows = [Strip(name, faces.images[np.argsort(by, kind="stable")[:count]]) for name, by in orders.items()]
    page.figure(
        "extremes",
        strips(rows, columns=EXTREMES),
        "What lies at the ends: look for drawings, blanks and pictures without a face.",
        f"The {count} darkest, brightest, most blurred and sharpest faces.",
    )
