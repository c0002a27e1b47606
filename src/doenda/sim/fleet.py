"""Processes that play: each with a database of its own on one throwaway server, told what to play, telling what it saw.

A child is the same command again. It reads one job from its standard input and writes a line of JSON for every play;
when that input ends, because its parent ended it or was killed, it ends as well.
"""

import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from doenda.kernel import embedded
from doenda.sim import building, databases, ground, pinned, replay, shrink, story, sweep
from doenda.sim.run import Played, play
from doenda.sim.schedule import Schedule

SHRUNK = 3
"""Violations that one process shrinks; later ones are told as they are."""


COLLECTED = 20
"""Worlds from one garbage collection to the next."""


@dataclass(frozen=True)
class Job:
    """What one child plays: `seeds`, `again` (seeds of another child, for their fingerprints), pinned worlds by place,
    scenarios of interleavings by name (at most `most` plans each), planted bugs by name."""

    seeds: Sequence[int] = ()
    again: Sequence[int] = ()
    worlds: Sequence[int] = ()
    scenarios: Sequence[str] = ()
    most: int = 0
    planted: Sequence[str] = ()
    stories: bool = False
    """Is the story of every seed told?"""


@dataclass
class Seen:
    """What a child tells of one play ("played", "again"), one pinned world ("swept"), one scenario ("interleaved":
    `covered` of `points` plans), or one planted bug ("planted": `covered` if it was found)."""

    kind: str
    seed: int
    steps: int = 0
    points: int = 0
    covered: int = 0
    fingerprint: str = ""
    faults: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    moves: Sequence[tuple[str, str]] = ()
    violations: Sequence[str] = ()
    story: str = ""
    providers: Sequence[str] = ()
    happened: Mapping[str, int] = field(default_factory=dict)


def work(job: Job) -> Iterator[Seen]:
    """A child's part, on the database that this process is connected to."""
    laid = ground.lay({name: {} for name in building.EVERY})
    left = SHRUNK
    gc.freeze()
    gc.disable()  # a tenth of a world's time; what circles leave behind is swept up between worlds
    for number, seed in enumerate(job.seeds):
        if number % COLLECTED == 0:
            gc.collect()
        schedule = replay.schedule_of(seed)
        played = play(laid, schedule)
        told = ""
        if played.violations:
            told = _story(laid, schedule, played, shrinks=left > 0)
            left -= 1
        elif job.stories:
            told = story.tell(played)
        yield _seen("played", played, told)
    gc.enable()
    for seed in job.again:
        yield _seen("again", play(laid, replay.schedule_of(seed)))
    worlds = list(pinned.worlds())
    for at in job.worlds:
        yield _swept(at, sweep.sweep(laid, worlds[at]))
    for name in job.planted:
        yield _planted(name, laid)
    if job.scenarios:
        from doenda.sim.interleaving import run as interleaving

        laid.clear()
        for ran in interleaving.run(job.scenarios, most=job.most, empty=laid.clear):
            wrong = [f"{ran.name}, {each.plan}: {'; '.join(each.words)}" for each in ran.failures]
            yield Seen("interleaved", 0, points=ran.possible, covered=ran.run, violations=wrong, story=ran.line)
    laid.close()


def _planted(name: str, laid: ground.Ground) -> Seen:
    """Is it found, and are the same worlds clean without it?"""
    from doenda.sim import planted

    bug = next(each for each in planted.every() if each.name == name)
    found = planted.find(laid, bug)
    if found is None:
        return Seen("planted", 0, points=1, story=f"{name}: NOT FOUND")
    wrong = [f"{name}, without it: {each}" for played in planted.control(laid, found) for each in played.violations]
    return Seen("planted", 0, points=1, covered=1, violations=wrong, story=f"{name}: {found.violation}")


def _story(laid: ground.Ground, schedule: Schedule, played: Played, *, shrinks: bool) -> str:
    if not shrinks:
        return story.tell(played)
    shrunk = shrink.shrink(lambda tried, only: play(laid, tried, only=only), schedule, played)
    return story.tell_shrunk(shrunk, len(schedule.steps))


def _seen(kind: str, played: Played, told: str = "") -> Seen:
    return Seen(
        kind,
        played.seed,
        steps=played.steps,
        points=played.points,
        fingerprint=played.fingerprint,
        faults=dict(played.faults),
        kinds=dict(played.kinds),
        moves=sorted(played.moves),
        violations=[str(each) for each in played.violations],
        story=told,
        providers=played.providers,
        happened=dict(played.happened),
    )


def _swept(at: int, found: sweep.Swept) -> Seen:
    return Seen(
        "swept",
        at,
        points=found.points,
        covered=found.covered,
        kinds=dict(found.kinds),
        moves=sorted(found.moves),
        violations=[f"{found.name}: {each}" for played in found.failed for each in played.violations],
        story="\n".join(story.tell(played) for played in found.failed[:SHRUNK]),
    )


def child() -> None:
    """Play the job that stands on standard input; the connection is named by the environment."""
    job = Job(**given())
    for seen in work(job):
        sys.stdout.write(json.dumps(asdict(seen)) + "\n")
        sys.stdout.flush()


def given() -> dict[str, Any]:
    """The job on the standard input; from now on this process ends when that input does."""
    job: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_until_the_end, daemon=True).start()
    return job


def _until_the_end() -> None:
    sys.stdin.read()
    os._exit(1)


def run(argv: Sequence[str], jobs: Sequence[Job], tells: Callable[[Seen], None]) -> list[str]:
    """Play every job in a process of its own; `argv` begins the command whose `child` it is. What went wrong with the
    processes themselves."""
    with databases.server() as server, ExitStack() as stack:
        children = [start(stack, server, argv, at, job) for at, job in enumerate(jobs)]
        lock, wrong = threading.Lock(), list[str]()

        def listen(process: "subprocess.Popen[str]") -> None:
            assert process.stdout is not None
            for line in process.stdout:
                with lock:
                    tells(Seen(**json.loads(line)))

        threads = [threading.Thread(target=listen, args=(process,)) for process in children]
        for thread in threads:
            thread.start()
        for thread, process in zip(threads, children, strict=True):
            thread.join()
            if process.wait():
                assert process.stderr is not None
                wrong.append(f"a process ended with {process.returncode}: {process.stderr.read()[-2000:]}")
        return wrong


def start(stack: ExitStack, server: embedded.Server, argv: Sequence[str], at: int, job: Any) -> "subprocess.Popen[str]":
    """A child on a clone of the template; `job`, a dataclass of plain values, stands on its standard input."""
    name = databases.clone(server, f"worlds_{at + 1}")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("DATABASE_", "DOENDA_", "DJANGO_"))}
    env |= {
        "DATABASE_URL": server.url(name, embedded.APP),
        "DATABASE_OWNER_URL": server.url(name, embedded.OWNER),
        "DOENDA_STRICT": "1",
        "DOENDA_POOL": "0",
        "DOENDA_PREPARE": "1",
        "DOENDA_LOG": "ERROR",
    }
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([*argv], env=env, text=True, **pipes)  # noqa: S603 - our own command
    stack.callback(_end, process)
    assert process.stdin is not None
    process.stdin.write(json.dumps(_plain(job)) + "\n")
    process.stdin.flush()
    return process


def _plain(job: Any) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, Sequence) else value for name, value in vars(job).items()}


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
