"""Accounts, their passwords and what lets them in: on every engine."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update

from classpulse.errors import AccountError
from classpulse.storage import passwords
from classpulse.storage.account import Stranger, clean_login
from classpulse.storage.account_tables import AccountRow, ApiTokenRow, InvitationRow, LoginRow
from classpulse.storage.audit import Audit
from classpulse.storage.backup import write_backup
from classpulse.storage.restore import restore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classpulse.errors import AccountRefusal
    from classpulse.settings import Settings
    from classpulse.storage.account import Account
    from classpulse.storage.accounts import Accounts
    from classpulse.storage.store import Store
    from classpulse.storage.vault import Vault

GOOD = "three green words"
OTHER = "four quiet rivers"


class CountedHasher(PasswordHasher):
    """Quick, as there are many here; remembers how many passwords were looked at."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.verified = 0

    def verify(self, kept: Any, password: Any) -> Any:
        self.verified += 1
        return super().verify(kept, password)


@pytest.fixture(autouse=True)
def hasher(monkeypatch: pytest.MonkeyPatch) -> CountedHasher:
    hasher = CountedHasher()
    monkeypatch.setattr(passwords, "HASHER", hasher)
    passwords._nobodys.cache_clear()
    return hasher


@pytest.fixture
def accounts(store: Store, vault: Vault) -> Accounts:
    return store.accounts(vault, "Head of school")


@pytest.fixture
def ana(accounts: Accounts) -> Account:
    """A teacher who set a password."""
    made = accounts.add("Ana.Silva@School.example", "Ana Silva", "teacher")
    return accounts.accept(accounts.invite(made.id), GOOD)


@pytest.fixture
def later(store: Store) -> Callable[..., None]:
    """Makes moments of a table's rows lie back, as if time had gone by."""

    def move(rows: Any, by: timedelta, *columns: str) -> None:
        with store._engine.begin() as connection:
            for row in connection.execute(select(rows.id, *(getattr(rows, name) for name in columns))).all():
                moved = {name: getattr(row, name) - by for name in columns if getattr(row, name) is not None}
                if moved:
                    connection.execute(update(rows).where(rows.id == row.id).values(moved))

    return move


def refused(reason: AccountRefusal, said: str | None = None) -> Any:
    return pytest.raises(AccountError, match=said, check=lambda error: error.reason == reason)


# Accounts.


def test_an_account_is_found_in_any_case_and_made_once(accounts: Accounts, ana: Account) -> None:
    assert accounts.find(" ANA.silva@school.EXAMPLE") == accounts.get(ana.id) == accounts.all()[0]
    assert (ana.login, ana.name, ana.rank, ana.active) == ("ana.silva@school.example", "Ana Silva", "teacher", True)
    with refused("taken", "already"):
        accounts.add("ana.silva@SCHOOL.example", "Another", "teacher")
    assert len(accounts.all()) == 1
    with refused("unknown"):
        accounts.find("ben")
    with refused("unknown"):
        accounts.get("0" * 32)


@pytest.mark.parametrize(
    "login", ["", " ", "a b", "../x", "a\nb", "a/b", "<b>", "...", "x" * 101, "a\u202eb", "\ud800"]
)
def test_what_is_no_login_is_refused(login: str) -> None:
    with refused("input", "a word or an e-mail address"):
        clean_login(login)


def test_what_is_no_name_or_rank_is_refused(accounts: Accounts) -> None:
    with refused("input", "name"):
        accounts.add("ana", "\x07", "teacher")
    with refused("input", "not 'king'"):
        accounts.add("ana", "Ana", "king")  # type: ignore[arg-type]
    assert accounts.none()


def test_the_last_admin_stays(accounts: Accounts, ana: Account) -> None:
    admin = accounts.add("head", "Head", "admin")
    for change in (
        lambda: accounts.set_active(admin.id, active=False),
        lambda: accounts.set_rank(admin.id, "teacher"),
        lambda: accounts.remove(admin.id),
    ):
        with refused("last"):
            change()
    assert accounts.get(admin.id) == admin
    accounts.set_active(ana.id, active=False)
    accounts.set_rank(ana.id, "admin")
    with refused("last"):  # a closed admin cannot come in
        accounts.set_rank(admin.id, "teacher")
    accounts.set_active(ana.id, active=True)
    assert accounts.set_rank(admin.id, "observer").rank == "observer"


def test_of_two_admins_who_close_each_other_at_once_one_stays(store: Store) -> None:
    accounts = store.accounts()  # the log would have them take turns
    both = [accounts.add(login, login, "admin") for login in ("one", "two")]
    together = threading.Barrier(2)

    def close(admin: Account) -> str:
        together.wait()
        try:
            accounts.set_active(admin.id, active=False)
        except AccountError as error:
            return error.reason
        return "closed"

    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            assert sorted(pool.map(close, both)) == ["closed", "last"]
            assert sorted(account.active for account in accounts.all()) == [False, True]
            for admin in both:
                accounts.set_active(admin.id, active=True)


def test_a_closed_account_lets_nobody_in_in_any_way(accounts: Accounts, ana: Account) -> None:
    login, token = accounts.begin_login(ana), accounts.make_token(ana, "a program", 30)
    invitation = accounts.invite(ana.id)
    accounts.set_active(ana.id, active=False)
    assert accounts.of_login(login) is accounts.of_token(token) is None
    with refused("wrong"):
        accounts.check(ana.login, GOOD)
    with refused("link"):
        accounts.accept(invitation, OTHER)
    accounts.set_active(ana.id, active=True)
    assert accounts.of_login(login) is None, "a login ends for good"
    assert accounts.of_token(token) == accounts.check(ana.login, GOOD)


def test_what_is_removed_is_gone(
    accounts: Accounts, ana: Account, store: Store, engine_name: str, tmp_path: Path
) -> None:
    accounts.begin_login(ana)
    accounts.make_token(ana, "Timetable import", 30)
    accounts.invite(ana.id)
    assert accounts.remove(ana.id) == ()
    with store._engine.connect() as connection:
        for rows in (AccountRow, LoginRow, InvitationRow, ApiTokenRow):
            assert connection.scalar(select(func.count()).select_from(rows)) == 0
    if engine_name == "sqlite":
        files = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
        assert b"ana.silva" not in files
        assert b"Timetable" not in files


def test_what_is_done_is_told_in_the_log_and_never_with_a_name(
    accounts: Accounts, ana: Account, store: Store, vault: Vault
) -> None:
    accounts.begin_login(ana)
    for _ in range(12):
        with refused("wrong"):
            accounts.check(ana.login, "wrong password")
    accounts.acting_as("An admin").set_rank(ana.id, "observer")
    audit = Audit(store._engine, vault)
    names = store.people(vault, "Head of school").names_in_log()
    told = [(one.actor, one.action, one.subject, one.detail) for one in reversed(audit.entries(50, names))]
    ana_here = "Ana Silva (ana.silva@school.example)"
    assert told == [
        ("Head of school", "account.add", ana_here, "teacher"),
        ("Head of school", "account.invite", ana_here, ""),
        (ana_here, "account.accept", ana_here, ""),
        (ana_here, "account.login", ana_here, ""),
        ("Head of school", "account.lock", ana_here, ""),
        ("An admin", "account.rank", ana_here, "observer"),
    ]
    assert not audit.verify().fault
    accounts.remove(ana.id)
    assert all("Ana" not in one.subject for one in audit.entries(50, store.people(vault, "x").names_in_log()))


def test_without_a_key_accounts_work_and_nothing_is_told(store: Store) -> None:
    accounts = store.accounts()
    made = accounts.add("ana", "Ana", "teacher")
    assert accounts.accept(accounts.invite(made.id), GOOD) == accounts.check("ana", GOOD)
    assert not store.holds_people()


# Passwords and invitations.


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short one", "10 to 200 characters"),
        ("x" * 201, "10 to 200 characters"),
        ("aaaaaaaaaaaab", "the first that a stranger would try"),
        ("Password123", "the first that a stranger would try"),
        ("ana.silva@school.example", "not the login or the name"),
        ("Ana Silva  ", "not the login or the name"),
    ],
)
def test_a_password_that_is_guessed_first_is_not_taken(password: str, said: str) -> None:
    with refused("password", said):
        passwords.check_choice(password, ("ana.silva@school.example", "Ana Silva"))


def test_a_password_is_the_same_from_every_keyboard(accounts: Accounts, ana: Account) -> None:
    accounts.accept(accounts.invite(ana.id), "señal año \u0065\u0301tude")
    assert accounts.check(ana.login, "sen\u0303al an\u0303o étude").id == ana.id
    with refused("wrong"):
        accounts.check(ana.login, "señal ano étude")
    with refused("wrong"):
        accounts.check(ana.login, "\ud800" * 300)


def test_an_invitation_works_once_and_ends(accounts: Accounts, ana: Account, later: Callable[..., None]) -> None:
    first, second = accounts.invite(ana.id), accounts.invite(ana.id)
    with refused("link"):
        accounts.invited(first)
    with refused("password"):
        accounts.accept(second, "short")
    assert accounts.invited(second) == accounts.get(ana.id)
    login = accounts.begin_login(ana)
    assert accounts.accept(second, OTHER, " Ana  S. ").name == "Ana S."
    assert accounts.of_login(login) is None
    with refused("link"):
        accounts.accept(second, GOOD)
    assert accounts.check(ana.login, OTHER).has_password
    old = accounts.invite(ana.id)
    later(InvitationRow, timedelta(hours=72), "expires_at")
    with refused("link"):
        accounts.accept(old, GOOD)


def test_of_two_who_use_an_invitation_at_once_one_is_in(accounts: Accounts, ana: Account) -> None:
    token = accounts.invite(ana.id)
    together = threading.Barrier(2)

    def accept(password: str) -> str:
        together.wait()
        try:
            accounts.accept(token, password)
        except AccountError as error:
            return error.reason
        return password

    with ThreadPoolExecutor(2) as pool:
        (won,) = set(pool.map(accept, (OTHER, "five small lamps"))) - {"link"}
    assert accounts.check(ana.login, won).id == ana.id


def test_the_first_admin_is_asked_for_until_there_is_one(accounts: Accounts) -> None:
    assert accounts.none()
    first, second = accounts.first_admin(), accounts.first_admin()
    assert [account.login for account in accounts.all()] == ["admin"]
    with refused("link"):
        accounts.accept(first or "", GOOD)
    assert accounts.accept(second or "", GOOD, "Ana").rank == "admin"
    assert accounts.first_admin() is None


def test_where_somebody_else_has_the_first_admins_login_that_is_said(accounts: Accounts) -> None:
    accounts.add("admin", "Ada Min", "teacher")
    with refused("taken", "admin"):
        accounts.first_admin()


def test_nothing_tells_which_logins_there_are(accounts: Accounts, ana: Account, hasher: CountedHasher) -> None:
    accounts.add("invited", "Invited", "teacher")
    closed = accounts.add("closed", "Closed", "teacher")
    accounts.set_active(closed.id, active=False)
    said = set()
    for login in (ana.login, "nobody", "invited", "closed", "", "\0", "\ud800", "x" * 5000):
        before = hasher.verified
        with refused("wrong") as refusal:
            accounts.check(login, "wrong password")
        said.add(str(refusal.value))
        assert hasher.verified == before + 1, login
    assert len(said) == 1


def test_ten_wrong_passwords_shut_a_login_for_growing_times(
    accounts: Accounts, ana: Account, later: Callable[..., None]
) -> None:
    def guess() -> None:
        with refused("wrong"):
            accounts.check(ana.login, "wrong password")

    for _ in range(9):
        guess()
    assert accounts.check(ana.login, GOOD).locked_until is None
    for _ in range(10):
        guess()
    shut_s = []
    for _ in range(7):
        shut = accounts.get(ana.id).locked_until
        assert shut is not None
        shut_s.append(round((shut - datetime.now(UTC)).total_seconds()))
        with refused("wrong"):  # the right one too: a guess is told nothing
            accounts.check(ana.login, GOOD)
        later(AccountRow, timedelta(minutes=16), "locked_until")
        guess()
    assert shut_s == pytest.approx([30, 60, 120, 240, 480, 900, 900], abs=15)
    later(AccountRow, timedelta(minutes=16), "locked_until")
    assert accounts.check(ana.login, GOOD).locked_until is None
    guess()
    assert accounts.get(ana.id).locked_until is None, "the right password begins the count anew"


def test_a_shut_login_is_opened_by_an_admin(accounts: Accounts, ana: Account) -> None:
    for _ in range(10):
        with refused("wrong"):
            accounts.check(ana.login, "wrong password")
    accounts.set_active(ana.id, active=True)
    assert accounts.check(ana.login, GOOD).id == ana.id


def test_many_guesses_at_once_are_no_more_guesses(accounts: Accounts, ana: Account) -> None:
    real: list[str | None] = []
    fits = passwords.fits

    def noted(kept: str | None, password: str) -> bool:
        real.append(kept)
        return fits(kept, password)

    def guess(_: int) -> None:
        with refused("wrong"):
            accounts.check(ana.login, "wrong password")

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(8) as pool:
        patch.setattr(passwords, "fits", noted)
        list(pool.map(guess, range(40)))
    assert len(real) == 40
    assert sum(kept is not None for kept in real) == 10


def test_an_outdated_hash_is_made_anew_at_the_next_login(
    accounts: Accounts, ana: Account, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = PasswordHasher(time_cost=1, memory_cost=128, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", newer)
    accounts.check(ana.login, GOOD)
    with store._engine.connect() as connection:
        kept = connection.scalar(select(AccountRow.password_hash))
    assert kept is not None
    assert "m=128," in kept
    assert GOOD not in kept
    assert accounts.check(ana.login, GOOD).id == ana.id


def test_passwords_are_kept_by_argon2id_with_46_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kept = passwords.hash_of(GOOD)
    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert passwords.fits(kept, GOOD)
    assert not passwords.fits(kept, OTHER)


def test_ones_own_password_is_changed_with_the_one_so_far(accounts: Accounts, ana: Account) -> None:
    here, elsewhere = accounts.begin_login(ana), accounts.begin_login(ana)
    with refused("wrong"):
        accounts.change_password(ana.id, "wrong password", OTHER)
    with refused("password"):
        accounts.change_password(ana.id, GOOD, "short")
    accounts.change_password(ana.id, GOOD, OTHER, but=here)
    assert accounts.of_login(here) is not None
    assert accounts.of_login(elsewhere) is None
    assert accounts.check(ana.login, OTHER).id == ana.id


# Logins and tokens.


def test_a_login_ends_by_itself(accounts: Accounts, ana: Account, later: Callable[..., None]) -> None:
    idle, busy = accounts.begin_login(ana), accounts.begin_login(ana)
    for _ in range(7):  # each time somebody is there with one of them
        later(LoginRow, timedelta(minutes=100), "last_seen_at", "expires_at")
        assert accounts.of_login(busy) is not None
    assert accounts.of_login(idle) is None
    later(LoginRow, timedelta(minutes=21), "last_seen_at", "expires_at")
    assert accounts.of_login(busy) is None, "after twelve hours, whoever is there"


def test_logins_are_ended_one_by_one_or_together(accounts: Accounts, ana: Account, store: Store) -> None:
    ben = accounts.add("ben", "Ben", "teacher")
    one, two, others = accounts.begin_login(ana), accounts.begin_login(ana), accounts.begin_login(ben)
    assert accounts.get(ana.id).last_login_at is not None
    accounts.end_login(one)
    assert [accounts.of_login(token) is not None for token in (one, two, others, "", "x")] == [0, 1, 1, 0, 0]
    accounts.end_all(ana)
    assert [accounts.of_login(token) is not None for token in (two, others)] == [False, True]
    with store._engine.connect() as connection:
        assert others not in str(connection.execute(select(LoginRow.__table__)).all())


def test_a_program_asks_with_a_token(accounts: Accounts, ana: Account, later: Callable[..., None]) -> None:
    ben = accounts.add("ben", "Ben", "teacher")
    token = accounts.make_token(ana, "  Timetable   import ", 30)
    assert accounts.of_token(token) == accounts.get(ana.id)
    assert accounts.of_login(token) is accounts.of_token(token + "x") is None
    (kept,) = accounts.tokens(ana)
    assert (kept.label, kept.last_used_at is not None) == ("Timetable import", True)
    with refused("unknown"):
        accounts.revoke(ben, kept.id)
    assert accounts.tokens(ben) == []
    accounts.revoke(ana, kept.id)
    assert accounts.of_token(token) is None
    short = accounts.make_token(ana, "for a day", 1)
    later(ApiTokenRow, timedelta(days=1), "expires_at")
    assert accounts.of_token(short) is None
    assert accounts.tokens(ana) == []


def test_what_is_no_token_is_refused(accounts: Accounts, ana: Account) -> None:
    for label, days in (("", 1), (" \t", 1), ("x" * 81, 1), ("a\x07", 1), ("\ud800", 1), ("x", 0), ("x", 367)):
        with refused("input"):
            accounts.make_token(ana, label, days)
    assert accounts.tokens(ana) == []


def test_tokens_are_not_heaped_up(accounts: Accounts, ana: Account) -> None:
    for number in range(20):
        accounts.make_token(ana, f"number {number}", 1)
    with refused("input", "20 tokens at most"):
        accounts.make_token(ana, "one more", 1)


# The school's own login.


def stranger(subject: str = "1", **changes: Any) -> Stranger:
    told: dict[str, Any] = {"email": None, "name": "Ana Silva", "rank": None, "welcome": None}
    return Stranger(issuer="https://login.example", subject=subject, **(told | changes))


def test_somebody_from_the_schools_own_login_is_who_they_were(accounts: Accounts, ana: Account) -> None:
    with refused("unknown", "nobody has invited"):
        accounts.of_stranger(stranger())
    assert accounts.of_stranger(stranger(email="ANA.silva@school.example")).id == ana.id
    assert accounts.of_stranger(stranger(email="new@school.example")).by_oidc
    with refused("unknown"):  # whoever got their address later is another person
        accounts.of_stranger(stranger("2", email="ana.silva@school.example"))
    with refused("taken"):
        accounts.of_stranger(stranger("2", email="ana.silva@school.example", welcome="observer"))
    accounts.set_active(ana.id, active=False)
    with refused("wrong", "closed"):
        accounts.of_stranger(stranger())


def test_strangers_become_accounts_where_they_are_welcome(accounts: Accounts) -> None:
    made = accounts.of_stranger(stranger(email="Ana@school.example", welcome="observer"))
    assert (made.login, made.rank, made.has_password) == ("ana@school.example", "observer", False)
    assert accounts.of_stranger(stranger(rank="admin")).rank == "admin"
    assert accounts.of_stranger(stranger(rank="teacher")).rank == "admin", "the last admin stays one"
    unnamed = accounts.of_stranger(stranger("2", name="", welcome="teacher"))
    assert unnamed.login == unnamed.name != made.login
    with refused("wrong"):
        accounts.check(made.login, "")


# Backups.


def test_a_backup_has_accounts_and_nobody_is_logged_in_by_it(
    accounts: Accounts, ana: Account, store: Store, other_url: str, settings: Settings, tmp_path: Path
) -> None:
    login, token = accounts.begin_login(ana), accounts.make_token(ana, "a program", 30)
    invitation = accounts.invite(ana.id)
    with (tmp_path / "backup").open("wb") as file:
        write_backup(store._engine, file, "a test")
    restore(other_url, tmp_path / "backup")
    with type(store).open(other_url, settings) as moved:
        there = moved.accounts()
        assert there.check(ana.login, GOOD).id == ana.id
        assert there.of_token(token) is not None
        assert there.of_login(login) is None
        with refused("link"):
            there.accept(invitation, OTHER)
