"""Every way into a class goes by the gate: library, runner, command and page, with each answer."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from command import Running, complaint, here, run
from live_pictures import camera, class_picture, write_video
from onnx_files import packaged

import classpulse
from classpulse import Pipeline, Policy, Settings
from classpulse.errors import PolicyError
from classpulse.law import answer_law, law_in_force
from classpulse.policy import Task
from classpulse.runner import Runner
from classpulse.sources import describe
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from classpulse.policy import Exemption
    from classpulse.settings import Jurisdiction

PICTURE = packaged("bundled/astronaut.png")
DECLARED = "A therapist's request of 3 May, approved by the data protection officer"
DATABASE = "classpulse.db"

ANSWERS: list[tuple[Jurisdiction, Exemption | None, bool]] = [
    ("eu", None, False),
    ("eu", "medical", True),
    ("eu", "safety", True),
    ("other", None, True),
    ("research", None, True),
]
"""Law, exemption, and whether emotions may be read."""


def settings_in(data: Path, **changes: Any) -> Settings:
    return Settings.model_validate({"data_dir": data, **changes})


# --- who makes a policy ---

MAKERS = {
    "cli/policy.py": {"Policy(jurisdiction_in_force, exemption, declaration)"},
    "lab/visit.py": {"Policy()"},
    "pipeline.py": {"Policy()"},
    "runner.py": {"Policy()"},
    "cli/terminal.py": {"Policy(answer)", "Policy(answer, exemption, click.prompt('Declaration', err=True))"},
    "web/schema.py": {"Policy(self.jurisdiction, self.exemption, self.declaration)"},
    "training/evaluate/subject.py": {"Policy('other')"},
    "training/export/export.py": {"Policy('other')"},
}
"""Answers that somebody gives, answers that nobody gave, and training, which sees files of faces and no class."""


def test_a_policy_is_made_from_an_answer_and_nowhere_else() -> None:
    source = Path(classpulse.__file__).parent
    made: dict[str, set[str]] = {}
    for path in sorted(source.rglob("*.py")):
        place = path.relative_to(source).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Policy":
                made.setdefault(place, set()).add(ast.unparse(node))
    del made["policy.py"]
    assert made == MAKERS


# --- library and runner ---


@pytest.mark.parametrize(("jurisdiction", "exemption", "reads"), ANSWERS)
def test_a_pipeline_reads_what_the_answer_allows(
    jurisdiction: Jurisdiction, exemption: Exemption | None, *, reads: bool
) -> None:
    policy = Policy(jurisdiction, exemption, DECLARED)
    (result,) = Pipeline(policy=policy).run(PICTURE)
    assert (result.emotions is not None) is reads
    (result,) = Pipeline(Settings(jurisdiction="eu"), policy=policy).run(PICTURE)
    assert result.emotions is None, "a setting tightens every answer"


@pytest.mark.parametrize(("jurisdiction", "exemption", "reads"), ANSWERS)
def test_a_class_is_stored_with_the_law_and_the_exemption_in_force(
    tmp_path: Path, jurisdiction: Jurisdiction, exemption: Exemption | None, *, reads: bool
) -> None:
    settings = settings_in(tmp_path)
    with Store.open(settings.database) as store:
        answer_law(store, Policy(jurisdiction, exemption, DECLARED), "Head of school", "command")
        policy = law_in_force(store, settings)
        runner = Runner(describe(PICTURE), settings, store, policy=policy)
        runner.start()
        assert runner.join(60)
        (row,) = store.sessions()
        assert (row.jurisdiction, row.exemption, bool(row.labels)) == (jurisdiction, exemption, reads)
        answer = store.answer()
        assert answer is not None
        assert (answer.jurisdiction, answer.exemption, answer.declaration) == (jurisdiction, exemption, DECLARED)


def test_a_runner_cannot_loosen_what_was_answered(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="looser"):
        Runner(describe(PICTURE), settings_in(tmp_path, jurisdiction="other"), None, policy=Policy("eu"))
    with pytest.raises(PolicyError, match="needs a declaration"):
        Runner(describe(PICTURE), settings_in(tmp_path, jurisdiction="research"), None)


def test_an_answer_names_a_law(tmp_path: Path) -> None:
    with (
        Store.open(settings_in(tmp_path).database) as store,
        pytest.raises(PolicyError, match="names a law"),
    ):
        answer_law(store, Policy(), "a pupil", "page")


# --- the command ---


def test_an_exemption_is_set_with_its_declaration_alone(tmp_path: Path) -> None:
    for arguments in (
        ("eu", "--exemption", "medical"),
        ("eu", "--exemption", "medical", "--declaration", "because"),
        ("other", "--exemption", "medical", "--declaration", DECLARED),
    ):
        refused = here("policy", "set", *arguments, "--by", "Head", data=tmp_path)
        assert refused.returncode == PolicyError.exit_code, arguments
    assert "A live class does not begin until somebody has said" in here("policy", data=tmp_path).stdout

    declared = ("--exemption", "medical", "--declaration", DECLARED, "--by", "Head")
    assert here("policy", "set", "eu", *declared, data=tmp_path).returncode == 0
    shown = here("policy", data=tmp_path).stdout
    assert shown.startswith("In force: eu (medical exemption) (allows face-detection, emotion, attention)")
    assert f"for eu (medical exemption): {DECLARED}" in " ".join(shown.split())
    assert here("policy", "show", "--jurisdiction", "eu", data=tmp_path).stdout.startswith(
        "In force: eu (allows face-detection)"
    )


def test_the_command_reads_under_an_exemption_and_not_without(tmp_path: Path) -> None:
    declared = ("--exemption", "safety", "--declaration", DECLARED, "--by", "Head")
    assert here("policy", "set", "eu", *declared, data=tmp_path).returncode == 0
    for flags, reads in (((), True), (("--jurisdiction", "eu"), False)):
        finished = run("live", PICTURE, "--fast", "--results", "-", *flags, data=tmp_path)
        assert finished.returncode == 0, finished.stderr
        (face,) = json.loads(finished.stdout)["faces"]
        assert (face["emotion"] is not None) is reads
    listed = here("sessions", data=tmp_path).stdout
    assert "eu (safety exemption)" in " ".join(listed.split())


def test_an_undeclared_answer_of_an_older_version_does_not_count(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / DATABASE}") as store:
        store.set_jurisdiction("research", answered_by="Head", how="command")
    shown = here("policy", data=tmp_path).stdout
    assert shown.startswith("In force: unset")
    assert "does not count" in shown
    refused = here("live", "0", "--no-page", data=tmp_path)
    assert refused.returncode == PolicyError.exit_code
    assert "no jurisdiction is set" in complaint(refused)


# --- the page ---


def test_the_page_takes_an_exemption_with_its_declaration_alone(tmp_path: Path) -> None:
    arguments = ("--no-browser", "--port", "0", "--set", "detector.width_px=320")
    with camera(class_picture()) as (url, connected), Running("live", url, *arguments, data=tmp_path) as live:
        answer = {"jurisdiction": "eu", "answered_by": "Ms Smith", "exemption": "medical"}
        assert live.post("jurisdiction", answer) == 422
        assert live.post("jurisdiction", answer | {"declaration": "because I say so"}) == 422
        assert live.post("jurisdiction", answer | {"exemption": "consent", "declaration": DECLARED}) == 422
        assert live.post("jurisdiction", answer | {"jurisdiction": "research", "exemption": None}) == 422
        assert live.state()["phase"] == "asking"
        assert not connected.is_set()
        assert live.post("jurisdiction", answer | {"declaration": DECLARED}) == 202
        live.until(lambda: live.state()["phase"] == "running")
        state = live.state()
        assert (state["jurisdiction"], state["exemption"], state["reads_emotions"]) == ("eu", "medical", True)
        assert live.post("stop") == 202
        assert live.end() == 0
    with Store.open(f"sqlite:///{tmp_path / DATABASE}") as store:
        (row,) = store.sessions()
        assert (row.jurisdiction, row.exemption) == ("eu", "medical")
        assert [(a.answered_by, a.declaration) for a in store.policy_log()] == [("Ms Smith", DECLARED)]


# --- no question where there is nothing to watch ---


def test_a_camera_that_is_not_there_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    for source, said in (("97", "there is no webcam 97"), ("rtsp://127.0.0.1:9/door", "connection refused")):
        finished = run("live", source, "--no-browser", "--port", "0", data=tmp_path)
        assert finished.returncode == 3
        assert said in complaint(finished)
        assert "Which law" not in finished.stderr


def test_a_recording_is_a_trial_and_asks_nothing(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", class_picture(), frames=2)
    finished = run("live", clip, "--fast", "--results", "-", data=tmp_path / "data")
    assert finished.returncode == 0
    assert "No jurisdiction is set" in finished.stderr
    assert not Policy().allows(Task.IDENTITY)
