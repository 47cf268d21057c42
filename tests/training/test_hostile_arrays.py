from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from faces import make_faces, refusal

from classpulse.training.faces.faceset import Split
from classpulse.training.faces.layouts import read

if TYPE_CHECKING:
    from pathlib import Path

EVERY = tuple(Split)
FACES = make_faces(3)


def arrays(path: Path, **changes: Any) -> Path:
    there = {"image": FACES.images, "label": FACES.labels, "usage": FACES.splits, "ferplus_votes": FACES.votes}
    np.savez(path, **{name: array for name, array in (there | changes).items() if array is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"usage": None}, "has no array usage: it needs image, label and usage"),
        ({"image": FACES.images[:, :40]}, "image must be (N, 48, 48) of uint8, and is uint8 (35, 40, 48)"),
        ({"image": FACES.images.reshape(35, -1)}, "image must be (N, 48, 48) of uint8, and is uint8 (35, 2304)"),
        ({"image": FACES.images / 255}, "image must be (N, 48, 48) of uint8, and is float64 (35, 48, 48)"),
        ({"label": FACES.labels.astype(float)}, "label must be (N,) whole numbers, and is float64 (35,)"),
        ({"label": FACES.labels[:9]}, "are not of the same faces: 35 in image, 9 in label"),
        ({"ferplus_votes": FACES.votes[:, :7]}, "ferplus_votes must be (N, 10) of uint8"),
        ({"usage": np.asarray(["x" * 5000])}, "usage must be (N,) text, and is <U5000 (1,)"),
        ({"usage": np.asarray(35)}, "usage must be (N,) text"),
    ],
)
def test_arrays_that_are_not_as_wanted(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    assert reason in refusal(arrays(tmp_path / "fer2013.npz", **changes))


class Trap:
    """What would be run if it were unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return pytest.fail, ("a pickle was loaded",)


def test_python_objects_are_never_loaded(tmp_path: Path) -> None:
    trap = np.asarray([Trap()] * 35, dtype=object)
    with pytest.raises(pytest.fail.Exception):
        pickle.loads(pickle.dumps(trap))  # noqa: S301 - so it would bite
    message = refusal(arrays(tmp_path / "fer2013.npz", label=trap))
    assert "label must be (N,) whole numbers, and is Python objects, which are never loaded" in message


def test_an_array_that_claims_more_than_it_has(tmp_path: Path) -> None:
    path = arrays(tmp_path / "fer2013.npz", image=None)
    with zipfile.ZipFile(path, "a") as archive, archive.open("image.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 48, 48)}
        )
    assert "more than 500,000 faces" in refusal(path)
    path = arrays(tmp_path / "fer2013.npz", image=None)
    with zipfile.ZipFile(path, "a") as archive, archive.open("image.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (35, 48, 48)})
    assert "or is damaged" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut short", b"\x93NUMPY\x01\x00"])
def test_what_is_no_array_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fer2013.npz").write_bytes(content)
    assert "fer2013.npz is not an array file of FER-2013, or is damaged" in refusal(tmp_path)


def test_rows_that_cannot_be_meant_are_left_out(tmp_path: Path) -> None:
    usage, labels = FACES.splits.copy(), FACES.labels.astype(np.int64)
    usage[[0, 1]] = "Trainng"
    usage[2] = usage[2].upper()
    labels[[3, 4, 5]] = (7, -1, 256)
    faces, problems = read(arrays(tmp_path / "fer2013.npz", usage=usage, label=labels), EVERY)
    assert faces.names.tolist() == [f"row {i}" for i in (2, *range(6, 35))]
    assert np.array_equal(faces.images[0], FACES.images[2])
    assert [problem.reason for problem in problems] == [
        "2 rows have another usage than Training, PublicTest, PrivateTest",
        "3 rows have another label than 0 to 6: 7",
    ]
