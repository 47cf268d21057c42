"""The document that says what is stored says it of the tables and settings that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from classpulse.settings import RetentionSettings, WindowSettings
from classpulse.storage.metadata import METADATA

DOCS = Path(__file__).parents[1] / "docs"
ENTRY = re.compile(r"^- \*\*`(?P<table>\w+)`\*\* \((?P<kept>[^)]*)\): .* Columns: (?P<columns>.*)\.$", re.MULTILINE)


def entries() -> dict[str, re.Match[str]]:
    text = (DOCS / "privacy.md").read_text(encoding="utf-8")
    return {found["table"]: found for found in ENTRY.finditer(text)}


def test_every_table_is_told_and_no_other() -> None:
    assert set(entries()) == set(METADATA.tables)


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_every_column_is_told(table: str) -> None:
    told = re.findall(r"`(\w+)`", entries()[table]["columns"])
    assert told == [column.name for column in METADATA.tables[table].columns]


def test_times_to_live_are_those_of_the_settings() -> None:
    days = RetentionSettings()
    told = [re.search(r"^(\d+) days[^`]*`retention\.(\w+)`", found["kept"]) for found in entries().values()]
    known = {name: int(number) for number, name in (match.groups() for match in told if match)}
    assert known == days.model_dump()


@pytest.mark.parametrize(
    ("name", "said"), [("privacy.md", "({}; never below 3)"), ("notice.md", "[{}] people"), ("dpia.md", "[{}] people")]
)
def test_the_group_is_that_of_the_settings(name: str, said: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert said.format(WindowSettings().min_group) in text.replace("\n", " ").replace("  ", " ")


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
