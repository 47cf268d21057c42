"""What a window says of attention, with its intervals; marks, answers and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WORD, LABEL, PARTICIPANT, REASON, ESTIMATE = 40, 80, 64, 400, 40
ESTIMATES = ("facing", "mood", "attention", "concentration")
TABLES = {
    "marks": (("label", LABEL), ("how", WORD)),
    "answers": (("participant", PARTICIPANT), ("said", WORD)),
    "alerts": (("kind", WORD), ("reason", REASON)),
}


def upgrade() -> None:
    """Make them."""
    with op.batch_alter_table("windows") as windows:
        windows.add_column(sa.Column("expected", sa.Integer, nullable=False, server_default="0"))
        windows.add_column(sa.Column("posed", sa.Integer, nullable=False, server_default="0"))
        windows.add_column(sa.Column("movement", sa.Double))
        for name in ESTIMATES:
            windows.add_column(sa.Column(name, sa.String(ESTIMATE)))
            windows.create_check_constraint(f"{name}_length", f"length({name}) <= {ESTIMATE}")
    for table, texts in TABLES.items():
        op.create_table(
            table,
            sa.Column("id", NUMBER, primary_key=True),
            sa.Column("session_id", sa.Integer, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
            sa.Column("time_s", sa.Double, nullable=False),
            *(sa.Column(name, sa.String(length), nullable=False) for name, length in texts),
            *(sa.CheckConstraint(f"length({name}) <= {length}", name=f"{name}_length") for name, length in texts),
        )
        op.create_index(op.f(f"ix_{table}_session_id_time_s"), table, ["session_id", "time_s"])


def downgrade() -> None:
    """Remove them and all that is in them."""
    for table in TABLES:
        op.drop_table(table)
    with op.batch_alter_table("windows") as windows:
        for name in ESTIMATES:
            windows.drop_constraint(f"{name}_length", type_="check")
        for name in ("expected", "posed", "movement", *ESTIMATES):
            windows.drop_column(name)
