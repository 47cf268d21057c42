"""People who enrolled, their consents, embeddings and presence; the audit log; declarations beside policy answers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TIME = sa.DateTime(timezone=True)
ID, MAC, WORD, DETAIL, SEALED = 32, 64, 40, 400, 4000


def _bounded(**columns: int) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"length({name}) <= {limit}", name=f"{name}_length") for name, limit in columns.items()]


def upgrade() -> None:
    """Make the tables and columns."""
    with op.batch_alter_table("policy_answers") as answers:
        answers.add_column(sa.Column("exemption", sa.String(WORD)))
        answers.add_column(sa.Column("declaration", sa.String(DETAIL)))
        answers.create_check_constraint("exemption_length", f"length(exemption) <= {WORD}")
        answers.create_check_constraint("declaration_length", f"length(declaration) <= {DETAIL}")
    # Not in a batch: SQLite would make the table anew, and with the old one all that refers to it would go.
    check = f"CONSTRAINT ck_sessions_exemption_length CHECK (length(exemption) <= {WORD})"
    op.execute(f"ALTER TABLE sessions ADD COLUMN exemption VARCHAR({WORD}) {check}")
    _people()
    _appearances()
    _audit()


def _person_id() -> sa.Column[str]:
    key = sa.ForeignKey("people.id", ondelete="CASCADE")
    return sa.Column("person_id", sa.String(ID), key, nullable=False, index=True)


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(ID), primary_key=True),
        sa.Column("wrapped_key", sa.String(DETAIL), nullable=False),
        sa.Column("sealed_name", sa.String(SEALED), nullable=False),
        sa.Column("name_tag", sa.String(MAC), nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        *_bounded(id=ID, wrapped_key=DETAIL, sealed_name=SEALED, name_tag=MAC),
    )
    op.create_table(
        "consents",
        sa.Column("id", NUMBER, primary_key=True),
        _person_id(),
        sa.Column("purpose", sa.String(WORD), nullable=False),
        sa.Column("sealed", sa.String(SEALED), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME),
        *_bounded(person_id=ID, purpose=WORD, sealed=SEALED),
    )
    op.create_table(
        "embeddings",
        sa.Column("id", NUMBER, primary_key=True),
        _person_id(),
        sa.Column("embedder", sa.String(DETAIL), nullable=False),
        sa.Column("sealed", sa.String(SEALED), nullable=False),
        sa.Column("quality", sa.REAL, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *_bounded(person_id=ID, embedder=DETAIL, sealed=SEALED),
    )
    op.create_table(
        "person_links",
        sa.Column("id", NUMBER, primary_key=True),
        _person_id(),
        sa.Column("token_hash", sa.String(MAC), nullable=False, unique=True),
        sa.Column("expires_at", TIME, nullable=False),
        *_bounded(person_id=ID, token_hash=MAC),
    )


def _appearances() -> None:
    op.create_table(
        "appearances",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("session_id", sa.Integer, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("person_id", sa.String(ID), sa.ForeignKey("people.id", ondelete="SET NULL"), index=True),
        sa.Column("track", sa.BigInteger, nullable=False),
        sa.Column("start_s", sa.Double, nullable=False),
        sa.Column("end_s", sa.Double, nullable=False),
        sa.Column("confidence", sa.REAL, nullable=False),
        sa.Column("how", sa.String(WORD), nullable=False),
        *_bounded(person_id=ID, how=WORD),
    )
    op.create_index(None, "appearances", ["session_id", "start_s"])


def _audit() -> None:
    op.create_table(
        "actors",
        sa.Column("id", sa.String(ID), primary_key=True),
        sa.Column("sealed_name", sa.String(SEALED), nullable=False),
        sa.Column("name_tag", sa.String(MAC), nullable=False, unique=True),
        *_bounded(id=ID, sealed_name=SEALED, name_tag=MAC),
    )
    op.create_table(
        "audit",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor_id", sa.String(ID), nullable=False),
        sa.Column("action", sa.String(WORD), nullable=False),
        sa.Column("subject", sa.String(WORD)),
        sa.Column("detail", sa.String(DETAIL), nullable=False),
        sa.Column("mac", sa.String(MAC), nullable=False),
        *_bounded(actor_id=ID, action=WORD, subject=WORD, detail=DETAIL, mac=MAC),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("upto", sa.BigInteger, nullable=False),
        sa.Column("upto_mac", sa.String(MAC), nullable=False),
        sa.Column("mac", sa.String(MAC), nullable=False),
        *_bounded(upto_mac=MAC, mac=MAC),
    )


def downgrade() -> None:
    """Remove them and all that is in them."""
    for table in ("audit_checkpoints", "audit", "actors", "appearances", "person_links", "embeddings", "consents"):
        op.drop_table(table)
    op.drop_table("people")
    op.drop_column("sessions", "exemption")
    with op.batch_alter_table("policy_answers") as answers:
        answers.drop_column("declaration")
        answers.drop_column("exemption")
