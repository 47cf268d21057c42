"""Running the migrations inside the package: the only importer of Alembic beside the migrations themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from classpulse.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import Connection


def known_versions() -> list[str]:
    """Every migration there is, the oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def upgrade(connection: Connection, version: str | None, place: str, *, to: str = "head") -> None:
    """Run every migration after `version` (None: all of them), up to the one named `to`.

    Raises:
        StorageError: `version` is not among the migrations, so a newer Classpulse wrote it.
    """
    config = configure(connection)
    script = ScriptDirectory.from_config(config)
    try:
        script.get_revision(version or "head")
    except CommandError:
        message = (
            f"{place} was written by a newer Classpulse: its tables are version {version}, known are those up to "
            f"{script.get_current_head()}. It was left as it is. Install the newer Classpulse again, or name "
            "another place by data_dir or database_url"
        )
        raise StorageError(message) from None
    command.upgrade(config, to)


def configure(connection: Connection) -> Config:
    """Alembic's configuration, made here so that there is no file to find."""
    config = _config()
    config.attributes["connection"] = connection
    return config


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
