"""A server that lives as long as a `with` block, for tests and benches."""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from doenda.kernel.embedded import osuser, postmaster
from doenda.kernel.embedded.osuser import EmbeddedError
from doenda.kernel.embedded.server import Server, ensure

FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_PREFIX = "doenda-throwaway-"
_NOWHERE = Path("/nonexistent")
_DEATH_SECONDS = 5


@contextmanager
def throwaway(settings: Mapping[str, str] | None = None, *, version: int = 18) -> Iterator[Server]:
    """A fresh server in a temporary folder, stopped and removed at the end. Durable as the real one unless given FAST.

    What an owner that was killed left behind is removed by the next call.
    """
    base = _base()
    _remove_abandoned(base)
    data = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    if os.geteuid() == 0:
        data.chmod(0o755)  # our own folder: the server's user has to pass through it
    owner = _mark_owned(data)
    try:
        server = ensure(data, version=version, settings=settings)
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        _remove(data)
        os.close(owner)


def _base() -> Path:
    """The first temporary folder that the server's user can reach."""
    user = osuser.choose(_NOWHERE, _NOWHERE)
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - mkdtemp makes ours
    for folder in candidates:
        if folder.is_dir() and user.barrier(folder.resolve()) is None:
            return folder.resolve()
    raise EmbeddedError(f"{user.name} can enter none of {', '.join(map(str, candidates))}: set TMPDIR")


def _mark_owned(data: Path) -> int:
    """A lock that its owner's death frees; it appears under its name only when it is held."""
    descriptor = os.open(data / ".owner", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (data / ".owner").rename(data / "owner")
    return descriptor


def _remove_abandoned(base: Path) -> None:
    for data in base.glob(f"{_PREFIX}*"):
        try:
            if data.lstat().st_uid != os.geteuid():
                continue
            descriptor = os.open(data / "owner", os.O_RDWR)
        except OSError:  # being made or removed at this moment
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(data)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def _remove(data: Path) -> None:
    """Whatever state it is in. Nothing in it is worth a clean stop."""
    deadline = time.monotonic() + _DEATH_SECONDS
    while (found := postmaster.find(data / "postgres")) and time.monotonic() < deadline:
        with suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGQUIT)
        time.sleep(0.05)
    postmaster.kill_orphans(data / "postgres")
    shutil.rmtree(data, ignore_errors=True)
