"""Files that were written for a person, to be deleted with them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID, SEALED = 32, 4000


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "person_exports",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column(
            "person_id", sa.String(ID), sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("sealed", sa.String(SEALED), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"length(person_id) <= {ID}", name="person_id_length"),
        sa.CheckConstraint(f"length(sealed) <= {SEALED}", name="sealed_length"),
    )


def downgrade() -> None:
    """Remove it and all that is in it."""
    op.drop_table("person_exports")
