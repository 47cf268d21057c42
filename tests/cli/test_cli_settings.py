"""`classpulse settings`: every setting, where its value comes from, and nothing that lets somebody in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from classpulse.cli import cli
from classpulse.errors import SettingsError
from classpulse.settings import known_names
from classpulse.settings.listing import HIDDEN, UNSET, list_settings


def test_each_tells_where_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "classpulse.toml"
    file.write_text("[web]\nport = 9000\nhost = '::1'\n[window]\nlength_s = 10\n", encoding="utf-8")
    environ = {"CLASSPULSE_WEB__HOST": "127.0.0.2", "CLASSPULSE_JOIN__WAYS": "answers", "CLASSPULSE_LANGUAGE": ""}
    found = {one.name: one for one in list_settings({"web.port": "9001"}, config=file, environ=environ)}
    assert list(found) == known_names()
    assert all(one.meaning for one in found.values())
    told = {name: (one.value, one.default, one.origin) for name, one in found.items() if one.origin}
    assert told == {
        "window.length_s": ("10", "5", f"the file {file}"),
        "join.ways": ("answers", "answers,device", "the environment (CLASSPULSE_JOIN__WAYS)"),
        "web.host": ("127.0.0.2", "127.0.0.1", "the environment (CLASSPULSE_WEB__HOST)"),
        "web.port": ("9001", "8700", "a flag"),
    }
    assert (found["attention.enabled"].value, found["web.key"].value) == ("true", UNSET)


def test_no_secret_is_told() -> None:
    given = {
        "alerts.webhook": "https://hooks.school.example/T0/hush",
        "alerts.webhook_secret": "hush, sixteen characters",
        "database_url": "postgresql+psycopg://ana:hush@db.school:5433/classpulse?sslpassword=hush",
    }
    found = {one.name: one.value for one in list_settings(given, environ={}) if one.name in given}
    assert found == {
        "alerts.webhook": "https://hooks.school.example/…",
        "alerts.webhook_secret": HIDDEN,
        "database_url": "postgresql+psycopg://db.school:5433/…",
    }


STREAM = ("timeout_s", "reopen_max_s", "guarded", "networks")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["stream", "web.port"], [*(f"stream.{name}" for name in STREAM), "web.port"]),
        (["--changed", "--set", "lab.port=1"], ["lab.port"]),
        (["--changed", "stream"], []),
    ],
)
def test_some_of_them_are_listed(arguments: list[str], shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLASSPULSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("classpulse.settings.loading.default_config_path", lambda: Path("none"))
    done = CliRunner().invoke(cli, ["settings", *arguments])
    assert done.exit_code == 0, done.output
    assert [line.split(" = ")[0] for line in done.stdout.splitlines() if " = " in line] == shown
    assert shown or "left at its default" in done.stdout


@pytest.mark.parametrize("arguments", ["sessions --set zzz=1", "settings zzz", "settings --set zzz=1"])
def test_a_name_like_no_other_is_told_where_all_are_listed(arguments: str) -> None:
    done = CliRunner().invoke(cli, arguments.split())
    assert isinstance(done.exception, SettingsError)
    assert str(done.exception) == "unknown setting 'zzz': `classpulse settings` lists all"
