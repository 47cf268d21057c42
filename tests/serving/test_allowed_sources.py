"""What a teacher may give a class on a page, and what a class may set for itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from classpulse.errors import CourseError, SourceError
from classpulse.school.allowed import allowed_source
from classpulse.school.overrides import settings_of
from classpulse.settings import ServeSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "camera.example": ["93.184.216.34"],
    "inside.example": ["10.20.0.7"],
    "both.example": ["93.184.216.34", "169.254.169.254"],
    "six.example": ["2606:4700::1111"],
}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A school without a network: these names are known, and numbers are what they are."""
    known = socket.getaddrinfo

    def ask(host: str, port: int, *, type: int) -> list[Any]:  # noqa: A002 - as it is called
        if host in NAMES:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in NAMES[host]]
        return known(host, port, type=type, flags=socket.AI_NUMERICHOST)

    monkeypatch.setattr(socket, "getaddrinfo", ask)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("demo", "demo"),
        (" join ", "join"),
        ("0", "webcam"),
        ("/dev/video2", "webcam"),
        ("rtsp://u:p@camera.example:8554/door", "stream"),
        ("https://93.184.216.34/x.m3u8", "stream"),
        ("http://six.example/", "stream"),
    ],
)
def test_what_is_nobodys_secret_may_be_a_source(text: str, kind: str) -> None:
    assert allowed_source(text, ServeSettings()).kind == kind


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost.",
        "10.20.0.7",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - asked for, not bound
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::7]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
        "inside.example",
        "both.example",
        "nowhere.example",
    ],
)
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_what_only_the_server_reaches_is_refused(scheme: str, host: str) -> None:
    with pytest.raises(SourceError, match=r"^The .*(private network|is not known|multicast)"):
        allowed_source(f"{scheme}://user:secret@{host}:8080/admin", ServeSettings())


@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "lesson.mp4",
        "..",
        "~/x",
        "file:///etc/passwd",
        "concat:/etc/passwd",
        "screen",
        "screen:window=Mail",
        "C:\\secret.mp4",
        "rtsp://",
        "http:///x",
        "http://[::1",
        "-1",
        "٣",
        "",
    ],
)
def test_what_is_the_servers_own_is_refused_without_a_look(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        allowed_source(text, ServeSettings())
    assert "exist" not in str(caught.value), "whoever asks is not to hear which files there are"


@pytest.mark.parametrize("text", ["/etc/passwd", "file:///etc/passwd", "FILE://x", "screen", "screen:", "screen:9x9"])
def test_what_is_not_allowed_is_refused_by_its_kind_however_it_is_written(text: str) -> None:
    """And no other spelling is proposed, which would be refused too."""
    with pytest.raises(SourceError, match=r"^This school lets a class have one of these sources"):
        allowed_source(text, ServeSettings())


@pytest.mark.parametrize("text", ["hello", "camera.example/stream", "camera.example:554"])
def test_what_is_no_address_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(SourceError, match=r"^This is no address of a stream: one looks like rtsp://camera"):
        allowed_source(text, ServeSettings())
    with pytest.raises(SourceError, match=r"^This school lets a class have one of these sources: join\."):
        allowed_source(text, ServeSettings(sources=("join",)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://8.8.8.8:99999/", "The port in the address of the stream is no number from 1 to 65535"),
        ("http://8.8.8.8:x/", "The port in the address"),
        ("http://[::1", "has no host"),
        ("rtsp://224.0.0.1/", "The address 224.0.0.1 is of many machines at once"),
        ("rtsp://[ff02::1]/", "is of many machines at once"),
        ("http://127.0.0.1/", "The host 127.0.0.1 is in a private network"),
        ("rtps://camera.example/", "begins with rtps://: did you mean rtsps://?"),
        ("ftp://camera.example/", "begins with ftp://: rtsp, rtsps, http, https are known"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_and_nothing_else(text: str, told: str) -> None:
    """No sentence begins with what was typed: pages begin theirs with a capital."""
    with pytest.raises(SourceError) as caught:
        allowed_source(text, ServeSettings())
    assert told in str(caught.value)
    assert "file" not in str(caught.value), "no file may be given"
    assert not str(caught.value).lower().startswith(text[:3])


def test_a_network_of_cameras_is_no_proxy() -> None:
    with pytest.raises(ValidationError) as caught:
        ServeSettings(networks="10.20.0.0/99")
    assert "addresses and networks are written like 10.0.0.5 and 10.0.0.0/24" in str(caught.value)
    assert "proxy" not in str(caught.value)


def test_a_path_that_begins_like_a_screen_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "screens").mkdir()
    (tmp_path / "secret.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    said = set()
    for name in ("screens/../secret.txt", "screens/../secret.tx", "screens"):
        with pytest.raises(SourceError) as caught:
            allowed_source(name, ServeSettings())
        said.add(str(caught.value))
    assert len(said) == 1, "whoever asks is not to hear which files there are"


def test_whoever_runs_the_server_may_allow_more(tmp_path: Path) -> None:
    (tmp_path / "lesson.mp4").write_bytes(b"x")
    wide = ServeSettings(sources="demo,stream,video", networks="10.20.0.0/16,fd00::/8")
    assert allowed_source("rtsp://10.20.0.7/x", wide).kind == "stream"
    assert allowed_source("rtsp://[fd00::7]/x", wide).kind == "stream"
    assert allowed_source("rtsp://[::ffff:10.20.0.1]/x", wide).kind == "stream"
    assert allowed_source(str(tmp_path / "lesson.mp4"), wide).kind == "video"
    for text in ("rtsp://10.21.0.7/x", "join"):
        with pytest.raises(SourceError):
            allowed_source(text, wide)


def test_a_class_sets_what_is_its_own_and_loosens_nothing() -> None:
    settings = Settings.model_validate({"window": {"min_group": 6}, "recognition": {"enabled": False}})
    own = settings_of(settings, {"join.title": "7b", "join.ways": "answers", "individual": "true"}, share=4)
    assert (own.join.title, own.join.ways, own.individual, own.cpu_share) == ("7b", ("answers",), True, 0.125)
    assert settings_of(settings, {"window.min_group": "4"}).window.min_group == 6
    assert settings_of(settings, {"window.min_group": 9}).window.min_group == 9
    assert not settings_of(settings, {"recognition.enabled": "true"}).recognition.enabled
    for off in ("false", "no", False):
        assert not settings_of(Settings(), {"recognition.enabled": off}).recognition.enabled
    assert settings_of(Settings(), {"recognition.enabled": "true"}).recognition.enabled


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"web.host": "0.0.0.0"}, "cannot set web.host"),  # noqa: S104 - refused
        ({"alerts.webhook": "http://10.0.0.1"}, "cannot set alerts.webhook"),
        ({"database_url": "x"}, "cannot set database_url"),
        ({"join.names": "always"}, r"join\.names cannot be set so"),
        ({"window.min_group": "many"}, r"window\.min_group cannot be set so"),
    ],
)
def test_what_is_no_setting_of_a_class_is_refused(own: dict[str, Any], told: str) -> None:
    with pytest.raises(CourseError, match=told):
        settings_of(Settings(), own)
