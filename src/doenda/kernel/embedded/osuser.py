"""Which operating system user runs PostgreSQL, and what that user can reach.

PostgreSQL refuses to run as root. Root therefore runs it as an unprivileged user; anybody else runs it as themselves.
No right of a folder that is not ours is ever changed: a barrier is reported with what to do about it.
"""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_MAY_ENTER = (stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH)
_MAY_READ = (stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH)


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class OsUser:
    """The user that owns the cluster and runs its programs; `switch` says that we are root and become that user."""

    uid: int
    gid: int
    switch: bool

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path,
        output: int | IO[bytes] = subprocess.PIPE,
        extra_env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program as this user to its end, in an environment of its own (no PG*, no locale of the caller).

        It gets a session of its own, so a Ctrl-C at our terminal never reaches it or what it starts.
        """
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **(extra_env or {})}
        try:
            return subprocess.run(  # noqa: S603 - the argv is ours
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                user=self.uid if self.switch else None,
                group=self.gid if self.switch else None,
                extra_groups=[] if self.switch else None,
                start_new_session=True,
                check=False,
            )
        except PermissionError as refused:
            raise EmbeddedError(f"cannot run {argv[0]} as {self.name}: {refused}") from refused

    def give(self, folder: Path) -> None:
        """Make this user the owner of a folder of ours."""
        if self.switch:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)

    def barrier(self, path: Path) -> Path | None:
        """The first folder on the way to `path`, itself included, that this user may not enter."""
        for folder in (*reversed(path.parents), path):
            if folder.is_dir() and not self._may(folder.stat(), _MAY_ENTER):
                return folder
        return None

    def can_use(self, tree: Path) -> bool:
        """Whether this user can reach, list and read `tree` (but headers), and run what its owner can run."""
        return self.barrier(tree) is None and all(self._usable(path) for path in _contents(tree))

    def _usable(self, path: Path) -> bool:
        status = path.stat()
        wants_enter = path.is_dir() or bool(status.st_mode & stat.S_IXUSR)
        return self._may(status, _MAY_READ) and (not wants_enter or self._may(status, _MAY_ENTER))

    def _may(self, status: os.stat_result, bits: tuple[int, int, int]) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & bits[0])
        return bool(status.st_mode & (bits[1] if status.st_gid == self.gid else bits[2]))

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"user {self.uid}"


def choose(data: Path, cluster: Path) -> OsUser:
    """Who runs the cluster: its owner if it exists; else ourselves, or for root `postgres`, or else `nobody`.

    Root works only in a data folder of root's: in another user's it could be led astray by a link.
    Raises EmbeddedError if the folders belong to somebody else.
    """
    us = os.geteuid()
    for folder in (data, cluster):
        owner = _owner(folder)
        if owner and owner.st_uid != us and not (us == 0 and folder == cluster):
            known = OsUser(owner.st_uid, owner.st_gid, switch=False).name
            raise EmbeddedError(f"{folder} belongs to {known}: run as {known}, or set DOENDA_DATA to another folder")
    if us:
        return OsUser(us, os.getegid(), switch=False)
    if owner := _owner(cluster):
        if owner.st_uid == 0:
            raise EmbeddedError(f"{cluster} belongs to root, as whom PostgreSQL never runs: chown -R it to its user")
        return OsUser(owner.st_uid, owner.st_gid, switch=True)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(entry.pw_uid, entry.pw_gid, switch=True)
    raise EmbeddedError("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody': useradd one")


def _owner(folder: Path) -> os.stat_result | None:
    try:
        return folder.stat()
    except FileNotFoundError:
        return None
    except OSError as refused:
        raise EmbeddedError(f"cannot look at {folder}: {refused}; set DOENDA_DATA to another folder") from refused


def _contents(tree: Path) -> Iterator[Path]:
    yield tree
    for entry in tree.iterdir():
        if entry.name != "include":
            yield entry
            yield from entry.rglob("*")
