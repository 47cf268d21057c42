"""Who logs in: accounts with their passwords, logins, invitations and tokens of programs.

What is done to an account is told in the audit log, in the same transaction, where there is a log.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from classpulse.errors import AccountError
from classpulse.storage import passwords, tickets
from classpulse.storage.account import Account, ApiToken, Rank, clean_account_name, clean_login, clean_rank, fold_login
from classpulse.storage.account_tables import AccountRow
from classpulse.storage.audit import ITSELF
from classpulse.storage.database import reader_of, told_plainly
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

    from classpulse.storage.audit import Audit

    _Find = Callable[[Session, str], tuple[AccountRow, bool] | None]
    _Note = Callable[[Connection, str], None]

FREE_TRIES = 10
"""Wrong passwords in a row before a login is shut for a while."""
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(minutes=15)
"""Each further wrong password shuts it twice as long, up to this."""


class _Tried(NamedTuple):
    id: str
    password_hash: str | None
    failed: int


class Accounts:
    """The accounts of one database; got by `Store.accounts`. May be used from any thread.

    Every method raises `AccountError` where it says no, and `StorageError` where the database does not answer; then
    nothing was done. `check`, `accept` and `change_password` take the memory and time of Argon2id (46 MiB, 40 ms): a
    server calls them in few threads at once.
    """

    def __init__(self, engine: Engine, audit: Audit | None, actor: str = ITSELF) -> None:
        """Take a migrated database, its audit log, if it has one, and who acts."""
        self._engine = engine
        self._reader = reader_of(engine)
        self._audit = audit
        self._actor = actor

    def acting_as(self, name: str) -> Accounts:
        """The same accounts, with somebody as who acts in the audit log."""
        return Accounts(self._engine, self._audit, name)

    # Who there is.

    def none(self) -> bool:
        """Whether there is no account at all: then the first one is to be made."""
        with self._reading() as session:
            return session.scalar(select(AccountRow.id).limit(1)) is None

    def all(self) -> list[Account]:
        """Every account, by login."""
        with self._reading() as session:
            return [Account.of(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.login))]

    def get(self, account_id: str) -> Account:
        """One account, by its id."""
        with self._reading() as session:
            row = session.get(AccountRow, account_id)
            if row is None:
                raise _unknown()
            return Account.of(row)

    def find(self, login: str) -> Account:
        """One account, by its login in any case."""
        with self._reading() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.login == fold_login(login)))
            if row is None:
                message = phrase("nobody has the login {login}", login=repr(login))
                raise AccountError(message, "unknown")
            return Account.of(row)

    # Making and changing them.

    def add(self, login: str, name: str, rank: Rank) -> Account:
        """Make an account; nobody comes in by it before a password is set, or the school's own login knows them.

        Args:
            login: a word or an e-mail address; its case does not matter.
            name: as it is shown.
            rank: `"admin"`, `"teacher"` or `"observer"`.
        """
        row = AccountRow(
            id=secrets.token_hex(16),
            login=clean_login(login),
            name=clean_account_name(name),
            rank=clean_rank(rank),
            active=True,
            failed=0,
            created_at=datetime.now(UTC),
        )
        values = {
            column: getattr(row, column) for column in ("id", "login", "name", "rank", "active", "failed", "created_at")
        }
        with self._changing("account.add", row.id, rank) as connection:
            try:
                connection.execute(insert(AccountRow), values)
            except IntegrityError:
                message = phrase("somebody has the login {login} already", login=repr(row.login))
                raise AccountError(message, "taken") from None
        return self.get(row.id)

    def set_active(self, account_id: str, active: bool) -> Account:
        """Let somebody in again, or no more: then all their logins and invitations end at once; tokens wait."""
        with self._changing("account.enable" if active else "account.disable", account_id) as connection:
            was_admin = _lock(connection, account_id)
            connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(active=active))
            if not active:
                tickets.end_logins(connection, account_id)
                tickets.end_invitation(connection, account_id)
            if was_admin:
                _refuse_without_admin(connection)
        return self.get(account_id)

    def set_rank(self, account_id: str, rank: Rank) -> Account:
        """Change what somebody may do."""
        checked = clean_rank(rank)
        with self._changing("account.rank", account_id, checked) as connection:
            was_admin = _lock(connection, account_id)
            connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(rank=checked))
            if was_admin:
                _refuse_without_admin(connection)
        return self.get(account_id)

    def rename(self, account_id: str, name: str) -> Account:
        """Change the name that is shown."""
        cleaned = clean_account_name(name)
        with self._changing("account.rename", account_id) as connection:
            _lock(connection, account_id)
            connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(name=cleaned))
        return self.get(account_id)

    def remove(self, account_id: str) -> None:
        """Delete an account and all that lets it in; what the audit log tells of it stays, by its id."""
        with self._changing("account.remove", account_id) as connection:
            was_admin = _lock(connection, account_id)
            connection.execute(delete(AccountRow).where(AccountRow.id == account_id))
            if was_admin:
                _refuse_without_admin(connection)

    # Invitations and passwords.

    def invite(self, account_id: str) -> str:
        """A secret by which somebody sets their password once, within 72 hours; it is told once and not kept."""
        with self._changing("account.invite", account_id) as connection:
            _lock(connection, account_id)
            return tickets.invite(connection, account_id)

    def invited(self, token: str) -> Account:
        """Whom an invitation is for; it stays good."""
        with self._reading() as session:
            row = tickets.find_invitation(session, token)
            if row is None:
                raise _no_invitation()
            return Account.of(row)

    def accept(self, token: str, password: str) -> Account:
        """Set a password by an invitation, which is used up; all logins from before end."""
        account = self.invited(token)
        passwords.check_choice(password, (account.login, account.name))
        kept = passwords.hash_of(password)
        with self._changing("account.accept", account.id, actor=account.name) as connection:
            if not tickets.use_invitation(connection, token):
                raise _no_invitation()
            self._set_password(connection, account.id, kept)
            tickets.end_logins(connection, account.id)
        return self.get(account.id)

    def change_password(self, account_id: str, old: str, new: str, *, but: str | None = None) -> None:
        """Change one's own password; all other logins end.

        Args:
            account_id: whose.
            old: the password so far; a wrong one counts as at the login.
            new: the new one.
            but: token of the login that stays.
        """
        account = self.get(account_id)
        passwords.check_choice(new, (account.login, account.name))
        self.check(account.login, old)
        kept = passwords.hash_of(new)
        with self._changing("account.password", account_id, actor=account.name) as connection:
            self._set_password(connection, account_id, kept)
            tickets.end_logins(connection, account_id, but=but)
            tickets.end_invitation(connection, account_id)

    def check(self, login: str, password: str) -> Account:
        """Whose login and password these are.

        Takes as long for a login that nobody has, and says the same. Ten wrong passwords in a row shut a login for
        30 s, each further one for twice as long, up to 15 minutes; while it is shut, the right one is refused as well,
        as whoever guesses would hear otherwise that it is right.
        """
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            found = _begin_try(connection, fold_login(login))
        right = passwords.fits(found.password_hash if found else None, password)
        if found is None or not right:
            if found is not None and found.failed == FREE_TRIES:
                self._tell("account.lock", found.id)
            message = phrase(
                "This login and password do not go together. After {n} wrong passwords a login is shut for a while.",
                n=FREE_TRIES,
            )
            raise AccountError(message, "wrong")
        values: dict[str, object] = {"failed": 0, "locked_until": None}
        if passwords.is_outdated(found.password_hash or ""):
            values["password_hash"] = passwords.hash_of(password)
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            connection.execute(update(AccountRow).where(AccountRow.id == found.id).values(values))
        return self.get(found.id)

    def _set_password(self, connection: Connection, account_id: str, kept: str) -> None:
        values = {"password_hash": kept, "failed": 0, "locked_until": None}
        connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(values))

    # Logins of browsers.

    def begin_login(self, account: Account) -> str:
        """A new token for a browser's cookie: good for 12 hours, or 2 hours after the last request with it."""
        with self._changing("account.login", account.id, actor=account.name) as connection:
            return tickets.begin_login(connection, account.id)

    def of_login(self, token: str) -> Account | None:
        """Whose login a token is; None if nobody's, or no more."""
        return self._of(tickets.find_login, tickets.note_login, token)

    def end_login(self, token: str) -> None:
        """Log out one browser."""
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            tickets.end_login(connection, token)

    def end_all(self, account: Account) -> None:
        """Log somebody out everywhere."""
        with self._changing("account.logout", account.id) as connection:
            tickets.end_logins(connection, account.id)

    # Tokens of programs.

    def make_token(self, account: Account, label: str, days: int) -> str:
        """A token for a program, with all that its owner may do; it is told once and not kept.

        Args:
            account: its owner.
            label: what it is for.
            days: how long it is good, 1 to 366.
        """
        with self._changing("account.token", account.id) as connection:
            return tickets.make_token(connection, account.id, label, days)

    def of_token(self, token: str) -> Account | None:
        """Whose token it is; None if nobody's, or no more."""
        return self._of(tickets.find_token, tickets.note_token, token)

    def tokens(self, account: Account) -> list[ApiToken]:
        """The tokens of somebody's programs, the newest first."""
        with self._reading() as session:
            return tickets.tokens_of(session, account.id)

    def revoke(self, account: Account, token_id: int) -> None:
        """End one of somebody's tokens."""
        with self._changing("account.revoke", account.id) as connection:
            tickets.revoke(connection, account.id, token_id)

    def _of(self, find: _Find, note: _Note, token: str) -> Account | None:
        with self._reading() as session:
            found = find(session, token)
            if found is None:
                return None
            account, due = Account.of(found[0]), found[1]
        if due:
            with told_plainly(self._engine.url), self._engine.begin() as connection:
                note(connection, token)
        return account

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with told_plainly(self._engine.url), Session(self._reader) as session:
            yield session

    @contextmanager
    def _changing(self, action: str, account_id: str, detail: str = "", actor: str = "") -> Iterator[Connection]:
        """A transaction that is told in the audit log, where there is one."""
        if self._audit is None:
            with told_plainly(self._engine.url), self._engine.begin() as connection:
                yield connection
            return
        with self._audit.transaction(actor or self._actor) as deed:
            yield deed.connection
            deed.tell(action, account_id, detail)

    def _tell(self, action: str, account_id: str) -> None:
        with self._changing(action, account_id):
            pass


def _begin_try(connection: Connection, login: str) -> _Tried | None:
    """Count a try as a wrong one before it is looked at, so that of many at once no more are looked at than may be.

    None where the login is nobody's, or shut.
    """
    now = datetime.now(UTC)
    columns = (AccountRow.id, AccountRow.password_hash, AccountRow.failed, AccountRow.locked_until, AccountRow.active)
    row = connection.execute(select(*columns).where(AccountRow.login == login).with_for_update()).one_or_none()
    shut = row is None or not row.active or (row.locked_until is not None and row.locked_until > now)
    failed = 0 if row is None else row.failed + 1
    over = failed - FREE_TRIES
    until = None if over < 0 else now + min(LONGEST_LOCK, FIRST_LOCK * 2 ** min(over, 10))
    # Written for nobody too, as that takes time.
    whose = AccountRow.id == ("" if shut or row is None else row.id)
    connection.execute(update(AccountRow).where(whose).values(failed=failed, locked_until=until))
    return None if shut or row is None else _Tried(row.id, row.password_hash, failed)


def _lock(connection: Connection, account_id: str) -> bool:
    """Keep others from changing an account, or who is an admin; tells whether it is an active admin.

    Raises:
        AccountError: there is no such account.
    """
    wanted = or_(AccountRow.id == account_id, AccountRow.rank == "admin")
    columns = (AccountRow.id, AccountRow.rank, AccountRow.active)
    rows = connection.execute(select(*columns).where(wanted).order_by(AccountRow.id).with_for_update()).all()
    row = next((one for one in rows if one.id == account_id), None)
    if row is None:
        raise _unknown()
    return row.rank == "admin" and bool(row.active)


def _refuse_without_admin(connection: Connection) -> None:
    query = select(func.count()).select_from(AccountRow).where(AccountRow.rank == "admin", AccountRow.active)
    if not connection.scalar(query):
        message = phrase("this is the last admin who may come in: make somebody else an admin first")
        raise AccountError(message, "last")


def _unknown() -> AccountError:
    return AccountError(phrase("there is no such account"), "unknown")


def _no_invitation() -> AccountError:
    message = phrase("this link was used, is too old, or there is a newer one: ask for a new link")
    return AccountError(message, "link")
