"""What recognition costs: the search among 10,000 embeddings, and the rate of a class with and without it.

python -m benchmarks.recognition CLIP [--rounds 5] [--cpu-share 0.5]

The clip is processed with and without recognition in turn, so that whatever else the machine does falls on both; each
pass with is compared with the passes without just before and after it. Processor time is less shaken by a busy machine
than rates are. The people of the clip are enrolled from one of its own frames, the rest of the gallery is made up.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import save
from classpulse import Gallery, Pipeline, Policy, Settings
from classpulse.sources import open_source
from classpulse.vision.detector import open_detector
from classpulse.vision.embedder import FaceEmbedder

if TYPE_CHECKING:
    from classpulse.types import Floats

ENROLLED_AT_S = 0.6
LARGE, PHOTOS = 10_000, 3
SEARCHES = 60


def made_up(count: int, size: int, seed: int = 0) -> Floats:
    """Embeddings of nobody, (count, size), of unit length."""
    rows = np.random.default_rng(seed).standard_normal((count, size)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def search(size: int) -> dict[str, Any]:
    """Milliseconds to match so many faces at once with 10,000 embeddings of `size` numbers."""
    gallery = Gallery("made up", [f"person {i // PHOTOS}" for i in range(LARGE)], made_up(LARGE, size))
    figures = {}
    for faces in (1, 2, 3, 10, 30):
        queries = made_up(faces, size, seed=1)
        took_ms, begin_cpu = [], time.process_time()
        for _ in range(SEARCHES):
            begin = time.perf_counter()
            gallery.match(queries, 0.6)
            took_ms.append(1e3 * (time.perf_counter() - begin))
        figures[f"{faces}_faces"] = {
            "best_ms": round(min(took_ms), 2),
            "median_ms": round(float(np.median(took_ms)), 2),
            "processor_ms": round(1e3 * (time.process_time() - begin_cpu) / SEARCHES, 2),
        }
    return {"embeddings": LARGE, "numbers_each": size, "people": len(gallery.people)} | figures


def enrolled(clip: Path, settings: Settings, others: int) -> Gallery:
    """The people of a frame of the clip, filled up with made-up ones to `others` embeddings."""
    policy = Policy("other")
    embedder = FaceEmbedder.open(settings, policy)
    source = open_source(clip, settings.stream, fast=True)
    image = next(frame.image for frame in source.frames() if frame.time_s >= ENROLLED_AT_S)
    source.close()
    faces = open_detector(settings, policy).detect(image)
    rows = np.concatenate([embedder.embed(image, faces), made_up(max(0, others - len(faces)), embedder.size)])
    return Gallery(embedder.name, [f"person {i}" for i in range(len(rows))], rows)


def one_pass(clip: Path, settings: Settings, gallery: Gallery | None) -> dict[str, Any]:
    """Results a second, processor milliseconds a result, and how many tracks were named."""
    pipeline = Pipeline(settings, jurisdiction="other", gallery=gallery)
    named: set[int] = set()
    results = 0
    begin, begin_cpu = time.perf_counter(), time.process_time()
    for result in pipeline.run(clip):
        results += 1
        if result.identities is not None:
            ids = result.tracks.ids.tolist()
            named |= {i for i, person in zip(ids, result.identities.people, strict=True) if person is not None}
    wall, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    return {"rate": results / wall, "cpu_ms": 1e3 * cpu / results, "named": len(named)}


def compare(clip: Path, settings: Settings, gallery: Gallery, rounds: int) -> dict[str, Any]:
    """Share of its rate that the class loses, and share of processor time that is added, by each round."""
    before = one_pass(clip, settings, None)
    lost, added, rates = [], [], []
    passes: dict[str, Any] = {}
    for _ in range(rounds):
        passes, after = one_pass(clip, settings, gallery), one_pass(clip, settings, None)
        rates.append((before["rate"] + after["rate"]) / 2)
        lost.append(1 - passes["rate"] / rates[-1])
        added.append(2 * passes["cpu_ms"] / (before["cpu_ms"] + after["cpu_ms"]) - 1)
        before = after
    return {
        "embeddings": len(gallery),
        "tracks_named": passes["named"],
        "results_per_s_without": round(statistics.median(rates), 1),
        "rate_lost_median": round(statistics.median(lost), 3),
        "rate_lost_by_round": [round(share, 3) for share in lost],
        "processor_time_added_median": round(statistics.median(added), 3),
        "processor_time_added_by_round": [round(share, 3) for share in added],
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, help="a video of many people, such as a recorded meeting gallery")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-share", type=float, default=0.5)
    parser.add_argument("--dry", action="store_true", help="write no file")
    args = parser.parse_args()
    settings = Settings(cpu_share=args.cpu_share)
    embedder = FaceEmbedder.open(settings, Policy("other"))
    figures: dict[str, Any] = {
        "clip": args.clip.name,
        "embedder": embedder.name,
        "threads": settings.threads,
        "search": search(embedder.size),
    }
    print(figures, flush=True)
    for name, others in (("30 people", 30), ("10,000 embeddings", LARGE)):
        gallery = enrolled(args.clip, settings, others)
        figures[name] = compare(args.clip, settings, gallery, args.rounds)
        print(name, figures[name], flush=True)
    if not args.dry:
        print("written to", save("recognition", figures))


if __name__ == "__main__":
    main()
