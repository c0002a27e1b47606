"""Servers that live as long as a `with` block."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from doenda.kernel import embedded
from doenda.kernel.embedded import postmaster

SMALL = {"shared_buffers": "16MB"}


def test_a_throwaway_is_gone_afterwards_also_when_its_user_fails() -> None:
    def use() -> None:
        with embedded.throwaway({**SMALL, **embedded.FAST}) as server:
            seen.append(server)
            with psycopg.connect(server.url()) as connection:
                assert connection.execute("SHOW fsync").fetchone() == ("off",)
            raise LookupError

    seen: list[embedded.Server] = []
    with pytest.raises(LookupError):
        use()
    assert not seen[0].data.exists()
    assert seen[0].pid is None


def test_a_throwaway_whose_owner_was_killed_is_removed_by_the_next_and_a_used_one_is_not() -> None:
    body = (
        "import sys\nfrom doenda.kernel import embedded\n"
        "with embedded.throwaway({**embedded.FAST, 'shared_buffers': '16MB'}) as server:\n"
        "    print(server.pid, server.data, flush=True)\n    sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", body], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    pid, data = process.stdout.readline().split()
    with embedded.throwaway({**SMALL, **embedded.FAST}):
        assert Path(data).exists()
    process.kill()
    process.communicate()
    assert postmaster.works_in(int(pid), Path(data) / "postgres")
    with embedded.throwaway({**SMALL, **embedded.FAST}):
        assert not Path(data).exists()
    assert not postmaster.works_in(int(pid), Path(data) / "postgres")
