"""PostgreSQL keeps no samples of what tells of people: it would copy them into a table of its own, where they stay."""

from alembic import op

revision = "0005"
down_revision = "0004"

COLUMNS = {
    "people": ("id", "wrapped_key", "sealed_name", "name_tag"),
    "consents": ("person_id", "sealed"),
    "embeddings": ("person_id", "sealed"),
    "person_links": ("person_id", "token_hash"),
    "person_exports": ("person_id", "sealed"),
    "appearances": ("person_id",),
    "actors": ("id", "sealed_name", "name_tag"),
    "audit": ("actor_id", "subject"),
    "policy_answers": ("answered_by", "declaration"),
}


def upgrade() -> None:
    """Take none from now on; SQLite takes none unless it is asked."""
    _set_statistics(0)


def _set_statistics(target: int) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in COLUMNS.items():
            for column in columns:
                op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target}")


def downgrade() -> None:
    """Take them as usual."""
    _set_statistics(-1)
