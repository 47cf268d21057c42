"""The proof that nobody's attention is read where the law forbids it: poses come from one class, and it asks first."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from onnx_files import packaged, portrait

import classpulse
from classpulse import Frame, Pipeline, Policy, Settings
from classpulse.errors import PolicyError
from classpulse.policy import EXEMPTIONS, Task
from classpulse.vision.head_pose import HeadPoseEstimator

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(classpulse.__file__).parent
ESTIMATOR = "vision/head_pose.py"
DECLARED = "A therapist's request of 3 May, approved by the data protection officer"
POLICIES = [
    (Policy("eu"), False),
    (Policy(), True),
    (Policy("other"), True),
    (Policy("research", None, DECLARED), True),
    *((Policy("eu", exemption, DECLARED), True) for exemption in EXEMPTIONS),
]

# --- the source, read as a tree ---


def named(code: str) -> Iterator[str]:
    """Every name that a module's code uses, imports as another, or keeps in a text, but for those in annotations."""
    tree = ast.parse(code)
    hints = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg | ast.AnnAssign)]
    hints += [node.returns for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    hinted = {id(part) for hint in hints if hint is not None for part in ast.walk(hint)}
    for node in ast.walk(tree):
        if id(node) in hinted:
            continue
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.alias) and node.asname:
            yield node.name


def imported_names(code: str) -> set[str]:
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in nodes for alias in node.names}


def users(name: str) -> set[str]:
    codes = {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    assert len(codes) > 40
    found = {place for place, code in codes.items() if name in code and name in named(code)}
    return found - {"types.py", "__init__.py"}  # where it is defined, and given its public name


def test_poses_are_made_in_one_place_and_it_is_made_in_one_place() -> None:
    assert users("HeadPoses") == {ESTIMATOR}
    assert users("HeadPoseEstimator") == {"pipeline.py", "joining/pictures.py", "joining/reader.py"}
    assert users("NOSE_DEPTH") == {ESTIMATOR}
    # How far a face is turned also says how good a view it is, to recognise a person by; nobody else may ask that.
    codes = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    assert not any("turned" in imported_names(code) for code in codes if "import" in code and "turned" in code)


@pytest.mark.parametrize(
    "code",
    [
        "from classpulse import types\nposes = types.HeadPoses(a, b, c)",
        "made = replace(HeadPoses, yaw_deg=1)",
        "made = getattr(types, 'HeadPoses')(a, b, c)",
        "make = HeadPoses",
        "from classpulse.types import HeadPoses as Poses\nposes = Poses(a, b, c)",
    ],
)
def test_another_place_would_be_seen(code: str) -> None:
    assert "HeadPoses" in named(code)


def asks_first(code: str) -> None:
    """Check that what tells poses is one class, which asks the law when it is made and before anything else."""
    tree = ast.parse(code)
    made = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    public = [node for node in made if not node.name.startswith("_")]
    assert [node.name for node in public] == ["HeadPoseEstimator"]
    first, *others = [node for node in public[0].body if isinstance(node, ast.FunctionDef)]
    assert first.name == "__init__"
    assert [node.arg for node in first.args.args] == ["self", "policy"]
    assert not first.args.defaults, "the policy may not be left out"
    assert ast.unparse(first.body[1]) == "policy.require(Task.ATTENTION)"
    assert [node.name for node in others] == ["estimate", "take"]
    assert all(not node.decorator_list for node in others), "it takes an estimator to estimate"


def test_the_law_is_asked_first() -> None:
    asks_first((SOURCE / ESTIMATOR).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        policy.require(Task.ATTENTION)\n", ""),
        ("policy.require(Task.ATTENTION)", "policy.require(Task.FACE_DETECTION)"),
        ("policy: Policy)", "policy: Policy | None = None)"),
        ("    def estimate(self, ", "    @classmethod\n    def estimate(self, "),
        ("def _yaw_sd_deg(", "def estimate_yaw(faces):\n    return 0\n\n\ndef _yaw_sd_deg("),
    ],
)
def test_a_change_that_goes_round_would_be_seen(old: str, new: str) -> None:
    code = (SOURCE / ESTIMATOR).read_text(encoding="utf-8")
    assert code.count(old) == 1
    with pytest.raises((AssertionError, IndexError)):
        asks_first(code.replace(old, new))


# --- what comes out ---


@pytest.mark.parametrize(("policy", "may"), POLICIES)
def test_poses_are_told_where_the_law_lets_them_be(policy: Policy, *, may: bool) -> None:
    assert policy.allows(Task.ATTENTION) is may
    result = Pipeline(policy=policy).process(Frame(portrait("astronaut.png")))
    assert (result.poses is not None) is may
    (face,) = json.loads(json.dumps(result.as_record(), allow_nan=False))["faces"]
    assert [isinstance(face[name], float) for name in ("yaw_deg", "roll_deg")] == [may, may]
    if not may:
        with pytest.raises(PolicyError, match="does not allow attention"):
            HeadPoseEstimator(policy)


@pytest.mark.parametrize("settings", [{"jurisdiction": "eu"}, {"attention": {"enabled": False}}])
def test_a_setting_can_only_forbid(settings: dict[str, Any]) -> None:
    result = Pipeline(Settings(**settings), policy=Policy("other")).process(Frame(portrait("astronaut.png")))
    assert result.poses is None
    insists = Settings.model_validate({"jurisdiction": "eu", "attention": {"enabled": True}})
    assert Pipeline(insists).process(Frame(portrait("astronaut.png"))).poses is None


def test_of_two_portraits_the_poses_are_right() -> None:
    """The astronaut looks into the camera with her head a little tilted, the admiral past it."""
    for name in ("astronaut.png", "grace_hopper.jpg"):
        (result,) = Pipeline(policy=Policy("other")).run(packaged(f"bundled/{name}"))
        assert result.poses is not None
        assert abs(result.poses.yaw_deg[0]) < 20
        assert 3 < result.poses.yaw_sd_deg[0] < 6
