from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from classpulse import Settings
from classpulse.errors import SettingsError
from classpulse.settings import default_config_path, known_names, load

EVERY = {
    "jurisdiction": "eu",
    "language": "es",
    "data_dir": "/somewhere",
    "database_url": "sqlite:///x.db",
    "key_file": "/keys/people.key",
    "cpu_share": 0.25,
    "individual": True,
    "detector.name": "yunet",
    "detector.width_px": 480,
    "detector.interval_s": 0.5,
    "detector.min_score": 0.7,
    "detector.precision": "fp32",
    "tracker.max_gap_s": 2.5,
    "emotion.model": "mine.onnx",
    "emotion.min_face_px": 50,
    "emotion.min_certainty": 0.6,
    "emotion.interval_s": 0,
    "emotion.smoothing_s": 0,
    "recognition.enabled": False,
    "recognition.embedder": "dlib",
    "recognition.min_similarity": 0.7,
    "recognition.min_face_px": 40,
    "attention.enabled": False,
    "attention.max_yaw_deg": 25,
    "attention.hysteresis_deg": 4,
    "attention.min_turn_s": 3,
    "attention.calibration_s": 30,
    "attention.min_coverage": 0.6,
    "attention.mood_weight": 0.2,
    "concentration.neutral": 0.8,
    "concentration.happy": 0.7,
    "concentration.surprise": 0.5,
    "concentration.sad": 0.2,
    "concentration.fear": 0.1,
    "concentration.angry": 0.15,
    "concentration.disgust": 0.1,
    "concentration.facing": 4,
    "concentration.turned": 1,
    "alerts.enabled": False,
    "alerts.every_min": 10,
    "alerts.smallest_fall": 0.3,
    "alerts.threshold": 6,
    "alerts.lost_share": 0.5,
    "alerts.lost_answers": 4,
    "alerts.few_share": 0.3,
    "alerts.source_wait_s": 30,
    "alerts.desktop": True,
    "alerts.webhook": "https://school.example/hook",
    "alerts.webhook_secret": "a secret of some length",
    "attendance.gap_s": 30,
    "attendance.late_after_min": 10,
    "attendance.left_before_min": 1,
    "retention.observations_days": 7,
    "retention.appearances_days": 8,
    "retention.sessions_days": 9,
    "retention.consents_days": 10,
    "retention.audit_days": 11,
    "window.length_s": 10,
    "window.min_group": 7,
    "storage.observations_hz": 2,
    "stream.timeout_s": 1.5,
    "stream.reopen_max_s": 9,
    "stream.guarded": True,
    "stream.networks": "10.30.0.0/16",
    "screen.rate_hz": 5,
    "screen.tiles": "always",
    "screen.static_s": 20,
    "screen.ignore": "0.75,0,0.25x0.25",
    "join.title": "Physics",
    "join.ways": "answers,pictures",
    "join.names": "required",
    "join.expires_h": 2,
    "join.max_participants": 40,
    "join.scores_hz": 2,
    "join.pictures_hz": 1,
    "join.gone_after_s": 60,
    "join.on_leave": "delete",
    "log.format": "json",
    "log.level": "debug",
    "metrics.token": "a token of some length",
    "trace.endpoint": "http://127.0.0.1:4318/v1/traces",
    "trace.share": 0.5,
    "lab.port": 0,
    "lab.runs_dir": "trained",
    "lab.show_classes": False,
    "lab.take_models": False,
    "lab.max_picture_mb": 5,
    "lab.max_video_mb": 50,
    "lab.max_video_s": 20,
    "serve.max_classes": 3,
    "serve.sources": "demo,video",
    "serve.networks": "10.20.0.0/16,fd00::/8",
    "serve.address": "http://10.0.0.5:8700",
    "serve.go_on_within_min": 0,
    "cluster.address": "head.school:6379",
    "cluster.ingest_cpus": 1.5,
    "cluster.replica_cpus": 2.0,
    "cluster.min_replicas": 2,
    "cluster.max_replicas": 4,
    "web.host": "::1",
    "web.port": 0,
    "web.open_browser": False,
    "web.https": "auto",
    "web.certificate": "school.pem",
    "web.key": "school.key",
    "web.public_url": "https://school.example/pulse",
    "web.stay_min": 0,
    "web.trusted_proxies": "10.0.0.1,10.0.0.2",
    "oidc.issuer": "https://login.school.example/realms/staff",
    "oidc.client_id": "classpulse",
    "oidc.client_secret": "what it is shown",
    "oidc.button": "Schoology",
    "oidc.create": True,
    "oidc.domains": "school.example,*",
    "oidc.rank": "teacher",
    "oidc.claim": "roles",
    "oidc.ranks": "staff=teacher,it=admin",
}
"""Every setting with a value that is not its default."""
PATHS = {name for name in EVERY if name.endswith(("_dir", "_file", ".model", ".certificate", ".key"))}
LISTS = {
    *("serve.sources", "serve.networks", "stream.networks", "join.ways", "web.trusted_proxies"),
    *("oidc.domains", "oidc.ranks"),
}


@pytest.fixture(autouse=True)
def no_file_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    monkeypatch.setattr(
        "classpulse.settings.loading.default_config_path", lambda: tmp_path / "none" / "classpulse.toml"
    )


def value(settings: Settings, name: str) -> Any:
    place: Any = settings
    for part in name.split("."):
        place = getattr(place, part)
    return place


def test_defaults() -> None:
    settings = load(environ={})
    assert settings == Settings()
    assert settings.jurisdiction is None
    assert (settings.detector.name, settings.detector.width_px, settings.web.port) == ("centerface", 640, 8700)
    assert (settings.web.host, settings.window.min_group, settings.emotion.min_face_px) == ("127.0.0.1", 5, 36)
    assert settings.database == f"sqlite:///{settings.data_dir / 'classpulse.db'}"


def test_every_setting_is_tried_here() -> None:
    assert sorted(EVERY) == sorted(known_names())


PAIR = {"web.certificate", "web.key"}
NOT_ALONE = PAIR | {"oidc.issuer", "oidc.client_id", "oidc.create"}


@pytest.mark.parametrize("name", [name for name in EVERY if name not in NOT_ALONE])
def test_every_setting_can_be_given_in_every_place(name: str, tmp_path: Path) -> None:
    given: Any = EVERY[name]
    wanted = Path(given) if name in PATHS else tuple(given.split(",")) if name in LISTS else given
    assert value(Settings(), name) != wanted
    file = tmp_path / "all.toml"
    file.write_text(f"{name} = {json.dumps(EVERY[name])}")
    variable = "CLASSPULSE_" + name.upper().replace(".", "__")
    for settings in (
        load(config=file, environ={}),
        load(environ={variable: str(EVERY[name])}),
        load({name: str(EVERY[name])}, environ={}),
        load({name: EVERY[name]}, environ={}),
    ):
        assert value(settings, name) == wanted
        others = [value(settings, other) == value(Settings(), other) for other in EVERY if other != name]
        assert all(others)


def test_the_schools_own_login_is_told_whole() -> None:
    oidc = load({name: EVERY[name] for name in EVERY if name.startswith("oidc.")}, environ={}).oidc
    assert oidc.issuer == "https://login.school.example/realms/staff"
    assert [oidc.rank_of(claim) for claim in (["pupils", "it"], "staff", ["x"], None)] == [
        "admin",
        "teacher",
        None,
        None,
    ]
    secret = {"CLASSPULSE_OIDC__CLIENT_SECRET": "not to be told"}
    for given, said in (
        ({"oidc.issuer": "https://login.school.example"}, "go together"),
        ({"oidc.create": "true"}, "takes oidc.domains"),
        ({"oidc.issuer": "http://login.school.example", "oidc.client_id": "x"}, "an address with https"),
        ({"oidc.ranks": "staff=king"}, "value=rank"),
        ({"oidc.domains": "school"}, "what follows @"),
    ):
        with pytest.raises(SettingsError, match=said) as refusal:
            load(given, environ=secret)
        assert "not to be told" not in str(refusal.value)


def test_a_certificate_and_its_key_are_given_together() -> None:
    both = {name: EVERY[name] for name in PAIR}
    settings = load(both, environ={}).web
    assert (settings.certificate, settings.key) == (Path("school.pem"), Path("school.key"))
    for name in PAIR:
        with pytest.raises(SettingsError, match=r"web\.certificate and web\.key go together"):
            load({name: EVERY[name]}, environ={})


def test_flags_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("cpu_share = 0.1\n[detector]\nwidth_px = 200\nmin_score = 0.2\nname = 'yunet'\n[web]\nport = 2\n")
    environ = {"CLASSPULSE_DETECTOR__WIDTH_PX": "300", "CLASSPULSE_DETECTOR__MIN_SCORE": "0.3"}
    settings = load({"detector.width_px": "400"}, config=file, environ=environ)
    assert settings.detector.width_px == 400  # in all three
    assert settings.detector.min_score == 0.3  # in the environment and the file
    assert settings.detector.name == "yunet"  # in the file
    assert settings.web.port == 2
    assert settings.cpu_share == 0.1
    assert settings.detector.precision == "auto"  # nowhere


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, usual = tmp_path / "named.toml", tmp_path / "usual.toml"
    named.write_text("cpu_share = 0.1")
    usual.write_text("cpu_share = 0.2")
    monkeypatch.setattr("classpulse.settings.loading.default_config_path", lambda: usual)
    assert load(environ={}).cpu_share == 0.2
    assert load(environ={"CLASSPULSE_CONFIG": str(named)}).cpu_share == 0.1
    assert load(environ={"CLASSPULSE_CONFIG": ""}).cpu_share == 0.2
    assert load(config=named, environ={"CLASSPULSE_CONFIG": str(usual)}).cpu_share == 0.1


def test_the_usual_place_is_the_users_own() -> None:
    assert default_config_path().name == "classpulse.toml"
    assert default_config_path().is_absolute()


def test_the_process_environment_is_used_unless_another_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSPULSE_WEB__PORT", "9000")
    monkeypatch.delenv("CLASSPULSE_CONFIG", raising=False)
    assert load().web.port == 9000
    assert load(environ={}).web.port == 8700


def test_names_that_only_share_the_prefix_do_no_harm() -> None:
    environ = {"CLASSPULSE_TEST_DATA": "/data", "CLASSPULSE_WEB__HOST": "", "CLASSPULSES": "1", "PATH": "/bin"}
    assert load(environ=environ) == Settings()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("detector.widthpx", "detector.width_px"),
        ("detector.width", "detector.width_px"),
        ("detectr.width_px", "detector.width_px"),
        ("jurisdictoin", "jurisdiction"),
        ("emotion.min_certainity", "emotion.min_certainty"),
        ("port", "web.port"),
        ("smoothing_s", "emotion.smoothing_s"),
        ("Web.port", "web.port"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, near: str, tmp_path: Path) -> None:
    wanted = f"unknown setting '{name}': did you mean '{near}'"
    file = tmp_path / "a.toml"
    file.write_text(f"{name} = 1")
    with pytest.raises(SettingsError, match=wanted):
        load({name: "1"}, environ={})
    with pytest.raises(SettingsError, match=wanted):
        load(config=file, environ={})
    if name.islower():
        with pytest.raises(SettingsError, match=wanted):
            load(environ={"CLASSPULSE_" + name.upper().replace(".", "__"): "1"})


def test_a_name_like_no_other_is_refused_with_where_all_are_listed() -> None:
    with pytest.raises(SettingsError, match=r"^unknown setting 'qqq': `classpulse settings` lists all$"):
        load({"qqq": 1}, environ={})
    with pytest.raises(SettingsError, match="unknown setting"):
        load({"": 1}, environ={})
    with pytest.raises(SettingsError, match="unknown setting"):
        load(environ={"CLASSPULSE_": "1"})


@pytest.mark.parametrize(
    ("name", "bad", "wanted"),
    [
        ("detector.width_px", "wide", "'detector.width_px': input should be a valid integer.*, not 'wide'"),
        ("detector.width_px", 20, "greater than or equal to 160, not 20"),
        ("detector.width_px", 4000, "less than or equal to 1920, not 4000"),
        ("detector.min_score", 1, "less than 1, not 1"),
        ("detector.name", "haar", "'detector.name': input should be 'centerface' or 'yunet', not 'haar'"),
        ("jurisdiction", "EU", "'jurisdiction': input should be 'eu', 'other' or 'research', not 'EU'"),
        ("jurisdiction", "", "'jurisdiction'"),
        ("window.min_group", 2, "'window.min_group': input should be greater than or equal to 3, not 2"),
        ("web.port", 70_000, "less than or equal to 65535"),
        ("cpu_share", 0, "greater than 0"),
        ("cpu_share", "nan", "'cpu_share'"),
        ("cpu_share", 1.5, "less than or equal to 1"),
        ("emotion.smoothing_s", -1, "greater than or equal to 0"),
        ("tracker.max_gap_s", "inf", "less than or equal to 60"),
        ("web.open_browser", "perhaps", "'web.open_browser': .*boolean"),
        ("data_dir", "~nobody-of-this-name/x", "'data_dir': .*home"),
        ("detector", 5, r"'detector' is a group: set one of detector\.name, detector\.width_px"),
        ("cpu_share.x", 5, "'cpu_share': .*number"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name: str, bad: object, wanted: str) -> None:
    with pytest.raises(SettingsError, match=wanted) as caught:
        load({name: bad}, environ={})
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_mistake_is_told_with_the_place_it_is_in(tmp_path: Path) -> None:
    file = tmp_path / "b.toml"
    file.write_text("widht = 1\n[detector]\nwidth_px = 'wide'\n[join]\nways = ['nowhere']\n", encoding="utf-8")
    for variable, told in {
        "CLASSPULSE_LANGUAGE": "setting 'language': input should be",
        "CLASSPULSE_WEB__PROT": "unknown setting 'web.prot': did you mean",
    }.items():
        with pytest.raises(SettingsError, match=f"^{re.escape(f'from the environment ({variable}): {told}')}"):
            load(environ={variable: "fr"})
    with pytest.raises(SettingsError) as caught:
        load(config=file, environ={"CLASSPULSE_DETECTOR__NAME": "yunet"})
    said = str(caught.value)
    for told in ("setting 'detector.width_px': input", "setting 'join.ways", "unknown setting 'widht': "):
        assert f"from the file {file}: {told}" in said
    with pytest.raises(SettingsError, match=r"^from the hosting service \(PORT, DATABASE_URL\): setting 'web\.port'"):
        load(environ={"CLASSPULSE_HOSTED": "1", "PORT": "abc"})
    with pytest.raises(SettingsError, match=r"^setting 'detector\.width_px': .*, not 'tall'; "):
        load({"detector.width_px": "tall"}, config=file, environ={})


def test_a_group_that_is_not_whole_is_told_with_its_place() -> None:
    environ = {"CLASSPULSE_OIDC__ISSUER": "https://login.school.example"}
    with pytest.raises(SettingsError, match=r"^from the environment \(CLASSPULSE_OIDC__…\): setting 'oidc"):
        load(environ=environ)


def test_a_secret_that_is_refused_is_not_repeated() -> None:
    with pytest.raises(SettingsError, match=r"'alerts\.webhook_secret': .*at least 16") as caught:
        load({"alerts.webhook_secret": "hush"}, environ={})
    assert "hush" not in str(caught.value)
    assert "sixteen" not in repr(load({"alerts.webhook_secret": "sixteen letters!"}, environ={}))


def test_several_mistakes_are_said_at_once() -> None:
    with pytest.raises(SettingsError, match=r"'cpu_share'.*; .*'detector\.width_px'|'detector\.width_px'.*; "):
        load({"cpu_share": 9, "detector.width_px": 1}, environ={})


@pytest.mark.parametrize("content", [b"detector = [", b"x", b"\xff\xfe\x00", b"a = " + b"[" * 50_000, b"a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings file .*bad\.toml (is not valid TOML|cannot be read)"):
        load(config=file, environ={})


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "windows.toml"
    file.write_bytes(b"\xef\xbb\xbfcpu_share = 0.1\r\n")
    assert load(config=file, environ={}).cpu_share == 0.1


def test_a_file_that_is_not_there_or_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing.toml"
    for settings in ({"config": missing}, {"environ": {"CLASSPULSE_CONFIG": str(missing)}}):
        with pytest.raises(SettingsError, match=r"missing\.toml does not exist: create it, or leave out --config"):
            load(**{"environ": {}, **settings})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="cannot be read"):
        load(config=tmp_path, environ={})
    monkeypatch.setattr("classpulse.settings.loading.default_config_path", lambda: tmp_path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(environ={})


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.cpu_share = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.detector.width_px = 320  # type: ignore[misc]


def test_home_is_found_in_files_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    settings = load({"data_dir": "~/class", "emotion.model": "~/mine.onnx"}, environ={})
    assert settings.data_dir == tmp_path / "class"
    assert settings.emotion.model == tmp_path / "mine.onnx"


@pytest.mark.parametrize(
    ("cores", "share", "threads"), [(8, 0.5, 4), (2, 0.5, 1), (1, 0.5, 1), (3, 1, 3), (None, 1, 1), (64, 0.01, 1)]
)
def test_threads_are_a_share_of_the_cores(
    cores: int | None, share: float, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert Settings(cpu_share=share).threads == threads


def test_any_database_can_be_named() -> None:
    assert Settings(database_url="postgresql://school/class").database == "postgresql://school/class"
    assert Settings(data_dir=Path("here")).database == f"sqlite:///{Path('here') / 'classpulse.db'}"
