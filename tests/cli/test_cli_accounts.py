"""The commands for accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from classpulse.cli import cli
from classpulse.errors import AccountError, KeyMissingError
from classpulse.settings import Settings
from classpulse.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

Run = "Callable[..., Result]"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CLASSPULSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CLASSPULSE_KEY_FILE", str(tmp_path / "people.key"))
    monkeypatch.delenv("CLASSPULSE_KEY", raising=False)
    return Settings(data_dir=tmp_path / "data", key_file=tmp_path / "people.key")


@pytest.fixture
def run(settings: Settings) -> Callable[..., Result]:
    assert settings.key_file.name == "people.key"
    return lambda *words: CliRunner().invoke(cli, ["accounts", *words])


def test_an_account_from_the_command_line_to_its_end(run: Callable[..., Result], settings: Settings) -> None:
    assert "no accounts yet" in run().output
    added = run("add", "Ana@School.example", "--name", "Ana Silva", "--rank", "admin", "--by", "Head")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("http://127.0.0.1:8700/welcome#")
    assert "Does the server run with others? Give them here too (--set web.port=..." in added.stderr
    assert "whoever has it is let in" in added.stderr
    token = added.stdout.strip().partition("#")[2]
    with Store.of(settings) as store:
        store.accounts().accept(token, "three green words")
    run("add", "ben")
    newer = run("invite", "BEN", "--set", "web.public_url=https://school.example/pulse").stdout
    assert newer.startswith("https://school.example/pulse/welcome#")
    listed = run("list").output
    assert "ana@school.example" in listed
    assert "has not come in yet" in listed
    assert run("rank", "ben", "observer").output == "ben (ben): observer.\n"
    made = run("tokens", "ben", "--add", "Timetable import", "--days", "7").stdout
    assert made.startswith("cpt_")
    assert "Timetable import" in run("tokens", "ben").output
    assert made.strip() not in run("tokens", "ben").output
    assert run("tokens", "ben", "--end", "1").exit_code == 0
    assert "no tokens" in run("tokens", "ben").output
    assert run("disable", "ben").output.startswith("Closed: ben (ben)")
    assert "closed" in run("list").output
    assert run("enable", "ben").output.startswith("Open: ben (ben)")
    assert run("remove", "ben", "--yes").output == "Deleted: the account of ben (ben).\n"
    told = CliRunner(env={"COLUMNS": "200"}).invoke(cli, ["audit", "-n", "50"]).output
    assert "account.add" in told
    assert "Ana Silva (ana@school.example)" in told


def test_what_cannot_be_done_is_said(run: Callable[..., Result], settings: Settings) -> None:
    run("add", "ana", "--rank", "admin")
    for words, said in (
        (("add", "ANA"), "somebody has the login 'ana' already"),
        (("add", "a b"), "a login is a word or an e-mail address"),
        (("disable", "ana"), "the last admin"),
        (("invite", "nobody"), "nobody has the login 'nobody'"),
        (("tokens", "ana", "--end", "7"), "no token 7"),
        (("tokens", "ana", "--add", "x", "--days", "9999"), "1 to 366 days"),
    ):
        refused = run(*words)
        assert isinstance(refused.exception, AccountError), refused.output
        assert said in str(refused.exception)
    assert "add --yes" in run("remove", "ana").output
    assert "exclude each other" in run("tokens", "ana", "--end", "1", "--add", "x").output
    settings.key_file.unlink()
    assert isinstance(run("add", "ben").exception, KeyMissingError), "the log is not left behind"
    assert "ana" in run("list").output
