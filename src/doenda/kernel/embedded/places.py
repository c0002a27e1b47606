"""Where things lie: the data folder, the cluster in it, the socket; and the lock that keeps out a second process."""

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doenda.kernel.embedded.osuser import EmbeddedError, OsUser

PORT = 5432  # only a part of the socket's name: no TCP port is opened
SOCKET = f".s.PGSQL.{PORT}"
_LONGEST_SOCKET_PATH = 100  # bytes; sockaddr_un holds 107 on Linux, 103 on macOS
_BREAKS_PG_CTL = frozenset('"$`\\\n')  # pg_ctl writes the path between double quotes into a shell line


def default_data() -> Path:
    """The data folder: DOENDA_DATA, or /var/lib/doenda for root, or $XDG_DATA_HOME/doenda (~/.local/share/doenda)."""
    if asked := os.environ.get("DOENDA_DATA"):
        return Path(asked).expanduser()
    if os.geteuid() == 0:
        return Path("/var/lib/doenda")
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "doenda"


def make_data(data: Path, user: OsUser) -> None:
    """Make the data folder and its logs/; existing folders keep their rights.

    Raises EmbeddedError if the server's user could not come as far as the data folder.
    """
    if _BREAKS_PG_CTL & set(str(data)):
        raise EmbeddedError(f"{data}: a data folder's path must not hold any of \" $ ` \\ or a line break")
    if user.switch and (shut := user.barrier(data)):
        raise EmbeddedError(
            f"PostgreSQL runs as {user.name} and may not enter {shut} on the way to {data}: "
            f"allow it (chmod o+x {shut}), or name a folder that everybody can reach with DOENDA_DATA"
        )
    missing = [folder for folder in (data, *data.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            if user.switch:
                folder.chmod(0o755)
            elif folder == data:
                folder.chmod(0o700)
        (data / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as refused:
        raise EmbeddedError(f"cannot make {data}: {refused}; name another folder with DOENDA_DATA") from refused


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """One process (and thread) at a time may start or stop this folder's server; a dead one's lock is free at once."""
    descriptor = os.open(data / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def socket_folder(cluster: Path, user: OsUser) -> Path:
    """The cluster itself (mode 0700), or a short private folder where the socket's path would be too long."""
    if len(os.fsencode(cluster / SOCKET)) <= _LONGEST_SOCKET_PATH:
        return cluster
    base = Path("/run") if user.switch and os.access("/run", os.W_OK) else Path("/tmp")  # noqa: S108 - checked below
    folder = base / f"doenda-{hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]}"
    try:
        folder.mkdir(mode=0o700)
        user.give(folder)
    except FileExistsError:
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
        if not private or status.st_uid not in (user.uid, os.geteuid()):
            raise EmbeddedError(f"{folder} is not a private folder of {user.name}: remove it") from None
        user.give(folder)
    return folder
