from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cv2
import numpy as np
import onnx
import pytest
from onnx_files import SEVEN, contract, emotion_net, packaged

from classpulse import Settings
from classpulse.cli import models as models_commands
from classpulse.errors import ModelError
from classpulse.geometry import iou
from classpulse.inference import DOWNLOADS, downloads, entries, install, open_model
from classpulse.inference.contract import read
from classpulse.inference.onnx_bytes import contract_bytes
from classpulse.policy import Policy, Task
from classpulse.settings import DetectorSettings
from classpulse.vision.detector import open_detector

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", detector=DetectorSettings(name="yunet"))


@pytest.fixture
def yunet(test_data: Path) -> Path:
    return test_data / "models" / "yunet_n_dynamic.onnx"


class Shelf(BaseHTTPRequestHandler):
    """Serves one file in several ways, right and wrong."""

    def __init__(self, content: bytes, stop: threading.Event, *rest: Any) -> None:
        self.content = content
        self.stop = stop
        super().__init__(*rest)

    def do_GET(self) -> None:
        if self.path == "/moved.onnx":
            self.send_response(302)
            self.send_header("Location", "/model.onnx")
            self.end_headers()
        elif self.path == "/model.onnx":
            self.answer(self.content, len(self.content))
        elif self.path == "/short.onnx":
            self.answer(self.content[:1000], len(self.content))
        elif self.path == "/endless.onnx":
            self.answer(self.content + b"\0" * 10_000_000, None)
        elif self.path == "/garbage.onnx":
            self.wfile.write(b"this is not HTTP\r\n\r\n")
        elif self.path == "/hangs.onnx":
            self.stop.wait(30)
        elif self.path == "/stalls.onnx":
            self.answer(self.content[:1000], len(self.content))
            self.stop.wait(30)
        else:
            self.send_error(404)

    def answer(self, content: bytes, length: int | None) -> None:
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        # The reader may leave as soon as it has enough.
        try:
            self.wfile.write(content)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def content() -> bytes:
    """What the server serves where the real file is not at hand."""
    return bytes(range(256)) * 100


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    stop = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Shelf, content, stop)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            stop.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def shop(content: bytes) -> Iterator[str]:
    with serving(content) as address:
        yield address


def know(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Let other bytes pass for YuNet."""
    changed = replace(DOWNLOADS["yunet"], sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    monkeypatch.setitem(downloads.DOWNLOADS, "yunet", changed)


def nothing_installed(settings: Settings) -> bool:
    return not entries(settings)["yunet"].installed and not list(settings.data_dir.rglob("*"))


def test_the_catalogue_knows_what_is_in_the_package(settings: Settings) -> None:
    known = entries(settings)
    assert list(known) == ["centerface", "centerface-web", "centerface-int8", "yunet", "emotion", "faceres", "dlib"]
    assert [name for name in known if not known[name].installed] == ["yunet", "dlib"] == list(DOWNLOADS)
    for name in DOWNLOADS:
        assert known[name].optional
        assert known[name].path == settings.data_dir / "models" / f"{name}.onnx"
    for name in ("centerface", "centerface-web", "centerface-int8", "emotion", "faceres"):
        content = known[name].path.read_bytes()
        assert known[name].sha256 == hashlib.sha256(content).hexdigest()
        assert known[name].licence == read(content, name).licence


def test_an_installed_file_opens_with_its_contract(settings: Settings, yunet: Path) -> None:
    target = install(settings, "yunet", str(yunet))
    assert target == entries(settings)["yunet"].path
    assert [path.name for path in target.parent.iterdir()] == ["yunet.onnx"]
    assert target.read_bytes().startswith(yunet.read_bytes())
    opened = open_model(target, Task.FACE_DETECTION, Policy("eu"))
    assert (opened.contract.name, opened.contract.output, opened.contract.licence) == ("yunet", "yunet", "Apache-2.0")
    assert install(settings, "yunet", str(yunet)) == target  # once more does no harm


def test_it_finds_the_faces_that_centerface_finds(settings: Settings, yunet: Path, test_data: Path) -> None:
    install(settings, "yunet", str(yunet))
    image = cv2.imread(str(test_data / "clips" / "five-people.jpg"))
    assert image is not None
    found = open_detector(settings, Policy("eu")).detect(np.asarray(image, np.uint8))
    usual = open_detector(Settings(), Policy("eu")).detect(np.asarray(image, np.uint8))
    assert len(found) == len(usual) == 5
    overlap = iou(found.boxes, usual.boxes)
    assert sorted(overlap.argmax(axis=1)) == [0, 1, 2, 3, 4]
    assert overlap.max(axis=1).min() > 0.6
    matching = usual.landmarks[overlap.argmax(axis=1)]
    assert (np.abs(found.landmarks - matching).max(axis=(1, 2)) < 0.15 * usual.sizes_px.max()).all()


def test_before_it_is_installed_it_says_how(settings: Settings) -> None:
    with pytest.raises(ModelError, match="'yunet' is not installed: run `classpulse models install yunet`"):
        open_detector(settings, Policy("other"))


@pytest.mark.parametrize("page", ["model.onnx", "moved.onnx"])
def test_a_download_is_checked_and_installed(page: str, settings: Settings, yunet: Path) -> None:
    with serving(yunet.read_bytes()) as address:
        target = install(settings, "yunet", f"{address}/{page}")
    assert read(target.read_bytes(), "yunet.onnx").name == "yunet"
    assert len(yunet.read_bytes()) == DOWNLOADS["yunet"].size


def test_a_right_download_without_the_real_file(
    settings: Settings, shop: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, content)
    target = install(settings, "yunet", f"{shop}/model.onnx")
    assert target.read_bytes().startswith(content)
    assert entries(settings)["yunet"].installed


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("model.onnx", f"is not the YuNet we know .*expected {DOWNLOADS['yunet'].sha256[:12]}.*nothing was installed"),
        ("short.onnx", "is not the YuNet we know|cannot be"),
        ("endless.onnx", "is not the YuNet we know"),
        ("missing.onnx", r"cannot be fetched \(Not Found\): check the network, or give a file with --from"),
        ("garbage.onnx", "cannot be understood"),
    ],
)
def test_a_wrong_download_installs_nothing(page: str, wanted: str, settings: Settings, shop: str) -> None:
    address = f"{shop}/{page}"
    with pytest.raises(ModelError, match=wanted) as caught:
        install(settings, "yunet", address)
    assert address in str(caught.value)
    assert nothing_installed(settings)


@pytest.mark.parametrize("page", ["hangs.onnx", "stalls.onnx"])
def test_a_server_that_hangs_is_given_up(
    page: str, settings: Settings, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT_S", 0.2)
    begin = time.monotonic()
    with pytest.raises(ModelError, match=r"cannot be (fetched|read) \(timed out\)"):
        install(settings, "yunet", f"{shop}/{page}")
    assert time.monotonic() - begin < 15  # and not the half minute for which the server says nothing
    assert nothing_installed(settings)


def test_nobody_listens(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(ModelError, match=r"cannot be fetched \(.*refused.*\): check the network"):
            install(settings, "yunet", f"http://127.0.0.1:{port}/yunet.onnx")


@pytest.mark.parametrize(
    "source",
    [
        "nowhere.onnx",
        "/",
        "",
        "~nobody-of-this-name/yunet.onnx",
        "a\0b.onnx",
        "http://",
        "http://[::1",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/a b",
        "ftp://127.0.0.1/yunet.onnx",
    ],
)
def test_a_source_that_makes_no_sense(source: str, settings: Settings) -> None:
    with pytest.raises(ModelError, match="cannot be") as caught:
        install(settings, "yunet", source)
    assert "--from" in str(caught.value)
    assert nothing_installed(settings)


@pytest.mark.parametrize("damage", ["other", "short", "empty"])
def test_a_wrong_file_installs_nothing_and_keeps_what_is_there(damage: str, settings: Settings, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    right = packaged("bundled/centerface.onnx").read_bytes()
    wrong.write_bytes({"other": right, "short": right[:1000], "empty": b""}[damage])
    target = entries(settings)["yunet"].path
    target.parent.mkdir(parents=True)
    target.write_bytes(b"what was there")
    with pytest.raises(ModelError, match="is not the YuNet we know"):
        install(settings, "yunet", str(wrong))
    assert target.read_bytes() == b"what was there"
    assert [path.name for path in target.parent.iterdir()] == ["yunet.onnx"]


def test_a_place_that_cannot_be_written(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, content)
    source = tmp_path / "yunet.onnx"
    source.write_bytes(content)
    (tmp_path / "taken").write_text("a file, where a folder should be")
    with pytest.raises(ModelError, match=r"cannot be written: .*; choose another place with --set data_dir="):
        install(Settings(data_dir=tmp_path / "taken"), "yunet", str(source))


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, content)
    source = tmp_path / "yunet.onnx"
    source.write_bytes(content)

    def fill(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(ModelError, match="cannot be written: No space left on device"):
        install(Settings(data_dir=tmp_path / "data"), "yunet", str(source))
    assert not list((tmp_path / "data" / "models").iterdir())


@pytest.mark.parametrize("length", [0, 1, 60, 100, 127, 128, 300, 16_383, 16_384, 70_000])
def test_a_contract_can_be_added_to_any_network(length: int, tmp_path: Path) -> None:
    network = onnx.load(emotion_net(tmp_path / "a.onnx"))
    network.ClearField("metadata_props")
    added = contract({"name": "added", "source": "x" * length})
    content = network.SerializeToString() + contract_bytes(added)
    loaded = onnx.load_from_string(content)
    assert loaded.graph == network.graph
    (entry,) = loaded.metadata_props
    assert entry.key == "classpulse"
    assert json.loads(entry.value) == added
    assert read(content, "a.onnx").source == "x" * length
    path = tmp_path / "b.onnx"
    path.write_bytes(content)
    assert open_model(path, Task.EMOTION, Policy("other")).contract.labels == SEVEN


def test_the_command_offers_every_download() -> None:
    (name,) = [parameter for parameter in models_commands.install.params if parameter.name == "name"]
    assert isinstance(name.type, click.Choice)
    assert list(name.type.choices) == list(DOWNLOADS)
