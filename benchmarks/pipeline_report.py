"""What `benchmarks.pipeline_peers` tells: figures by entrant, a table for the README, a plot."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

import classpulse
from benchmarks import human_in_node, mtcnn
from benchmarks.installed_size import closure, distributions_mb, folder_mb
from benchmarks.peers import FER_VERSION
from benchmarks.pipeline_figures import RATES, accuracies, cost, found, over_all, rates, ratio, summary
from classpulse.training.evaluate.metrics import rate
from classpulse.training.plots import ACCENT, INK, LINE, MUTED, figure, png, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.pipeline_peers import Entrant

Figures = dict[str, Any]
Rounds = dict[int, list[Figures]]
READ_PX = 36
"""Height from which ours reads a face; those below are counted alone."""
CLASS, GALLERY = "30 faces", "meeting-gallery"
FRAME_RATES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def figures_of(
    entrants: Sequence[Entrant],
    rounds: Mapping[str, Rounds],
    boxes: Mapping[str, Sequence[Figures]],
    *,
    crowds: Sequence[int],
    scenes_alike: Sequence[str],
) -> Figures:
    """All figures.

    Args:
        entrants: ours first.
        rounds: of each that was timed, by cores, the rounds.
        boxes: of each, what it found in the frames that were checked by eye.
        crowds: sizes of the made classes.
        scenes_alike: names of the real clips, which weigh alike in `all clips`.
    """
    scored, rows = accuracies(), []
    for entrant in entrants:
        row: Figures = {"name": entrant.name, "found": faces_found(boxes[entrant.name])}
        if entrant.name in rounds:
            of_it = rounds[entrant.name]
            most = of_it[max(of_it)]
            row |= {
                "start_s": round(float(np.median([r["first_s"] for r in most])), 2),
                "peak_mb": round(float(np.median([r["peak_mb"] for r in most]))),
                "installed_mb": round(installed_mb(entrant)),
                "accuracy": scored.get(entrant.scored_as),
                "scenes": {str(cores): scenes_of(of_it[cores]) for cores in of_it},
            }
            if crowds:
                row["cost"] = cost(
                    [
                        {n: 1000 / rates(r["scenes"][f"{n} faces"])["frames_per_s"] for n in crowds}
                        for r in of_it[max(of_it)]
                    ]
                )
        rows.append(row)
    ours, *peers = [entrant.name for entrant in entrants if entrant.name in rounds]
    return {
        "entrants": rows,
        "ours_beside": {name: ratios(rounds[ours], rounds[name], scenes_alike) for name in peers},
        "versions": versions(),
    }


def scenes_of(rounds: Sequence[Figures]) -> Figures:
    """Each scene's summary."""
    return {scene: summary([r["scenes"][scene] for r in rounds]) for scene in rounds[0]["scenes"]}


def ratios(ours: Rounds, theirs: Rounds, alike: Sequence[str]) -> Figures:
    """How many times as fast ours is, by cores, rate and scene, and over all clips in which both tell something."""
    told: Figures = {}
    for cores in ours:
        told[str(cores)] = {}
        for name in RATES:
            each = [
                {scene: [rates(r["scenes"][scene])[name] for r in side[cores]] for scene in side[cores][0]["scenes"]}
                for side in (ours, theirs)
            ]
            by_scene = {scene: ratio(each[0][scene], each[1][scene]) for scene in each[0]}
            usable = [scene for scene in alike if by_scene[scene] is not None]
            if usable:
                by_scene["all clips"] = ratio(*(over_all({s: side[s] for s in usable}) for side in each))
            told[str(cores)][name] = by_scene
    return told


def faces_found(frames: Sequence[Figures]) -> Figures:
    """Recall over the frames that were checked by eye, and boxes that are no face."""
    hits = false = large_hits = 0
    faces = [face for frame in frames for face in frame["truth"]["faces"]]
    large = sum(face[2] >= READ_PX for face in faces)
    by_clip: dict[str, list[int]] = {}
    for frame in frames:
        got, wrong = found(frame["boxes"], frame["truth"])
        hits, false = hits + got, false + wrong
        small = [face for face in frame["truth"]["faces"] if face[2] < READ_PX]
        others = {"faces": [f for f in frame["truth"]["faces"] if f[2] >= READ_PX], "unsure": small}
        large_hits += found(frame["boxes"], others)[0]
        seen = by_clip.setdefault(frame["clip"], [0, 0, 0])
        seen[0], seen[1], seen[2] = seen[0] + got, seen[1] + len(frame["truth"]["faces"]), seen[2] + wrong
    if not faces:
        return {}
    share = rate(hits, len(faces))
    return {
        "found": hits,
        "faces": len(faces),
        "interval_95": [round(share.low, 3), round(share.high, 3)],
        f"found_from_{READ_PX}_px": large_hits,
        f"faces_from_{READ_PX}_px": large,
        "no_face": false,
        "by_clip": {
            name: dict(zip(("found", "faces", "no_face"), seen, strict=True)) for name, seen in by_clip.items()
        },
    }


def installed_mb(entrant: Entrant) -> float:
    """MiB of all it is installed with; Python and Node themselves aside."""
    if entrant.kind == "human":
        return folder_mb(Path(entrant.files["human"]))
    if entrant.kind == "ours":
        others = closure(["classpulse"]) - {"classpulse"}
        return distributions_mb(others) + folder_mb(Path(classpulse.__file__).parent)
    own = folder_mb(Path(entrant.files["mtcnn"])) + Path(entrant.files["emotion"]).stat().st_size / 2**20
    return distributions_mb(closure(entrant.distributions)) + own


def versions() -> dict[str, str]:
    """Of what the peers run on, as far as it is here."""
    told = {"facenet-pytorch": mtcnn.VERSION, "fer": FER_VERSION, **human_in_node.versions()}
    try:
        return {"torch": version("torch"), **told}
    except PackageNotFoundError:
        return told


def table(figures: Figures) -> str:
    """A table for the README, in Markdown: a column for each entrant that was timed."""
    rows = [row for row in figures["entrants"] if "scenes" in row]
    most = max(rows[0]["scenes"], key=int)
    lines: list[tuple[str, list[str]]] = []

    def add(title: str, cells: Sequence[str]) -> None:
        lines.append((title, list(cells)))

    for scene in (CLASS, GALLERY):
        if scene in rows[0]["scenes"][most]:
            shown = [row["scenes"][most][scene] for row in rows]
            add(f"{scene}: frames a second", [f"{s['frames_per_s']:.3g}" for s in shown])
            add(f"{scene}: faces told an emotion a second", [f"{s['told_per_s']:.0f}" for s in shown])
            alone = [row["scenes"]["1"][scene] for row in rows]
            add(f"{scene}: faces told a second of one core", [f"{s['told_per_cpu_s']:.0f}" for s in alone])
            add(f"{scene}: faces read anew a second of one core", [f"{s['fresh_per_cpu_s']:.0f}" for s in alone])
            add(f"{scene}: ms a frame, p50 and p95", [f"{s['p50_ms']:.0f}, {s['p95_ms']:.0f}" for s in shown])
    beside = figures["ours_beside"]
    titles = ("frames", "faces told", "faces told, one core", "faces read anew, one core")
    for name, title in zip(RATES, titles, strict=True):
        cores = "1" if "cpu" in name else most
        for scene in (CLASS, "all clips"):
            cells = [times(beside.get(row["name"], {}).get(cores, {}).get(name, {}).get(scene)) for row in rows]
            if any(cell != "-" for cell in cells):
                add(f"Classpulse / it, {title}: {scene}", cells)
    if "cost" in rows[0]:
        add("ms for a face more, 1 to 50", [f"{row['cost']['ms_per_added_face']:.1f}" for row in rows])
    if rows[0]["found"]:
        add(
            f"found of {rows[0]['found']['faces']} faces, and boxes that are none",
            [f"{row['found']['found']}, {row['found']['no_face']}" for row in rows],
        )
        add(
            f"found of the {rows[0]['found'][f'faces_from_{READ_PX}_px']} from {READ_PX} px",
            [str(row["found"][f"found_from_{READ_PX}_px"]) for row in rows],
        )
    add("agrees with people, PrivateTest", [accuracy(row, "people") for row in rows])
    add("says FER-2013's label, PrivateTest", [accuracy(row, "label") for row in rows])
    add("start to first result, s", [f"{row['start_s']:.1f}" for row in rows])
    add("most memory, MiB", [f"{row['peak_mb']:.0f}" for row in rows])
    add("installed, MiB", [f"{row['installed_mb']:.0f}" for row in rows])
    head = ["", *(row["name"] for row in rows)]
    body = [head, ["---", *(["---:"] * len(rows))], *([title, *cells] for title, cells in lines)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in body)


def times(told: Figures | None) -> str:
    """A ratio with its interval; a dash where there is none.

    >>> times({"times": 31.4, "interval_95": [29.96, 33.2], "rounds": 5})
    '31 (30 to 33)'
    """
    if not told:
        return "-"
    mean, low, high = (
        f"{value:.1f}" if value < 10 else f"{value:.0f}" for value in (told["times"], *told["interval_95"])
    )
    return f"{mean} ({low} to {high})"


def accuracy(row: Figures, kind: str) -> str:
    """In percent; a dash where it was not scored."""
    return f"{100 * row['accuracy'][kind]['accuracy']:.1f} %" if row["accuracy"] else "-"


def draw(figures: Figures, path: Path) -> None:
    """Write the plot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(plot(figures)))


@styled
def plot(figures: Figures) -> Figure:
    """Frames a second by the number of faces, and what a core does in a second, of each entrant."""
    drawn = figure(960, 400)
    left, right = drawn.subplots(1, 2, width_ratios=(3, 2))
    rows = [row for row in figures["entrants"] if "cost" in row]
    _rates(left, rows)
    _readings(right, rows)
    drawn.supxlabel(
        "Made classes of 1280 x 720 px, flat out; left on all cores, right the work of one. "
        f"{figures['rounds']} rounds in turn.",
        fontsize=9.5,
        color=MUTED,
    )
    return drawn


def _rates(axes: Axes, rows: Sequence[Figures]) -> None:
    axes.set_title("Frames a second, by faces in the picture")
    axes.set_yscale("log")
    for row, marker in zip(rows, "osD^v<>", strict=False):
        numbers = [int(n) for n in row["cost"]["ms_per_frame"]]
        values = [1000 / ms for ms in row["cost"]["ms_per_frame"].values()]
        colour, line = (ACCENT, "-") if row is rows[0] else (MUTED, "--")
        axes.plot(numbers, values, marker=marker, linestyle=line, color=colour, markersize=6, label=row["name"])
    axes.legend(loc="upper right")
    axes.set_xlim(0, 52)
    axes.set_ylim(top=axes.get_ylim()[1] * 2)  # room for the names
    axes.yaxis.set_major_locator(FixedLocator(FRAME_RATES))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _readings(axes: Axes, rows: Sequence[Figures]) -> None:
    axes.set_title("Faces read anew, a second of one core")
    values = [row["scenes"]["1"][CLASS]["fresh_per_cpu_s"] for row in rows]
    places = np.arange(len(rows))[::-1]
    axes.barh(places, values, color=[ACCENT, *([LINE] * (len(rows) - 1))], height=0.36)
    for place, value, row in zip(places, values, rows, strict=True):
        axes.annotate(
            f"{row['name']}: {value:.0f}",
            (0, place + 0.32),
            va="center",
            color=ACCENT if row is rows[0] else INK,
            fontweight="bold" if row is rows[0] else "normal",
        )
    axes.set_yticks([])
    axes.set_ylim(-0.4, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
