"""What hosting services tell their programs: the port to listen on, the database, and that their disks forget.

`PORT` and `DATABASE_URL` are everybody's names, and on a developer's machine they may mean another program. So they
count only where a service says by a variable of its own that it runs us, or where somebody has said
`CLASSPULSE_HOSTED=1`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from classpulse.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTED = "CLASSPULSE_HOSTED"
KEY = "CLASSPULSE_KEY"


@dataclass(frozen=True, slots=True)
class Host:
    """A service that runs other people's programs.

    Attributes:
        name: what it is called.
        variable: of the environment, by which it is known.
        add: how a PostgreSQL is had there.
        forgets: whether its disk is empty again after every restart.
    """

    name: str
    variable: str
    add: str = ""
    forgets: bool = False


HOSTS = (
    Host("Heroku", "DYNO", "heroku addons:create heroku-postgresql:essential-0", forgets=True),
    Host("Google Cloud Run", "K_SERVICE", "gcloud sql instances create", forgets=True),
    Host("Azure Container Apps", "CONTAINER_APP_NAME"),
    Host("Azure App Service", "WEBSITE_SITE_NAME"),
    Host("Amazon ECS", "ECS_CONTAINER_METADATA_URI_V4"),
    Host("a hosting service", HOSTED),
)


def host_of(environ: Mapping[str, str]) -> Host | None:
    """The service that runs this process; None where none does.

    >>> host_of({"DYNO": "web.1"}).name
    'Heroku'
    """
    return next((host for host in HOSTS if environ.get(host.variable)), None)


def settings_from(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the service says, as settings: where to listen, for everybody, and where the database is.

    >>> settings_from({"DYNO": "web.1", "PORT": "5000"})
    {'web': {'port': '5000', 'host': '0.0.0.0'}}
    >>> settings_from({"PORT": "5000"})
    {}
    """
    if host_of(environ) is None:
        return {}
    values: dict[str, Any] = {}
    if environ.get("PORT"):
        values["web"] = {"port": environ["PORT"], "host": "0.0.0.0"}  # noqa: S104 - the service stands between
    if environ.get("DATABASE_URL"):
        values["database_url"] = environ["DATABASE_URL"]
    return values


def check_memory(environ: Mapping[str, str], database_url: str | None) -> None:
    """See that what is stored outlives a restart, where the service's disk does not.

    Raises:
        SettingsError: the database, or the key to people's data, would be on such a disk.
    """
    host = host_of(environ)
    if host is None or not host.forgets:
        return
    if database_url is None or database_url.startswith("sqlite"):
        message = (
            f"{host.name}'s disk is empty again after every restart, and the classes stored on it with it: add a "
            f"PostgreSQL ({host.add}), which sets DATABASE_URL, or name one in CLASSPULSE_DATABASE_URL"
        )
        raise SettingsError(message)
    if not environ.get(KEY):
        message = (
            f"{host.name}'s disk is empty again after every restart, and the key to people's data on it would be lost: "
            f"set {KEY} to a key of your own (openssl rand -base64 32) and keep a copy"
        )
        raise SettingsError(message)
