"""Who may see and do what in a school: a teacher in their own classes, an observer, an admin, a student, nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from joined_class import Device
from served_school import Asks, HereSchool, school_here
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from classpulse.client import Client
from classpulse.insight.moments import Mark
from classpulse.storage.runs import Process, RunState
from classpulse.web import school_doors, school_members, who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.storage.course import Course

STORED = ("windows", "windows.csv", "marks", "alerts", "answers", "report.html", "attendance", "attendance.csv")
LIVE = ("", "api/v1/state", "api/v1/role", "api/v1/events", "api/v1/sessions", "api/v1/participants", "attendance")
PRESSED = ("pause", "resume", "stop", "marks", "snooze", "jurisdiction", "join", "answers", "links")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HereSchool]:
    with school_here(tmp_path_factory.mktemp("school")) as school:
        school.store.set_jurisdiction("eu", answered_by="Head", how="command")
        yield school


@pytest.fixture(scope="module")
def people(school: HereSchool) -> dict[str, Asks]:
    """Ana and Ben teach, Ola watches, Head manages, and somebody is nobody."""
    ranks = {"ana": "teacher", "ben": "teacher", "ola": "observer", "head": "admin"}
    return {login: school.member(login, rank) for login, rank in ranks.items()} | {"nobody": Asks()}


@pytest.fixture(scope="module")
def maths(school: HereSchool, people: dict[str, Asks]) -> Course:
    """Ana's class, which Ola watches, of which one lesson is stored."""
    people["ana"].does("POST", f"{school.url}api/v1/courses", {"name": "Maths 7b", "source": "join"})
    people["ana"].does("PUT", f"{school.url}api/v1/courses/maths-7b/members/OLA", {"role": "observer"})
    course = school.store.courses().get("maths-7b")
    hold(school, course)
    return course


@pytest.fixture(scope="module")
def physics(school: HereSchool, people: dict[str, Asks]) -> Course:
    """Ben's class, of which one lesson is stored."""
    people["ben"].does("POST", f"{school.url}api/v1/courses", {"name": "Physics", "source": "join"})
    course = school.store.courses().get("physics")
    hold(school, course)
    return course


def hold(school: HereSchool, course: Course) -> None:
    recorder = school.store.start_session(
        course.name, kind="join", jurisdiction="eu", demo=False, min_group=5, course_id=course.id
    )
    recorder.finish("ended")
    school.store.moments.add_mark(recorder.session_id, Mark(1.0, f"A mark of {course.name}"))


@pytest.fixture(scope="module")
def running(school: HereSchool, people: dict[str, Asks], maths: Course) -> str:
    """Where Ana's class is, which runs."""
    people["ana"].does("POST", f"{school.url}api/v1/courses/{maths.slug}/start")
    url = f"{school.url}c/{maths.slug}/"
    people["ana"].until(f"{url}api/v1/state", lambda state: state["phase"] == "running")
    return url


def test_whoever_is_nobody_is_sent_to_the_login(school: HereSchool, people: dict[str, Asks], running: str) -> None:
    nobody = people["nobody"]
    for page in ("", "classes/maths-7b", "people", "c/maths-7b/", "c/nothing/"):
        answer = nobody.get(f"{school.url}{page}")
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    assert nobody.get(running).headers["location"] == "/login?next=c/maths-7b/"
    for path in ("api/v1/school", "api/v1/courses/maths-7b", "api/v1/people", "c/maths-7b/api/v1/state"):
        assert nobody.get(f"{school.url}{path}").status_code == 401
    assert nobody.get(f"{school.url}c/nothing/api/v1/state").status_code == 401, "nobody hears which classes there are"
    assert nobody.get(f"{school.url}healthz").text == "ok"


@pytest.mark.parametrize("path", [path for path in LIVE if path != "api/v1/events"])
def test_a_class_is_seen_by_its_members_and_by_nobody_else(people: dict[str, Asks], running: str, path: str) -> None:
    for stranger in ("ben", "head"):
        assert people[stranger].get(f"{running}{path}").status_code == 404
    assert people["ana"].get(f"{running}{path}").status_code == 200
    watched = {"", "api/v1/state", "api/v1/role"}
    assert (people["ola"].get(f"{running}{path}").status_code == 200) == (path in watched)


def test_a_program_asks_below_its_class(school: HereSchool, people: dict[str, Asks], running: str) -> None:
    """As the documentation says: the client with the class's address and a token, and what each description holds."""
    token = people["ana"].headers["Authorization"].removeprefix("Bearer ")
    with Client(running, token=token) as teacher:
        assert teacher.state().phase == "running"
    of_class = people["ana"].said(f"{running}api/v1/openapi.json")["paths"]
    of_school = people["ana"].said(f"{school.url}api/v1/openapi.json")["paths"]
    assert "/api/v1/state" in of_class
    assert {"/api/v1/school", "/api/v1/courses/{slug}/start", "/api/v1/accounts"} <= set(of_school)


@pytest.mark.parametrize("what", PRESSED)
def test_a_class_is_led_by_its_teachers_alone(people: dict[str, Asks], running: str, what: str) -> None:
    assert [people[one].post(f"{running}api/v1/{what}", json={}).status_code for one in ("ben", "head", "ola")] == [
        404,
        404,
        403,
    ]
    assert people["nobody"].post(f"{running}api/v1/{what}", json={}).status_code == 401


@pytest.mark.parametrize("what", STORED)
def test_what_was_stored_is_its_own_classes(
    school: HereSchool, people: dict[str, Asks], running: str, physics: Course, what: str
) -> None:
    own, other = (
        min(row.id for row in school.store.sessions(course.id))
        for course in (school.store.courses().get("maths-7b"), physics)
    )
    ana = people["ana"]
    # Nobody may be recognised under this law, so attendance says so: but it is hers to ask for.
    assert ana.get(f"{running}api/v1/sessions/{own}/{what}").status_code == (409 if "attendance" in what else 200)
    for number in (other, f"+{other}", f"{other}.0", f" {other}", f"0{other}", f"{other}%20", 99, -1, "x"):
        answer = ana.get(f"{running}api/v1/sessions/{number}/{what}")
        assert answer.status_code == 404, number
        assert "Physics" not in answer.text
    assert people["ben"].get(f"{running}api/v1/sessions/{own}/{what}").status_code == 404
    assert people["head"].get(f"{running}api/v1/sessions/{own}/{what}").status_code == 404
    # Of a class that does not run, too.
    assert people["ben"].get(f"{school.url}c/physics/api/v1/sessions/{own}/{what}").status_code == 404
    of_physics = people["ben"].get(f"{school.url}c/physics/api/v1/sessions/{other}/{what}").status_code
    assert of_physics == (409 if "attendance" in what else 200)


def test_lists_hold_what_is_ones_own(
    school: HereSchool, people: dict[str, Asks], running: str, maths: Course, physics: Course
) -> None:
    def of(login: str) -> list[tuple[str, Any]]:
        return [(one["slug"], one["role"]) for one in people[login].said(f"{school.url}api/v1/school")["courses"]]

    assert of("ana") == [("maths-7b", "teacher")]
    assert of("ben") == [(physics.slug, "teacher")]
    assert of("ola") == [("maths-7b", "observer")]
    assert of("head") == [("maths-7b", None), ("physics", None)]
    (seen, _) = people["head"].said(f"{school.url}api/v1/school")["courses"]
    assert (seen["source"], seen["run"]["phase"], seen["run"]["people"], seen["run"]["word"]) == (
        None,
        "running",
        None,
        None,
    )
    shown = {row["id"] for row in people["ana"].said(f"{running}api/v1/sessions")}
    assert shown == {row.id for row in school.store.sessions(maths.id)}
    assert people["head"].get(f"{school.url}api/v1/courses/maths-7b/sessions").status_code == 404
    assert people["ben"].get(f"{school.url}api/v1/courses/maths-7b").status_code == 404
    details = people["head"].said(f"{school.url}api/v1/courses/maths-7b")
    assert [(one["login"], one["role"]) for one in details["members"]] == [("ana", "teacher"), ("ola", "observer")]


@pytest.mark.usefixtures("physics")
@pytest.mark.parametrize(
    ("place", "status", "why"),
    [
        ("c/physics/", 404, "Aquí no tienes ninguna clase."),
        ("c/physics/api/v1/sessions/1/report.html", 404, "Aquí no tienes ninguna clase."),
        ("people", 403, "Solo la administración puede hacer esto."),
        ("not/here", 404, "No hay ninguna página en esta dirección."),
    ],
)
def test_what_a_browser_may_not_open_is_a_page(
    school: HereSchool, people: dict[str, Asks], place: str, status: int, why: str
) -> None:
    browser = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "es"}
    shown = people["ana"].get(f"{school.url}{place}", headers=browser)
    assert (shown.status_code, shown.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert why in shown.text
    assert 'href="/static/live.css"' in shown.text
    assert "style-src 'self'" in shown.headers["content-security-policy"]
    told = people["ana"].get(f"{school.url}{place}", headers={"Accept": "*/*"})
    assert (told.status_code, list(told.json())) == (status, ["detail"]), "a program's answer is JSON"


def test_students_need_no_account(people: dict[str, Asks], running: str) -> None:
    link = people["ana"].does("POST", f"{running}api/v1/join").json()
    assert link["url"] == f"{running}join/{link['code']}"
    assert people["nobody"].get(f"{running}join/{link['code']}").status_code == 200
    assert people["nobody"].said(f"{running}api/v1/join/{link['code']}")["title"] == "Maths 7b"
    with Device(running, link["code"]) as device:
        assert device.hear("state")
        assert people["ana"].said(f"{running}api/v1/participants")
    assert people["nobody"].get(f"{running}api/v1/join").status_code == 401


def test_only_its_teachers_change_a_class(school: HereSchool, people: dict[str, Asks], maths: Course) -> None:
    one = f"{school.url}api/v1/courses/{maths.slug}"
    for login, status in (("ben", 404), ("ola", 403), ("nobody", 401)):
        asks = people[login]
        assert asks.patch(one, json={"name": "Mine"}).status_code == status
        assert asks.delete(one).status_code == status
        assert asks.post(f"{one}/start").status_code == status
        assert asks.post(f"{one}/stop").status_code == status
        assert asks.put(f"{one}/members/ben", json={"role": "teacher"}).status_code == status
        assert asks.delete(f"{one}/members/ana").status_code == status
    assert people["head"].post(f"{one}/start").status_code == 403, "an admin begins nobody's class"
    assert people["ola"].post(f"{school.url}api/v1/courses", json={"name": "x", "source": "demo"}).status_code == 403
    wanted = {"name": "x", "source": "demo", "teacher": "ana"}
    assert people["ben"].post(f"{school.url}api/v1/courses", json=wanted).status_code == 403


def test_an_observer_of_the_school_teaches_no_class(school: HereSchool, people: dict[str, Asks], running: str) -> None:
    """As a teacher of it they could do nothing."""
    del running
    member = f"{school.url}api/v1/courses/maths-7b/members/ola"
    told = people["ana"].does("PUT", member, {"role": "teacher"}, status=422).json()["detail"]
    assert told.startswith("ola is an observer in this school and cannot teach a class: add them as an observer")
    wanted = {"name": "Art", "source": "join", "teacher": "ola"}
    assert people["head"].does("POST", f"{school.url}api/v1/courses", wanted, status=422).json()["detail"] == told
    people["ana"].does("PUT", member, {"role": "observer"}, status=204)


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"name": "", "source": "demo"}, 422, "one line of 1 to 80"),
        ({"name": "x", "source": "/etc/passwd"}, 422, "one of these sources"),
        ({"name": "x", "source": "rtsp://169.254.169.254/x"}, 422, "private network"),
        ({"name": "x", "source": "demo", "settings": {"web.host": "x"}}, 422, r"cannot set web\.host"),
        ({"name": "x", "source": "demo", "settings": {"join.title": {"a": 1}}}, 422, "settings"),
        ({"name": "x", "source": "demo", "owner": "me"}, 422, "owner"),
        ({"name": "x", "source": "demo", "teacher": "nobody"}, 404, "nobody has the login"),
        ({"name": "x" * 20_000, "source": "demo"}, 413, "too large"),
    ],
)
def test_what_is_no_class_is_refused_with_a_sentence(
    school: HereSchool, people: dict[str, Asks], body: dict[str, Any], status: int, told: str
) -> None:
    answer = people["head"].post(f"{school.url}api/v1/courses", json=body)
    assert (answer.status_code, bool(re.search(told, answer.json()["detail"]))) == (status, True), answer.text
    assert len(school.store.courses().all()) <= 2


def test_a_password_of_a_source_is_shown_to_nobody(school: HereSchool, people: dict[str, Asks]) -> None:
    ana = people["ana"]
    body = {"name": "Room 12", "source": "rtsp://user:secret@93.184.216.34/door?token=1"}
    made = ana.does("POST", f"{school.url}api/v1/courses", body)
    one = f"{school.url}api/v1/courses/room-12"
    for answer in (made, ana.get(one), ana.get(f"{school.url}api/v1/school"), people["head"].get(one)):
        assert "secret" not in answer.text
        assert "token" not in answer.text
    assert ana.get(one).json()["source"] == "rtsp://93.184.216.34/door"
    ana.does("DELETE", one, status=204)


def test_a_member_who_is_taken_out_stops_watching(
    school: HereSchool, people: dict[str, Asks], running: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(school_doors, "STILL_IN_S", 0.2)
    monkeypatch.setattr(school_members, "REMEMBERED_S", 0.1)
    monkeypatch.setattr(who, "REMEMBERED_S", 0.1)
    eve = school.member("eve")
    member = f"{school.url}api/v1/courses/maths-7b/members/eve"
    people["ana"].does("PUT", member, {"role": "observer"})
    with eve.stream("GET", f"{running}api/v1/events") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")
        people["ana"].does("DELETE", member, status=204)
        for _ in lines:
            pass  # until it ends
    assert eve.get(f"{running}api/v1/state").status_code == 404


def test_other_sites_and_strange_hosts_are_kept_out(school: HereSchool, people: dict[str, Asks], running: str) -> None:
    ana = people["ana"]
    for url in (f"{running}api/v1/pause", f"{school.url}api/v1/courses/maths-7b/stop"):
        assert ana.post(url, headers={"Origin": "https://evil.example"}).status_code == 403
        assert ana.post(url, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert ana.post(url, headers={"Host": "evil.example"}).status_code == 403
    for page in (running, school.url):
        headers = ana.get(page).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] != "public"


def test_nobody_makes_themselves_another_process(people: dict[str, Asks], running: str) -> None:
    """The words by which a process tells another who asked count with its key alone."""
    forged = {"X-Classpulse-Pass": "0" * 32, "X-Classpulse-Client": "127.0.0.1", "X-Classpulse-Scheme": "https"}
    for origin in ("https://evil.example", running.removesuffix("/c/maths-7b/")):
        answer = people["ana"].post(f"{running}api/v1/pause", headers=forged | {"Origin": origin})
        assert answer.status_code == 421, "it was meant for another process"
    assert people["ana"].said(f"{running}api/v1/state")["phase"] == "running"


def test_what_is_handed_on_to_a_process_that_is_no_more_ends(
    school: HereSchool, people: dict[str, Asks], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever has its address now is not to hand it on to itself, and so on: as where it was just started again."""
    course = school.store.courses().add("Chemistry", "join", teacher=school.store.accounts().find("ana").id)
    assert school.store.runs().claim(course.id, Process.this(school.url.removesuffix("/")), None)
    ana, url = people["ana"], f"{school.url}c/chemistry/"
    ana.until(f"{school.url}api/v1/courses/chemistry", lambda said: said["run"] is not None)
    caplog.set_level("INFO", "classpulse.web.school_forward")
    answer = ana.get(f"{url}api/v1/state")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    with (
        connect(f"{url.replace('http', 'ws', 1)}api/v1/join/socket") as socket,
        pytest.raises(ConnectionClosed) as ended,
    ):
        socket.recv()
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1013
    handed_on = [record for record in caplog.records if record.name == "classpulse.web.school_forward"]
    assert len(handed_on) == 1
    assert school.store.runs().settle(school.store.runs().all()[course.id], RunState("ended"))
    school.store.courses().remove(course)


def test_paths_that_are_no_class_are_not_found(school: HereSchool, people: dict[str, Asks]) -> None:
    ana = people["ana"]
    for path in (
        "c/",
        "c/MATHS-7B/",
        "c/../api/v1/school/",
        "c/maths-7b%2f..%2fphysics/",
        "c/%2e%2e/",
        "c//",
        "join/ABCD",
    ):
        assert ana.get(f"{school.url}{path}").status_code == 404, path
    assert ana.get(f"{school.url}c/maths-7b").headers["location"] == "/c/maths-7b/"


def test_an_admin_says_which_law_is_in_force_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    with school_here(tmp_path_factory.mktemp("lawless")) as school:
        head, ana = school.member("head", "admin"), school.member("ana")
        answer = {"jurisdiction": "eu", "answered_by": "Head"}
        assert ana.post(f"{school.url}api/v1/law", json=answer).status_code == 403
        ana.does("POST", f"{school.url}api/v1/courses", {"name": "Maths 7b", "source": "join"})
        refused = ana.does("POST", f"{school.url}api/v1/courses/maths-7b/start", status=409)
        assert "Nobody has said yet which law" in refused.json()["detail"]
        spanish = ana.post(f"{school.url}api/v1/courses/maths-7b/start?lang=es").json()["detail"]
        assert spanish != refused.json()["detail"]
        head.does("POST", f"{school.url}api/v1/law", answer, status=204)
        law = head.said(f"{school.url}api/v1/school")["law"]
        assert (law["jurisdiction"], law["answered_by"]) == ("eu", "Head (head)")
        assert law["answered_at"] is not None
        assert ana.said(f"{school.url}api/v1/school")["law"] == dict.fromkeys(law) | {"jurisdiction": "eu"}
        assert head.post(f"{school.url}api/v1/law", json=answer).status_code == 409
        stored = school.store.answer()
        assert stored is not None
        assert stored.answered_by == "Head (head)"
        ana.does("POST", f"{school.url}api/v1/courses/maths-7b/start")
        head.does("POST", f"{school.url}api/v1/courses/maths-7b/stop")
        ana.until(f"{school.url}api/v1/school", lambda said: (said["courses"][0]["run"] or {}).get("phase") == "ended")
        ana.does("DELETE", f"{school.url}api/v1/courses/maths-7b", status=204)
