"""A real SMS centre: Kannel's SMPP server, router and phones, which nobody here wrote. See `make test-sms`."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from tests.conftest import *  # noqa: F403 - the same throwaway database
from tests.notices.smpp_world import Behind, behind
from tests.notices.smsc import Line, until

SMPPBOX = os.environ.get("DOENDA_OPENSMPPBOX", "")
INSIDE = Path(__file__).with_name("inside.py")


@dataclass
class Kannel:
    """`door`: the Unix socket through which it is reached, so that it listens on no address of this machine."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def door(self) -> str:
        return str(self.folder / "door")

    def phones(self) -> str:
        """What arrived on its phones, as they print it."""
        return (self.folder / "phones.log").read_text(encoding="utf-8", errors="replace")

    def shown(self, after: int = 0) -> str:
        """The Korean text that they show, of all that was printed behind that place, its segments put together."""
        found = re.findall(r"(?:udh (\S+) data|ucs-2) (\S+)>", self.phones()[after:])
        parts = [(unquote_to_bytes(header), unquote_to_bytes(data.replace("+", " "))) for header, data in found]
        assert len({header[3] for header, _ in parts if header}) <= 1, "one reference holds them together"
        assert [header[4:] for header, _ in sorted(parts) if header] in (
            [],
            [bytes([len(parts), at + 1]) for at in range(len(parts))],
        )
        return b"".join(data for _, data in sorted(parts)).decode("utf-16-be")

    def logs(self) -> str:
        return "\n".join(
            f"== {each.name}\n{each.read_text(errors='replace')[-1500:]}" for each in self.folder.glob("*.log")
        )


@pytest.fixture(scope="session")
def kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    if not SMPPBOX:
        pytest.fail("run `make test-sms`: it builds the SMS centre")
    folder = tmp_path_factory.mktemp("kannel")
    command = ["unshare", "-rn", sys.executable, "-I", str(INSIDE), str(folder), SMPPBOX]
    with (folder / "inside.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    made = Kannel(folder, process)
    try:
        until(lambda: (folder / "door").exists() or process.poll() is not None, 30)
        assert process.poll() is None, made.logs()
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)


@contextmanager
def house_of(kannel: Kannel, settings: Any, **config: Any) -> Iterator[Behind]:
    with behind(settings, Line(kannel.door), {"system_type": "VMA", "answer": 5.0, **config}) as made:
        yield made


@pytest.fixture
def house(kannel: Kannel, committed_db: str, settings: Any) -> Iterator[Behind]:
    """A bind to the centre over a line that can be cut."""
    with house_of(kannel, settings) as made:
        yield made
