"""What is said and asked in the terminal: tables, bars, and the one question before a live class."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from classpulse.errors import PolicyError
from classpulse.insight.disclosure import disclose, held
from classpulse.insight.moments import clock
from classpulse.live import Terminal
from classpulse.local_time import local_time
from classpulse.operations.log import sayer
from classpulse.policy import EXEMPTIONS, STRICTEST_FIRST, Policy, Task, told
from classpulse.tables import plain_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from classpulse.inference.catalogue import Entry
    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Mark
    from classpulse.policy import Exemption
    from classpulse.settings import Jurisdiction, Settings
    from classpulse.settings.listing import Setting
    from classpulse.sources import Opened
    from classpulse.storage.tables import PolicyAnswerRow, SessionRow
    from classpulse.types import Frame, FrameResult

T = TypeVar("T")

EXPLAINED = """\
Which law is in force where this class is held?
  eu        the European Union and the EEA: faces are counted, and no emotion is read
            (EU AI Act, Article 5(1)(f): emotions may not be inferred in education, and consent does not lift it)
  other     elsewhere: emotions are read, and shown for groups
  research  a study that has been approved: as `other`
(In a script: classpulse policy set eu|other|research once, or --jurisdiction eu|other.)"""

EXEMPTION = """\
The ban has two exceptions: systems used for medical or for safety reasons. Almost no class is one of them."""

DECLARATION = """\
This needs a declaration of a sentence: what it rests on, and who approved it. It is kept with the answer."""

LONGEST_IN_SECONDS = 120.0
WIDEST = 10_000
SAME = '"'
HELD = (
    f"{SAME}  as in the line above: newer figures would tell who came or went, so that the last ones stay for a while"
)


@contextmanager
def conversation(settings: Settings, *, fast: bool) -> Iterator[Terminal]:
    """What a class may say and ask here, with a progress bar where the work has an end; a log of JSON asks nothing."""
    logged = sayer(settings.log, settings.data_dir)
    if logged is not None:
        yield Terminal(logged)
        return
    ask = _ask_law if sys.stdin.isatty() and sys.stderr.isatty() else None
    if not fast:
        yield Terminal(_say, ask)
        return
    with ExitStack() as begun:
        bar = progress_bar()
        task = bar.add_task("", total=None, faces=0)

        def opened(source: Opened) -> None:
            bar.update(task, description=source.name, total=source.total_frames)
            begun.enter_context(bar)  # not before: a class that cannot begin has no bar

        def advance(_frame: Frame, result: FrameResult) -> None:
            bar.update(task, advance=1, faces=len(result))

        yield Terminal(_say, ask, (advance,), opened)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _ask_law(source: str) -> tuple[Policy, str]:
    _say(f"{source} is a live class. {EXPLAINED}")
    answer: Jurisdiction = click.prompt("Answer", type=click.Choice(STRICTEST_FIRST), err=True)
    exemption: Exemption | None = None
    if answer == "eu":
        _say(EXEMPTION)
        said = click.prompt("Exception", type=click.Choice(("none", *EXEMPTIONS)), default="none", err=True)
        exemption = next((known for known in EXEMPTIONS if known == said), None)
    policy = _ask_declaration(answer, exemption) if exemption or answer == "research" else Policy(answer)
    return policy, click.prompt("Your name or role (kept with the answer)", err=True)


def _ask_declaration(answer: Jurisdiction, exemption: Exemption | None) -> Policy:
    _say(DECLARATION)
    while True:
        try:
            return Policy(answer, exemption, click.prompt("Declaration", err=True))
        except PolicyError as error:
            _say(f"Error: {error}")


def progress_bar() -> Progress:
    """A bar with frames, faces and the time that is left, on standard error."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("faces: {task.fields[faces]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        # Results may be on their way there.
        redirect_stdout=False,
    )


def counted(things: Sequence[T], what: str) -> Iterator[T]:
    """Go through things, with a bar on standard error where somebody looks."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, redirect_stdout=False, disable=not console.is_terminal) as bar:
        yield from bar.track(things, description=what)


@contextmanager
def working(what: str) -> Iterator[Callable[[float], None]]:
    """A bar on standard error where somebody looks; what is yielded takes the share that is done, 0 to 1."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def show(table: RenderableType) -> None:
    """Put a table on standard output; into a pipe or file its rows go whole, unless COLUMNS says how wide."""
    console = Console()
    if isinstance(table, Table) and not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = max(console.width, console.measure(table, options=console.options.update(width=WIDEST)).maximum)
    console.print(table, soft_wrap=isinstance(table, Text))


def models_table(entries: Mapping[str, Entry]) -> Text:
    """The models with their files, in lines that are left whole, to be copied."""
    text = Text()
    for entry in entries.values():
        text.append(entry.name, style="bold")
        text.append(f": {entry.purpose} ({entry.licence})\n")
        if entry.installed:
            text.append(f"  {entry.path}\n  sha256 {entry.sha256}\n", style="dim")
        else:
            text.append(f"  not installed: {entry.advice}\n", style="dim")
    text.rstrip()
    return text


def settings_list(settings: Sequence[Setting]) -> RenderableType:
    """Settings with their values, and below each what it means."""
    if not settings:
        return Text("Every setting is left at its default.")
    lines: list[RenderableType] = []
    for one in settings:
        below = Text(one.meaning, style="dim")
        if one.origin:
            below = Text.assemble((f"from {one.origin}; default {one.default}\n", "yellow"), below)
        line = Text.assemble((one.name, "bold"), f" = {one.value}", overflow="fold")
        lines += [line, Padding(below, (0, 0, 0, 4), expand=False)]
    return Group(*lines)


def sessions_table(sessions: Sequence[SessionRow], lengths_s: Mapping[int, float]) -> RenderableType:
    """The stored classes, each as long as it was by its own clock."""
    if not sessions:
        return Text("No class is stored yet: `classpulse live` begins one.")
    table = plain_table(
        "class", "source", "began", "length", "ended", "law", numbers=("class", "length"), wide="source"
    )
    for row in sessions:
        began = local_time(row.started_at)
        table.add_row(
            str(row.id),
            Text(row.source),
            began,
            length(lengths_s.get(row.id, 0.0)),
            row.ended_how or "running",
            told(row.jurisdiction, row.exemption),
        )
    return table


def length(seconds: float) -> str:
    """How long a class was: in seconds while they say more than minutes.

    >>> length(5.04), length(119.96), length(2700)
    ('5.0 s', '2.0 min', '45.0 min')
    """
    return f"{seconds:.1f} s" if round(seconds, 1) < LONGEST_IN_SECONDS else f"{seconds / 60:.1f} min"


def session_table(windows: Sequence[ClassWindow], labels: Sequence[str], min_group: int | None) -> RenderableType:
    """One class, window by window, with nothing that comes from too few people."""
    if not windows:
        return Text("This class has no figures: it ended before there were any.")
    columns = ("from", "faces", *labels, *(["uncertain"] if labels else []))
    table = plain_table(*columns, numbers=columns)
    table.padding = (0, 1, 0, 0)
    before, ever = None, False
    for window in windows:
        figures = disclose(window, min_group)
        mix, faces = figures["mix"], figures["faces"]
        shares = [mix.get(label) if isinstance(mix, dict) else None for label in labels]
        cells = [_percent(share) for share in (*shares, figures["uncertain"])] if labels else []
        stays = "mix" in held(figures, before)
        table.add_row(
            clock(window.start_s),
            f"{faces:.1f}" if isinstance(faces, float) else "too few",
            *([SAME] * len(cells) if stays else cells),
        )
        before, ever = figures, ever or stays
    return Group(table, Text(HELD)) if ever else table


def marks_table(marks: Sequence[tuple[int, Mark]]) -> RenderableType:
    """Marks with the class of each."""
    if not marks:
        return Text("Nothing was noted.")
    table = plain_table("class", "time", "noted", "by", numbers=("class", "time"), wide="noted")
    for number, mark in marks:
        table.add_row(str(number), clock(mark.time_s), Text(mark.label), mark.how)
    return table


def _percent(share: object) -> str:
    return f"{100 * share:.0f}%" if isinstance(share, float) else "·"


def policy_table(policy: Policy, log: Sequence[PolicyAnswerRow]) -> RenderableType:
    """The law in force, and every answer there has been."""
    allowed = ", ".join(task.value for task in Task if policy.allows(task))
    title = f"In force: {told(policy.jurisdiction, policy.exemption)} (allows {allowed})"
    if policy.jurisdiction is None:
        title = "In force: unset. A live class does not begin until somebody has said which law holds here:\n"
        title += f"  classpulse policy set {'|'.join(STRICTEST_FIRST)}\n"
        title += f"Recordings and the made-up class go on meanwhile; they allow {allowed}."
    elif not log:
        title += ". Nobody has said so here: it comes from the settings."
    if not log:
        return Text(title)
    table = plain_table("when", "law", "said by", "where", wide="said by")
    declared = []
    for answer in log:
        when, law = local_time(answer.answered_at), told(answer.jurisdiction, answer.exemption)
        table.add_row(when, law, Text(answer.answered_by), answer.how)
        if answer.declaration:
            declared.append(Text(f"Declared {when} for {law}: {answer.declaration}"))
    if log[-1].jurisdiction == "research" and not log[-1].declaration:
        declared.append(Text("The last answer lacks the declaration that research needs, and does not count."))
    return Group(Text(title), table, *declared)
