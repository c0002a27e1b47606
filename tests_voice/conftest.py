"""The telephone for real: a real Asterisk, real SIP calls, the whole system behind it. See `make test-voice`."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from doenda.app.asterisk import Asterisk
from doenda.app.stage import Stage, stage
from doenda.assurance import evidence
from doenda.channels.voice import desk, synthesis
from doenda.contact import hours
from doenda.kernel import clock, offset
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside

WAYS = ("voice/deposit/deposit",)
READY_WITHIN = 60.0


def pytest_configure(config: pytest.Config) -> None:
    """Processes and sockets leave pipes to the garbage collector; that is nothing about calls."""
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")
    config.addinivalue_line("filterwarnings", "ignore::ResourceWarning")


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """pytest-django's hook: the stage brings its own database."""


@pytest.fixture(scope="session")
def house(django_db_blocker: Any) -> Iterator[Stage]:
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as env:
        env.setenv("DJANGO_SETTINGS_MODULE", "doenda.app.settings")  # for its processes; ours are the tests' settings
        with stage(fast=True, offered=("sandbox", "deposit")) as made:
            _in_the_morning()
            yield made


def _in_the_morning() -> None:
    """Calls are made while the centre and the banks are open: the next morning, unless they are for some hours yet."""
    open_, now = hours.hours(), clock.now()
    begins = open_.opens(now)
    if open_.closes(begins) - begins < timedelta(hours=3):
        begins = open_.opens(clock.day_start(clock.local(begins).date() + timedelta(days=1)))
    if begins > now:
        offset.advance(begins + timedelta(minutes=30) - now)


@dataclass
class Telephone:
    """An Asterisk, and whoever serves its calls. `prompts`: where what is said lies."""

    asterisk: Asterisk
    house: Stage
    prompts: Path
    serving: "list[subprocess.Popen[str]]" = field(default_factory=list)

    @property
    def server(self) -> tuple[str, int]:
        return "127.0.0.1", self.asterisk.sip_port

    def serve(self, *, ready: str = "ready") -> "subprocess.Popen[str]":
        """`doenda voice`, connected; or one that stands by."""
        env = os.environ | self.house.env | {
            "DJANGO_SETTINGS_MODULE": "doenda.app.settings",
            "DOENDA_ARI_URL": self.asterisk.url,
            "DOENDA_ARI_PASSWORD": self.asterisk.password,
            "DOENDA_PROMPTS": str(self.prompts),
            "DOENDA_AGENT_DIAL": f"PJSIP/agent/sip:{{agent}}@{self.asterisk.agent}",
            "DOENDA_TRUNK_DIAL": "PJSIP/{national}@trunk",
        }  # fmt: skip
        log = (self.prompts.parent / "voice.log").open("a")
        process = subprocess.Popen(
            [sys.executable, "-m", "doenda.app.cli", "voice"], env=env, stdout=subprocess.PIPE, stderr=log, text=True
        )
        log.close()
        self.serving.append(process)
        assert process.stdout is not None
        heard, _, _ = select.select([process.stdout], [], [], READY_WITHIN)
        assert heard, f"`doenda voice` did not come up; {self.said()}"
        assert process.stdout.readline().strip() == ready, self.said()
        return process

    def said(self) -> str:
        """The end of what the server logged."""
        return (self.prompts.parent / "voice.log").read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        for process in self.serving:
            process.terminate()
            process.wait(20)
        self.serving.clear()

    def prompt(self, message: str, lang: str = "ko", **args: str) -> Path:
        """The file of a text as it is spoken."""
        return self.file(desk.say(message, lang, **args), lang)

    def file(self, text: str, lang: str = "ko") -> Path:
        media = synthesis.media(text, lang)
        return Path(media.removeprefix("sound:") + ".wav")


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    agent, trunk = f"127.0.1.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with Asterisk(tmp_path_factory.mktemp("asterisk"), agent=agent, trunk=trunk) as made:
        yield made


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def telephone(asterisk: Asterisk, house: Stage, tmp_path: Path, settings: Any) -> Iterator[Telephone]:
    prompts = tmp_path / "prompts"
    settings.DOENDA_PROMPTS = str(prompts)
    synthesis.media.cache_clear()
    made = Telephone(asterisk, house, prompts)
    if not asterisk.lives():  # a test may have killed it
        asterisk.start()
    made.serve()
    yield made
    made.stop()


@pytest.fixture
def proven(house: Stage) -> None:
    """The ways by telephone are proven: somebody has just paid through each."""
    for slug in WAYS:
        with atomic():
            evidence.record(slug, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)


@contextmanager
def within(seconds: float) -> Iterator[Any]:
    """Until what the block yields is true; the last try's failure is raised."""
    deadline = time.monotonic() + seconds
    yield lambda: time.monotonic() < deadline
