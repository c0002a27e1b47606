"""CPU seconds of a process and all its children, and its memory, as /proc tells them; nothing where there is none."""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def of_tree(root: int | None) -> float:
    """Seconds used so far by `root` and its descendants, those that ended and were waited for included."""
    if root is None or not _PROC.exists():
        return 0.0
    children: dict[int, list[int]] = {}
    used: dict[int, tuple[int, int]] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        pid = int(entry.parent.name)
        children.setdefault(int(fields[1]), []).append(pid)
        used[pid] = (int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14]))
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += sum(used.get(pid, (0, 0)))
        waiting += children.get(pid, [])
    return total / _TICKS


class Memory:
    """The most memory that this process has held since then, in MB; 0.0 where there is no /proc."""

    def __init__(self) -> None:
        if _PROC.exists():
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far

    @property
    def peak_mb(self) -> float:
        if not _PROC.exists():
            return 0.0
        said = Path("/proc/self/status").read_text()
        return int(next(line for line in said.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
