"""How many students take part by link in a class that runs, beside the people whom its camera sees."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; of a class that an older process runs it is empty."""
    op.add_column("runs", sa.Column("students", sa.Integer))


def downgrade() -> None:
    """Remove it."""
    op.drop_column("runs", "students")
