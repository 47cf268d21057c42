"""What the doctor finds, on machines that are ready and on those that are not."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
from command import run

from classpulse import doctor
from classpulse.doctor import examine
from classpulse.inference import entries
from classpulse.settings import Settings
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classpulse.tables import Check

QUICK = ("--set", "detector.width_px=320")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path, "web": {"port": 0}, "detector": {"width_px": 320}} | changes)


def only(name: str, checks: list[Check]) -> Check:
    (check,) = [check for check in checks if check.name == name]
    return check


@pytest.mark.parametrize("columns", [80, 120])
def test_a_machine_that_is_ready(tmp_path: Path, free_port: int, columns: int) -> None:
    finished = run("doctor", "--set", f"web.port={free_port}", *QUICK, data=tmp_path, env={"COLUMNS": str(columns)})
    assert finished.returncode == 0, finished.stdout
    assert finished.stderr == ""
    lines = finished.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    words = " ".join(finished.stdout.split())
    for expected in (
        "processor",
        "law nobody has said which is in force → before a live class: classpulse policy set",
        "ok model centerface sha256",
        "ok model emotion sha256",
        "ok model faceres sha256",
        "model yunet missing → `classpulse models install yunet`",
        "ok data folder",
        f"ok port 127.0.0.1:{free_port} is free",
        "faces a second",
    ):
        assert expected in words
    assert not any(line.startswith("no ") for line in lines)


def test_a_machine_that_is_not(tmp_path: Path, taken_port: int) -> None:
    finished = run("doctor", "--set", f"web.port={taken_port}", *QUICK, data=tmp_path)
    assert finished.returncode == 1
    words = " ".join(finished.stdout.split())
    assert f"no port 127.0.0.1:{taken_port}: Address already in use → is a class running already?" in words
    assert f"--port {taken_port + 1}" in words
    assert finished.stderr == ""


def test_a_program_is_told_the_same_as_json(tmp_path: Path, taken_port: int) -> None:
    finished = run("doctor", "--json", "--set", f"web.port={taken_port}", *QUICK, data=tmp_path)
    assert finished.returncode == 1
    told = json.loads(finished.stdout)
    assert told["ok"] is False
    assert [check["name"] for check in told["checks"] if check["ok"] is False] == ["port"]
    assert {"name", "ok", "found", "advice"} == set(told["checks"][0])
    assert "processor" in {check["name"] for check in told["checks"]}


def test_under_eu_the_doctor_loads_no_emotion_model(tmp_path: Path) -> None:
    with Store.open(settings(tmp_path).database) as store:
        store.set_jurisdiction("eu", answered_by="Head", how="command")
    # A model that does not exist: to load it would be a finding.
    checks = examine(settings(tmp_path, emotion={"model": "missing.onnx"}))
    assert only("law", checks).found == "eu: faces are counted, nothing is read"
    assert only("speed", checks).ok is not False
    assert "faces a second" in only("speed", checks).found


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(tmp_path: Path) -> None:
    checks = examine(settings(tmp_path, emotion={"model": "missing.onnx"}))
    speed = only("speed", checks)
    assert speed.ok is False
    assert "missing.onnx does not exist" in speed.found
    assert only("data folder", checks).ok is True


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    checks = examine(settings(tmp_path, data_dir=tmp_path / "file" / "data"))
    folder = only("data folder", checks)
    assert folder.ok is False
    assert "cannot be written" in folder.found
    assert "data_dir" in folder.advice
    assert only("law", checks).ok is False


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_DISK_MB", 1 << 40)
    (check,) = doctor._disk(settings(tmp_path))
    assert check.ok is False
    assert check.advice == "make room"


def test_a_package_without_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = entries(settings(tmp_path))
    gone = {**known, "centerface": known["yunet"]}  # a file that is not there
    monkeypatch.setattr(doctor, "entries", lambda _settings: gone)
    checks = doctor._models(settings(tmp_path))
    assert [check.ok for check in checks].count(None) == 3, "yunet and dlib are a matter of choice"


@pytest.mark.parametrize(("cameras", "ok", "said"), [([], None, "none"), ([0, 2], True, "webcam 0, webcam 2")])
def test_cameras_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cameras: list[int], *, ok: bool | None, said: str
) -> None:
    monkeypatch.setattr(doctor, "list_webcams", lambda: cameras)
    (check,) = doctor._cameras(settings(tmp_path))
    assert (check.ok, check.found) == (ok, said)


def test_a_slow_machine_is_advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_PICTURES_HZ", 1e9)
    (check,) = doctor._speed(settings(tmp_path, jurisdiction="eu"))
    assert check.ok is None
    assert "--set detector.width_px=480" in check.advice
