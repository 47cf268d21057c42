"""What documents say there is: files, tests, targets, variables, exit codes, paths of the API, figures. Each is there.

Where a document lists all of something, nothing is left out either.
"""

from __future__ import annotations

import importlib.util
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from school import open_school

from classpulse import errors
from classpulse.cli.entry import EXITS
from classpulse.operations import Operations
from classpulse.school.school import School
from classpulse.settings import Settings
from classpulse.settings.loading import NOT_SETTINGS, PREFIX
from classpulse.settings.names import names_of
from classpulse.storage.runs import Process
from classpulse.web.school_app import create_school_app
from classpulse.web.school_class import ClassPages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("**/*.md"),
        *(ROOT / "deploy").glob("**/*.md"),
        *(ROOT / "changelog.d").glob("*.md"),
        ROOT / "src/classpulse/models/MODELS.md",
    ]
)
DEPLOYED = [path for path in (ROOT / "deploy").rglob("*") if path.is_file() and path.suffix not in {".txt", ".py"}]
OURS = r"(?:src|docs|deploy|tests|tools|benchmarks|bundle|requirements|changelog\.d)/"
FILE = re.compile(rf"`({OURS}[^`\s:…]*)(?:::(\w+))?`")
TARGET = re.compile(r"(?:^    |^|`)make ([a-z-]+)", re.MULTILINE)
MODULE = re.compile(r"python -m ((?:benchmarks|tools|classpulse)[.\w]*)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_and_test_that_is_named_is_there(page: Path) -> None:
    for name, function in FILE.findall(text_of(page)):
        assert list(ROOT.glob(name.rstrip("/"))), name
        assert not function or f"def {function}(" in text_of(ROOT / name), f"{name}::{function}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_target_and_module_that_is_named_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert set(TARGET.findall(text_of(page))) <= targets
    for module in MODULE.findall(text_of(page)):
        assert importlib.util.find_spec(module), module


@pytest.mark.parametrize("page", [*PAGES, *DEPLOYED], ids=name_of)
def test_every_variable_that_is_named_is_read(page: Path) -> None:
    settings = {PREFIX + name.upper().replace(".", "__") for name in names_of(Settings)}
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text_of(page))) <= settings | NOT_SETTINGS


def test_every_exit_code_is_told_and_no_other() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.ClassPulseError)]
    interrupted = 130
    assert {int(code) for code in re.findall(r"\d+", EXITS)} == {one.exit_code for one in kinds} | {interrupted}


def rows_below(page: Path, heading: str) -> Iterator[tuple[str, str]]:
    """The first two cells of each row of the first table that comes after a heading."""
    table = text_of(page).partition(heading)[2].partition("\n| ")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        first, second, *_ = line.removeprefix("| ").split(" | ")
        yield first, second


def school_paths(folder: Path) -> dict[str, set[str]]:
    """What the description of a school's own API has: methods by path."""
    school = open_school(folder)
    classes = ClassPages(school.store, school.settings)
    mine = School(school.store, school.settings, Process.this("http://127.0.0.1:1"), classes)
    described = create_school_app(mine, school.store.accounts(), classes).openapi()
    school.store.close()
    return {path: {method.upper() for method in methods} for path, methods in described["paths"].items()}


def asked(cell: str) -> Iterator[tuple[set[str], str]]:
    """What a cell tells of the API: the methods that are named before each path, none for all, and the path."""
    methods = set[str]()
    for span in re.findall(r"`([^`]+)`", cell):
        method, _, path = span.rpartition(" ") if "/" in span else (span, "", "")
        methods |= {method} - {""}
        if path:
            yield methods, re.sub("NAME|LOGIN", "{*}", path).replace("/…", "*").replace("…", "*")
            methods = set()


def test_a_schools_own_paths_are_told_and_no_others(tmp_path: Path) -> None:
    there = {path: methods for path, methods in school_paths(tmp_path).items() if path.startswith("/api/")}
    found = set[str]()
    for cell, _ in rows_below(ROOT / "docs/api.md", "The school's own paths"):
        for methods, pattern in asked(cell):
            those = {path for path in there if fnmatchcase(path, pattern)}
            assert those or pattern == "/api/v1/openapi.json", pattern  # which describes all others
            assert methods <= {"GET"}.union(*(there[path] for path in those)), pattern
            found |= those
    assert found == set(there)


def test_every_figure_for_prometheus_is_told_and_no_other() -> None:
    told = {
        name
        for cell, _ in rows_below(ROOT / "docs/operations.md", "## Figures")
        for name in re.findall(r"`([a-z_]+)`", cell)
    }
    with Operations(Settings()) as operations:
        kinds = {one.name: one.type for one in operations.metrics.registry.collect()}
    ends = {"counter": "_total", "info": "_info"}
    there = {name + ends.get(kind, "") for name, kind in kinds.items() if name.startswith("classpulse_")}
    assert {f"classpulse_{name}" for name in told} == there


@pytest.mark.parametrize("file", ["alerts.yaml", "grafana-dashboard.json"])
def test_every_figure_that_is_watched_is_told(file: str) -> None:
    operations = text_of(ROOT / "docs/operations.md")
    text = text_of(ROOT / "deploy/monitoring" / file)
    said = json.dumps(json.loads(text)["panels"]) if file.endswith(".json") else text
    for name in re.findall(r"\bclasspulse_(\w+)", said):
        assert f"`{re.sub('_(bucket|sum|count)$', '', name)}`" in operations, name
