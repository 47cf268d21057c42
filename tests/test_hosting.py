"""What hosting services say, and that nothing is stored where it would be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import complaint, here

from classpulse.errors import SettingsError
from classpulse.settings import load

if TYPE_CHECKING:
    from pathlib import Path

URL = "postgres://u:p@db.example:5432/d"
HEROKU = {"DYNO": "web.1", "PORT": "31337", "DATABASE_URL": URL, "CLASSPULSE_KEY": "k"}


def test_the_services_port_and_database_are_taken() -> None:
    settings = load(environ=HEROKU)
    assert (settings.web.port, settings.web.host, settings.database) == (31337, "0.0.0.0", URL)  # noqa: S104


def test_elsewhere_port_and_database_url_are_somebody_elses() -> None:
    settings = load(environ={"PORT": "31337", "DATABASE_URL": URL})
    assert (settings.web.port, settings.web.host, settings.database_url) == (8700, "127.0.0.1", None)


def test_our_own_variables_and_flags_count_more(tmp_path: Path) -> None:
    file = tmp_path / "classpulse.toml"
    file.write_text("[web]\nport = 1\n")
    environ = {"CLASSPULSE_HOSTED": "1", "PORT": "2"}
    assert load(config=file, environ=environ).web.port == 2
    assert load(environ=environ | {"CLASSPULSE_WEB__PORT": "3"}).web.port == 3
    assert load({"web.port": "4"}, environ=environ).web.port == 4


@pytest.mark.parametrize("service", [{"DYNO": "web.1"}, {"K_SERVICE": "classpulse"}])
@pytest.mark.parametrize("database", [{}, {"DATABASE_URL": "sqlite:///x.db"}, {"CLASSPULSE_DATABASE_URL": "sqlite://"}])
def test_a_disk_that_forgets_takes_a_server_for_the_database(service: dict[str, str], database: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"disk is empty again after every restart.*PostgreSQL"):
        load(environ=service | database | {"CLASSPULSE_KEY": "k"})


def test_a_disk_that_forgets_takes_the_key_from_elsewhere() -> None:
    with pytest.raises(SettingsError, match="set CLASSPULSE_KEY"):
        load(environ={"DYNO": "web.1", "DATABASE_URL": URL})


def test_the_command_says_it_in_one_line_and_stores_nothing(tmp_path: Path) -> None:
    finished = here("live", "demo", "--no-page", data=tmp_path, env={"DYNO": "web.1", "PORT": "5000"})
    assert finished.returncode == SettingsError.exit_code
    assert "heroku addons:create heroku-postgresql" in complaint(finished)
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_none_is_said() -> None:
    with pytest.raises(SettingsError, match=r"web\.port.*not 'abc'"):
        load(environ={"CLASSPULSE_HOSTED": "1", "PORT": "abc"})
