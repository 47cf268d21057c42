"""What goes wrong in users' hands ends in one clear line and an exit code that is not 0; nothing of theirs is lost."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from command import argv, complaint, environment, here, run
from live_pictures import class_picture, write_video
from onnx_files import packaged

from classpulse.errors import ClassPulseError, ModelError, PolicyError, SettingsError, SourceError, StorageError

USAGE = 2
SERVER = 7


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of six people."""
    return write_video(tmp_path_factory.mktemp("clip") / "class.mp4", class_picture(), frames=5)


Run = Callable[..., subprocess.CompletedProcess[str]]


def refused(data: Path, *arguments: object, env: dict[str, str] | None = None, by: Run = run) -> tuple[int, str]:
    """Exit code and complaint of a command that must fail and print nothing else."""
    finished = by(*arguments, data=data, env=env)
    said = complaint(finished)
    assert finished.stdout == ""
    assert finished.returncode != 0
    return finished.returncode, said


def huge_png() -> bytes:
    """A picture of a few bytes whose header claims 30,000 x 30,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def text_file(path: Path) -> None:
    path.write_text("This is a lesson plan and no video.\n" * 100)


def cut_mp4(path: Path) -> None:
    """The index of such a video stands at its end, which is missing."""
    whole = write_video(path.with_name("whole.mp4"), class_picture(), frames=5, fragments="-faststart").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("lesson.mp4", None, "does not exist"),
        ("empty.mp4", Path.touch, "is empty (0 bytes)"),
        ("plan.mp4", text_file, "cannot be read as a video"),
        ("cut.mp4", cut_mp4, "cut short"),
        ("empty.jpg", Path.touch, "is empty (0 bytes)"),
        ("plan.png", text_file, "cannot be read as a picture"),
        ("huge.png", lambda path: path.write_bytes(huge_png()), "million pixels"),
        ("folder", Path.mkdir, "without pictures"),
    ],
)
def test_a_source_that_is_none(tmp_path: Path, name: str, make: Callable[[Path], None] | None, said: str) -> None:
    source = tmp_path / name
    if make is not None:
        make(source)
    # What can be seen without opening it is refused before anything else is done.
    by = run if source.is_file() and source.stat().st_size else here
    code, text = refused(tmp_path / "data", "live", source, "--fast", by=by)
    assert code == SourceError.exit_code
    assert said in text
    assert name in text


@pytest.mark.parametrize("arguments", [["--no-page"], ["--no-browser", "--port", "0"], ["--individual", "--window"]])
def test_a_camera_that_is_missing(tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    if "--window" in arguments:
        arguments = [*arguments, "--no-page"]
    code, text = refused(tmp_path, "live", "97", "--jurisdiction", "other", *arguments)
    if "--window" in arguments:  # that there is no screen is found out first
        assert code == ClassPulseError.exit_code
        assert "live page" in text
    else:
        assert code == SourceError.exit_code
        assert "webcam 97" in text


def test_a_recording_that_was_cut_short_is_processed_and_told(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", class_picture(), frames=20)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.5)])
    finished = run("live", cut, "--fast", "--results", "-", data=tmp_path)
    assert finished.returncode == SourceError.exit_code
    assert "cut.mp4 is cut short" in complaint(finished)
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    assert 5 <= len(lines) < 20
    assert all(len(line["faces"]) == 6 for line in lines)
    assert "ended" in run("sessions", data=tmp_path).stdout


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("missing.onnx", "does not exist"),
        ("empty.onnx", "is empty"),
        ("text.onnx", "is not an ONNX model"),
        ("detector.onnx", "is a model for face-detection"),
    ],
)
def test_a_model_that_is_wrong(tmp_path: Path, clip: Path, model: str, said: str) -> None:
    path = tmp_path / model
    if model == "empty.onnx":
        path.touch()
    elif model == "text.onnx":
        text_file(path)
    elif model == "detector.onnx":
        shutil.copy(packaged("bundled/centerface.onnx"), path)
    code, text = refused(tmp_path, "live", clip, "--fast", "--set", f"emotion.model={path}", by=here)
    assert code == ModelError.exit_code
    assert said in text
    assert model in text


def test_a_detector_that_is_not_installed(tmp_path: Path, clip: Path) -> None:
    code, text = refused(tmp_path, "live", clip, "--fast", "--set", "detector.name=yunet", by=here)
    assert code == ModelError.exit_code
    assert "yunet" in text


def test_a_port_that_is_taken_and_results_that_are_kept(tmp_path: Path, clip: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text('{"time_s": 0}\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = refused(
            tmp_path, "live", clip, "--no-browser", "--port", port, "--results", old, "--force", by=here
        )
    assert code == SERVER
    assert f"port {port} on 127.0.0.1 is taken" in text
    assert "--port" in text
    assert old.read_text() == '{"time_s": 0}\n'


def test_results_never_take_the_place_of_another_kind_of_file(tmp_path: Path, clip: Path) -> None:
    video = Path(shutil.copy(clip, tmp_path / "precious.mp4"))
    code, text = refused(tmp_path, "live", clip, "--fast", "--results", video, "--force", by=here)
    assert code == SettingsError.exit_code
    assert "precious.mp4" in text
    assert video.read_bytes() == clip.read_bytes()


@pytest.mark.parametrize("name", ["results.csv", "results.txt"])
def test_results_that_are_named_as_something_else(tmp_path: Path, clip: Path, name: str) -> None:
    code, text = refused(tmp_path, "live", clip, "--fast", "--results", tmp_path / name, by=here)
    assert code == SettingsError.exit_code
    assert "would hold JSON lines: name it .jsonl" in text
    assert not (tmp_path / name).exists()


def test_results_of_an_earlier_class_are_written_over_when_somebody_says_so(tmp_path: Path, clip: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text('{"time_s": 0}\n')
    code, text = refused(tmp_path, "live", clip, "--fast", "--results", old, by=here)
    assert code == USAGE
    assert f"{old} is there already: add --force to write over it, or give another name with --results" in text
    assert old.read_text() == '{"time_s": 0}\n'


@pytest.mark.parametrize("target", ["/dev/full", "missing/results.jsonl", "."])
def test_results_that_cannot_be_written(tmp_path: Path, clip: Path, target: str) -> None:
    if target == "/dev/full" and not Path(target).exists():
        pytest.skip("this system has no /dev/full")
    target = target if target == "/dev/full" else str(tmp_path / target)
    by = run if target == "/dev/full" else here
    code, text = refused(tmp_path, "live", clip, "--fast", "--results", target, by=by)
    assert code == StorageError.exit_code
    assert f"--results {target} cannot be written" in text


@pytest.mark.parametrize("wrong", [("--results", "missing/results.jsonl"), ("--set", "emotion.model=missing.onnx")])
def test_a_class_that_cannot_begin_has_no_progress_bar(tmp_path: Path, clip: Path, wrong: tuple[str, str]) -> None:
    finished = here("live", clip, "--fast", "--jurisdiction", "other", *wrong, data=tmp_path)
    assert "missing" in complaint(finished)
    assert "faces:" not in finished.stderr


def test_standard_output_that_is_full(tmp_path: Path, clip: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    for arguments in (["live", str(clip), "--fast", "--results", "-"], ["sessions"]):
        with Path("/dev/full").open("w") as full:
            finished = subprocess.run(
                argv(*arguments),
                env=environment(tmp_path),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert finished.returncode in {StorageError.exit_code, ClassPulseError.exit_code}
        assert "No space left" in complaint(finished)


def test_a_reader_that_has_seen_enough(tmp_path: Path, clip: Path) -> None:
    with subprocess.Popen(
        argv("live", clip, "--fast", "--results", "-"),
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["frame"] == 0
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0
    assert "stopped after" in said
    assert "Traceback" not in said
    assert "Exception" not in said
    assert "Broken" not in said
    assert "classpulse:" not in said
    assert " stopped " in here("sessions", data=tmp_path).stdout


@pytest.mark.parametrize("place", ["under a file", "/proc/nowhere"])
def test_a_data_folder_that_cannot_be_made(tmp_path: Path, clip: Path, place: str) -> None:
    folder = Path(place)
    if place == "under a file":
        (tmp_path / "file").touch()
        folder = tmp_path / "file" / "data"
    elif not Path("/proc").is_dir():
        pytest.skip("this system has no /proc")
    code, text = refused(tmp_path, "live", clip, "--fast", env={"CLASSPULSE_DATA_DIR": str(folder)}, by=here)
    assert code == StorageError.exit_code
    assert str(folder) in text
    assert "data_dir" in text


def test_a_disk_that_is_full_is_told_and_the_class_goes_on(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system limits no file sizes")
    assert run("sessions", data=tmp_path).returncode == 0
    database = tmp_path / "classpulse.db"
    # Enough for the log to begin, too little for what a class adds to it: as a disk that fills up while it runs.
    limit = 60_000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    long = write_video(tmp_path / "long.mp4", class_picture(), frames=90, rate=10)
    # Coverage writes a file of its own when the process ends, and would complain about the disk as well.
    env = {name: value for name, value in environment(tmp_path).items() if not name.startswith("COVERAGE_")}
    finished = subprocess.run(
        argv("live", long, "--fast", "--results", "-", "--set", "storage.observations_hz=30"),
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=full,
    )
    assert finished.returncode == StorageError.exit_code, finished.stderr
    assert "Free some space" in complaint(finished) or "has space" in complaint(finished)
    assert len(finished.stdout.splitlines()) == 90
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (
            ["--set", "detector.widht_px=480"],
            {},
            "unknown setting 'detector.widht_px': did you mean 'detector.width_px'?",
        ),
        ([], {"CLASSPULSE_DETECTOR__WIDHT_PX": "480"}, "did you mean 'detector.width_px'?"),
        (["--config", "wrong.toml"], {}, "did you mean 'detector.width_px'?"),
        (["--config", "none.toml"], {}, "none.toml does not exist"),
        (["--config", "broken.toml"], {}, "not valid TOML"),
        (["--set", "detector.width_px"], {}, "write NAME=VALUE"),
        (["--set", "detector.width_px=wide"], {}, "'detector.width_px'"),
        (["--set", "=4"], {}, "unknown setting"),
        (["--set", "detector=4"], {}, "'detector'"),
        (["--set", "web.port.number=4"], {}, "'web.port'"),
        (["--cpu-share", "0"], {}, "'cpu_share'"),
        (["--port", "123456"], {}, "'web.port'"),
        (["--port", "many"], {}, "'many' is not a valid integer"),
        (["--jurisdiction", "us"], {}, "'us' is not one of 'eu', 'other', 'research'"),
        (["--fsat"], {}, "--fsat"),
        (["--window", "--single"], {}, "exclude each other"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, arguments: list[str], env: dict[str, str], said: str) -> None:
    (tmp_path / "wrong.toml").write_text("[detector]\nwidht_px = 480\n")
    (tmp_path / "broken.toml").write_text("[detector\n")
    placed = [str(tmp_path / word) if word.endswith(".toml") else word for word in arguments]
    code, text = refused(tmp_path, "live", "lesson.mp4", *placed, env=env, by=here)
    assert code == SettingsError.exit_code == USAGE
    assert said in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lve"], USAGE, "No such command 'lve'"),
        (["live", "demo", "--fast"], USAGE, "--fast is for files"),
        (["live", "0", "--fast"], USAGE, "--fast is for files"),
        (["live", "0", "--results", "-"], USAGE, "--individual"),
        (["live", "rtsp://127.0.0.1:9/", "--window"], USAGE, "--individual"),
        (["live", "rtps://camera/"], SourceError.exit_code, "did you mean rtsp"),
        (["live", "rtsp://u:secret@127.0.0.1:9/", "--no-page"], PolicyError.exit_code, "no jurisdiction is set"),
        (["live", "0", "--no-page"], PolicyError.exit_code, "no jurisdiction is set"),
        (["live", "demo", "--single", "--jurisdiction", "eu"], PolicyError.exit_code, "'eu' does not allow emotion"),
        (["sessions", "7"], StorageError.exit_code, "there is no class 7"),
        (["models", "install", "yunet", "--from", "none.onnx"], ModelError.exit_code, "none.onnx cannot be read"),
    ],
)
def test_commands_that_make_no_sense(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    found, text = refused(tmp_path, *arguments, by=here)
    assert found == code
    assert said in text
    assert "secret" not in text
