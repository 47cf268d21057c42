"""A report as a file: HTML, PDF, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal, get_args

from classpulse.errors import SettingsError, StorageError
from classpulse.insight.disclosure import held
from classpulse.insight.moments import SAID
from classpulse.storage.export import window_columns, window_lines
from classpulse.whole_file import replace_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classpulse.report.contents import ClassReport

Format = Literal["html", "pdf", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)


def format_of(path: Path, asked: Format | None) -> Format:
    """The format that somebody asked for, or that a file's name says.

    Raises:
        SettingsError: neither says it, or the two disagree.
    """
    if path.is_dir():
        message = f"{path} is a folder: give --out a file in it, such as {path / 'report.html'}"
        raise SettingsError(message)
    ending = path.suffix.lower().removeprefix(".").replace("htm", "html").replace("htmll", "html")
    named = next((name for name in FORMATS if name == ending), None)
    if asked is not None and named is not None and asked != named:
        message = f"--format {asked} and the name {path.name} disagree: give one of them, or make them agree"
        raise SettingsError(message)
    chosen = asked or named
    if chosen is None:
        message = f"{path.name} does not say which format: name it .html, .pdf, .csv or .json, or give --format"
        raise SettingsError(message)
    return chosen


def render(reports: Sequence[ClassReport], kind: Format, language: str = "en") -> bytes:
    """The report as the content of a file.

    Args:
        reports: of one class or several.
        kind: which format.
        language: of pages; CSV and JSON are for programs, and the same in every language.

    Raises:
        SettingsError: PDFs cannot be made here.
    """
    if kind == "csv":
        return _csv(reports).encode()
    if kind == "json":
        content = [_record(report) for report in reports]
        return json.dumps(content if len(content) > 1 else content[0], indent=2, allow_nan=False).encode() + b"\n"
    from classpulse.report.page import to_html  # noqa: PLC0415 - matplotlib takes half a second

    html = to_html(reports, language)
    if kind == "html":
        return html.encode()
    from classpulse.report.pdf import to_pdf  # noqa: PLC0415

    return to_pdf(html)


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a device or a pipe takes what it is given.

    Raises:
        StorageError: it cannot be written; what was there before is still there.
    """
    try:
        replace_whole(path, content)
    except OSError as error:
        message = f"--out {path} cannot be written: {error.strerror}"
        raise StorageError(message) from None


def _csv(reports: Sequence[ClassReport]) -> str:
    """The columns of `sessions --csv`, behind one that tells classes apart."""
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    labels = list(dict.fromkeys(label for report in reports for label in report.labels))
    asked = any(report.answers.raw for report in reports)
    rows.writerow(["class", *window_columns(labels, asked=asked)])
    for report in reports:
        unasked: list[dict[str, int | None]] = [dict.fromkeys((*SAID,))] * len(report.windows) if asked else []
        lines = window_lines((window.raw for window in report.windows), labels, report.answers.raw or unasked)
        rows.writerows([report.session_id, *cells] for cells in lines)
    return file.getvalue()


def _record(report: ClassReport) -> dict[str, object]:
    """All of a report, ready for JSON."""
    said, raw = report.answers, [window.raw for window in report.windows]
    return {
        "class": report.session_id,
        "source": report.source,
        "started_at": report.started_at.isoformat(),
        "ended": report.ended_how,
        "law": report.law,
        "min_group": report.min_group,
        "length_s": round(report.length_s, 3),
        **_mean(report, "facing"),
        **_mean(report, "attention"),
        "coverage": report.coverage,
        "mix_mean": {label: round(share, 4) for label, share in report.mix.items()} or None,
        "states_s": {name: round(seconds, 3) for name, seconds in report.states_s.items()},
        "moments": [asdict(moment) for moment in report.moments],
        "marks": [asdict(mark) for mark in report.marks],
        "alerts": [asdict(alert) for alert in report.alerts],
        "answers": [
            {"time_s": round(time_s, 3), **({"too_few": True} if counts is None else asdict(counts))}
            for time_s, counts in zip(said.times_s, said.counts, strict=True)
            if said.most
        ],
        "agreement": said.agreement or None,
        "windows": [
            {**shown, "held": sorted(held(shown, before))} for shown, before in zip(raw, (None, *raw), strict=False)
        ],
    }


def _mean(report: ClassReport, name: Literal["facing", "attention"]) -> dict[str, object]:
    mean = report.mean(name)
    ends = None if mean is None else [mean.low, mean.high]
    return {f"{name}_mean": None if mean is None else mean.value, f"{name}_interval": ends}
