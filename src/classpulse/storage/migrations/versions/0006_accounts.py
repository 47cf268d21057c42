"""Who logs in: accounts, logins, invitations, and the tokens of programs."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
ID, MAC, WORD = 32, 64, 40
LOGIN, NAME, HASH, ISSUER, SUBJECT, LABEL = 100, 100, 200, 200, 255, 80
UNSAMPLED = {
    "accounts": ("id", "login", "name", "password_hash", "oidc_issuer", "oidc_subject"),
    "logins": ("account_id", "token_hash"),
    "invitations": ("account_id", "token_hash"),
    "api_tokens": ("account_id", "token_hash", "label"),
}
"""Of what tells of people PostgreSQL keeps no samples, as since 0005."""


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(ID), primary_key=True),
        sa.Column("login", sa.String(LOGIN), nullable=False, unique=True),
        sa.Column("name", sa.String(NAME), nullable=False),
        sa.Column("rank", sa.String(WORD), nullable=False),
        sa.Column("password_hash", sa.String(HASH)),
        sa.Column("oidc_issuer", sa.String(ISSUER)),
        sa.Column("oidc_subject", sa.String(SUBJECT)),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("locked_until", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_login_at", MOMENT),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_accounts_oidc"),
        *_bounded(id=ID, login=LOGIN, name=NAME, rank=WORD),
        *_bounded(password_hash=HASH, oidc_issuer=ISSUER, oidc_subject=SUBJECT),
    )
    op.create_table(
        "logins",
        *_of_an_account(),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        *_bounded(account_id=ID, token_hash=MAC),
    )
    op.create_index(op.f("ix_logins_account_id"), "logins", ["account_id"])
    op.create_table(
        "invitations",
        *_of_an_account(unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        *_bounded(account_id=ID, token_hash=MAC),
    )
    op.create_table(
        "api_tokens",
        *_of_an_account(),
        sa.Column("label", sa.String(LABEL), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT),
        *_bounded(account_id=ID, token_hash=MAC, label=LABEL),
    )
    op.create_index(op.f("ix_api_tokens_account_id"), "api_tokens", ["account_id"])
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in UNSAMPLED.items():
            for column in columns:
                op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


def _of_an_account(*, unique: bool = False) -> tuple[sa.Column[Any], ...]:
    account = sa.ForeignKey("accounts.id", ondelete="CASCADE")
    return (
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("account_id", sa.String(ID), account, nullable=False, unique=unique),
        sa.Column("token_hash", sa.String(MAC), nullable=False, unique=True),
    )


def _bounded(**limits: int) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"length({name}) <= {most}", name=f"{name}_length") for name, most in limits.items()]


def downgrade() -> None:
    """Remove them and all that is in them."""
    for table in ("api_tokens", "invitations", "logins", "accounts"):
        op.drop_table(table)
