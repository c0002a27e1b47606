"""`doenda bench calls`: SIPp, Asterisk, PostgreSQL and `doenda voice` on one machine.

First Asterisk alone answers at the highest rate, by its own dialplan, while nobody serves it: the floor. Then so many
callers press 0 and stand in line with music, and calls come at each rate beside them: each is answered by us, hears the
greeting, and hangs up. Clean is a rate at which no call failed; nobody in line may be lost meanwhile.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.test import override_settings

from doenda.app.asterisk import Asterisk
from doenda.app.benches import cpu
from doenda.app.benches.calls import sipp
from doenda.app.benches.ground import Ground, ground
from doenda.app.environment import secrets_of
from doenda.app.result import Result
from doenda.contact import hours
from doenda.contact.models import Holding, Ticket
from doenda.kernel import clock, offset

STAYS_MS = 2000
HELD_RATE = 8.0
"""At which those who wait arrive, a second; not measured."""
SETTLES = 4.0
GOAL_RATE, GOAL_HELD, GOAL_P95 = 50, 200, 40.0
READY_WITHIN = 60.0

type Say = Callable[[str], None]


def run(rates: Sequence[int], held: int, seconds: float, *, say: Say) -> Result:
    """Figures: calls_per_second (the highest clean rate whose set-up p95 is under 40 ms), held, and for each rate
    setup_p50_ms, setup_p95_ms, failed, python_cpu_ms (a call); alone_p95_ms and the ratio to it."""
    result = Result()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doenda-calls-")))
        made = stack.enter_context(ground(None, None))
        stack.enter_context(_open_hours())
        asterisk = stack.enter_context(Asterisk(folder / "asterisk"))
        server = ("127.0.0.1", asterisk.sip_port)
        alone = _alone(result, folder, server, max(rates), seconds)
        voice = stack.enter_context(_voice(folder, made, asterisk))
        _warm(folder, server)
        waiting = _hold(folder, server, held, lasts=seconds * len(rates) + 60)
        stack.callback(waiting.stop)
        _until(lambda: _in_line() == held, READY_WITHIN + held / HELD_RATE)
        result.expect(_in_line() == held, f"{_in_line()} of {held} stand in line")
        beside = _Beside(folder, server, voice.pid, asterisk.pid)
        for rate in rates:
            beside.at(result, rate, seconds)
            say(f"{rate} calls/s: set-up p95 {result.figures[f'setup_p95_ms.{rate}']} ms")
        result.figures["held"] = _in_line()
        result.expect(_in_line() == held, f"{_in_line()} of {held} still stand in line: {waiting.said()}")
        result.expect(Ticket.objects.filter(lost__gt=0).count() == 0, "somebody was lost")
    _conclude(result, rates, alone)
    return result


def _conclude(result: Result, rates: Sequence[int], alone: float) -> None:
    clean = [rate for rate in rates if not result.figures[f"failed.{rate}"]]
    quick = [rate for rate in clean if result.figures[f"setup_p95_ms.{rate}"] < GOAL_P95]
    result.figures["calls_per_second"] = max(quick, default=0)
    result.figures["calls_per_second_clean"] = max(clean, default=0)
    result.figures["alone_p95_ms"] = round(alone, 1)
    if quick and alone:
        result.figures["ratio"] = round(result.figures[f"setup_p95_ms.{max(quick)}"] / alone, 2)
    result.expect(bool(clean), "no rate was clean")
    result.notes.append(f"goal: {GOAL_RATE} calls/s, {GOAL_HELD} held with music, set-up p95 under {GOAL_P95:.0f} ms")


def _alone(result: Result, folder: Path, server: tuple[str, int], rate: int, seconds: float) -> float:
    """The set-up p95 of Asterisk's own dialplan, milliseconds."""
    calls = sipp.begin(
        folder / "alone",
        server,
        _numbers(9, round(rate * seconds)),
        rate=rate,
        text=sipp.scenario(stays_ms=STAYS_MS, waits=False),
    )
    result.expect(calls.wait(seconds * 3 + 30), f"Asterisk alone failed calls: {calls.said()}")
    return _share(calls.setups, 0.95)


def _warm(folder: Path, server: tuple[str, int]) -> None:
    """Prompts are spoken once, and everything is loaded."""
    calls = sipp.begin(
        folder / "warm", server, _numbers(8, 10), rate=2, text=sipp.scenario(stays_ms=STAYS_MS, waits=False)
    )
    calls.wait(READY_WITHIN)


def _hold(folder: Path, server: tuple[str, int], held: int, *, lasts: float) -> sipp.Run:
    text = sipp.scenario(stays_ms=round((lasts + held / HELD_RATE) * 1000), waits=True)
    return sipp.begin(folder / "held", server, _numbers(7, held), rate=HELD_RATE, text=text)


@dataclass(frozen=True)
class _Beside:
    """What the callers of one rate meet."""

    folder: Path
    server: tuple[str, int]
    voice: int
    asterisk: int | None

    def at(self, result: Result, rate: int, seconds: float) -> None:
        """Call at this rate for so long, and write the figures down."""
        clock.sleep(SETTLES)
        text = sipp.scenario(stays_ms=STAYS_MS, waits=False)
        ours, theirs = cpu.of_tree(self.voice), cpu.of_tree(self.asterisk)
        numbers = _numbers(1, round(rate * seconds))
        calls = sipp.begin(self.folder / f"at-{rate}", self.server, numbers, rate=rate, text=text)
        whole = calls.wait(seconds * 3 + 30)
        many = max(1, len(calls.setups))
        figures = {
            "setup_p50_ms": _share(calls.setups, 0.5),
            "setup_p95_ms": _share(calls.setups, 0.95),
            "python_cpu_ms": (cpu.of_tree(self.voice) - ours) / many * 1000,
            "asterisk_cpu_ms": (cpu.of_tree(self.asterisk) - theirs) / many * 1000,
        }
        result.figures |= {f"{name}.{rate}": round(value, 1) for name, value in figures.items()}
        result.figures[f"failed.{rate}"] = max(calls.calls - len(calls.setups), 0 if whole else 1)
        if not whole:
            result.notes.append(f"at {rate} calls/s: {calls.said()[-200:]}")


def _share(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _numbers(series: int, many: int) -> list[str]:
    """Mobile numbers of that series, each another customer's."""
    return [f"010{series}{at:07}" for at in range(many)]


def _in_line() -> int:
    return Holding.objects.filter(ended_at=None, lease_until__gt=clock.now(), ticket__state="waiting").count()


def _until(seen: Callable[[], bool], within: float) -> None:
    deadline = clock.monotonic() + within
    while not seen() and clock.monotonic() < deadline:
        clock.sleep(0.5)


@contextmanager
def _open_hours() -> Iterator[None]:
    """Calls come while the centre is open, whenever this runs."""
    with override_settings(DOENDA_MOVABLE_CLOCK=True):
        offset.forget()
        at, now = hours.hours().opens(clock.now()), clock.now()
        if at > now:
            offset.advance(at + timedelta(minutes=30) - now)
        yield
    offset.forget()


@contextmanager
def _voice(folder: Path, made: Ground, asterisk: Asterisk) -> Iterator["subprocess.Popen[str]"]:
    """`doenda voice`, connected. Raises RuntimeError with what it logged."""
    prompts = folder / "prompts"
    prompts.mkdir()
    env = os.environ | made.env | secrets_of(folder / "data") | {
        "DJANGO_SETTINGS_MODULE": "doenda.app.settings",
        "DOENDA_ARI_URL": asterisk.url,
        "DOENDA_ARI_PASSWORD": asterisk.password,
        "DOENDA_PROMPTS": str(prompts),
        "DOENDA_MOVABLE_CLOCK": "1",
        "DOENDA_LOG": "WARNING",
    }  # fmt: skip
    argv = [sys.executable, "-m", "doenda.app.cli", "voice"]
    with (folder / "voice.log").open("w") as log:
        process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError((folder / "voice.log").read_text(errors="replace")[-2000:])
        yield process
    finally:
        process.terminate()
        process.wait(20)
