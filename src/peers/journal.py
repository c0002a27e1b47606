"""An append-only file of JSON lines: what a peer has decided, so that its answers survive a kill -9."""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class JournalDamaged(Exception):
    """A complete line of the journal cannot be read; the message names the file and the line."""


class Journal:
    """One record a line, written at once and made durable in groups.

    `append` writes (a killed process loses nothing written); `sync` forces to disk everything written so far, one fsync
    for all threads that wait. Without a path nothing is kept. A torn last line, the trace of a crash, is cut off.
    """

    def __init__(self, path: Path | None, *, fsync: bool = True) -> None:
        self._path = path
        self._fsync = fsync and path is not None
        self._syncing = threading.Lock()
        self._written = self._synced = 0
        self._file = -1
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._own(path)

    @classmethod
    def at(cls, place: "Journal | os.PathLike[str] | None") -> "Journal":
        """An open journal as it is, else the one at this path; None keeps nothing."""
        return place if isinstance(place, Journal) else cls(None if place is None else Path(place))

    def _own(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise RuntimeError(f"{path}: another process is writing this journal") from None
        if self._fsync:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def replay(self) -> Iterator[Any]:
        """Every record in the order it was written. Raises JournalDamaged."""
        if self._path is None:
            return
        end = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                try:
                    record = json.loads(line)
                except ValueError:
                    raise JournalDamaged(f"{self._path}: line {number} is not JSON") from None
                yield record
        os.ftruncate(self._file, end)

    def append(self, record: object) -> None:
        """Write one record; the caller holds the lock that orders the records."""
        if self._file < 0:
            return
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        start = os.fstat(self._file).st_size
        try:
            left = memoryview(line)
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            os.ftruncate(self._file, start)  # never leave half a line for the next record to run into
            raise
        self._written += 1

    def sync(self) -> None:
        """Return once everything written so far is on disk."""
        wanted = self._written
        if not self._fsync or self._synced >= wanted:
            return
        with self._syncing:
            if self._synced >= wanted or self._file < 0:
                return
            upto = self._written
            os.fsync(self._file)
            self._synced = upto

    def close(self) -> None:
        """Let go of the file; what was written stays."""
        with self._syncing:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
