"""What an export shows in the terminal, and the figures it leaves beside the model files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from classpulse.training.console import read_faces
from classpulse.training.export.export import export
from classpulse.training.export.speed import BATCHES
from classpulse.training.runs import Run
from classpulse.training.whole_files import as_json, write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classpulse.training.export.export import Exported, Precision, Variant
    from classpulse.training.recipe import Target

NOT_MEASURED = "not measured"


def run_export(
    folder: Path,
    target: Target,
    data: Path | None,
    out: Path | None,
    precisions: Sequence[Precision],
    *,
    mirrored: bool = False,
) -> None:
    """Export a run's network, print what came of it, and write the same as JSON beside the file.

    Args:
        folder: of the run.
        target: which head.
        data: FER-2013 in any layout, or nothing.
        out: the model file; in the run's folder if not given.
        precisions: which files.
        mirrored: whether they look at every face and at its mirror image.

    Raises:
        DataError: the data cannot be read, or is not what the run was trained with.
        TrainingError: it cannot be exported, or not be written.
    """
    console = Console(stderr=True)
    run = Run.open(folder)
    if unfinished := run.unfinished():
        console.print(unfinished, style="yellow", markup=False, soft_wrap=True)
    path = out or folder / f"{run.recipe.network}-{target}.onnx"
    faces = None if data is None else read_faces(data, console)
    with console.status("") as status:

        def say(what: str) -> None:
            status.update(f"{what} …")

        done = export(folder, target, faces, path, precisions, say, mirrored=mirrored)
    _write_figures(done, run, path.with_suffix(".json"))
    Console().print(table_of(done))
    if data is None:
        hint = "Without --data the temperature was not fitted and nothing was scored."
        console.print(hint, markup=False, soft_wrap=True)
    for variant in done.variants:
        console.print(f"written: {variant.path}", markup=False, soft_wrap=True)
    console.print(f"Use it: classpulse live --set emotion.model={done.variants[0].path}", markup=False, soft_wrap=True)


def table_of(done: Exported) -> Table:
    """The files with their figures."""
    table = Table(
        title=f"{done.target}: PublicTest scores, temperature {done.temperature:.3f} folded in",
        caption=(
            "ms /8: median for one face of a batch of 8, on one thread, beside whatever\n"
            "else this machine was doing: compare the rows with each other only.\n"
            "off by: largest distance of a logit from PyTorch's."
        ),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("precision", no_wrap=True)
    times = (f"ms /{size}" for size in BATCHES)
    for name in ("MB", "label %", "people %", *times, "off by"):
        table.add_column(name, justify="right", no_wrap=True)
    for variant in done.variants:
        table.add_row(*_cells(variant))
    return table


def _cells(variant: Variant) -> list[str]:
    return [
        variant.precision,
        f"{variant.size_bytes / 1e6:.2f}",
        *("·" if share is None else f"{100 * share:.2f}" for share in (variant.label, variant.people)),
        *(f"{variant.ms_per_face[size]:.2f}" for size in BATCHES),
        f"{variant.difference:.1g}",
    ]


def _write_figures(done: Exported, run: Run, path: Path) -> None:
    """What the table shows, for programs."""
    figures = {
        "run": run.folder.resolve().name,
        "commit": run.record["commit"],
        "target": done.target,
        "split": "PublicTest" if done.variants[0].label is not None else NOT_MEASURED,
        "faces": done.checked_on,
        "temperature": round(done.temperature, 4),
        "timing": {
            "what": "median ms a face on one thread, by faces in a batch; noisy: compare within this file only",
            "load_average": [round(v, 2) for v in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        },
        "variants": [
            {
                "precision": variant.precision,
                "file": variant.path.name,
                "bytes": variant.size_bytes,
                "sha256": variant.sha256,
                "label": NOT_MEASURED if variant.label is None else round(variant.label, 4),
                "people": NOT_MEASURED if variant.people is None else round(variant.people, 4),
                "ms_per_face": {str(size): time for size, time in variant.ms_per_face.items()},
                "largest_difference_from_pytorch": float(f"{variant.difference:.2g}"),
            }
            for variant in done.variants
        ],
    }
    write_whole(path, as_json(figures), advice="the model files beside it are whole")
