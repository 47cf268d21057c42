from __future__ import annotations

from pathlib import Path

from faces import make_faces

from classpulse.training.faces.faceset import Split
from classpulse.training.recipe import make_recipe
from classpulse.training.run_page import write_run_page
from classpulse.training.runs import Run

HISTORY = [
    {
        "epoch": float(i + 1),
        "loss": 2.0 - i / 4,
        "accuracy": 0.3 + i / 10,
        "learning_rate": 1e-3,
        "public_label": label,
        "public_people": people,
        "seconds": 1800.0,
    }
    for i, (label, people) in enumerate([(0.51, 0.70), (0.6412, 0.81), (0.62, 0.8734)])
]


def test_it_tells_the_best_epoch_of_each_target_and_what_was_seen(tmp_path: Path) -> None:
    faces = make_faces()
    folder = tmp_path / "<b>run</b>"
    run = Run.create(folder, make_recipe("mobilenet", {}), faces, Path("a & b.csv"))
    page = write_run_page(run, HISTORY).read_text(encoding="utf-8")
    text = " ".join(page.split())
    for cells in (("FER-2013 label", "2", "64.12 %", "62.00 %"), ("agreement with people", "3", "87.34 %", "87.34 %")):
        at = [text.index(f">{cell}<", text.index(f">{cells[0]}<")) for cell in cells]
        assert at == sorted(at), cells
    assert "1.5" in text, "hours so far"
    assert f"{len(faces.split(Split.TRAINING)):,} of Training" in text
    assert "a &amp; b.csv" in text
    assert "loss from 2.00 to 1.50" in text, "the curves can be read without seeing them"
    assert (folder / "curves.png").stat().st_size > 5000
