"""From a photo and a recording to attendance, with the command alone: enrol, hold a class, look, export, forget."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from command import here, run
from live_pictures import write_video
from onnx_files import portrait
from rich.console import Console
from school import TEACHER, appearance, open_school

from classpulse.classbook import read_class
from classpulse.cli.attendance_views import attendance_table
from classpulse.insight.attendance import CAUTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from school import School

ANA = "Ana Sousão"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder: Ana enrolled with her photo, and one class in which she and somebody else were filmed."""
    data = tmp_path_factory.mktemp("school")
    photo, video = data / "ana.jpg", data / "class.mp4"
    cv2.imwrite(str(photo), portrait("grace_hopper.jpg"))
    heads = [portrait("grace_hopper.jpg")[0:400, 60:460], portrait("astronaut.png")[0:400, 30:430]]
    write_video(video, np.ascontiguousarray(np.hstack([*heads])), frames=40)
    for command in (
        ("policy", "set", "other", "--by", "Head"),
        ("people", "add", ANA, photo, "--consent-by", ANA),
        ("live", video, "--fast"),
    ):
        done = run(*command, data=data)
        assert done.returncode == 0, done.stderr
    return data


def test_who_was_there_is_told_with_what_it_is_worth(school: Path) -> None:
    done = here("attendance", 1, data=school)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(ANA) == 1
    assert "never proof: a photo or a video can fool it" in " ".join(done.stdout.split())
    assert "attendance.show" in here("audit", data=school).stdout


def test_a_file_of_it_goes_with_whoever_is_in_it(school: Path, tmp_path: Path) -> None:
    school = Path(shutil.copytree(school, tmp_path / "school"))
    target = school / "monday.csv"
    done = here("attendance", 1, "--csv", target, "--by", "T. Eacher", data=school)
    assert done.returncode == 0, done.stderr
    (line,) = csv.DictReader(target.read_text(encoding="utf-8").splitlines())
    assert (line["name"], line["seen"], line["note"]) == (ANA, "1", CAUTION)
    assert 1 < float(line["present_s"]) < 5
    assert "attendance.export" in here("audit", data=school).stdout
    again = here("attendance", 1, "--csv", target, data=school)
    assert again.returncode == 2
    assert "is there already: add --force" in again.stderr
    assert here("attendance", 1, "--csv", target, "--force", data=school).returncode == 0
    assert here("attendance", 1, "--csv", "-", data=school).stdout.count(ANA) == 1
    assert here("attendance", 1, "--csv", school / "no" / "such" / "folder.csv", data=school).returncode == 6
    assert here("people", "forget", ANA, "--yes", data=school).returncode == 0
    assert not target.exists()
    assert ANA not in here("attendance", 1, data=school).stdout


def test_off_with_recognition(school: Path, tmp_path: Path) -> None:
    for options, said in (
        (("--jurisdiction", "eu"), "does not allow identity models"),
        (("--set", "recognition.enabled=false"), "switched off"),
    ):
        done = here("attendance", 1, *options, data=school)
        assert (done.returncode, said in done.stderr, done.stdout) == (5, True, "")
    unset = here("attendance", 1, data=tmp_path)
    assert (unset.returncode, "unset" in unset.stderr) == (5, True)


@pytest.fixture
def enrolled(tmp_path: Path) -> Iterator[School]:
    opened = open_school(tmp_path)
    yield opened
    opened.store.close()


def table(school: School, number: int) -> str:
    appearances = school.store.appearances(school.store.vault(school.settings.key_file), TEACHER)
    book = read_class(school.store, school.people, appearances, school.settings.attendance, number)
    with io.StringIO() as text:
        Console(file=text, width=200).print(attendance_table(book))
        return text.getvalue()


def test_attendance_of_a_class_that_runs_is_so_far(enrolled: School) -> None:
    enrolled.enrol(ANA, 1)
    running, over = (table(enrolled, enrolled.hold_class(over=over)) for over in (False, True))
    assert f"Nobody was recognised in class 1 so far.\nNot seen so far: {ANA}." in running
    assert "up to half a minute old" in running
    assert f"Nobody was recognised in class 2.\nNot seen: {ANA}.\nFaces followed" in over


def test_a_length_agrees_with_its_ends(enrolled: School) -> None:
    people = [enrolled.enrol(name, seed) for seed, name in enumerate((ANA, "Ben"))]
    seen = (appearance(1, people[0], 2.1, 59.9), appearance(2, people[1], 2.9, 59.1))
    told = table(enrolled, enrolled.hold_class(*seen))
    assert len(re.findall(r"0:02 +0:59 +0:57 +left 44:01 early", told)) == 2


def test_what_is_not_there_is_said(school: Path, tmp_path: Path) -> None:
    done = here("attendance", 99, data=school)
    assert (done.returncode, "there is no class 99" in done.stderr) == (6, True)
    assert here("policy", "set", "other", data=tmp_path).returncode == 0
    empty = here("attendance", 1, data=tmp_path)
    assert (empty.returncode, "Nobody is enrolled yet" in empty.stderr) == (10, True)
