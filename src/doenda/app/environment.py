"""Which database the processes use: the one that DATABASE_URL names, or a PostgreSQL of our own in the data folder."""

import os

from doenda.kernel import embedded


def embedded_environment() -> dict[str, str]:
    """Start or adopt the embedded server; the variables under which every process finds it."""
    server = embedded.ensure(embedded.default_data())
    return urls(server)


def urls(server: embedded.Server, database: str = "doenda") -> dict[str, str]:
    return {
        "DATABASE_URL": server.url(database, "doenda_app"),
        "DATABASE_OWNER_URL": server.url(database, "doenda_owner"),
    }


def ensure_environment() -> dict[str, str]:
    """The variables for child processes, whichever database it is; sets them for this process, too."""
    if "DATABASE_URL" not in os.environ:
        os.environ.update(embedded_environment())
    return {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL") if name in os.environ}
