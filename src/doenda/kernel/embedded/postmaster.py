"""What a cluster's postmaster.pid says, and whether that process is really this cluster's server.

A process id alone proves nothing: after a crash or a reboot it may be somebody else's. On Linux a live process counts
only if it works in the cluster's folder; elsewhere if it is alive.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Postmaster:
    """A live server: its process id, where its socket is, and its status (starting, ready, standby, stopping)."""

    pid: int
    socket_folder: Path
    status: str


def find(cluster: Path) -> Postmaster | None:
    """This cluster's live server, or None: no pid file, a torn one, or one that names a dead or a foreign process."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if pid <= 1 or not works_in(pid, cluster):
        return None
    lines += [""] * (8 - len(lines))
    return Postmaster(pid, Path(lines[4].strip() or cluster), lines[7].strip() or "starting")


def works_in(pid: int, cluster: Path) -> bool:
    """Whether a live process (not a zombie) has the cluster as its working folder, as every PostgreSQL process does."""
    try:
        if _PROC.joinpath("self").exists():
            return (_PROC / str(pid) / "cwd").readlink() == cluster
        os.kill(pid, 0)
    except OSError:  # dead, a zombie, or of a user whose processes we may not look at, hence not ours
        return False
    return True


def kill_orphans(cluster: Path) -> int:
    """Kill server processes that outlived their postmaster and hold its shared memory; returns how many.

    Safe only when no postmaster lives: what they had not committed is rolled back by the recovery that follows.
    """
    count = 0
    for pid in _orphans(cluster):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            count += 1
    return count


def _orphans(cluster: Path) -> Iterator[int]:
    if not _PROC.joinpath("self").exists():
        return
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and works_in(int(entry.name), cluster):
            try:
                program = (entry / "exe").readlink().name
            except OSError:
                continue
            if program.removesuffix(" (deleted)") == "postgres":
                yield int(entry.name)
