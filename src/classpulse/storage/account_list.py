"""Which accounts there are, and changing them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from classpulse.errors import AccountError
from classpulse.storage import tickets
from classpulse.storage.account import Account, clean_account_name, clean_login, clean_rank, fold_login
from classpulse.storage.account_tables import AccountRow
from classpulse.storage.entrances import Entrances
from classpulse.storage.erasure import LATER, mark, scrub
from classpulse.texts import phrase

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from classpulse.settings.login import Rank


class AccountList(Entrances):
    """The accounts of one database, as an admin manages them. May be used from any thread."""

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

    def set_active(self, account_id: str, *, active: bool) -> Account:
        """Let somebody in again, also after too many wrong passwords, or no more.

        Then all their logins and invitations end at once; tokens are refused, and good again with the account.
        """
        with self._changing("account.enable" if active else "account.disable", account_id) as connection:
            was_admin = _lock(connection, account_id)
            values = {"active": active, "failed": 0, "locked_until": None}
            connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(values))
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

    def invite(self, account_id: str) -> str:
        """A secret by which somebody sets their password once, within 72 hours; it is told once and not kept."""
        with self._changing("account.invite", account_id) as connection:
            _lock(connection, account_id)
            return tickets.invite(connection, account_id)

    def remove(self, account_id: str) -> tuple[str, ...]:
        """Delete an account and all that lets it in; what the audit log tells of it stays, by its id.

        Returns:
            Sentences on what could not be done yet.
        """
        with self._changing("account.remove", account_id) as connection:
            was_admin = _lock(connection, account_id)
            connection.execute(delete(AccountRow).where(AccountRow.id == account_id))
            if was_admin:
                _refuse_without_admin(connection)
            mark(connection)
        return () if scrub(self._engine) else (LATER,)


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
