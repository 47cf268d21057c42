"""A whole class with everybody in it, as whoever runs the server sees it: its log, its figures, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
from command import Running, here
from joined_class import Device
from prometheus_client.parser import text_string_to_metric_families
from prometheus_figures import asked_for_in

if TYPE_CHECKING:
    from pathlib import Path

PERSON, GUARDIAN, STUDENT, TITLE = "Ana Sousão", "Rui Guardião", "Zoë Quist", "Maths 7b of Ms Kowalczyk"
MARK = "we talked about Ana's grandmother"
SAID = "unsure"
FIGURES = {
    "classpulse_results_total",
    "classpulse_faces_total",
    "classpulse_result_age_seconds_count",
    "classpulse_people_by_link",
    "classpulse_event_streams",
}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes in another way")


@dataclass(frozen=True, slots=True)
class Held:
    """What is left of a class that was held.

    Attributes:
        log: every line of standard error.
        output: standard output.
        figures: what `/metrics` said while it ran.
        ready: what `/readyz` said then.
        code: how the process ended.
        secrets: everything that lets somebody in.
        stream: the events that somebody who watched was told, to the end of the stream.
        data: the data folder.
    """

    log: list[str]
    output: str
    figures: str
    ready: httpx.Response
    code: int
    secrets: list[str]
    stream: str
    data: Path


def enrol(url: str) -> None:
    """Somebody agrees and stands before the camera, where there is no face to see."""
    agreed = {"agreed": True, "individual": False, "given_by": GUARDIAN, "guardian": True, "days": 30, "name": PERSON}
    answer = httpx.post(f"{url}api/v1/people", json=agreed)
    assert answer.status_code == 201, answer.text
    headers = {"Content-Type": "image/jpeg"}
    taken = httpx.post(f"{url}api/v1/people/{answer.json()['id']}/pictures", content=b"no picture", headers=headers)
    assert taken.status_code == 422, taken.text


def watch(url: str, heard: list[str]) -> threading.Thread:
    """Somebody who looks at the page until it is over."""

    def listen() -> None:
        with httpx.stream("GET", f"{url}api/v1/events", timeout=30) as answer:
            heard.extend(answer.iter_text())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return thread


def students(running: Running, url: str) -> list[str]:
    """Somebody joins and says how they follow; others try what does not work. Returns the secrets."""
    code = httpx.get(f"{url}api/v1/join").json()["code"]
    device = Device(url, code, name=STUDENT)
    device.send({"t": "a", "said": SAID})
    device.send({"t": "nonsense", "name": STUDENT})
    for path in (f"me/{device.secret}", f"join/{STUDENT}", f"api/v1/join/{device.secret}"):
        httpx.get(f"{url}{path}")
    httpx.get(f"{url}api/v1/state", headers={"Authorization": f"Bearer {device.secret}"})
    running.until(lambda: running.state()["participants"]["present"] == 1)
    return [code, device.secret]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    """A demo class with an enrolment, a student, a mark, a viewer and wrong tries, ended by SIGTERM."""
    data = tmp_path_factory.mktemp("watched")
    heard: list[str] = []
    sets = ("--set", f"join.title={TITLE}", "--set", "detector.width_px=320", "--set", "log.level=debug")
    arguments = ("live", "demo", "--jurisdiction", "other", "--no-browser", "--port", "0", "--join", *sets)
    with Running(*arguments, "--observer-link", "--log-format", "json", data=data) as running:
        url = running.url
        viewer = watch(url, heard)
        enrol(url)
        secrets = students(running, url)
        assert running.post("marks", {"label": MARK}) < 300
        running.until(lambda: running.state()["results_per_s"] > 0)
        figures = httpx.get(f"{url}metrics").text
        ready = httpx.get(f"{url}readyz")
        running.process.send_signal(signal.SIGTERM)
        code = running.end()
        viewer.join(10)
        assert not viewer.is_alive(), "the stream of events outlives the class"
        output = running.process.stdout.read() if running.process.stdout else ""
        links = (data / "links.txt").read_text()
        secrets += re.findall(r"#(\S+)", links)
        return Held(running.said.splitlines(), output, figures, ready, code, secrets, "".join(heard), data)


def test_every_line_of_the_log_is_json(held: Held) -> None:
    records = [json.loads(line) for line in held.log]
    assert held.output == ""
    assert all({"timestamp", "level", "logger", "message"} <= set(record) for record in records)
    phases = [record["phase"] for record in records if "phase" in record]
    assert phases == ["running", "ended"]
    assert [record["ended_how"] for record in records if record.get("phase") == "ended"] == ["stopped"]


def test_the_log_has_no_person_no_answer_and_no_secret(held: Held) -> None:
    log = "\n".join(held.log)
    told = json.dumps([json.loads(line) for line in held.log], ensure_ascii=False)
    assert len(held.secrets) == 3, "the code, the student's own secret and the observer's link"
    words = [word for name in (PERSON, GUARDIAN, STUDENT, TITLE, MARK) for word in name.split() if len(word) > 3]
    for word in (*words, *held.secrets, SAID, "127.0.0.1:" + "5"):
        assert word.lower() not in log.lower(), word
        assert word.lower() not in told.lower(), word
    routes = {record.get("route") for record in map(json.loads, held.log)}
    assert {"/me/{token}", "/join/{code}", "/api/v1/people"} <= routes, "requests are told by the pattern of their path"


def test_what_lets_somebody_in_is_kept_for_the_owner_alone(held: Held) -> None:
    links = held.data / "links.txt"
    assert links.stat().st_mode & 0o777 == 0o600
    assert all(secret in links.read_text() for secret in (held.secrets[0], held.secrets[2]))


def test_the_figures_are_those_of_the_class(held: Held) -> None:
    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(held.figures)
        for sample in family.samples
        if sample.labels.get("course", "0") == "0"
    }
    assert all(samples[name] >= 1 for name in FIGURES), samples
    assert samples["classpulse_faces_total"] > samples["classpulse_results_total"]
    assert samples["classpulse_people_by_link"] == 1
    assert samples["classpulse_ready"] == 1
    assert samples["process_resident_memory_bytes"] > 1e7
    stages = set(re.findall(r'classpulse_stage_seconds_count\{stage="(\w+)"\}', held.figures))
    assert {"find", "follow", "read"} <= stages
    assert not [word for word in (PERSON, STUDENT, "Maths", *held.secrets) if word in held.figures]


@pytest.mark.parametrize("file", ["alerts.yaml", "grafana-dashboard.json"])
def test_what_is_drawn_and_alerted_on_is_told_by_a_running_class(held: Held, file: str) -> None:
    names = asked_for_in(file)
    told = {
        name
        for family in text_string_to_metric_families(held.figures)
        for name in (family.name, *(sample.name for sample in family.samples))
    }
    assert len(names) > 5
    assert names <= told, f"{file} asks for what nobody tells: {sorted(names - told)}"


def test_a_running_class_is_ready(held: Held) -> None:
    assert (held.ready.status_code, held.ready.json()) == (200, {"ready": True, "unready": []})


def test_sigterm_drains_the_class(held: Held) -> None:
    assert held.code == 0
    assert '"phase":"ended"' in held.stream, "whoever watches is told"
    assert held.stream.rstrip().rsplit("event: ", 1)[1].startswith(("state", "windows", "ping"))
    rows = here("sessions", data=held.data).stdout.splitlines()[1:]
    assert [row.split()[-2] for row in rows] == ["stopped"]
    draining = next(i for i, line in enumerate(held.log) if "draining" in line)
    ended = next(i for i, line in enumerate(held.log) if '"ended"' in line)
    assert draining < ended
