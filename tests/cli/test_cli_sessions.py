"""`classpulse sessions`: the list, and deleting of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import complaint, here
from stored_class import store_lesson

from classpulse.cli.terminal import length
from classpulse.settings import Settings
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A data folder with three classes."""
    with Store.of(Settings(data_dir=tmp_path)) as store:
        for _ in range(3):
            store_lesson(store, 1.0)
    return tmp_path


def numbers(data: Path) -> list[str]:
    return [line.split()[0] for line in here("sessions", data=data).stdout.splitlines()[1:]]


def test_classes_are_deleted_by_their_numbers(three: Path) -> None:
    refused = here("sessions", 1, "--delete", data=three)
    assert refused.returncode == 2
    assert "deleting class 1 (webcam 0, 20" in complaint(refused)
    assert "cannot be undone: add --yes" in complaint(refused)
    assert numbers(three) == ["3", "2", "1"]
    done = here("sessions", 1, "latest", 3, "--delete", "--yes", data=three)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Deleted: class 1.\nDeleted: class 3.\n"
    assert numbers(three) == ["2"]


def test_one_number_that_is_wrong_deletes_nothing(three: Path) -> None:
    refused = here("sessions", 1, 7, "--delete", "--yes", data=three)
    assert refused.returncode == 6
    assert "there is no class 7" in complaint(refused)
    assert numbers(three) == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--delete", "--yes"), "say which classes"),
        ((1, "--delete", "--yes", "--csv", "-"), "exclude each other"),
        ((1, 2), "one is shown at a time"),
        (("--csv", "-"), "say which class"),
    ],
)
def test_what_makes_no_sense_together_is_refused(three: Path, arguments: tuple[object, ...], said: str) -> None:
    refused = here("sessions", *arguments, data=three)
    assert refused.returncode == 2
    assert said in complaint(refused)
    assert numbers(three) == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0, "0.0 s"), (5.04, "5.0 s"), (119.9, "119.9 s"), (119.96, "2.0 min"), (2700.0, "45.0 min")],
)
def test_a_short_class_has_its_length_in_seconds(seconds: float, said: str) -> None:
    assert length(seconds) == said
