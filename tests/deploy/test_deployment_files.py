"""Files for containers, clouds and systemd: right by their own linters, and in step with what they install."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_figures import MONITORING, expressions

from classpulse.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
ENTRY = re.compile(r"^([a-z0-9][^\s=]*)==([^\s;\\]+)", re.MULTILINE)
LOCKS = ("requirements.txt", "requirements-cluster.txt")


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def script(name: str) -> str:
    """A program of the development tools, beside this Python."""
    path = shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def pins(path: Path) -> set[tuple[str, str]]:
    return set(ENTRY.findall(path.read_text(encoding="utf-8")))


# What is installed.


@pytest.mark.parametrize("name", LOCKS)
def test_a_servers_lock_is_hashed_and_part_of_the_whole_lock(name: str) -> None:
    text = (DEPLOY / name).read_text()
    assert pins(DEPLOY / name) <= pins(ROOT / "requirements" / "dev.txt"), "run `make lock`"
    entries = re.findall(
        r"^[a-z0-9][^\s=]*==[^\\]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE
    )
    assert len(entries) == len(pins(DEPLOY / name)) > 50
    names = {package for package, _ in pins(DEPLOY / name)}
    assert {"argon2-cffi", "authlib", "psycopg-binary", "uvicorn"} <= names
    assert ("ray" in names) == ("cluster" in name)
    assert not names & {"torch", "streamlit", "pytest"}


@pytest.fixture(scope="module")
def slim() -> ModuleType:
    loader = SourceFileLoader("classpulse_deploy_slim", str(DEPLOY / "slim.py"))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module


def test_slimming_takes_what_nobody_opens_and_nothing_else(slim: ModuleType, tmp_path: Path) -> None:
    for name in (
        "numpy/testing/__init__.py",
        "numpy/tests/test_a.py",
        "matplotlib/tests/data/tests/b.npy",
        "onnxruntime/capi/libonnxruntime.so.1.2.3",
        "onnxruntime/capi/state.cpython.so",
        "tests/__init__.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not ELF")
    slim.slim(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"numpy/testing/__init__.py", "onnxruntime/capi/state.cpython.so", "tests/__init__.py"}


# The container.


def test_the_dockerfile_has_no_fault_its_linter_knows() -> None:
    done = run(script("hadolint"), "--no-color", DEPLOY / "Dockerfile")
    assert done.returncode == 0, done.stdout


def instructions(stage: int) -> list[tuple[str, str]]:
    """A stage of the Dockerfile, instruction by instruction."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    stages: list[list[tuple[str, str]]] = []
    for line in filter(None, lines):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, rest))
    return stages[stage]


def test_the_last_stage_runs_as_nobody_with_nothing_to_build_with() -> None:
    last = instructions(-1)
    words = dict(last)
    assert words["USER"] == "10001:10001"
    assert words["STOPSIGNAL"] == "SIGTERM"
    assert "classpulse.operations.probe" in words["HEALTHCHECK"]
    assert json.loads(words["ENTRYPOINT"]) + json.loads(words["CMD"]) == ["classpulse", "serve", "--host", "0.0.0.0"]  # noqa: S104
    installed = re.findall(r"install --no-install-recommends -y ([^&]+)", " ".join(rest for _, rest in last))
    assert [sorted(packages.split()) for packages in installed] == [["ca-certificates", "python3"]]
    assert [rest for word, rest in last if word == "COPY"] == ["--from=build /opt/classpulse /opt/classpulse"]


def test_what_is_copied_is_there_and_let_in() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [shlex.split(rest)[:-1] for word, rest in instructions(0) if word == "COPY"]
    for name in (name for names in copied for name in names):
        path = name.replace("${LOCK}", "deploy/requirements.txt")
        assert (ROOT / path).exists(), path
        assert any(fnmatch(path, pattern) for pattern in let_in), f".dockerignore keeps {path} out"


def test_the_environment_of_the_image_is_settings() -> None:
    words = shlex.split(dict(instructions(-1))["ENV"])
    environ = dict(word.split("=", 1) for word in words)
    settings = load(environ=environ | {"PORT": "9000"})
    assert settings.data_dir == Path("/data")
    assert settings.key_file == Path("/key/people.key")
    assert (settings.log.format, settings.web.open_browser, settings.web.port) == ("json", False, 9000)


def test_the_compose_file_names_what_there_is() -> None:
    compose = documents(DEPLOY / "compose.yaml")[0]
    server, database = compose["services"]["classpulse"], compose["services"]["postgres"]
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert database["healthcheck"]["test"][0] == "CMD"
    mounted = [volume.split(":")[0] for service in (server, database) for volume in service["volumes"]]
    assert sorted(mounted) == sorted(compose["volumes"])
    assert all(port.startswith("127.0.0.1:") for port in server["ports"]), "only a proxy of this machine"
    environ = {name: value for name, value in server["environment"].items() if "$" not in value}
    assert load(environ=environ).database == "postgresql://classpulse@postgres/classpulse"
    assert set(server["environment"]) - set(environ) == {
        "PGPASSWORD",
        "CLASSPULSE_WEB__PUBLIC_URL",
        "CLASSPULSE_METRICS__TOKEN",
    }


# Kubernetes.


def manifests() -> list[Path]:
    return sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")


def test_the_manifests_follow_kubernetes_own_schemas() -> None:
    done = run(script("kubernetes-validate"), "--strict", "--quiet", *manifests())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_manifest_would_be_found(tmp_path: Path) -> None:
    text = (KUBERNETES / "classpulse.yaml").read_text()
    (tmp_path / "wrong.yaml").write_text(text.replace("periodSeconds: 10", "everySeconds: 10"))
    assert run(script("kubernetes-validate"), "--strict", "--quiet", tmp_path / "wrong.yaml").returncode != 0


@pytest.mark.parametrize("folder", [KUBERNETES, KUBERNETES / "ray"], ids=lambda path: path.name)
def test_the_kustomization_names_every_file(folder: Path) -> None:
    known = documents(folder / "kustomization.yaml")[0]
    named = {name for name in known["resources"] if name != ".."} | {one["path"] for one in known.get("patches", [])}
    assert named == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}


def containers(value: Any) -> Iterator[dict[str, Any]]:
    """Every container of a manifest, of whatever kind."""
    if isinstance(value, dict):
        yield from value.get("containers", [])
        for inner in value.values():
            yield from containers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from containers(inner)


def test_every_pod_has_few_rights() -> None:
    found = [
        one for path in [*manifests(), KUBERNETES / "ray" / "raycluster.yaml"] for one in containers(documents(path))
    ]
    assert len(found) == 4
    for container in found:
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_the_ray_cluster_writes_no_picture_to_a_disk() -> None:
    (cluster,) = documents(KUBERNETES / "ray" / "raycluster.yaml")
    locked = dict(pins(ROOT / "deploy" / "requirements-cluster.txt"))
    assert cluster["spec"]["rayVersion"] == locked["ray"]
    head = cluster["spec"]["headGroupSpec"]["rayStartParams"]
    assert json.loads(json.loads(head["system-config"])) == {
        "automatic_object_spilling_enabled": False,
        "local_fs_capacity_threshold": 0.0,
    }
    assert head["include-dashboard"] == "false"
    everybody = {name["name"]: name["value"] for one in containers(cluster) for name in one["env"]}
    assert everybody["RAY_USAGE_STATS_ENABLED"] == "0"


# Heroku and systemd.


def test_heroku_is_given_a_database_a_key_and_a_command() -> None:
    app = json.loads((DEPLOY / "heroku" / "app.json").read_text())
    assert app["addons"] == [{"plan": "heroku-postgresql:essential-0"}]
    assert app["env"]["CLASSPULSE_KEY"]["required"] is True
    assert (DEPLOY / "heroku" / "Procfile").read_text() == "web: classpulse serve --log-format json\n"
    given = {name: one.get("value", "") for name, one in app["env"].items()}
    given |= {"DYNO": "web.1", "PORT": "5000", "DATABASE_URL": "postgres://u:p@h/d", "CLASSPULSE_KEY": "k"}
    given |= {"CLASSPULSE_WEB__PUBLIC_URL": "https://my-school.herokuapp.com"}
    settings = load(environ=given)
    assert (settings.web.port, settings.web.trusted_proxies) == (5000, ("10.0.0.0/8",))
    named = re.findall(r"^-r (\S+)", (DEPLOY / "heroku" / "requirements.txt").read_text(), re.MULTILINE)
    assert all((ROOT / name).is_file() for name in named)
    hook = DEPLOY / "heroku" / "bin" / "post_compile"
    assert hook.stat().st_mode & 0o111
    assert run("bash", "-n", hook).returncode == 0


def test_the_unit_is_one_that_systemd_takes(program: Callable[[str], str], tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    text = (DEPLOY / "systemd" / "classpulse.service").read_text()
    unit = tmp_path / "classpulse.service"
    unit.write_text(text.replace("/opt/classpulse/bin/classpulse", "/bin/true"))
    done = run(analyze, "verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")
    environ = dict(re.findall(r"^Environment=(\w+)=(\S+)", text, re.MULTILINE))
    assert load(environ=environ).data_dir == Path("/var/lib/classpulse")
    assert re.search(r"^ExecStart=/opt/classpulse/bin/classpulse serve ", text, re.MULTILINE)


# What is watched.


def test_every_alert_says_what_to_do() -> None:
    rules = [rule for group in documents(MONITORING / "alerts.yaml")[0]["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 8
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert {"summary", "action"} == set(rule["annotations"])


@pytest.mark.parametrize("file", ["alerts.yaml", "grafana-dashboard.json"])
def test_every_expression_is_whole(file: str) -> None:
    for expression in expressions(file):
        outside = re.sub(r'"[^"]*"', "", expression)
        assert [outside.count(one) for one in "([{"] == [outside.count(one) for one in ")]}"], expression


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= set(board)
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    places: set[tuple[int, int]] = set()
    for panel in panels:
        assert {"type", "title", "gridPos"} <= set(panel)
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not own & places, f"{panel['title']} lies over another panel"
        places |= own
        assert panel["type"] == "row" or all(target["expr"] for target in panel["targets"])
