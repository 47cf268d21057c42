"""Who logs in: accounts with their passwords, invitations, logins and tokens."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, update

from classpulse.errors import AccountError
from classpulse.secret_tokens import digest_of
from classpulse.storage import passwords, tickets
from classpulse.storage.account import Account, Stranger, clean_account_name, fold_login
from classpulse.storage.account_list import AccountList
from classpulse.storage.account_tables import AccountRow
from classpulse.storage.database import told_plainly
from classpulse.texts import phrase

if TYPE_CHECKING:
    from sqlalchemy import Connection

FREE_TRIES = 10
"""Wrong passwords in a row before a login is shut for a while."""
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(minutes=15)
"""Each further wrong password shuts it twice as long, up to this."""


class _Tried(NamedTuple):
    id: str
    password_hash: str | None
    failed: int


class Accounts(AccountList):
    """The accounts of one database; got by `Store.accounts`. May be used from any thread.

    Every method raises `AccountError` where it says no, and `StorageError` where the database does not answer; then
    nothing was done. `check`, `accept` and `change_password` take the memory and time of Argon2id (46 MiB, 40 ms): a
    server calls them in few threads at once.
    """

    def acting_as(self, name: str) -> Accounts:
        """The same accounts, with somebody as who acts in the audit log."""
        return Accounts(self._engine, self._audit, name)

    # The first one.

    def first_admin(self) -> str | None:
        """An invitation for the first admin, who is called `admin`; None once there is an admin who can come in.

        Whoever starts the server asks for it at every start, and tells it in the terminal.
        """
        admins = [one for one in self.all() if one.rank == "admin"]
        if any(one.active and (one.has_password or one.by_oidc) for one in admins):
            return None
        if not any(one.active for one in admins):
            refused: AccountError | None = None
            try:
                self.add("admin", "Admin", "admin")
            except AccountError as error:
                refused = error
            admins = [one for one in self.all() if one.rank == "admin" and one.active]
            if refused is not None and not admins:  # somebody else is called so; if not, another process was first
                raise refused
        return self.invite(next(one for one in admins if one.active).id)

    # Passwords.

    def invited(self, token: str) -> Account:
        """Whom an invitation is for; it stays good."""
        with self._reading() as session:
            row = tickets.find_invitation(session, token)
            if row is None:
                raise _no_invitation()
            return Account.of(row)

    def accept(self, token: str, password: str, name: str | None = None) -> Account:
        """Set a password by an invitation, which is used up; all logins from before end.

        Args:
            token: the invitation's secret.
            password: what is to be the password.
            name: what they want to be called; as it is, if not given.
        """
        account = self.invited(token)
        cleaned = account.name if name is None else clean_account_name(name)
        passwords.check_choice(password, (account.login, cleaned))
        kept = passwords.hash_of(password)
        with self._changing("account.accept", account.id, actor=account.told_as) as connection:
            if not tickets.use_invitation(connection, token):
                raise _no_invitation()
            connection.execute(update(AccountRow).where(AccountRow.id == account.id).values(name=cleaned))
            _set_password(connection, account.id, kept)
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
        with self._changing("account.password", account_id, actor=account.told_as) as connection:
            _set_password(connection, account_id, kept)
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

    # The school's own login.

    def of_stranger(self, who: Stranger) -> Account:
        """The account of whom the school's own login let through.

        It is the one that they had before; else the one with their verified e-mail address as its login, which is
        theirs from then on; else a new one, where strangers are welcome. What the issuer tells of their rank counts at
        every login, but for the last admin.
        """
        with self._reading() as session:
            row = tickets.find_stranger(session, who)
            account = None if row is None else Account.of(row)
        if account is None:
            account = self._make_for(who)
        elif not account.active:
            raise AccountError(phrase("this account is closed: ask whoever manages the accounts"), "wrong")
        with self._changing("account.oidc", account.id, actor=account.told_as) as connection:
            values = {"oidc_issuer": who.issuer, "oidc_subject": who.subject}
            connection.execute(update(AccountRow).where(AccountRow.id == account.id).values(values))
        if who.rank is not None and who.rank != account.rank:
            with suppress(AccountError):
                self.set_rank(account.id, who.rank)
        return self.get(account.id)

    def _make_for(self, who: Stranger) -> Account:
        if who.welcome is None:
            message = phrase(
                "nobody has invited {who} here: ask whoever manages the accounts", who=who.email or who.name
            )
            raise AccountError(message, "unknown")
        # Without an address of theirs it is a login that nobody else has; they never type it.
        login = who.email or f"oidc-{digest_of(f'{who.issuer} {who.subject}')[:16]}"
        return self.add(login, who.name or login, who.rank or who.welcome)


def _set_password(connection: Connection, account_id: str, kept: str) -> None:
    values = {"password_hash": kept, "failed": 0, "locked_until": None}
    connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(values))


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


def _no_invitation() -> AccountError:
    message = phrase("this link was used, is too old, or there is a newer one: ask for a new link")
    return AccountError(message, "link")
