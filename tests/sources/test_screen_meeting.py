"""A meeting in a window of a real browser, on a screen of its own: followed while its tiles change places."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from command import Running
from meeting_window import Tile, meeting, photo, virtual_screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meeting_window import Meeting

CLASS = [Tile(f"Student {3 * row + column}", column, row) for row in range(3) for column in range(3)]
ALONE = ("Student 0", "Student 1")
"""Those who are the only face of their tile, and do not turn away."""
FIRST = ["Student 2", "Student 0", "Student 1", "Grace", "Student 3", "Student 6", "Student 4", "Student 5"]
FIRST += ["Student 7", "Student 8", "Eileen"]
SECOND = ["Student 1", "Student 6", "Student 0", "Student 3", "Student 2", "Eileen", "Student 4", "Student 5"]
SECOND += ["Student 7", "Student 8", "Grace"]


@pytest.fixture(scope="module")
def screen(program: Callable[[str], str]) -> Iterator[str]:
    if not sys.platform.startswith("linux"):
        pytest.skip("Xvfb is for Linux")
    with virtual_screen(program("Xvfb"), "1400x900") as display:
        yield display


@pytest.fixture(scope="module")
def window(
    tmp_path_factory: pytest.TempPathFactory, screen: str, test_data: Path, program: Callable[[str], str]
) -> Iterator[Meeting]:
    folder = tmp_path_factory.mktemp("meeting")
    photos = [
        Tile("Grace", photo=photo(folder, "grace_hopper.jpg")),
        Tile("Eileen", photo=photo(folder, "astronaut.png")),
    ]
    clip = test_data / "clips" / "meeting-gallery.mp4"
    with meeting(folder, clip, [*CLASS, *photos], program("chromium"), screen) as opened:
        yield opened


def seen_by(window: Meeting, lines: list[str]) -> Counter[tuple[str | None, int]]:
    """How often each track was in whose tile, as the tiles are now."""
    found: Counter[tuple[str | None, int]] = Counter()
    for line in lines:
        for face in json.loads(line)["faces"]:
            x0, y0, x1, y1 = face["box"]
            found[window.who_is_at((x0 + x1) / 2, (y0 + y1) / 2), face["track"]] += 1
    return found


def test_people_keep_their_numbers_when_tiles_change_places(tmp_path: Path, screen: str, window: Meeting) -> None:
    window.arrange(*FIRST)
    results = tmp_path / "faces.jsonl"
    options = ["--individual", "--results", results, "--my-tile", "top-left", "--jurisdiction", "other"]
    command = ["live", "screen:window=meeting", "--no-page", "--set", "tracker.max_gap_s=10", *options]
    with Running(*command, data=tmp_path, env={"DISPLAY": screen}) as live:

        def look(results_needed: int) -> Counter[tuple[str | None, int]]:
            """What is seen in so many results from now on, but for those that were on their way."""
            before = len(lines()) + 4
            live.until(lambda: len(lines()) >= before + results_needed)
            return seen_by(window, lines()[before:])

        def lines() -> list[str]:
            return results.read_text().splitlines()[:-1] if results.exists() else []

        live.until(lambda: len(lines()) > 2)
        first = look(12)
        window.arrange(*SECOND)
        second = look(12)
        live.process.send_signal(2)
        assert live.end() == 0, live.said
    for name in ALONE:
        tracks = {track for who, track in first if who == name}
        assert len(tracks) == 1, (name, first)
        assert {track for who, track in second if who == name} == tracks, (name, first, second)
    everybody = {who for who, _ in first + second}
    assert "Student 2" not in everybody, "the teacher's own tile, and where it went"
    nobody = {"Grace", "Eileen", "Student 8"}
    assert not nobody & everybody, ("photos of people, and a cartoon", first, second)
    assert "Student 4" in everybody, "several people in one tile"
