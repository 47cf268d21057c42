"""A class end to end: results a second, time of each stage, memory, start-up.

python -m benchmarks.pipeline CLIP [--yunet FILE]

Every detector is measured in the same run, on all cores, at the default intervals and once at every picture.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.record import save
from classpulse import Pipeline, Settings
from classpulse.inference import install
from classpulse.settings import DetectorSettings, EmotionSettings
from classpulse.sources import open_source

FLAT_FRAMES = 3000
ROUNDS = 3


def measure(clip: Path, settings: Settings) -> dict[str, Any]:
    """Results a second, the best and the worst of several passes, and the mean time of each stage of a last one."""
    rates = []
    for _ in range(ROUNDS):
        pipeline = Pipeline(settings, jurisdiction="other")
        begin = time.perf_counter()
        results = sum(1 for _ in pipeline.run(clip))
        rates.append(results / (time.perf_counter() - begin))
    return {"results_per_s_best": round(max(rates), 1), "results_per_s_worst": round(min(rates), 1)} | stages(
        clip, settings
    )


def stages(clip: Path, settings: Settings) -> dict[str, Any]:
    """Mean milliseconds a frame of each stage, and how many faces there were."""
    pipeline = Pipeline(settings, jurisdiction="other")
    spent_s: dict[str, float] = {}

    def note(stage: str, _index: int, begin_s: float, end_s: float) -> None:
        spent_s[stage] = spent_s.get(stage, 0.0) + end_s - begin_s

    pipeline.on_stage = note
    source = open_source(clip, settings.stream, fast=True)
    frames = source.frames()
    done = faces = 0
    while True:
        begin_s = time.monotonic()
        frame = next(frames, None)
        if frame is None:
            break
        note("decode", frame.index, begin_s, time.monotonic())
        done, faces = done + 1, faces + len(pipeline.process(frame))
    source.close()
    return {
        "faces_per_frame": round(faces / done, 1),
        "stage_ms": {name: round(1000 * value / done, 2) for name, value in spent_s.items()},
    }


def memory(clip: Path, settings: Settings) -> dict[str, Any]:
    """Resident megabytes along `FLAT_FRAMES` frames of one pipeline."""
    pipeline, process = Pipeline(settings, jurisdiction="other"), psutil.Process()
    seen: list[int] = []
    done, begin_s, time_s = 0, 0.0, 0.0
    while done < FLAT_FRAMES:
        source = open_source(clip, settings.stream, fast=True)
        for frame in source.frames():
            time_s = begin_s + frame.time_s
            pipeline.process(replace(frame, time_s=time_s))
            done += 1
            if done % 500 == 0:
                seen.append(process.memory_info().rss >> 20)
            if done == FLAT_FRAMES:
                break
        source.close()
        begin_s = time_s
    return {"frames": done, "resident_mb_every_500_frames": seen}


def start_up() -> dict[str, Any]:
    """Seconds until `--help` has answered, and until the live page of the demo shows its first faces."""
    helps = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "classpulse", "--help"], check=True, capture_output=True)
        helps.append(time.perf_counter() - begin)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "classpulse", "live", "demo", "--port", "0", "--no-browser"]
        begin = time.perf_counter()
        with subprocess.Popen(
            [*command, "--set", f"data_dir={folder}"], stderr=subprocess.PIPE, text=True, bufsize=1
        ) as process:
            assert process.stderr is not None  # noqa: S101 - asked for above
            for line in process.stderr:
                if "live at" in line:
                    break
            ready = time.perf_counter() - begin
            process.terminate()
    return {"help_s_best_of_5": round(min(helps), 3), "class_is_live_s": round(ready, 2)}


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, help="a video, such as a recorded meeting gallery")
    parser.add_argument("--yunet", help="YuNet's file, to measure it too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), cpu_share=1.0)
        chosen = {
            "centerface 640 px": DetectorSettings(),
            "centerface 480 px": DetectorSettings(width_px=480),
            "centerface 640 px, every picture": DetectorSettings(interval_s=0),
        }
        if args.yunet:
            install(settings, "yunet", args.yunet)
            chosen["yunet 640 px"] = DetectorSettings(name="yunet")
        figures: dict[str, Any] = {"clip": args.clip.name, "start_up": start_up()}
        for name, detector in chosen.items():
            reading = EmotionSettings() if detector.interval_s else EmotionSettings(interval_s=0)
            changes = {"detector": detector, "emotion": reading}
            figures[name] = measure(args.clip, settings.model_copy(update=changes))
            print(name, figures[name], flush=True)
        figures["memory"] = memory(args.clip, settings)
    print(figures)
    print("written to", save("pipeline", figures))


if __name__ == "__main__":
    main()
