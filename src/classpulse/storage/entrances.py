"""Coming in without a password: logins of browsers and tokens of programs; and how what is done is told."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from classpulse.storage import tickets
from classpulse.storage.account import Account, ApiToken
from classpulse.storage.database import reader_of, told_plainly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

    from classpulse.storage.account_tables import AccountRow
    from classpulse.storage.audit import Audit

    _Find = Callable[[Session, str], tuple[AccountRow, bool] | None]
    _Note = Callable[[Connection, str], None]


class Entrances:
    """The logins and tokens of one database. May be used from any thread.

    What is done is told in the audit log, in the same transaction, where there is a log.
    """

    def __init__(self, engine: Engine, audit: Audit | None, actor: str) -> None:
        """Take a migrated database, its audit log, if it has one, and who acts."""
        self._engine = engine
        self._reader = reader_of(engine)
        self._audit = audit
        self._actor = actor

    # Logins of browsers.

    def begin_login(self, account: Account) -> str:
        """A new token for a browser's cookie: good for 12 hours, or 2 hours after the last request with it."""
        with self._changing("account.login", account.id, actor=account.told_as) as connection:
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
