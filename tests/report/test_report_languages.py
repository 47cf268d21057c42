"""The report in other languages: nothing is left in English, and scripts that the charts' font lacks can be read."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import matplotlib as mpl
import pytest
from stored_class import store_lesson

from classpulse.report.canvas import styled
from classpulse.report.contents import ClassReport, read_class
from classpulse.report.files import render
from classpulse.storage.store import Store
from classpulse.texts import MIRRORED, catalogue

if TYPE_CHECKING:
    from pathlib import Path

SAME = {"Classpulse", "UTC", "docs", "method"}
"""Names, codes and addresses."""
NOTED = {"Recap", "Exercise", "New", "topic", "Question"}
"""What the teacher wrote."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ClassReport:
    folder: Path = tmp_path_factory.mktemp("store")
    with Store.open(f"sqlite:///{folder / 'c.db'}") as store:
        return read_class(store, store_lesson(store))


def words_of(html: str) -> str:
    shown = re.sub(r"<style.*?</style>|<path[^>]*>|<defs.*?</defs>|<!--.*?-->", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", shown).split())


def test_a_lesson_in_spanish(report: ClassReport) -> None:
    html = render([report], "html", "es").decode()
    assert '<html lang="es" dir="ltr">' in html
    said = words_of(html)
    assert "De media, el 80 % de quienes se veían miraba a la pantalla (entre 71 y 89 % de toda la clase)." in said
    assert "te siguen durante 37 minutos" in said
    assert "la parte que mira a la pantalla bajó del 83 % al 55 % en 4 minutos; 16 de 18 a la vista" in said
    assert re.search(r"la atención bajó al 5\d %; lo habitual era el 79 %", said)


def test_who_is_lost_has_said_so_and_not_that_they_do_not_follow(report: ClassReport) -> None:
    of_answers = replace(report, kind="join", windows=tuple(replace(one, people=0) for one in report.windows))
    spanish, hindi = (words_of(render([of_answers], "html", language).decode()) for language in ("es", "hi"))
    assert re.search(r"De media, el \d+ % te seguía y el \d+ % se había perdido\.", spanish)
    assert "se habían perdido, de media" in spanish
    assert re.search(r"\d+% समझ रहे थे और \d+% को समझ नहीं आ रहा था।", hindi)


def test_a_number_of_minutes_within_a_sentence(report: ClassReport) -> None:
    assert "37 मिनट तक समझ रहे हैं" in words_of(render([report], "html", "hi").decode())


def test_charts_in_hindi_are_drawn_in_letters(report: ClassReport) -> None:
    html = render([report], "html", "hi").decode()
    charts = re.findall(r"<svg class=.*?</svg>", html, re.DOTALL)
    assert len(charts) == 6
    assert "स्क्रीन की ओर देखते हैं" in charts[0]
    assert "<text" in charts[0], "outlines of a font without these letters would be empty boxes"
    assert "<text" not in render([report], "html", "es").decode()


def test_two_who_ask_at_once_get_each_their_own_charts() -> None:
    """A style is matplotlib's for the whole process."""
    found: list[str] = []

    def draw(language: str) -> None:
        with styled(catalogue(language), {}):
            found.append(mpl.rcParams["svg.fonttype"])

    other = threading.Thread(target=draw, args=("hi",))
    with styled(catalogue("es"), {}):
        other.start()
        other.join(0.1)
        found.append(mpl.rcParams["svg.fonttype"])
    other.join(10)
    assert found == ["path", "none"]


@pytest.mark.parametrize("several", [False, True])
def test_nothing_is_left_in_english(report: ClassReport, *, several: bool) -> None:
    html = render([report, report] if several else [report], "html", MIRRORED).decode()
    assert 'dir="rtl"' in html
    left = set(re.findall(r"[A-Za-z]{3,}", words_of(html)))
    months = {report.started_at.strftime(form) for form in ("%B", "%b")}
    assert left - SAME - NOTED - months == set()


def test_files_for_programs_are_the_same_in_every_language(report: ClassReport) -> None:
    for kind in ("csv", "json"):
        assert render([report], kind, "hi") == render([report], kind)
