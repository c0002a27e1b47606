"""The baton: actors are threads with database connections of their own, and exactly one of them goes on at a time.

The baton is handed over before a transaction begins, after its commit, and before and after a network call; where an
actor has read or done nothing since the last boundary there is none, for nobody could tell the difference. In the mode
"inside" it is handed over before every statement as well: an actor may then wait for a lock, which the database says
(`pg_blocking_pids`), and somebody else goes on until the lock is free.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import psycopg
from django.db import connections

from doenda.kernel import clock, net
from doenda.kernel.database import seam
from doenda.sim.interleaving.plans import NotRepeated, Walk

LONGEST = 20.0
"""Seconds until a run that does not end is ended: longer than a lock is waited for (8 s)."""
A_MOMENT = 0.003
"""Seconds that a statement may take before the database is asked whether it waits for a lock."""

type Act = Callable[[], object]


class Abandoned(BaseException):
    """The run was ended from outside: the actor's thread unwinds."""


class S(Enum):
    READY = "waits for the baton"
    RUNNING = "goes on"
    BLOCKED = "waits for a lock"
    OVER = "has ended"


@dataclass
class Ended:
    """What became of a run: what each act returned or died of; `hung`: why it did not end, or ""."""

    said: dict[str, object] = field(default_factory=dict)
    died: dict[str, BaseException] = field(default_factory=dict)
    hung: str = ""
    deadlocks: int = 0


class _Actor(threading.Thread):
    """One thread, and so one connection, which act after act runs on."""

    def __init__(self, engine: "Engine", index: int) -> None:
        super().__init__(daemon=True, name=f"actor {index}")
        self.engine, self.index = engine, index
        self.name_now, self.where, self.state = "", "", S.OVER
        self.go, self.work = threading.Semaphore(0), threading.Semaphore(0)
        self.act: Act | None = None
        self.moved = self.in_statement = False
        self.pid = 0

    def run(self) -> None:
        connection = connections["default"]
        connection.execute_wrappers.append(self._statement)
        try:
            while True:
                self.work.acquire()
                if self.act is None:
                    return
                self._one(self.act)
        finally:
            connection.close()

    def _one(self, act: Act) -> None:
        ended = self.engine.ended
        try:
            connection = connections["default"]
            connection.ensure_connection()
            self.pid = connection.connection.info.backend_pid
            self.engine.arrived(self)
            ended.said[self.name_now] = act()
        except Abandoned:
            connections["default"].close()
        except BaseException as error:  # noqa: BLE001 - whatever an actor dies of is the run's to judge
            ended.died[self.name_now] = error
        finally:
            self.engine.over(self)

    def _statement(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not self.engine.inside:
            self.moved = True
            return execute(sql, params, many, context)
        self.engine.boundary(self, str(sql)[:60])
        self.pid = context["connection"].connection.info.backend_pid
        self.moved = self.in_statement = True
        try:
            return execute(sql, params, many, context)
        except Exception as error:
            self.engine.ended.deadlocks += getattr(error.__cause__, "sqlstate", None) == "40P01"
            raise
        finally:
            self.in_statement = False
            self.engine.came_back(self)


class Engine:
    """Runs acts under a walk's decisions. The threads and their connections live as long as the block of `with`."""

    def __init__(self, actors: int, *, inside: bool = False, longest: float = LONGEST) -> None:
        self.inside, self.longest = inside, longest
        self.ended = Ended()
        self._actors = [_Actor(self, index) for index in range(actors)]
        self._cast: list[_Actor] = []
        self._changed = threading.Condition()
        self._done = threading.Event()
        self._walk = Walk()
        self._abandoned = False
        self._trouble: BaseException | None = None
        self._watcher: psycopg.Connection[Any] | None = None

    def __enter__(self) -> "Engine":
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(seam.watching(self._at_commit))
        if self.inside:
            connection = connections["default"]
            self._watcher = psycopg.connect(**connection.get_connection_params() | {"autocommit": True})
            self._stack.callback(self._watcher.close)
        for actor in self._actors:
            actor.start()
        return self

    def __exit__(self, *error: object) -> None:
        for actor in self._actors:
            actor.act = None
            actor.work.release()
        for actor in self._actors:
            actor.join(5)
        self._stack.close()

    def run(self, acts: Mapping[str, Act], walk: Walk) -> Ended:
        """Run the acts (by name) to their ends, in the order that `walk` decides. Raises NotRepeated."""
        self.ended, self._walk, self._abandoned, self._trouble = Ended(), walk, False, None
        self._done.clear()
        self._cast = self._actors[: len(acts)]
        for actor, (name, act) in zip(self._cast, acts.items(), strict=True):
            actor.name_now, actor.act, actor.state, actor.where = name, act, S.OVER, "the beginning"
            actor.go = threading.Semaphore(0)
        self._waited_for = len(acts)
        for actor in self._cast:
            actor.work.release()
        self._wait()
        if self._trouble is not None:
            raise self._trouble
        return self.ended

    def through(self, line: net.Transport) -> net.Transport:
        """The line with a boundary before and after every call of an actor."""

        def carry(request: net.Request) -> net.Reply:
            actor = self._me()
            if actor is None:
                return line(request)
            self.boundary(actor, f"> {request.dep} {request.method}")
            actor.moved = True
            try:
                return line(request)
            finally:
                self.boundary(actor, f"< {request.dep}")

        return carry

    def pause(self, where: str) -> None:
        """A boundary that the actor in whose thread this is called names itself."""
        actor = self._me()
        if actor is not None:
            actor.moved = True
            self.boundary(actor, where)

    # --- called by actors

    def boundary(self, actor: _Actor, where: str) -> None:
        """Here somebody else may go on."""
        if not actor.moved:
            return
        actor.moved = False
        self.arrived(actor, where)

    def arrived(self, actor: _Actor, where: str = "the beginning") -> None:
        with self._changed:
            actor.state, actor.where = S.READY, where
            actor.moved = False
            self._changed.notify_all()
            self._next(actor)
        self._await(actor)

    def came_back(self, actor: _Actor) -> None:
        """A statement has its answer. Who had waited for a lock meanwhile waits for the baton now."""
        with self._changed:
            if actor.state is not S.BLOCKED:
                return
            actor.state = S.READY
            self._changed.notify_all()
            if not any(each.state is S.RUNNING for each in self._cast):
                self._next(actor)
        self._await(actor)

    def over(self, actor: _Actor) -> None:
        with self._changed:
            actor.state, actor.where = S.OVER, "the end"
            self._changed.notify_all()
            self._next(actor)

    def _await(self, actor: _Actor) -> None:
        if not self._abandoned:
            actor.go.acquire()
        if self._abandoned:
            raise Abandoned

    def _at_commit(self, when: seam.When, wrapper: Any) -> None:
        actor = self._me()
        if actor is None or wrapper.alias != "default":
            return
        if when == "begin":
            self.boundary(actor, "begin")
            actor.moved = not self.inside  # there, each of its statements says so itself
        elif when == "before":
            actor.in_statement = True  # deferred constraints may wait for a lock
        else:
            actor.in_statement, actor.moved = False, True
            self.came_back(actor)
            self.boundary(actor, "commit")

    def _me(self) -> _Actor | None:
        thread = threading.current_thread()
        return thread if isinstance(thread, _Actor) and thread.engine is self else None

    # --- who is next

    def _next(self, _: _Actor) -> None:
        """Hand the baton on, once all have come to their places. Holds the lock."""
        if self._waited_for:
            self._waited_for -= 1
            if self._waited_for:
                return
        if self._abandoned:
            self._finish_if_over()
            return
        self._settle()
        runnable = [each.index for each in self._cast if each.state is S.READY]
        if any(each.state is S.RUNNING for each in self._cast):
            return
        if not runnable:
            self._finish_if_over()
            return
        try:
            chosen = self._cast[self._walk.choose(runnable)]
        except NotRepeated as error:
            self._trouble = error
            self._abandon()
            return
        chosen.state = S.RUNNING
        chosen.go.release()

    def _finish_if_over(self) -> None:
        if all(each.state is S.OVER for each in self._cast):
            self._done.set()

    def _settle(self) -> None:
        """Wait until whoever the last commit let go on has come back, so that the same plan finds the same choices."""
        end = clock.monotonic() + self.longest / 2
        while clock.monotonic() < end and not self._abandoned:
            blocked = [each for each in self._cast if each.state is S.BLOCKED]
            if all(self._waits(each) for each in blocked):
                return
            self._changed.wait(A_MOMENT / 3)

    def _waits(self, actor: _Actor) -> bool:
        assert self._watcher is not None
        others = [each.pid for each in self._cast if each is not actor]  # a vacuum holds nobody up for long
        row = self._watcher.execute("SELECT pg_blocking_pids(%s) && %s::int[]", [actor.pid, others]).fetchone()
        return bool(row and row[0])

    # --- the thread that runs the run

    def _wait(self) -> None:
        end = clock.monotonic() + self.longest
        while not self._done.wait(A_MOMENT if self.inside else self.longest):
            if clock.monotonic() > end:
                self._hang()
                return
            with self._changed:
                running = next((each for each in self._cast if each.state is S.RUNNING), None)
                if running is not None and running.in_statement and self._waits(running):
                    running.state = S.BLOCKED
                    self._next(running)

    def _hang(self) -> None:
        said = ", ".join(f"{each.name_now} {each.state.value} at {each.where!r}" for each in self._cast)
        self.ended.hung = f"after {self.longest:g} s: {said}"
        with self._changed:
            self._abandon()
        with contextlib.suppress(psycopg.Error), self._superuser() as connection:
            for each in self._cast:
                if each.state in (S.RUNNING, S.BLOCKED):
                    connection.execute("SELECT pg_terminate_backend(%s)", [each.pid])
        if not self._done.wait(5):
            raise RuntimeError(f"{self._walk.plan}: actors that cannot be ended; {self.ended.hung}")

    def _superuser(self) -> "psycopg.Connection[Any]":
        """A second look as the same role: it may end its own."""
        return psycopg.connect(**connections["default"].get_connection_params() | {"autocommit": True})

    def _abandon(self) -> None:
        self._abandoned = True
        for each in self._cast:
            if each.state is S.READY:
                each.go.release()


@contextlib.contextmanager
def troupe(actors: int, *, inside: bool = False) -> Iterator[Engine]:
    """An engine for as many actors."""
    with Engine(actors, inside=inside) as engine:
        yield engine
