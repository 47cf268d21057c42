from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from html_pages import Seen
from PIL import Image

from classpulse.errors import TrainingError
from classpulse.training.plots import ACCENT, INK, NIGHT, PAPER, curves, dark, figure, png, styled
from classpulse.training.report import PAGE, Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

HOSTILE = '<script>alert("x")</script> & "quoted" <img src=x onerror=y>'


@styled
def line(colour: str = ACCENT) -> Figure:
    drawn = figure(200, 120)
    axes = drawn.subplots()
    axes.plot([0, 1], [0, 1], color=colour)
    axes.set_title("line")
    return drawn


def history(epochs: int, *, people: bool = True) -> list[dict[str, float]]:
    rows = []
    for i in range(epochs):
        row = {"epoch": i + 1.0, "loss": 2.0 - 0.1 * i, "accuracy": 0.2 + 0.05 * i, "learning_rate": 1e-3}
        row |= {"public_label": 0.3 + 0.04 * (i if i < 4 else 3 - i), "seconds": 1.0}
        rows.append(row | ({"public_people": 0.5 + 0.02 * i} if people else {}))
    return rows


def test_a_page_names_figures_that_exist_and_can_be_read(tmp_path: Path) -> None:
    page = Report("Run", "One line.\n\nAnother.")
    page.figure("first", line(), "A line.", "A line that rises.")
    page.section("Later")
    page.figure("second", line(), "", "The same line.")
    written = page.write(tmp_path / "deep" / "folder")
    seen = Seen(written.read_text(encoding="utf-8"))
    files = {image["src"] for image in seen.all("img")} | {source["srcset"] for source in seen.all("source")}
    assert files == {"first.png", "first-dark.png", "second.png", "second-dark.png"}
    for name in files:
        with Image.open(written.parent / name) as picture:
            picture.load()
            assert picture.size == (400, 240)
    assert [image["alt"] for image in seen.all("img")] == ["A line that rises.", "The same line."]
    assert {path.name for path in written.parent.iterdir()} == files | {PAGE}


def test_markup_in_any_text_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    page = Report(HOSTILE, HOSTILE)
    page.section(HOSTILE, HOSTILE)
    page.figure("line", line(), HOSTILE, HOSTILE)
    page.table([HOSTILE, "b"], [[HOSTILE, HOSTILE]], caption=HOSTILE)
    page.facts({HOSTILE: HOSTILE})
    seen = Seen(page.write(tmp_path).read_text(encoding="utf-8"))
    assert not seen.all("script")
    assert [image["src"] for image in seen.all("img")] == ["line.png"]
    assert not [attributes for _, attributes in seen.elements if "onerror" in attributes]
    assert "".join(seen.words).count('<script>alert("x")</script>') >= 9
    assert seen.all("img")[0]["alt"] == HOSTILE


def test_a_page_stands_alone_and_can_be_read_aloud() -> None:
    page = Report("Run")
    for heading in ("One", "Two", "Three"):
        page.section(heading, "text")
    page.table(["emotion", "faces", "share"], [["fear", 4081, "14.3 %"], ["happy", 7185, None]], caption="Counts")
    html = page.html()
    seen = Seen(html)
    assert seen.all("html")[0]["lang"] == "en"
    assert not seen.all("link")[0]["href"].startswith("http")
    assert not any(
        value.startswith(("http", "//")) for _, a in seen.elements for value in (a.get("src"), a.get("href")) if value
    )
    assert "url(" not in html.replace("data:image", "")
    assert "@import" not in html
    scopes = [cell.get("scope") for cell in seen.all("th")]
    assert scopes == ["col"] * 3 + ["row"] * 2
    assert [cell.get("class", "") for cell in seen.all("th")[:3]] == ["", "num", "num"]
    anchors = [link["href"][1:] for link in seen.all("a") if link["href"].startswith("#part")]
    assert anchors == [section["id"] for section in seen.all("section")]
    assert "4,081" in "".join(seen.words)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headers"):
        Report("Run").table(["a", "b"], [["only"]])


@pytest.mark.parametrize("name", ["", "../escape", "Has Blank", "dot.png", "first", "first-dark"])
def test_a_name_that_is_no_file_or_is_taken_is_refused(name: str) -> None:
    page = Report("Run")
    page.figure("first", line(), "", "A line.")
    with pytest.raises(ValueError, match="is no name for a figure"):
        page.figure(name, line(), "", "A line.")


def test_a_figure_needs_words() -> None:
    with pytest.raises(ValueError, match="needs a text"):
        Report("Run").figure("first", line(), "caption", "  ")


def test_where_nothing_can_be_written_one_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"cannot be written to .*file.*choose a folder") as caught:
        Report("Run").write(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_the_page_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Report("Old")
    old.figure("line", line(), "", "A line.")
    old.write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    whole = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name.startswith(PAGE):
            whole(path, content[:10])
            raise OSError(28, "No space left on device")
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    new = Report("New")
    new.figure("line", line(PAPER), "", "No line.")
    with pytest.raises(TrainingError, match="No space left on device"):
        new.write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def pixels(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB")).reshape(-1, 3)


def test_a_figure_is_dark_for_dark_pages_and_then_as_it_was() -> None:
    drawn = line()
    drawn.set_layout_engine("none")
    before = png(drawn)
    with dark(drawn):
        night = png(drawn)
    assert png(drawn) == before
    for content, paper, ink in ((before, PAPER, INK), (night, NIGHT[PAPER], NIGHT[INK])):
        colours = ["#" + bytes(row.tolist()).hex() for row in np.unique(pixels(content), axis=0)]
        assert paper in colours
        assert ink in colours
    assert pixels(before).mean() > 200
    assert pixels(night).mean() < 60


def test_a_style_is_nobody_elses() -> None:
    before = dict(mpl.rcParams)
    line()
    assert dict(mpl.rcParams) == before


def test_figures_need_no_screen() -> None:
    code = "import sys, classpulse.training.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("epochs", [1, 3, 30])
def test_curves_mark_the_best_epoch_of_each_target(epochs: int) -> None:
    drawn = curves(history(epochs))
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    rows = history(epochs)
    best = max(rows, key=lambda row: row["public_label"])
    assert labels[0] == "Training"
    assert labels[1] == f"PublicTest, label: best {100 * best['public_label']:.1f} % in epoch {best['epoch']:.0f}"
    assert labels[2].endswith(f"in epoch {epochs}")
    accuracy, loss, _ = drawn.axes
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in accuracy.lines}
    assert np.allclose(lines["Training"], [100 * row["accuracy"] for row in rows])
    assert np.allclose(np.asarray(loss.lines[0].get_ydata()), [row["loss"] for row in rows])
    assert png(drawn) == png(curves(rows))


def test_curves_of_one_target() -> None:
    labels = [text.get_text() for text in curves(history(3, people=False)).legends[0].get_texts()]
    assert len(labels) == 2
