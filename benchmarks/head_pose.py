"""How right and how steady the yaw of a face is: ours, the nose's offset over the face's length, and PnP.

python -m benchmarks.head_pose FOLDER [--mesh YAWS]

FOLDER holds recordings in `clips` and photographs in `people`. With `--mesh`, all are compared with the yaws that
`benchmarks/mesh_yaw.py` found.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.record import save
from classpulse import Faces, Policy, Settings
from classpulse.geometry import iou
from classpulse.sources import open_source
from classpulse.vision.detector import open_detector
from classpulse.vision.head_pose import HeadPoseEstimator
from classpulse.vision.quality import turned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from classpulse.types import Image
    from classpulse.vision.detector import FaceDetector

CLIPS = {
    "meeting-gallery.mp4": 10,
    "classroom.mp4": 10,
    "one-person-sad-then-happy.mp4": 15,
    "one-person-smile.mp4": 10,
    "seated-class.gif": 15,
}
"""Recordings, and every which frame is compared with the mesh."""
PLACES = {"still": (625, 128), "turning": (200, 575)}
"""Two people of the gallery: one who does not turn, and one who turns to full profile, px."""
SHRUNK_PX = (80, 56, 40, 28, 20, 14)
MIN_SCORE = 0.6
NOSE_OVER_LENGTH = 0.5
"""Sine of the yaw in noses over face lengths; of .45 to .65, the best against the mesh."""
HEAD_MM = np.array([(-31.5, -17, 0), (31.5, -17, 0), (0, 17, -28), (-26, 50, -7), (26, 50, -7)], np.float64)
"""Five points of a head for PnP: x to the right, y down, z away."""
FOCAL_FACES = 6.0
"""Focal length that PnP is told, face sizes."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The faces of one picture."""

    path: Path
    frame: int
    faces: Faces


# --- three ways ---


def ours(faces: Faces) -> NDArray[np.float64]:
    """Yaw by the estimator that the product uses, degrees."""
    return HeadPoseEstimator(Policy("other")).estimate(faces).yaw_deg.astype(np.float64)


def by_length(faces: Faces) -> NDArray[np.float64]:
    """Yaw by the offset of the nose over the length of the face, degrees."""
    return np.degrees(np.arcsin(np.clip(-turned(faces.landmarks).astype(np.float64) / NOSE_OVER_LENGTH, -1, 1)))


def by_pnp(faces: Faces) -> NDArray[np.float64]:
    """Yaw by `cv2.solvePnP` with SQPNP (Terzakis and Lourakis 2020), degrees."""
    yaws = []
    for box, points, size in zip(faces.boxes, faces.landmarks.astype(np.float64), faces.sizes_px, strict=True):
        focal, (x, y) = FOCAL_FACES * float(size), (box[:2] + box[2:]) / 2
        camera = np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]], np.float64)
        _, rotation, _ = cv2.solvePnP(HEAD_MM, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
        forward = -cv2.Rodrigues(rotation)[0][:, 2]
        yaws.append(np.degrees(np.arctan2(forward[0], -forward[2])))
    return np.array(yaws, np.float64)


WAYS: dict[str, Callable[[Faces], NDArray[np.float64]]] = {"ours": ours, "over_length": by_length, "sqpnp": by_pnp}


# --- what they are measured on ---


def photographs(folder: Path, detector: FaceDetector) -> Iterator[tuple[Image, Seen]]:
    """The photographs with their faces."""
    for path in sorted([*folder.glob("people/**/*.jpg"), folder / "clips/five-people.jpg"]):
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        yield image, Seen(path, 0, detector.detect(image))


def recording(path: Path, detector: FaceDetector) -> list[Seen]:
    """Every frame of a recording with its faces."""
    source = open_source(path, Settings().stream, fast=True)
    try:
        return [Seen(path, frame.index, detector.detect(frame.image)) for frame in source.frames()]
    finally:
        source.close()


def compared(seen: list[Seen]) -> Faces:
    """All faces in one."""
    kept = [one.faces[one.faces.scores >= MIN_SCORE] for one in seen]
    return Faces(*(np.concatenate([getattr(f, name) for f in kept]) for name in ("boxes", "scores", "landmarks")))


def rows(seen: list[Seen]) -> list[dict[str, Any]]:
    """The same faces for `mesh_yaw.py`."""
    estimator, found = HeadPoseEstimator(Policy("other")), []
    for one in seen:
        faces = one.faces[one.faces.scores >= MIN_SCORE]
        for box, roll in zip(faces.boxes, np.nan_to_num(estimator.estimate(faces).roll_deg), strict=True):
            found.append({"path": str(one.path), "frame": one.frame, "box": box.tolist(), "roll_deg": float(roll)})
    return found


# --- figures ---


def against_mesh(faces: Faces, mesh_deg: NDArray[np.float64]) -> dict[str, Any]:
    """Agreement of each way with the mesh, and of ours by angle and size."""
    estimates = {name: way(faces) for name, way in WAYS.items()}
    both = np.isfinite(mesh_deg) & np.isfinite(estimates["ours"])
    mesh_deg, sizes = mesh_deg[both], faces.sizes_px[both]
    figures: dict[str, Any] = {"faces": int(both.sum()), "mesh_yaw_quantiles_deg": quantiles(mesh_deg)}
    for name, estimate in estimates.items():
        yaw = estimate[both]
        line = np.polyval(np.polyfit(yaw, mesh_deg, 1), yaw)
        figures[name] = {
            "r": rounded(np.corrcoef(yaw, mesh_deg)[0, 1], 3),
            "mae_deg": rounded(np.abs(yaw - mesh_deg).mean()),
            "mae_after_a_straight_line_deg": rounded(np.abs(line - mesh_deg).mean()),
        }
    yaw = estimates["ours"][both]
    told = HeadPoseEstimator(Policy("other")).estimate(faces).yaw_sd_deg[both]
    edges = (0, 10, 20, 30, 40, 50, 91)
    parts = {f"{a}_to_{b}_deg": (np.abs(yaw) >= a) & (np.abs(yaw) < b) for a, b in pairwise(edges)}
    parts |= {"below_100_px": sizes < 100, "from_100_px": sizes >= 100}
    figures["ours_by"] = {
        name: {
            "faces": int(part.sum()),
            "rms_deg": rounded(np.sqrt(((yaw - mesh_deg)[part] ** 2).mean())),
            "median_error_deg": rounded(np.median(np.abs(yaw - mesh_deg)[part])),
            "sd_told_deg": rounded(np.median(told[part])),
        }
        for name, part in parts.items()
    }
    return figures


def shrunk(pictures: list[tuple[Image, Seen]], detector: FaceDetector) -> dict[str, Any]:
    """What is left of the yaw of a photograph's largest face, of 90 px or more, as it gets smaller."""
    pairs: dict[int, list[tuple[Faces, Faces | None]]] = {size: [] for size in SHRUNK_PX}
    for image, seen in pictures:
        sizes = seen.faces.sizes_px
        if sizes.max(initial=0) >= 90:
            large = seen.faces[np.array([sizes.argmax()])]
            for size in SHRUNK_PX:
                pairs[size].append((large, again(image, large, size / float(sizes.max()), detector)))
    figures: dict[str, Any] = {}
    for size, tried in pairs.items():
        both = [(large, small) for large, small in tried if small is not None]
        figures[f"{size}_px"] = {"found": len(both), "of": len(tried)}
        for name, way in WAYS.items():
            full = np.array([way(large)[0] for large, _ in both])
            small = np.array([way(small)[0] for _, small in both])
            good = np.isfinite(full) & np.isfinite(small)
            if good.sum() > 10:
                change = (small - full)[good]
                slope = np.polyfit(full[good], small[good], 1)[0]
                figures[f"{size}_px"][name] = {"sd_deg": rounded(change.std()), "slope": rounded(slope, 2)}
    return figures


def again(image: Image, face: Faces, scale: float, detector: FaceDetector) -> Faces | None:
    """The same face in a smaller picture, on a grey one of 640 x 360."""
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:360, :640]
    canvas = np.full((360, 640, 3), 110, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    found = detector.detect(canvas)
    overlap = iou((face.boxes * scale).astype(np.float32), found.boxes)
    return found[overlap.argmax(axis=1)] if overlap.max(initial=0) > 0.4 else None


def steadiness(gallery: list[Seen]) -> dict[str, Any]:
    """Yaws of somebody who does not turn and of somebody who does, by each way."""
    figures: dict[str, Any] = {}
    for person, place in PLACES.items():
        near = []
        for one in gallery:
            centres = (one.faces.boxes[:, :2] + one.faces.boxes[:, 2:]) / 2
            near.append(one.faces[np.hypot(*(centres - np.array(place)).T) < 60])
        if any(len(faces) != 1 for faces in near):
            message = f"{person}: there is to be one face at {place} in every frame"
            raise ValueError(message)
        figures[person] = {"size_px": rounded(np.median([f.sizes_px[0] for f in near]))}
        for name, way in WAYS.items():
            yaw = np.array([way(faces)[0] for faces in near])
            steps = np.diff(yaw)
            noise = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
            figures[person][name] = {"yaw_quantiles_deg": quantiles(yaw), "noise_sd_deg": rounded(noise)}
    return figures


def cost_ms(faces: Faces) -> dict[str, float]:
    """Milliseconds for 30 faces, the median of 50 times."""
    thirty, figures = faces[:30], {}
    for name, way in WAYS.items():
        took = []
        for _ in range(50):
            begin = time.perf_counter()
            way(thirty)
            took.append(1e3 * (time.perf_counter() - begin))
        figures[name] = rounded(np.median(took), 3)
    return figures


def quantiles(values: NDArray[np.float64]) -> list[float]:
    """The 5, 25, 50, 75 and 95 % points."""
    return [rounded(value) for value in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])]


def rounded(value: float | np.floating[Any], digits: int = 1) -> float:
    """A plain number."""
    return round(float(value), digits)


def main() -> None:
    """Measure, print, and leave a dated file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faces", type=Path, help="write the faces for mesh_yaw.py, and end")
    parser.add_argument("--mesh", type=Path, help="yaws that mesh_yaw.py found")
    asked = parser.parse_args()
    detector = open_detector(Settings(), Policy("other"), threads=1)
    pictures = list(photographs(asked.folder, detector))
    clips = {name: recording(asked.folder / "clips" / name, detector) for name in CLIPS}
    chosen = [seen for _, seen in pictures]
    for name, every in CLIPS.items():
        chosen += clips[name][::every]
    if asked.faces:
        asked.faces.write_text(json.dumps(rows(chosen)), encoding="utf-8")
        return
    faces = compared(chosen)
    figures: dict[str, Any] = {}
    if asked.mesh:
        yaws = json.loads(asked.mesh.read_text(encoding="utf-8"))
        figures["against_mesh"] = against_mesh(faces, np.array([np.nan if y is None else y for y in yaws], np.float64))
    figures["shrunk"] = shrunk(pictures, detector)
    figures["gallery"] = steadiness(clips["meeting-gallery.mp4"])
    figures["thirty_faces_ms"] = cost_ms(faces)
    print(save("head-pose", figures).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
