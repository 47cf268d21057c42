"""The yaw of faces by another project's face mesh, to compare ours with.

MediaPipe's mesh (Apache-2.0) has 468 points in three dimensions; the yaw is the angle between the picture's plane and
the lines that join points of the left and the right half of the face. It is no truth, but rests on the whole face.
It needs mediapipe 0.10.9 to 0.10.21, which wants an environment of its own, and reads the faces that
`benchmarks.head_pose` names:

    python -m benchmarks.head_pose FOLDER --faces faces.json
    an-environment/bin/python benchmarks/mesh_yaw.py faces.json yaws.json
    python -m benchmarks.head_pose FOLDER --mesh yaws.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import mediapipe
import numpy as np

PAIRS = ((33, 263), (234, 454), (61, 291), (133, 362), (127, 356), (93, 323), (132, 361), (58, 288))
"""Points of the right and of the left half of the face that lie opposite each other."""
SIDE = 384
FARTHEST_PX = 60
"""Distance of a mesh from the middle of the crop from which it is another face."""


def yaw_deg(mesh: Any, image: Any, face: dict[str, Any]) -> float | None:  # noqa: ANN401 - of a library without types
    """Yaw of one face, positive to the picture's right; None where no mesh is found."""
    x0, y0, x1, y1 = face["box"]
    centre = np.array([x0 + x1, y0 + y1]) / 2
    matrix = cv2.getRotationMatrix2D(centre.tolist(), face["roll_deg"], SIDE / (2 * max(x1 - x0, y1 - y0)))
    matrix[:, 2] = matrix[:, 2] + SIDE / 2 - centre
    seen = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    meshes = mesh.process(cv2.cvtColor(seen, cv2.COLOR_BGR2RGB)).multi_face_landmarks or []
    points = [np.array([(p.x, p.y, p.z) for p in found.landmark]) * SIDE for found in meshes]
    points = [p for p in points if np.abs(p[:, :2].mean(axis=0) - SIDE / 2).max() < FARTHEST_PX]
    if not points:
        return None
    across = sum(points[0][left] - points[0][right] for right, left in PAIRS)
    return float(np.degrees(np.arctan2(across[2], np.hypot(across[0], across[1]))))


def main(faces: Path, to: Path) -> None:
    """Write a yaw for each face, in their order."""
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=3, min_detection_confidence=0.3)
    yaws: list[float | None] = []
    path, index, capture, image = None, -1, None, None
    for face in json.loads(faces.read_text(encoding="utf-8")):
        if face["path"] != path:
            path, index, capture = face["path"], -1, cv2.VideoCapture(face["path"])
        while capture is not None and index < face["frame"]:
            index, image = index + 1, capture.read()[1]
        yaws.append(yaw_deg(mesh, image, face))
    to.write_text(json.dumps(yaws), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
