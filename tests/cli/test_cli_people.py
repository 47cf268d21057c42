"""The commands for people, as their users start them."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from command import complaint, here
from onnx_files import packaged, portrait

from classpulse.cli import cli

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

CONSENT = ("--consent-by", "Rui Silva", "--guardian", "--note", "paper 7")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert do("policy", "set", "other", "--by", "Head", data=folder).returncode == 0
    return folder


def do(*words: object, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    key_file = data / "keys" / "people.key"
    return here(*words, data=data, env={"CLASSPULSE_KEY_FILE": str(key_file), **settings})


def well(*words: object, data: Path, **settings: str) -> str:
    finished = do(*words, data=data, **settings)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def refused(*words: object, data: Path, code: int = 10, **settings: str) -> str:
    finished = do(*words, data=data, **settings)
    assert finished.returncode == code, finished.stderr
    return complaint(finished)


def photo(folder: Path, name: str, seed: int) -> Path:
    """A portrait in the package as another camera would have taken it: darker, with noise of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = portrait("grace_hopper.jpg").astype(np.float32)
    noise = np.random.default_rng(seed).normal(0, 8, picture.shape)
    path = folder / name
    cv2.imwrite(str(path), np.clip((1 - 0.1 * seed) * picture + noise, 0, 255).astype(np.uint8))
    return path


def test_enrol_list_export_withdraw_and_forget(data: Path, tmp_path: Path) -> None:
    photos = [photo(tmp_path, f"ana{seed}.png", seed) for seed in (1, 2)]
    said = well("people", "add", "Ana Silva", *photos, *CONSENT, "--individual", "--by", "Head", data=data)
    assert said == "Ana Silva is enrolled, with 2 new photos.\n"
    listed = well("people", data=data)
    assert "Ana Silva" in listed
    assert "2" in listed.splitlines()[1].split()
    out = tmp_path / "ana.json"
    assert "It is deleted with ana silva" in well("people", "export", "ana silva", "--out", out, data=data)
    if os.name == "posix":
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    exported = json.loads(out.read_text(encoding="utf-8"))
    assert exported["name"] == "Ana Silva"
    assert exported["consents"][0]["note"] == "paper 7"
    assert json.loads(well("people", "export", "Ana Silva", data=data))["id"] == exported["id"]
    said = refused("people", "export", "Ana Silva", "--out", out, data=data, code=2)
    assert "is there already: add --force to write over it, or give another name with --out" in said
    out.write_text("old")
    well("people", "export", "Ana Silva", "--out", out, "--force", data=data)
    assert json.loads(out.read_text(encoding="utf-8"))["name"] == "Ana Silva"
    token = well("people", "link", "Ana Silva", "--hours", "2", data=data)
    assert token.startswith("http://127.0.0.1:8700/me/")
    assert "shown singly" in well("people", "withdraw", "Ana Silva", "--purpose", "individual", data=data)
    assert "no longer recognised" in well("people", "withdraw", "Ana Silva", data=data)
    assert "withdrawn" in well("people", data=data)
    assert "add --yes" in refused("people", "forget", "Ana Silva", data=data, code=2)
    assert well("people", "forget", "Ana Silva", "--yes", data=data) == "Forgotten: nothing of Ana Silva is left.\n"
    assert not out.exists()
    assert "nobody is called 'Ana Silva'" in refused("people", "export", "Ana Silva", data=data)
    assert well("audit", "verify", data=data).startswith("The audit log is whole: ")
    log = well("audit", "-n", "50", data=data)
    assert "people.forget" in log
    assert "(forgotten)" in log
    assert "Ana" not in log


def test_without_consent_nobody_is_enrolled_and_it_says_how(data: Path, tmp_path: Path) -> None:
    path = photo(tmp_path, "ana.png", 1)
    said = refused("people", "add", "Ana", path, data=data)
    assert said.startswith("nobody has agreed yet that 'Ana' may be recognised: add --consent-by WHO, and --guardian")
    assert "Nobody is enrolled" in well("people", data=data) or "Ana" not in well("people", data=data)
    well("people", "consent", "Ana", "--consent-by", "Ana", data=data)
    well("people", "add", "Ana", path, data=data)
    well("people", "withdraw", "Ana", data=data)
    assert "nobody has agreed yet" in refused("people", "add", "Ana", path, "--more", data=data)


def test_two_of_one_name_and_more_photos_of_one(data: Path, tmp_path: Path) -> None:
    first, second = photo(tmp_path, "1.png", 1), photo(tmp_path, "2.png", 2)
    well("people", "add", "Ana", first, *CONSENT, data=data)
    said = refused("people", "add", "ANA", second, *CONSENT, data=data)
    assert said.startswith("'Ana' is enrolled already: two people need two names.")
    assert "1 new photo." in well("people", "add", "Ana", first, second, "--more", data=data)
    said = refused("people", "add", "Ben", second, *CONSENT, data=data)
    assert said.startswith("one of these photos is already on file as 'Ana'")
    assert "Ben" not in well("people", data=data), "nothing is kept of whoever was refused"


def test_another_persons_photo_is_not_added_to_somebody(data: Path, tmp_path: Path) -> None:
    well("people", "add", "Ana", photo(tmp_path, "1.png", 1), *CONSENT, data=data)
    said = refused("people", "add", "Ana", packaged("bundled/astronaut.png"), "--more", data=data)
    assert said.startswith("this picture seems to show somebody else than the pictures before")


@pytest.mark.parametrize("jurisdiction", ["eu", None])
def test_the_law_is_asked_before_a_photo_is_read_or_a_key_made(tmp_path: Path, jurisdiction: str | None) -> None:
    law = {"CLASSPULSE_JURISDICTION": jurisdiction} if jurisdiction else {}
    missing = tmp_path / "missing.png"
    for words in (
        ("people", "add", "Ana", missing, *CONSENT),
        ("people", "consent", "Ana", "--consent-by", "Ana"),
        ("people", "import", tmp_path / "missing.csv", tmp_path),
    ):
        said = refused(*words, data=tmp_path / "data", code=5, **law)
        assert "does not allow identity" in said
        assert "missing" not in said
    assert not (tmp_path / "data" / "keys").exists()


def test_under_eu_what_is_stored_can_still_be_seen_and_forgotten(data: Path, tmp_path: Path) -> None:
    well("people", "add", "Ana", photo(tmp_path, "1.png", 1), *CONSENT, data=data)
    law = {"CLASSPULSE_JURISDICTION": "eu"}
    assert "Ana" in well("people", data=data, **law)
    assert "Ana" in well("people", "export", "Ana", data=data, **law)
    well("people", "withdraw", "Ana", data=data, **law)
    well("people", "forget", "Ana", "--yes", data=data, **law)
    well("audit", data=data, **law)


def test_before_anybody_is_enrolled(data: Path) -> None:
    assert well("people", data=data).startswith("Nobody is enrolled yet: `classpulse people add")
    for command in ("forget", "withdraw", "export", "link"):
        assert "Nobody is enrolled yet" in refused("people", command, "Ana", data=data)
    assert "empty" in well("audit", data=data)
    assert "empty" in well("audit", "verify", data=data)


def test_a_lost_key_is_told_and_all_is_kept(data: Path, tmp_path: Path) -> None:
    well("people", "add", "Ana", photo(tmp_path, "1.png", 1), *CONSENT, data=data)
    key_file = data / "keys" / "people.key"
    kept = key_file.read_text()
    key_file.unlink()
    for words in (("people",), ("people", "forget", "Ana", "--yes"), ("people", "add", "Ben", tmp_path / "1.png")):
        assert "the key to people's data is missing" in refused(*words, data=data, code=11)
    assert not key_file.exists()
    key_file.write_text(kept)
    assert "Ana" in well("people", data=data)


def test_a_list_of_people(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    photo(folder, "a.png", 1)
    photo(folder, "b.png", 2)
    for seed in (3, 4):
        photo(folder / "cem", f"{seed}.png", seed)
    roster = tmp_path / "class.csv"
    roster.write_text(
        "\ufeffName,Photos,consent_by,guardian,note,days,individual\n"
        "Ana,a.png,Rui,yes,paper 1,90,\n"
        "Ben,b.png|missing.png,Ben,no,,,\n"
        "\n"
        "Cem,cem,Cem,no,,,yes\n"
        "Dora,a.png,,,,,\n"
        "Eva,../class.csv,Eva,,,,\n"
        "Fay,b.png,Fay,maybe,,,\n"
        "Gil,b.png,Gil,,,soon,\n"
        "Hal,,Hal,,,,\n"
        "Ana,b.png,Rui,yes,,,\n",
        encoding="utf-8",
    )
    finished = do("people", "import", roster, folder, data=data)
    assert finished.returncode == 10
    assert finished.stdout == "2 of 9 people are enrolled.\n"
    expected = (
        (3, "missing.png"),
        (6, "nobody has agreed yet that 'Dora'"),
        (7, "is not in the folder"),
        (8, "guardian must be yes or no, not 'maybe'"),
        (9, "days must be a number, not 'soon'"),
        (10, "no photo is named"),
        (11, "'Ana' is enrolled already"),
    )
    for number, said in expected:
        (line,) = [line for line in finished.stderr.splitlines() if line.startswith(f"line {number} (")]
        assert said in line
    assert f"7 of 9 lines of {roster} failed, the first is line 3" in complaint(finished)
    listed = well("people", data=data)
    assert [name for name in ("Ana", "Ben", "Cem") if name in listed] == ["Ana", "Cem"]


def test_a_list_with_semicolons_and_no_trouble(data: Path, tmp_path: Path) -> None:
    photo(tmp_path, "a.png", 1)
    (tmp_path / "class.csv").write_text("name;photos;consent_by\nAna;a.png;Ana\n", encoding="utf-8")
    assert well("people", "import", tmp_path / "class.csv", tmp_path, data=data) == "1 of 1 people are enrolled.\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the first line must name the columns name, photos"),
        (b"name,photos\n", "names nobody"),
        (b"name,consent_by\nAna,Ana\n", "'photos' is missing"),
        (b"name,photos,colour\nAna,a,b\n", "'colour' is none of them"),
        (b"name,photos,name\nAna,a,b\n", "one is there twice"),
        (b"\xff\xfen\x00a\x00", "is not a UTF-8 text"),
        (b'name,photos\n"Ana,a', "is no CSV file"),
    ],
)
def test_a_list_that_makes_no_sense(data: Path, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "class.csv").write_bytes(content)
    assert said in refused("people", "import", tmp_path / "class.csv", tmp_path, data=data)


def test_a_log_that_was_changed_ends_with_an_error(data: Path, tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    well("people", "add", "Ana", photo(tmp_path, "1.png", 1), *CONSENT, data=data)
    with closing(sqlite3.connect(data / "classpulse.db")) as connection, connection:
        connection.execute("UPDATE audit SET detail = 'nothing' WHERE id = 2")
    said = refused("audit", "verify", data=data, code=6)
    assert said.startswith("the audit log is not as it was written: row 2 was changed")


def test_who_acts_is_whoever_is_named(data: Path, tmp_path: Path) -> None:
    well("people", "add", "Ana", photo(tmp_path, "1.png", 1), *CONSENT, "--by", "The office", data=data)
    log = well("audit", "show", "--by", "Head", data=data)
    assert "The office" in log
    assert "consent.record" in log
    assert "Ana" in log
    assert "audit.show" in well("audit", data=data)


def test_the_doctor_tells_of_key_and_retention(data: Path, tmp_path: Path) -> None:
    from classpulse import doctor
    from classpulse.settings import Settings

    well("people", "add", "Ana", photo(tmp_path, "1.png", 1), *CONSENT, data=data)
    settings = Settings(data_dir=data, key_file=data / "keys" / "people.key")
    (check,) = doctor._people(settings)
    assert (check.ok, check.found) == (True, f"the key in {settings.key_file} fits")
    kept = {check.name: check.found for check in doctor._kept(settings)}
    assert kept["kept: observations"] == "30 days; none will go"
    assert kept["kept: people after consent"].startswith("30 days; the next goes on 2")
    if os.name == "posix":
        settings.key_file.chmod(0o644)
        (check,) = doctor._people(settings)
        assert check.ok is False
        assert "chmod 600" in check.advice


def every_command(group: Any, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    found = [words]
    for name, command in getattr(group, "commands", {}).items():
        found += every_command(command, (*words, name))
    return found


@pytest.mark.parametrize(
    "words", [w for name in ("people", "audit") for w in every_command(cli.commands[name], (name,))], ids=" ".join
)
def test_help_is_whole(words: tuple[str, ...], tmp_path: Path) -> None:
    said = well(*words, "--help", data=tmp_path)
    assert max(map(len, said.splitlines())) <= 100
    assert words[-1] in {"list", "show", "verify"} or "Example" in said


def test_a_key_that_is_lost_for_good_is_no_dead_end(data: Path, tmp_path: Path) -> None:
    path = photo(tmp_path, "1.png", 1)
    well("people", "add", "Ana", path, *CONSENT, data=data)
    assert "the key to people's data is here and fits" in refused("people", "start-over", "--yes", data=data)
    assert "Ana" in well("people", data=data)
    (data / "keys" / "people.key").unlink()
    assert "add --yes" in refused("people", "start-over", data=data, code=2)
    assert "the key to people's data is missing" in refused("people", data=data, code=11)
    assert well("people", "start-over", "--yes", data=data) == "Started over: nobody is on file.\n"
    well("people", "add", "Ana", path, *CONSENT, data=data)
    assert well("audit", "verify", data=data).startswith("The audit log is whole: ")
    assert "1" in well("people", data=data).splitlines()[1].split()
