"""What ties services to their supervisor's life. Run by its path in a bare Python: standard library only.

`leash.py exec PARENT ARGV...` becomes ARGV, which on Linux gets a TERM from the kernel if PARENT dies.
`leash.py guard GRACE` reads lines "NAME TARGET SIGNAL" (a process id, or a group's with a minus; 0 takes NAME off).
When its input ends, because the supervisor closed it or was killed, it ends all targets left, the last one first.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

EXEC = [sys.executable, "-I", "-S", __file__, "exec"]
GUARD = [sys.executable, "-I", "-S", __file__, "guard"]
GRACE_SECONDS = 10.0
_POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1


def alive(target: int) -> bool:
    """Whether the process, or for a negative number anything of the group, is there.

    A process that only waits to be waited for is dead; a container's first process may leave it so for ever.
    """
    try:
        os.kill(target, 0)
        return target < 0 or not Path(f"/proc/{target}/stat").read_bytes().rpartition(b")")[2].startswith(b" Z")
    except ProcessLookupError:
        return False
    except OSError:  # not ours, or no /proc here
        return True


def end(target: int, signum: int, grace: float, reap: Callable[[], object] = lambda: None) -> bool:
    """Ask with `signum`, wait up to `grace` seconds, then KILL. True if asking was enough.

    `reap` is called between looks, to wait for a child of ours that died.
    """
    for sign, patience in ((signum, grace), (signal.SIGKILL, 1.0)):
        try:
            os.kill(target, sign)
        except ProcessLookupError:
            return True
        except PermissionError:  # reused by somebody else
            return True
        for _ in range(round(patience / _POLL_SECONDS)):
            reap()
            if not alive(target):
                return sign == signum
            time.sleep(_POLL_SECONDS)
    return False


def guard(lines: Iterable[str], grace: float) -> None:
    """Keep the list of what runs; at its end, end what is left, each within `grace` seconds."""
    running: dict[str, tuple[int, int]] = {}
    for line in lines:
        name, target, signum = line.split()
        running.pop(name, None)
        if int(target):
            running[name] = (int(target), int(signum))
    for left, sign in reversed(running.values()):
        end(left, sign, grace)


def _become(parent: int, argv: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted
    except OSError as refused:
        sys.stderr.write(f"cannot run {argv[0]}: {refused.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    if sys.argv[1] == "exec":
        _become(int(sys.argv[2]), sys.argv[3:])
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    guard(sys.stdin, float(sys.argv[2]))
