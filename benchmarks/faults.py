"""The fault table: what is promised when something breaks, and what was lost when it did.

python -m benchmarks.faults [--short] [--dry] [pytest's options]

Runs every test that is marked `fault`, the long forms too, and writes what they measured into `docs/faults.md` and
`results/`. A line that has no test, or a test without a line, is an error.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.record import save

DOCUMENT = Path(__file__).parents[1] / "docs" / "faults.md"
BEGIN, END = "<!-- the table, by `make faults` -->", "<!-- its end -->"

LINES = {
    "a camera is lost and comes back": "it is told, opened again by itself, and holds up nothing",
    "a stream is killed, stalls or hangs up": "it is told, opened again by itself, and holds up nothing",
    "the network to those who look on or take part stalls and breaks": (
        "the class goes on and nobody else waits; what a student said before and after is stored once"
    ),
    "the disk is full for a while": (
        "it is told and the class goes on; all is stored once there is room, also of a class that ends meanwhile"
    ),
    "the database is locked by another program": "it is told, and all is stored once the lock is gone",
    "the database is away when something is noted, or when the class ends": (
        "nobody waits; what waits at the end is kept in a file and written in once"
    ),
    "PostgreSQL is killed and restarted during a class": "all is stored once, whether the class goes on or ends",
    "the line to PostgreSQL breaks, in a commit too, or stalls": "nothing is lost or stored twice, and nobody hangs",
    "a process is killed (kill -9) at any moment of a class": (
        "what is older than its last second is stored, the next start closes the class, and the database is whole"
    ),
    "a school's process is killed (kill -9) in the middle of classes": (
        "what its classes were told more than a second before is stored once, and they go on: in another process (at "
        "once on the same machine, within 15 s on another), or in the same one when it is started again"
    ),
    "SIGTERM or Ctrl-C in the middle of a class": (
        "the last result is waited for, all is stored and the class is closed as stopped"
    ),
    "the clock is set while a class runs": (
        "no row is lost, doubled or deleted as too old, and the class keeps its own time"
    ),
    "10,000 mutated frames, recordings, messages, model files and settings": (
        "each is taken, or refused in one sentence; nothing crashes, hangs or ends in an error of our own"
    ),
    "what others send or hand over, made by a fuzzer (atheris)": "the same",
    "the API is asked by its description (schemathesis)": (
        "every answer is one that the description tells of, and none is an error of the server"
    ),
    "floods of connections, requests and guesses": (
        "who takes part is heard, guesses are shut out, and memory and open files end with the flood"
    ),
    "floods of logins, from one address and from many": (
        "whoever is in stays in, others log in from elsewhere, a login that is guessed is shut, and memory is bounded"
    ),
    "files are asked for that nobody is to have (path traversal)": (
        "no file but the pages' own is sent, and nothing ends in an error of the server"
    ),
    "addresses and files named by others (SSRF)": (
        "a guarded stream leads to no other address, and a model reads no other file"
    ),
    "decompression bombs": "they are refused by their headers, before anything is unpacked",
    "what reads a class on a cluster (Ray) is killed: a process, a replica, a node": (
        "the class goes on with the same track numbers; its last second of results is lost at most, and nothing that "
        "was stored"
    ),
    "a cluster's (Ray) object stores are full, or it would write them to a disk": (
        "no picture reaches a disk: classes need no room there, and a cluster that could write one is refused"
    ),
    "a long day": "nothing is lost; memory, threads and open files stay as they were",
}
"""What can break, and what is promised then."""


@dataclass
class Line:
    """What became of the tests of one line.

    Attributes:
        passed, failed, skipped: how many.
        lost: what was lost, by the tests' own counts.
        figures: what they measured, in words.
        seconds: how long they took together.
    """

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    lost: int = 0
    figures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.failed:
            return f"**{self.failed} of {self.failed + self.passed} failed**"
        return f"{self.passed} passed" + (f", {self.skipped} skipped" if self.skipped else "")


class Collector:
    """Takes what the tests report, also those of other processes."""

    def __init__(self) -> None:
        """Nothing was reported yet."""
        self.lines: defaultdict[str, Line] = defaultdict(Line)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one report."""
        properties: dict[str, Any] = dict(report.user_properties)
        if "fault" not in properties or (report.when != "call" and report.outcome == "passed"):
            return
        line = self.lines[str(properties["fault"])]
        line.passed += report.outcome == "passed"
        line.failed += report.outcome == "failed"
        line.skipped += report.outcome == "skipped"
        line.seconds += report.duration
        line.lost += int(properties.get("lost", 0))
        if "figure" in properties:
            line.figures.append(str(properties["figure"]))


def table(lines: dict[str, Line]) -> str:
    """The table in Markdown."""
    rows = ["| what breaks | what is promised | tests | lost | what was done |", "| --- | --- | --- | --- | --- |"]
    for name, promise in LINES.items():
        line = lines.get(name, Line())
        rows.append(f"| {name} | {promise} | {line.verdict} | {line.lost} | {'; '.join(line.figures)} |")
    return "\n".join(rows)


def main() -> int:
    """Run all; the exit code tells whether all promises were kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="without the long forms")
    parser.add_argument("--dry", action="store_true", help="print and save nothing")
    args, others = parser.parse_known_args()
    collector = Collector()
    chosen = "fault and not thorough" if args.short else "fault"
    # Two files of training have the names of others, and none of them is about faults.
    code = pytest.main(["tests", "--ignore=tests/training", "-m", chosen, *others], plugins=[collector])
    lines = collector.lines
    unknown = sorted(set(lines) - set(LINES))
    missing = sorted(set(LINES) - set(lines)) if code == 0 and not args.short else []
    text = table(lines)
    sys.stdout.write(f"\n{text}\n\nlost: {sum(line.lost for line in lines.values())}\n")
    if unknown or missing:
        sys.stdout.write(f"lines that the table does not have: {unknown}; lines without a test: {missing}\n")
        return 1
    if not args.dry:
        before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        form = "short forms" if args.short else "long forms"
        dated = f"Of {datetime.now(UTC):%Y-%m-%d}, {form}, on a machine that did other things as well."
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{dated}\n\n{text}\n\n{END}{after}", encoding="utf-8")
        save("faults", {name: vars(line) | {"promise": LINES[name]} for name, line in lines.items()})
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
