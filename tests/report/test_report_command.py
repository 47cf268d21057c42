"""`classpulse report`."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import complaint, here
from stored_class import store_lesson

from classpulse.storage.store import Store


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("data")
    with Store.open(f"sqlite:///{folder / 'classpulse.db'}") as store:
        store_lesson(store, 6)
    return folder


@pytest.mark.parametrize(("name", "start"), [("a.html", b"<!doctype html>"), ("a.csv", b"class,"), ("a.json", b"{")])
def test_a_file_by_its_name(data: Path, tmp_path: Path, name: str, start: bytes) -> None:
    done = here("report", "latest", "--out", tmp_path / name, data=data)
    assert done.returncode == 0, done.stderr
    assert f"The report is in {tmp_path / name}" in done.stderr.replace("\n", "")
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_file_that_is_there_is_not_written_over_unasked(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("mine")
    refused = here("report", "latest", "--out", target, data=data)
    assert refused.returncode == 2
    assert complaint(refused) == (
        f"{target} is there already: add --force to write over it, or give another name with --out"
    )
    assert target.read_text() == "mine"
    assert here("report", "latest", "--out", target, "--force", data=data).returncode == 0
    assert target.read_bytes().startswith(b"{")


def test_a_device_takes_a_report_and_stays_one(data: Path) -> None:
    null = Path("/dev/null")
    if not null.is_char_device():
        pytest.skip("this system has no /dev/null")
    assert here("report", "latest", "--format", "csv", "--out", null, data=data).returncode == 0
    assert null.is_char_device()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("7",), 6, "there is no class 7: `classpulse sessions` lists them"),
        (("x",), 2, "'x' is no class"),
        (("latest", "--out", "a.doc"), 2, "does not say which format"),
        (("latest", "--out", "/nowhere/a.html"), 6, "cannot be written"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_said(data: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = here("report", *arguments, data=data)
    assert done.returncode == code
    assert said in done.stderr
