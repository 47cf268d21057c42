"""A school's classes: courses, who belongs to them, and which process runs them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.DateTime(timezone=True)
ID, WORD, SOURCE = 32, 40, 200
SLUG, NAME, ADDRESS, OVERRIDES, TROUBLE, FINGERPRINT = 40, 80, 400, 400, 400, 95
COURSE = "CONSTRAINT fk_sessions_course_id REFERENCES courses (id)"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "courses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String(SLUG), nullable=False, unique=True),
        sa.Column("name", sa.String(NAME), nullable=False),
        sa.Column("source", sa.String(ADDRESS), nullable=False),
        sa.Column("host", sa.String(SOURCE)),
        sa.Column("trusted", sa.Boolean, nullable=False),
        sa.Column("overrides", sa.String(OVERRIDES), nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        *_bounded(slug=SLUG, name=NAME, source=ADDRESS, host=SOURCE, overrides=OVERRIDES),
    )
    op.create_table(
        "course_members",
        sa.Column("course_id", sa.Integer, sa.ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("account_id", sa.String(ID), sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("role", sa.String(WORD), nullable=False),
        *_bounded(account_id=ID, role=WORD),
    )
    op.create_index(op.f("ix_course_members_account_id"), "course_members", ["account_id"])
    op.create_table(
        "runs",
        sa.Column("course_id", sa.Integer, sa.ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("process", sa.String(ID)),
        sa.Column("owner_pid", sa.Integer),
        sa.Column("owner_started_s", sa.Double),
        sa.Column("owner_host", sa.String(SOURCE)),
        sa.Column("address", sa.String(SOURCE)),
        sa.Column("fingerprint", sa.String(FINGERPRINT)),
        sa.Column("pass_key", sa.String(ID)),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("beat_at", MOMENT, nullable=False),
        sa.Column("phase", sa.String(WORD), nullable=False),
        sa.Column("elapsed_s", sa.Double, nullable=False),
        sa.Column("people", sa.Integer),
        sa.Column("word", sa.String(WORD)),
        sa.Column("session_id", sa.Integer),
        sa.Column("trouble", sa.String(TROUBLE), nullable=False),
        *_bounded(process=ID, owner_host=SOURCE, address=SOURCE, pass_key=ID),
        *_bounded(fingerprint=FINGERPRINT, phase=WORD, word=WORD, trouble=TROUBLE),
    )
    # Not by Alembic: on SQLite it would make the table anew, and what belongs to its rows would go with the old one.
    op.execute(f"ALTER TABLE sessions ADD COLUMN course_id INTEGER {COURSE}")
    op.create_index(op.f("ix_sessions_course_id"), "sessions", ["course_id"])
    if op.get_bind().dialect.name == "postgresql":
        for column in ("course_id", "account_id"):
            op.execute(f"ALTER TABLE course_members ALTER COLUMN {column} SET STATISTICS 0")


def _bounded(**limits: int) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(f"length({name}) <= {most}", name=f"{name}_length") for name, most in limits.items()]


def downgrade() -> None:
    """Remove them and all that is in them; what was stored of the classes stays."""
    op.drop_index(op.f("ix_sessions_course_id"), "sessions")
    op.execute("ALTER TABLE sessions DROP COLUMN course_id")
    for table in ("runs", "course_members", "courses"):
        op.drop_table(table)
