"""Run by Alembic for every migration, on the connection that `classpulse.storage.schema` hands over."""

from alembic import context

from classpulse.storage.metadata import METADATA
from classpulse.storage.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
