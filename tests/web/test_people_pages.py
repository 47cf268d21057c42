"""The pages about people in a real browser with a camera that plays a portrait, from the real server."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser_checks import CAMERA, chromium, look
from late_answers import Held
from playwright.sync_api import Page, expect
from school import NAMES, appearance, face_picture, jpeg, write_y4m

from classpulse.types import Identities
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Route
    from school import School
    from tests.web.conftest import RecordedControls

    from classpulse.hub import Hub, LiveState
    from classpulse.types import FrameResult

    State = Callable[..., LiveState]
    Result = Callable[..., FrameResult]

ANA, BEN, CHLOE = NAMES
SLOW_MS = 60_000
"""Networks are opened for the first picture."""


CHOSEN_TWICE = """async () => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const given = [];
  navigator.mediaDevices.getUserMedia = (what) => (given.push(ask(what)), given.at(-1));
  for (const _ of "12") document.getElementById("device").dispatchEvent(new Event("change"));
  const streams = await Promise.all(given);
  await new Promise((done) => setTimeout(done, 100));
  return streams.map((stream) => stream.getTracks()[0].readyState === "live");
}"""


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera shows one of the portraits."""
    camera = write_y4m(tmp_path_factory.mktemp("camera") / "camera.y4m", [face_picture()])
    with chromium(program("chromium"), *CAMERA, f"--use-file-for-fake-video-capture={camera}") as browser:
        yield browser


@pytest.fixture
def server(school: School, hub: Hub, controls: RecordedControls) -> Iterator[LiveServer]:
    with LiveServer(school.app(hub, controls), "127.0.0.1", 0) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: LiveServer) -> Iterator[Page]:
    """An empty page; the test fails if any page in it logged an error, ran a name, or asked another machine."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme="light",
        accept_downloads=True,
        base_url=server.url,
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    wrong: list[str] = []
    # What is refused, and shown on the page, is also told in the console.
    expected = re.compile("status of (4|503)|Permissions policy violation: camera")
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and not expected.search(m.text) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("request", lambda r: None if r.url.startswith((server.url, "blob:")) else wrong.append(r.url))
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def ids(school: School) -> dict[str, str]:
    """Three people on file by name; the last may not be shown by name."""
    return {name: school.enrol(name, i, individual=name != BEN) for i, name in enumerate(NAMES)}


def agree(page: Page, name: str = ANA) -> None:
    page.goto("/people")
    page.get_by_role("button", name="Enrol somebody").click()
    page.get_by_label("Your name").fill(name)
    page.get_by_label("To be recognised in class").check()
    page.get_by_role("button", name="I agree, go on to the camera").click()


def shoot(page: Page, said: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name="Take a picture").click(timeout=SLOW_MS)
    expect(page.locator("#result")).to_contain_text(said, timeout=SLOW_MS)


# Enrolment.


def test_somebody_enrols_with_the_camera(page: Page, school: School) -> None:
    agree(page)
    expect(page.locator("#camera-title")).to_be_focused()
    expect(page.locator("#cover")).to_be_hidden()
    shoot(page, "1 picture so far")
    expect(page.locator("#taken li")).to_have_count(1)
    shoot(page, "says nothing new")
    assert page.evaluate(CHOSEN_TWICE) == [False, True], "of two cameras that were chosen, the first is let go"
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#notices")).to_contain_text(f"{ANA} is enrolled, with 1 picture")
    expect(page.locator("#register li")).to_contain_text(ANA)
    assert page.evaluate("document.getElementById('video').srcObject") is None, "the camera is let go"
    person = school.people.find(ANA)
    assert [count for _, count in person.photos] == [1]
    assert [one.given.by for one in person.consents] == [ANA]


def test_the_camera_is_for_this_page_alone(page: Page) -> None:
    ask = "navigator.mediaDevices.getUserMedia({video: true}).then(() => 'given', (error) => error.name)"
    page.goto("/people")
    assert page.evaluate(ask) == "given"
    for path in ("/", "/attendance", "/me/x"):
        page.goto(path)
        assert page.evaluate(ask) == "NotAllowedError", path


def test_nobody_gets_to_the_camera_without_a_tick(page: Page, school: School) -> None:
    page.goto("/people")
    page.get_by_role("button", name="Enrol somebody").click()
    expect(page.locator("#consent-form input[type=checkbox]:checked")).to_have_count(0)
    page.get_by_label("Your name").fill(ANA)
    page.get_by_role("button", name="I agree, go on to the camera").click()
    expect(page.get_by_label("To be recognised in class")).to_be_focused()
    expect(page.locator("#camera")).to_be_hidden()
    assert not school.people.knows(ANA)


def test_a_guardian_says_who_they_are(page: Page, school: School) -> None:
    page.goto("/people")
    page.get_by_role("button", name="Enrol somebody").click()
    expect(page.get_by_label("Name of the guardian")).to_be_hidden()
    page.get_by_label("Your name").fill(ANA)
    page.get_by_label("as the guardian of a minor").check()
    page.get_by_label("To be recognised in class").check()
    page.get_by_label("Also to be shown by name").check()
    page.get_by_label("How long it is valid").select_option("31")
    page.get_by_role("button", name="I agree, go on to the camera").click()
    expect(page.get_by_label("Name of the guardian")).to_be_focused()
    page.get_by_label("Name of the guardian").fill("Rui Sousão")
    page.keyboard.press("Enter")
    expect(page.locator("#camera")).to_be_visible()
    consents = school.people.find(ANA).consents
    assert [(one.purpose, one.given.by, one.given.guardian) for one in consents] == [
        ("recognition", "Rui Sousão", True),
        ("individual", "Rui Sousão", True),
    ]
    assert {(one.expires_at - one.recorded_at).days for one in consents} == {31}


def test_a_name_that_will_not_do_is_said_in_place(page: Page, ids: dict[str, str]) -> None:
    assert ids
    page.goto("/people")
    page.get_by_role("button", name="Enrol somebody").click()
    page.get_by_label("To be recognised in class").check()
    for name, said in (("a/b", "path separators"), (ANA, "two people need two names")):
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name="I agree, go on to the camera").click()
        expect(page.locator("#consent-error")).to_contain_text(said)
        expect(page.locator("#camera")).to_be_hidden()


def test_a_photo_will_do_in_place_of_the_camera(page: Page, tmp_path: Path) -> None:
    agree(page)
    expect(page.locator("#shoot")).to_be_enabled(timeout=SLOW_MS)  # a camera that opens clears what was said before
    files = {"empty.jpg": b"", "nobody.jpg": jpeg(face_picture(faces=0)), "ana.jpg": jpeg(face_picture())}
    for (name, content), said in zip(
        files.items(), ("cannot be read as a picture", "no face", "1 picture so far"), strict=True
    ):
        (tmp_path / name).write_bytes(content)
        page.get_by_label("Choose a photo instead").set_input_files(tmp_path / name)
        expect(page.locator("#result")).to_contain_text(said, timeout=SLOW_MS)
    expect(page.locator("#result")).to_have_attribute("data-tone", "good")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("NotAllowedError", "may not be used"),
        ("NotFoundError", "No camera"),
        ("NotReadableError", "in use"),
        ("AbortError", "cannot be used"),
    ],
)
def test_a_camera_that_does_not_open_is_said(page: Page, error: str, said: str) -> None:
    page.add_init_script(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}'); }}"
    )
    agree(page)
    expect(page.locator("#cover")).to_contain_text(said)
    expect(page.locator("#cover")).to_contain_text("a photo instead")
    expect(page.get_by_role("button", name="Take a picture")).to_be_disabled()


def test_who_changes_their_mind_leaves_nothing(page: Page, school: School) -> None:
    agree(page)
    shoot(page, "1 picture so far")
    page.get_by_role("button", name="I have changed my mind").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#camera")).to_be_visible()
    page.get_by_role("button", name="I have changed my mind").click()
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(page.locator("#notices")).to_contain_text("Nothing of it is left")
    expect(page.locator("#camera")).to_be_hidden()
    assert not school.people.knows(ANA)


# On file.


def test_a_name_is_text(
    page: Page, school: School, ids: dict[str, str], hub: Hub, state: State, result: Result
) -> None:
    assert "<img" in CHLOE
    number = school.hold_class(appearance(1, ids[CHLOE], 2, 60))
    page.goto("/people")
    expect(page.locator("#register")).to_contain_text(CHLOE)
    page.get_by_role("button", name=f"Manage {CHLOE}").click()
    expect(page.locator("#person-title")).to_have_text(CHLOE)
    page.goto(f"/attendance?class={number}")
    expect(page.locator("#rows th")).to_have_text(CHLOE)
    page.get_by_role("button", name=f"Correct {CHLOE}").click()
    expect(page.locator("#fix-not")).to_contain_text(CHLOE)
    page.goto(f"/me/{school.people.link(ids[CHLOE], 1)}")
    expect(page.locator("#title")).to_have_text(CHLOE)
    named = replace(result(2), identities=Identities((ids[CHLOE], None), np.array([0.8, np.nan], np.float32)))
    hub.publish(state(individual=True, result=named))
    page.goto("/")
    page.get_by_role("tab", name="Individual").click()
    expect(page.locator(".person .who").first).to_contain_text(CHLOE)
    expect(page.locator(".person .who").last).to_contain_text("Face 2")
    expect(page.locator("img[src=x]")).to_have_count(0)


def test_a_consent_is_taken_back(page: Page, school: School, ids: dict[str, str]) -> None:
    assert ids
    page.goto("/people")
    row = page.locator("#register li").filter(has_text=ANA)
    expect(row).to_contain_text("Shown by name")
    page.get_by_role("button", name=f"Manage {ANA}").click()
    page.locator("#person-consents .row").filter(has_text="by name on").get_by_role("button").click()
    page.keyboard.press("Escape")
    assert school.people.find(ANA).consent("individual") is not None
    page.locator("#person-consents .row").filter(has_text="by name on").get_by_role("button").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#person-consents")).to_contain_text("withdrawn on")
    page.get_by_role("button", name="Close").click()
    expect(row).not_to_contain_text("Shown by name")
    assert school.people.find(ANA).consent("individual") is None
    assert school.people.find(ANA).consent("recognition") is not None


def test_a_consent_is_renewed(page: Page, school: School, ids: dict[str, str]) -> None:
    assert ids
    page.goto("/people")
    page.get_by_role("button", name=f"Manage {BEN}").click()
    page.get_by_role("button", name="Renew").click()
    expect(page.get_by_label("Your name")).to_have_value(BEN)
    page.get_by_label("To be recognised in class").check()
    page.get_by_label("Also to be shown by name").check()
    page.get_by_role("button", name="I agree").click()
    expect(page.locator("#notices")).to_contain_text(f"new consent of {BEN} is on record")
    assert school.people.find(BEN).consent("individual") is not None


def test_more_pictures_of_somebody_on_file(page: Page, school: School, ids: dict[str, str]) -> None:
    assert ids
    page.goto("/people")
    page.get_by_role("button", name=f"Manage {ANA}").click()
    page.get_by_role("button", name="Take more pictures").click()
    expect(page.locator("#camera-title")).to_have_text(f"Pictures of {ANA}")
    expect(page.locator("#undo")).to_be_hidden()
    shoot(page, "picture so far")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#notices")).to_contain_text("is enrolled")
    assert len(school.people.find(ANA).photos) == 1


def test_their_rights(page: Page, school: School, ids: dict[str, str]) -> None:
    page.goto("/people")
    page.get_by_role("button", name=f"Manage {ANA}").click()
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator("#link-text")).to_have_value(re.compile(rf"{page.url.removesuffix('people')}me/.+"))
    link = page.locator("#link-text").input_value()
    assert school.people.by_token(link.rpartition("/")[2]) == ids[ANA]
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == link
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert json.loads(download.value.path().read_text(encoding="utf-8"))["name"] == ANA
    page.get_by_role("button", name="Forget them").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#notices")).to_contain_text(f"Forgotten: nothing of {ANA} is left")
    expect(page.locator("#register li")).to_have_count(2)
    assert not school.people.knows(ANA)


def test_where_the_law_forbids_it_there_are_rights_and_nothing_else(
    page: Page, school: School, ids: dict[str, str], hub: Hub, state: State
) -> None:
    assert ids
    page.goto("/")
    expect(page.locator("#nav")).to_be_visible()
    school.store.set_jurisdiction("eu", answered_by="Head", how="command")
    hub.publish(state(jurisdiction="eu"))
    expect(page.locator("#nav")).to_be_hidden()
    page.goto("/people")
    expect(page.locator("#notices")).to_contain_text("does not allow identity models")
    expect(page.get_by_role("button", name="Enrol somebody")).to_be_hidden()
    page.get_by_role("button", name=f"Manage {ANA}").click()
    expect(page.get_by_role("button", name="Take more pictures")).to_be_disabled()
    expect(page.get_by_role("button", name="Renew")).to_have_count(0)
    page.get_by_role("button", name="Forget them").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#register li")).to_have_count(2)
    page.goto("/attendance")
    school.hold_class()
    page.reload()
    expect(page.locator("#notices")).to_contain_text("does not allow identity models")
    expect(page.locator("#seen")).to_be_hidden()


def test_a_missing_key_is_said(page: Page, school: School, ids: dict[str, str]) -> None:
    assert ids
    away = school.settings.key_file.rename(school.settings.key_file.with_suffix(".away"))
    page.goto("/people")
    expect(page.locator("#notices")).to_contain_text("the key to people's data is missing")
    expect(page.locator("#on-file")).to_be_hidden()
    away.rename(school.settings.key_file)
    page.reload()
    expect(page.locator("#register li")).to_have_count(3)


# Answers that come late.


def test_a_link_is_shown_to_whom_it_is_for_alone(page: Page, ids: dict[str, str]) -> None:
    assert ids
    page.goto("/people")
    links = Held(page, "**/link")
    page.get_by_role("button", name=f"Manage {ANA}").click()
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name=f"Manage {BEN}").click()
    links.go_on()
    expect(page.locator("#person-title")).to_have_text(BEN)
    expect(page.locator("#link-text")).to_have_value("")
    expect(page.locator("#link-box")).to_be_hidden()
    page.get_by_role("button", name="Make a link").click()
    links.go_on(1)
    expect(page.locator("#link-box")).to_be_visible()


def test_a_consent_that_is_on_its_way_cannot_be_called_off(page: Page, school: School) -> None:
    page.goto("/people")
    consents = Held(page, "**/api/v1/people", "POST")
    agree(page)
    consents.wait_for()
    expect(page.get_by_role("button", name="Cancel")).to_be_disabled()
    consents.go_on()
    expect(page.locator("#camera-title")).to_contain_text(ANA)
    assert school.people.find(ANA).name == ANA


def test_what_became_of_a_picture_is_told_to_whose_it_is(page: Page, ids: dict[str, str]) -> None:
    assert ids
    page.goto("/people")
    taken = Held(page, "**/pictures")
    for name in (ANA, BEN):
        page.get_by_role("button", name=f"Manage {name}").click()
        page.get_by_role("button", name="Take more pictures").click()
        page.get_by_role("button", name="Take a picture").click(timeout=SLOW_MS)
        if name == ANA:
            taken.wait_for()
            page.get_by_role("button", name="Done").click()
    assert f"/people/{ids[BEN]}/" in taken[1].request.url, "nobody waits for another's picture"
    taken[0].fulfill(json={"new": True, "quality": 1, "pictures": 4, "alike": None})
    page.evaluate("new Promise((done) => setTimeout(done))")
    expect(page.locator("#result")).to_have_text("Looking at the picture …")
    expect(page.locator("#taken li")).to_have_count(0)
    taken[1].fulfill(json={"new": True, "quality": 1, "pictures": 4, "alike": None})
    expect(page.locator("#taken li")).to_have_count(1)


# Attendance.


@pytest.fixture
def lesson(school: School, ids: dict[str, str]) -> int:
    """A class of 45 minutes: Ana with a gap, Ben late and gone early, Chloé not seen."""
    return school.hold_class(
        appearance(1, ids[ANA], 2, 1200), appearance(7, ids[ANA], 1500, 2690), appearance(2, ids[BEN], 700, 2000, 0.7)
    )


def row(page: Page, name: str) -> Any:
    return page.locator("#rows tr").filter(has_text=name)


def test_attendance_says_who_was_here_and_what_that_is_worth(page: Page, lesson: int) -> None:
    page.goto("/attendance")
    expect(page.locator("#caution")).to_contain_text("never proof: a photo or a video can fool it")
    expect(page.locator("#class")).to_have_value(str(lesson))
    expect(page.locator("#summary")).to_have_text(re.compile("recognised2late1left early1long45:00"))
    expect(row(page, ANA)).to_contain_text("0:02 to 44:50, 1 gap")
    expect(row(page, ANA).locator(".strip i")).to_have_count(2)
    expect(row(page, BEN)).to_contain_text("Late by 11:40")
    expect(row(page, BEN)).to_contain_text("Left 11:40 early")
    expect(page.locator("#absent")).to_have_text(CHLOE)
    expect(page.locator("#unknown")).to_contain_text("not recognised: 6")


def test_attendance_of_a_class_that_runs_is_so_far(page: Page, school: School, ids: dict[str, str]) -> None:
    running = school.hold_class(over=False)
    page.goto(f"/attendance?class={running}")
    expect(page.locator("#nobody")).to_have_text("Nobody was recognised so far.")
    expect(page.locator("#so-far")).to_contain_text("up to half a minute old")
    expect(page.locator("#absent-box")).to_contain_text("Enrolled, and not seen so far")
    over = school.hold_class(appearance(1, ids[ANA], 2.9, 59.1), appearance(2, ids[BEN], 2.1, 1210.9))
    page.goto(f"/attendance?class={over}")
    expect(page.locator("#absent-box h3")).to_have_text("Enrolled, and not seen")
    expect(page.locator("#so-far")).to_be_hidden()


def test_a_length_agrees_with_its_ends(page: Page, school: School, ids: dict[str, str]) -> None:
    number = school.hold_class(appearance(1, ids[ANA], 2.1, 59.9), appearance(2, ids[BEN], 2.9, 59.1))
    page.goto(f"/attendance?class={number}")
    for name in (ANA, BEN):
        expect(row(page, name)).to_contain_text("0:02 to 0:59")
        expect(row(page, name).locator(".here")).to_have_text("0:57")
        expect(row(page, name)).to_contain_text("Left 44:01 early")


def test_this_is_not_ana_takes_two_clicks(page: Page, lesson: int) -> None:
    assert lesson
    page.goto("/attendance")
    page.get_by_role("button", name=f"Correct {BEN}").click()
    page.get_by_role("button", name=f"This is not {BEN}").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#strangers")).to_contain_text("Face 2, 11:40 to 33:20")
    page.get_by_role("button", name="Say who face 2 is").click()
    page.locator("#fix-list").get_by_role("button", name=CHLOE).click()
    expect(row(page, CHLOE)).to_contain_text("By hand")
    expect(row(page, CHLOE).locator(".sure")).to_have_text("100%")


def test_two_rows_are_merged_in_two_clicks(page: Page, lesson: int) -> None:
    assert lesson
    page.goto("/attendance")
    page.get_by_role("button", name=f"Correct {BEN}").click()
    page.locator("#fix-list").get_by_role("button", name=ANA).click()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(row(page, ANA)).to_contain_text("0:02 to 44:50")
    expect(row(page, ANA)).not_to_contain_text("gap")
    expect(page.locator("#title")).to_be_focused()


def test_one_stretch_alone_is_corrected(page: Page, lesson: int) -> None:
    assert lesson
    page.goto("/attendance")
    page.get_by_role("button", name=f"Correct {ANA}").click()
    page.get_by_label("Which stretch").select_option("7")
    page.get_by_role("button", name=f"This is not {ANA}").click()
    expect(row(page, ANA)).to_contain_text("0:02 to 20:00")
    expect(page.locator("#strangers")).to_contain_text("Face 7")


def test_what_is_corrected_is_the_class_that_was_shown(
    page: Page, school: School, ids: dict[str, str], lesson: int
) -> None:
    other = school.hold_class(appearance(2, ids[CHLOE], 2, 60))
    page.goto(f"/attendance?class={lesson}")
    expect(page.locator("#rows tr")).to_have_count(2)
    late = Held(page, f"**/sessions/{other}/attendance")
    page.get_by_label("Class").select_option(str(other))
    page.get_by_role("button", name=f"Correct {BEN}").click()
    late.go_on()
    expect(page.locator("#rows tr")).to_have_count(1)
    with page.expect_request("**/corrections") as asked:
        page.get_by_role("button", name=f"This is not {BEN}").click()
    assert f"/sessions/{lesson}/" in asked.value.url
    expect(page.locator("#fix")).to_be_hidden()
    expect(row(page, CHLOE)).to_be_visible()


def test_attendance_goes_into_a_file(page: Page, lesson: int) -> None:
    page.goto("/attendance")
    expect(page.locator("#csv")).not_to_have_attribute("aria-disabled", "true")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == f"classpulse-attendance-{lesson}.csv"
    lines = list(csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [line["name"] for line in lines] == [ANA, BEN, CHLOE]


def test_another_class_is_chosen(page: Page, school: School, ids: dict[str, str], lesson: int) -> None:
    other = school.hold_class(appearance(1, ids[CHLOE], 2, 60), over=False)
    page.goto("/attendance")
    expect(page.locator("#class")).to_have_value(str(other))
    expect(page.locator("#class-name")).to_contain_text("still running")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_label("Class").select_option(str(lesson))
    expect(page.locator("#rows tr")).to_have_count(2)
    page.goto(f"/attendance?class={lesson}")
    expect(page.locator("#class")).to_have_value(str(lesson))
    expect(page.locator("#rows tr")).to_have_count(2)
    # What was asked for first comes last.
    late: list[Route] = []
    page.route(f"**/sessions/{other}/attendance", lambda route: late.append(route))  # noqa: PLW0108 - Playwright marks it
    for chosen in (other, lesson):
        page.get_by_label("Class").select_option(str(chosen))
    expect(page.locator("#rows tr")).to_have_count(2)
    with page.expect_response(f"**/sessions/{other}/attendance"):
        late[0].continue_()
    page.wait_for_timeout(100)
    expect(page.locator("#rows tr")).to_have_count(2)


def test_attendance_says_that_nobody_is_enrolled_and_how_to_begin(page: Page, school: School) -> None:
    school.store.start_session("webcam 0", kind="webcam", jurisdiction="other", demo=False, min_group=5).finish("ended")
    page.goto("/attendance")
    expect(page.get_by_role("heading", name="Nobody is enrolled yet")).to_be_visible()
    school.people.forget(school.enrol(ANA, 1))  # there was somebody, and is nobody any more
    page.reload()
    expect(page.get_by_role("heading", name="Nobody is enrolled yet")).to_be_visible()
    for nothing in ("#caution", "#page-actions", "#seen"):
        expect(page.locator(nothing)).to_be_hidden()
    expect(page.locator("#notices")).to_be_empty()
    look(page)
    page.get_by_role("link", name="Enrol the first person").click()
    expect(page).to_have_url(re.compile("/people$"))


def test_without_a_class_there_is_no_attendance(page: Page) -> None:
    page.goto("/attendance")
    expect(page.locator("#notices")).to_contain_text("No class is stored yet")


# A person's own page.


def test_somebody_sees_what_is_stored_and_withdraws(
    page: Page, school: School, ids: dict[str, str], lesson: int
) -> None:
    page.goto(f"/me/{school.people.link(ids[ANA], 1)}")
    expect(page.locator("#title")).to_have_text(ANA)
    expect(page.locator("#now")).to_contain_text("Your face is stored as numbers, from 3 pictures")
    expect(page.locator("#now")).to_contain_text("Your name may be shown")
    expect(page.locator("#seen")).to_contain_text(f"Class {lesson}, from 0:02 to 20:00, 25:00 to 44:50")
    assert BEN not in page.content()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all that is stored").click()
    assert json.loads(download.value.path().read_text(encoding="utf-8"))["name"] == ANA
    page.get_by_role("button", name="Withdraw my consent").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#notices")).to_contain_text("You have withdrawn")
    expect(page.locator("#now")).to_contain_text("Nothing of your face is stored")
    expect(page.get_by_role("button", name="Withdraw my consent")).to_be_disabled()
    assert school.people.find(ANA).photos == ()


def test_somebody_is_forgotten_by_their_own_click(page: Page, school: School, ids: dict[str, str]) -> None:
    page.goto(f"/me/{school.people.link(ids[ANA], 1)}")
    page.get_by_role("button", name="Forget me").click()
    page.keyboard.press("Enter")
    assert school.people.knows(ANA), "the first answer is no"
    page.get_by_role("button", name="Forget me").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#title")).to_have_text("You are forgotten")
    expect(page.locator("#content")).to_be_hidden()
    assert ANA not in page.content()
    assert not school.people.knows(ANA)
    page.reload()
    expect(page.locator("#notices")).to_contain_text("leads nowhere")


# For everybody.

SHADES: dict[str, Callable[[Page], None]] = {
    "/people": lambda page: expect(page.locator("#register li")).to_have_count(3),
    "/attendance": lambda page: expect(page.locator("#rows tr")).to_have_count(2),
    "me": lambda page: expect(page.locator("#consents li")).to_have_count(2),
    "/me/nowhere": lambda page: expect(page.locator("#notices")).to_contain_text("leads nowhere"),
}


def test_every_page_can_be_read_and_fits(page: Page, school: School, ids: dict[str, str], lesson: int) -> None:
    assert lesson
    school.enrol("W" * 50, 8)
    school.people.forget(ids[CHLOE])
    page.set_viewport_size({"width": 390, "height": 800})
    for path, ready in SHADES.items():
        page.goto(f"/me/{school.people.link(ids[ANA], 1)}" if path == "me" else path)
        ready(page)
        look(page, path)
    page.goto("/people")
    page.get_by_role("button", name=f"Manage {ANA}").click()
    look(page, "one person")
    page.get_by_role("button", name="Forget them").click()
    look(page, "a yes")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Enrol somebody").click()
    page.get_by_label("as the guardian").check()
    look(page, "consent")
    page.get_by_label("Your name").fill(BEN)
    page.get_by_label("Name of the guardian").fill("Her")
    page.get_by_label("To be recognised in class").check()
    page.get_by_role("button", name="I agree").click()
    expect(page.locator("#consent-error")).not_to_be_empty()
    look(page, "a refusal")
    page.get_by_label("Your name").fill("Somebody new")
    page.get_by_role("button", name="I agree").click()
    expect(page.locator("#shoot")).to_be_enabled()
    look(page, "camera")
    page.goto("/attendance")
    page.get_by_role("button", name=f"Correct {ANA}").click()
    look(page, "correction")


def test_enrolment_with_the_keyboard_alone(page: Page, school: School) -> None:
    page.goto("/people")
    expect(page.get_by_role("button", name="Enrol somebody")).to_be_visible()
    where = "document.activeElement.id || document.activeElement.textContent.trim()"
    walked = []
    for _ in range(6):
        page.keyboard.press("Tab")
        walked.append(page.evaluate(where))
    assert walked == ["Skip to the content", "Classpulse", "Live", "People", "Attendance", "begin"]
    page.keyboard.press("Enter")
    expect(page.locator("#consent-title")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(ANA)
    for _ in range(3):  # how long, who, what
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.get_by_label("To be recognised in class").is_checked()
    page.keyboard.press("Enter")
    expect(page.locator("#camera-title")).to_be_focused()
    expect(page.locator("#shoot")).to_be_enabled()
    while page.evaluate(where) != "shoot":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_contain_text("1 picture so far", timeout=SLOW_MS)
    while page.evaluate(where) != "done":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_be_focused()
    assert school.people.find(ANA).photos


def test_a_correction_with_the_keyboard_alone(page: Page, lesson: int) -> None:
    assert lesson
    page.goto("/attendance")
    page.get_by_role("button", name=f"Correct {BEN}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#fix-not")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=f"Correct {BEN}")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#strangers")).to_contain_text("Face 2")
