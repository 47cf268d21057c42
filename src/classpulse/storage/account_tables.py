"""The tables of who logs in: accounts, their logins, their invitations, and the tokens of their programs.

Whatever lets somebody in is kept as a hash: a password by Argon2id, a random token by SHA-256.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - the mapper reads the annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from classpulse.storage.columns import MAX_WORD, NUMBER, UtcTime, bounded
from classpulse.storage.names import MAX_NAME
from classpulse.storage.people_tables import ID, MAC
from classpulse.storage.tables import Base

MAX_LOGIN = 100
MAX_HASH = 200
"""Characters of a password's hash with its parameters; Argon2id's has about 100."""
MAX_ISSUER = 200
MAX_SUBJECT = 255
"""Characters of a subject, OpenID Connect Core 1.0, 2."""
MAX_TOKEN_LABEL = 80


class AccountRow(Base):
    """Somebody who logs in.

    Attributes:
        id: random; what other tables and the audit log call them.
        login: what they log in with, folded, so that its case does not matter.
        name: as it is shown.
        rank: `"admin"`, `"teacher"` or `"observer"`.
        password_hash: Argon2id with its salt and parameters; None where there is none (yet).
        oidc_issuer, oidc_subject: who they are to the school's own login (OpenID Connect); None if they never used it.
        active: whether they may come in.
        failed: wrong passwords since the last right one.
        locked_until: until when no password is taken; None where one is.
        created_at, last_login_at: UTC.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_accounts_oidc"),
        *bounded(("id", ID), ("login", MAX_LOGIN), ("name", MAX_NAME), ("rank", MAX_WORD)),
        *bounded(("password_hash", MAX_HASH), ("oidc_issuer", MAX_ISSUER), ("oidc_subject", MAX_SUBJECT)),
    )

    id: Mapped[str] = mapped_column(String(ID), primary_key=True)
    login: Mapped[str] = mapped_column(String(MAX_LOGIN), unique=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    rank: Mapped[str] = mapped_column(String(MAX_WORD))
    password_hash: Mapped[str | None] = mapped_column(String(MAX_HASH))
    oidc_issuer: Mapped[str | None] = mapped_column(String(MAX_ISSUER))
    oidc_subject: Mapped[str | None] = mapped_column(String(MAX_SUBJECT))
    active: Mapped[bool] = mapped_column(default=True)
    failed: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcTime)


class LoginRow(Base):
    """One browser that somebody is logged in with.

    Attributes:
        account_id: who.
        token_hash: SHA-256 of what the browser's cookie holds.
        created_at, last_seen_at, expires_at: UTC.
    """

    __tablename__ = "logins"
    __table_args__ = bounded(("account_id", ID), ("token_hash", MAC))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(MAC), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)


class InvitationRow(Base):
    """A link by which somebody sets a password once; a new one takes the place of the one before.

    Attributes:
        account_id: who.
        token_hash: SHA-256 of the link's secret.
        created_at, expires_at: UTC.
    """

    __tablename__ = "invitations"
    __table_args__ = bounded(("account_id", ID), ("token_hash", MAC))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(MAC), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)


class ApiTokenRow(Base):
    """What a program asks with, in the name of somebody.

    Attributes:
        account_id: whose.
        token_hash: SHA-256 of the token.
        label: what it is for, in its owner's words.
        created_at, expires_at, last_used_at: UTC.
    """

    __tablename__ = "api_tokens"
    __table_args__ = bounded(("account_id", ID), ("token_hash", MAC), ("label", MAX_TOKEN_LABEL))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(MAC), unique=True)
    label: Mapped[str] = mapped_column(String(MAX_TOKEN_LABEL))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
