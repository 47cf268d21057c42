"""Face embedders side by side: how well they know a person again, at which size of the face, how fast, how large.

python -m benchmarks.embedders PAIRS [--more FOLDER]... [--clip FILE]... [--dlib FILE.dat]

`PAIRS` and `--more` are folders with `pairs.csv` beside the pictures, or with one folder a person (as Labeled Faces in
the Wild has it). One photo of a pair is taken as it is, as if enrolled; the other is shrunk until its face has the size
in question, and its face is found anew. In a clip, one track at two times is one person, and two tracks at one time are
two. Needs `onnx`; dlib's weights come from `--dlib` or from the package face-recognition-models, and dlib itself is not
needed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.embedder_entrants import built_in, dlib, eight_bits, open_embedder, single
from benchmarks.identity_clips import score as score_clip
from benchmarks.identity_clips import sightings
from benchmarks.identity_pairs import pictures_of, read_pairs, show, shrunk, similarities, verify
from benchmarks.record import save
from classpulse import Policy, Settings
from classpulse.vision.detector import open_detector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.identity_pairs import Pairs, Shown
    from classpulse.types import Floats
    from classpulse.vision.detector import FaceDetector
    from classpulse.vision.embedder import FaceEmbedder

SIZES = (None, 64, 48, 32, 24)
"""Longer side of the face that is seen, px; None leaves the photo as it is."""
RATES = (0.01, 0.001)
ROUNDS = 31


def complete(pairs: Pairs, shown: Sequence[Shown | None]) -> tuple[Pairs, list[Shown]]:
    """The photographs in which a face was found, and the pairs of them."""
    kept = [i for i, one in enumerate(shown) if one is not None]
    new = {old: i for i, old in enumerate(kept)}
    whole = np.isin(pairs.places, kept).all(axis=1)
    places = np.array([[new[int(a)], new[int(b)]] for a, b in pairs.places[whole]], np.int64).reshape(-1, 2)
    found = [one for one in shown if one is not None]
    return type(pairs)(tuple(pairs.paths[i] for i in kept), places, pairs.same[whole]), found


def embedded(embedder: FaceEmbedder, shown: Sequence[Shown]) -> Floats:
    """(N, D) embeddings of the faces."""
    return np.concatenate([embedder.embed(one.image, one.face) for one in shown])


def score(embedder: FaceEmbedder, pairs: Pairs, views: dict[int | None, list[Shown]]) -> dict[str, Any]:
    """Verification by the size of the face that is seen."""
    gallery = embedded(embedder, views[None])
    both = np.concatenate([pairs.same, pairs.same])
    figures = {}
    for size, shown in views.items():
        probes = gallery if size is None else embedded(embedder, shown)
        alike = similarities(gallery, probes, pairs.places)
        found = verify(alike, both, RATES)
        figures["as it is" if size is None else f"{size} px"] = {
            "auc": round(found.auc, 5),
            "accepted_at": {f"{100 * rate:g} %": round(share, 4) for rate, share in found.accepted.items()},
            "threshold_at": {f"{100 * rate:g} %": round(limit, 3) for rate, limit in found.thresholds.items()},
            "at_own_threshold": {
                "accepted": round(float((alike[both] > embedder.min_similarity).mean()), 4),
                "false": round(float((alike[~both] > embedder.min_similarity).mean()), 5),
            },
            "least_alike_same": round(found.worst_same, 3),
            "most_alike_different": round(found.best_different, 3),
        }
    return figures


def ms_per_face(embedders: Sequence[FaceEmbedder], one: Shown) -> list[float]:
    """Median of the thread's own time to align and embed one face, which counts no waiting for others' work."""
    took: list[list[float]] = [[] for _ in embedders]
    for _ in range(ROUNDS):
        for embedder, times in zip(embedders, took, strict=True):
            began = time.thread_time()
            embedder.embed(one.image, one.face)
            times.append(time.thread_time() - began)
    return [round(1e3 * float(np.median(times[1:])), 2) for times in took]


def views_of(shown: list[Shown], detector: FaceDetector) -> dict[int | None, list[Shown]]:
    """The photographs at every size."""
    return {size: shown if size is None else [shrunk(one, size, detector) for one in shown] for size in SIZES}


def table_of(rows: Sequence[dict[str, Any]], name: str) -> Table:
    """What a person wants to see of one set."""
    table = Table(title=name, title_justify="left")
    table.add_column("embedder", no_wrap=True)
    for size in rows[0]["sets"][name]["sizes"]:
        table.add_column(f"AUC {size}", justify="right")
        table.add_column("at 1 / .1 %", justify="right")
    table.add_column("ms", justify="right")
    table.add_column("MB", justify="right")
    for row in rows:
        cells = []
        for figures in row["sets"][name]["sizes"].values():
            shares = " / ".join(f"{100 * share:.0f}" for share in figures["accepted_at"].values())
            cells += [f"{figures['auc']:.4f}", shares]
        table.add_row(row["name"], *cells, f"{row['ms_per_face']:.1f}", f"{row['bytes'] / 1e6:.1f}")
    return table


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, help="folder of pairs; its pictures of no pair calibrate the int8 variant")
    parser.add_argument("--more", type=Path, action="append", default=[], help="another such folder")
    parser.add_argument("--clip", type=Path, action="append", default=[], help="a video of people")
    parser.add_argument("--dlib", type=Path, help="dlib_face_recognition_resnet_model_v1.dat")
    args = parser.parse_args()
    console = Console(width=150)
    detector = open_detector(Settings(), Policy("eu"))
    with tempfile.TemporaryDirectory() as scratch, Console(stderr=True).status("measuring"):
        folder = Path(scratch)
        used = set(read_pairs(args.pairs).paths)
        spare = [path for path in pictures_of(args.pairs) if path not in used] or sorted(used)
        spared = [one for one in show(spare, detector) if one is not None]
        paths = [built_in(folder), single(folder), eight_bits(folder, spared), dlib(folder, args.dlib)]
        opened = [(path, open_embedder(path)) for path in paths if path is not None]
        times = ms_per_face([embedder for _, embedder in opened], spared[0])
        rows: list[dict[str, Any]] = [
            {"name": embedder.name, "bytes": path.stat().st_size, "ms_per_face": ms, "sets": {}, "clips": {}}
            for (path, embedder), ms in zip(opened, times, strict=True)
        ]
        for place in (args.pairs, *args.more):
            pairs, shown = complete(read_pairs(place), show(read_pairs(place).paths, detector))
            views = views_of(shown, detector)
            for row, (_, embedder) in zip(rows, opened, strict=True):
                counts = {"photos": len(shown), "same": int(pairs.same.sum()), "different": int((~pairs.same).sum())}
                row["sets"][place.name] = {**counts, "sizes": score(embedder, pairs, views)}
        for clip in args.clip:
            seen = sightings(clip, detector)
            for row, (_, embedder) in zip(rows, opened, strict=True):
                row["clips"][clip.name] = score_clip(embedder, seen)
    for place in (args.pairs, *args.more):
        console.print(table_of(rows, place.name))
    for row in rows:
        for name, figures in row["clips"].items():
            console.print(row["name"], name, figures)
    console.print("ms: alignment and embedding of one face, median on one thread; compare the rows of one run only.")
    print("written to", save("embedders", {"timing": "thread time, medians of one run", "embedders": rows}))


if __name__ == "__main__":
    main()
