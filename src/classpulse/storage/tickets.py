"""What lets somebody in without a password: logins, invitations and tokens of programs. Only hashes are kept.

All functions work within the caller's transaction; moments are UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, or_, select, update

from classpulse.errors import AccountError
from classpulse.secret_tokens import digest_of, new_token
from classpulse.storage.account import ApiToken, fold_login
from classpulse.storage.account_tables import MAX_TOKEN_LABEL, AccountRow, ApiTokenRow, InvitationRow, LoginRow
from classpulse.texts import phrase

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from classpulse.storage.account import Stranger

IDLE = timedelta(hours=2)
"""How long a login lives without a sign of life; a page that is open gives one all the time."""
LONGEST = timedelta(hours=12)
"""How long it lives at most."""
NOTED = timedelta(minutes=1)
"""How often a sign of life is written down."""
INVITED = timedelta(hours=72)
MAX_DAYS = 366
MOST_TOKENS = 20
"""Tokens of one account."""
TOKEN_MARK = "cpt_"  # noqa: S105 - what every token begins with
"""So that a token is known as one, by people and by what looks for secrets in code."""


def find_stranger(session: Session, who: Stranger) -> AccountRow | None:
    """The account of somebody whom the school's own login let through: known already, or by their address.

    An address that somebody else of the same issuer came with before leads to nobody: it was given to another person.
    """
    known = select(AccountRow).where(AccountRow.oidc_issuer == who.issuer, AccountRow.oidc_subject == who.subject)
    invited = select(AccountRow).where(
        AccountRow.login == fold_login(who.email or ""), AccountRow.oidc_subject.is_(None)
    )
    return session.scalar(known) or session.scalar(invited)


def begin_login(connection: Connection, account_id: str) -> str:
    """A new token for a browser's cookie; what ran out is deleted."""
    now = datetime.now(UTC)
    connection.execute(delete(LoginRow).where(or_(LoginRow.expires_at <= now, LoginRow.last_seen_at <= now - IDLE)))
    token = new_token()
    moments = {"created_at": now, "last_seen_at": now, "expires_at": now + LONGEST}
    connection.execute(insert(LoginRow), {"account_id": account_id, "token_hash": digest_of(token), **moments})
    connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(last_login_at=now))
    return token


def find_login(session: Session, token: str) -> tuple[AccountRow, bool] | None:
    """Whose login a token is, and whether its sign of life is to be written down; None where it is nobody's."""
    now = datetime.now(UTC)
    query = (
        select(AccountRow, LoginRow.last_seen_at)
        .join(LoginRow, LoginRow.account_id == AccountRow.id)
        .where(LoginRow.token_hash == digest_of(token), LoginRow.expires_at > now, LoginRow.last_seen_at > now - IDLE)
        .where(AccountRow.active)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else (found[0], now - found[1] > NOTED)


def note_login(connection: Connection, token: str) -> None:
    """Write down that a login lives."""
    now = datetime.now(UTC)
    connection.execute(update(LoginRow).where(LoginRow.token_hash == digest_of(token)).values(last_seen_at=now))


def end_login(connection: Connection, token: str) -> None:
    """End one login."""
    connection.execute(delete(LoginRow).where(LoginRow.token_hash == digest_of(token)))


def end_logins(connection: Connection, account_id: str, *, but: str | None = None) -> None:
    """End all logins of somebody, but for the one of a token."""
    kept = "" if but is None else digest_of(but)
    connection.execute(delete(LoginRow).where(LoginRow.account_id == account_id, LoginRow.token_hash != kept))


def invite(connection: Connection, account_id: str) -> str:
    """A secret by which a password can be set once; one that was made before ends."""
    now, token = datetime.now(UTC), new_token()
    connection.execute(delete(InvitationRow).where(InvitationRow.account_id == account_id))
    values = {"account_id": account_id, "token_hash": digest_of(token), "created_at": now, "expires_at": now + INVITED}
    connection.execute(insert(InvitationRow), values)
    return token


def find_invitation(session: Session, token: str) -> AccountRow | None:
    """Whose an invitation is, as long as it is good."""
    query = (
        select(AccountRow)
        .join(InvitationRow, InvitationRow.account_id == AccountRow.id)
        .where(InvitationRow.token_hash == digest_of(token), InvitationRow.expires_at > datetime.now(UTC))
        .where(AccountRow.active)
    )
    return session.scalar(query)


def use_invitation(connection: Connection, token: str) -> bool:
    """Use an invitation up; tells whether it was there to be used: of two who try at once, one is told so."""
    gone = connection.execute(delete(InvitationRow).where(InvitationRow.token_hash == digest_of(token)))
    return gone.rowcount == 1


def end_invitation(connection: Connection, account_id: str) -> None:
    """End the invitation of somebody, if there is one."""
    connection.execute(delete(InvitationRow).where(InvitationRow.account_id == account_id))


def make_token(connection: Connection, account_id: str, label: str, days: int) -> str:
    """A new token for a program.

    Raises:
        AccountError: it has no label, too long a life, or there are too many.
    """
    cleaned = " ".join(label[: 4 * MAX_TOKEN_LABEL].split())
    if not cleaned or len(cleaned) > MAX_TOKEN_LABEL or not cleaned.isprintable():
        message = phrase("say what the token is for, in up to {most} characters", most=MAX_TOKEN_LABEL)
        raise AccountError(message, "input")
    if not 1 <= days <= MAX_DAYS:
        message = phrase("a token is good for 1 to {most} days, not for {days}", most=MAX_DAYS, days=days)
        raise AccountError(message, "input")
    now = datetime.now(UTC)
    connection.execute(delete(ApiTokenRow).where(ApiTokenRow.expires_at <= now))
    count = select(func.count()).select_from(ApiTokenRow).where(ApiTokenRow.account_id == account_id)
    if (connection.scalar(count) or 0) >= MOST_TOKENS:
        message = phrase("an account has {most} tokens at most: end one that is not needed any more", most=MOST_TOKENS)
        raise AccountError(message, "input")
    token = TOKEN_MARK + new_token()
    values = {"account_id": account_id, "token_hash": digest_of(token), "label": cleaned}
    moments = {"created_at": now, "expires_at": now + timedelta(days=days)}
    connection.execute(insert(ApiTokenRow), values | moments)
    return token


def find_token(session: Session, token: str) -> tuple[AccountRow, bool] | None:
    """Whose token it is, and whether its use is to be written down; None where it is nobody's."""
    now = datetime.now(UTC)
    query = (
        select(AccountRow, ApiTokenRow.last_used_at)
        .join(ApiTokenRow, ApiTokenRow.account_id == AccountRow.id)
        .where(ApiTokenRow.token_hash == digest_of(token), ApiTokenRow.expires_at > now, AccountRow.active)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else (found[0], found[1] is None or now - found[1] > NOTED)


def note_token(connection: Connection, token: str) -> None:
    """Write down that a token was used."""
    now = datetime.now(UTC)
    connection.execute(update(ApiTokenRow).where(ApiTokenRow.token_hash == digest_of(token)).values(last_used_at=now))


def tokens_of(session: Session, account_id: str) -> list[ApiToken]:
    """The tokens of somebody's programs, the newest first."""
    query = select(ApiTokenRow).where(ApiTokenRow.account_id == account_id, ApiTokenRow.expires_at > datetime.now(UTC))
    return [ApiToken.of(row) for row in session.scalars(query.order_by(ApiTokenRow.id.desc()))]


def revoke(connection: Connection, account_id: str, token_id: int) -> None:
    """End a token.

    Raises:
        AccountError: the account has none of that number.
    """
    gone = connection.execute(
        delete(ApiTokenRow).where(ApiTokenRow.id == token_id, ApiTokenRow.account_id == account_id)
    )
    if not gone.rowcount:
        message = phrase("this account has no token {n}", n=token_id)
        raise AccountError(message, "unknown")
