"""The first tables: sessions, observations, windows, policy answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TIME = sa.DateTime(timezone=True)


def _bounded(**columns: int) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"length({name}) <= {limit}", name=f"{name}_length") for name, limit in columns.items()]


def upgrade() -> None:
    """Make them."""
    _sessions()
    _observations()
    _windows()
    _policy_answers()


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("jurisdiction", sa.String(40)),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("min_group", sa.Integer, nullable=False),
        sa.Column("labels", sa.String(400), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, index=True),
        sa.Column("ended_how", sa.String(40)),
        sa.Column("owner_pid", sa.Integer, nullable=False),
        sa.Column("owner_started_s", sa.Double, nullable=False),
        sa.Column("owner_host", sa.String(200), nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("dropped", sa.Integer, nullable=False),
        sa.Column("lost", sa.Integer, nullable=False),
        *_bounded(source=200, kind=40, jurisdiction=40, labels=400, ended_how=40, owner_host=200),
    )


def _session_id() -> sa.Column[int]:
    return sa.Column("session_id", sa.Integer, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False)


def _observations() -> None:
    op.create_table(
        "observations",
        sa.Column("id", NUMBER, primary_key=True),
        _session_id(),
        sa.Column("time_s", sa.Double, nullable=False),
        sa.Column("track", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.REAL, nullable=False) for name in ("x0", "y0", "x1", "y1", "confidence")),
        sa.Column("emotion", sa.String(40)),
        sa.Column("probabilities", sa.String(400)),
        *_bounded(emotion=40, probabilities=400),
    )
    op.create_index(None, "observations", ["session_id", "time_s"])


def _windows() -> None:
    op.create_table(
        "windows",
        sa.Column("id", NUMBER, primary_key=True),
        _session_id(),
        sa.Column("start_s", sa.Double, nullable=False),
        sa.Column("end_s", sa.Double, nullable=False),
        sa.Column("results", sa.Integer, nullable=False),
        sa.Column("faces", sa.Double, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("read", sa.Integer, nullable=False),
        sa.Column("mix", sa.String(400)),
        sa.Column("uncertain", sa.Double),
        *_bounded(mix=400),
    )
    op.create_index(None, "windows", ["session_id", "start_s"])


def _policy_answers() -> None:
    op.create_table(
        "policy_answers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("jurisdiction", sa.String(40), nullable=False),
        sa.Column("answered_by", sa.String(200), nullable=False),
        sa.Column("answered_at", TIME, nullable=False),
        sa.Column("previous", sa.String(40)),
        sa.Column("how", sa.String(40), nullable=False),
        *_bounded(jurisdiction=40, answered_by=200, previous=40, how=40),
    )


def downgrade() -> None:
    """Remove them and all that is in them."""
    for table in ("policy_answers", "windows", "observations", "sessions"):
        op.drop_table(table)
