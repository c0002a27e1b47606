"""What all peers have in common: a lock, a clock, a journal, timers, and deliveries that are tried again."""

import heapq
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from peers.faults import AFTER, BEFORE, EVERYONE, Faults
from peers.http import NoAnswer, Refused, Request, Response, answer
from peers.journal import Journal
from peers.outgoing import RETRY_AFTER, Delivery

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Hook:
    """Something to be sent at `at` (seconds); `ident` is what the receiver sees, the same in every try."""

    number: int
    ident: str
    url: str
    body: str
    at: float
    secret: str = ""
    tries: int = 0
    again: bool = True


@dataclass(frozen=True, slots=True)
class HookDone:
    """Received, or given up."""

    number: int


@dataclass(frozen=True, slots=True)
class FaultsSet:
    """The board of faults as it stands from now on."""

    document: dict[str, Any]


def iso(at: float) -> str:
    """An instant as the peers write it: UTC, milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


class Truth(ABC):
    """A peer without HTTP. Thread-safe: every public method takes the lock, and none sleeps or sends under it.

    All state is made of changes: `commit` writes them as one journal line, then applies them; a start replays them.
    """

    kinds: ClassVar[tuple[type, ...]] = ()  # the changes of this peer, besides the common ones
    faults: Faults

    def __init__(self, journal: Journal, clock: Clock | None, base_url: str) -> None:
        self.base_url = base_url
        self.wake = threading.Event()
        self.hooks: dict[int, Hook] = {}
        self._clock = clock or time.time
        self._lock = threading.RLock()
        self._journal = journal
        self._timers: list[tuple[float, str]] = []
        self._outgoing: list[tuple[float, int]] = []
        self._last_hook = 0
        self._replay()

    def now(self) -> float:
        """The peer's clock, in seconds since 1970."""
        return self._clock()

    def handle(self, request: Request) -> Response:
        """Answer one request; what was decided is durable by then. Raises NoAnswer when a fault withholds it."""
        try:
            with self._lock:
                self._advance(self.now())
                try:
                    return self._answer(request)
                except Refused as no:
                    return self._error(no)
                finally:
                    if self.faults.changed:
                        self.faults.changed = False
                        self.commit(FaultsSet(self.faults.document()))
        finally:
            self._journal.sync()

    def due(self) -> float | None:
        """When `tick` has something to do next, in seconds of the clock; None if nothing is planned."""
        with self._lock:
            return min((heap[0][0] for heap in (self._timers, self._outgoing) if heap), default=None)

    def tick(self, now: float | None = None) -> list[Delivery]:
        """Do what is due and give what is to be sent; each delivery given is not given again before `sent`."""
        with self._lock:
            at = self.now() if now is None else now
            self._advance(at)
            ready: list[Delivery] = []
            while self._outgoing and self._outgoing[0][0] <= at:
                hook = self.hooks.get(heapq.heappop(self._outgoing)[1])
                if hook is not None:
                    ready.append(Delivery(str(hook.number), hook.url, self._sign(hook, at), hook.body.encode()))
        self._journal.sync()
        return ready

    def sent(self, delivery: Delivery, status: int | None) -> None:
        """A try ended with this status, or with none: done if 2xx, else tried again after 1, 4, 16 and 64 s."""
        with self._lock:
            hook = self.hooks.get(int(delivery.ref))
            if hook is None:
                return
            received = status is not None and 200 <= status < 300
            if received or not hook.again or hook.tries >= len(RETRY_AFTER):
                self.commit(HookDone(hook.number))
            else:
                self.commit(replace(hook, at=self.now() + RETRY_AFTER[hook.tries], tries=hook.tries + 1))

    def close(self) -> None:
        """Let go of the journal."""
        with self._lock:
            self._journal.sync()
            self._journal.close()

    def struck(
        self, on: str, act: Callable[[float], Response], *, key: str = EVERYONE, lost: str, unsaid: str
    ) -> Response:
        """A request under the faults that cut or delay it. `act` gets the seconds that its answer will be late; `lost`
        and `unsaid` are this peer's codes for an error before any effect and after it."""
        before = self.faults.fires(BEFORE, key, on)
        if before:
            if before.name == "error_before":
                raise Refused(500, lost, "nothing was done", kept=False)
            raise NoAnswer(before.hold())
        after = self.faults.fires(AFTER, key, on)
        late = after.hold(5.0) if after and after.name == "slow" else 0.0
        try:
            response = act(late)
        except Refused as no:
            response = self._error(no)
        if after is None:
            return response
        if after.name == "timeout_after":
            raise NoAnswer(after.hold())
        if after.name == "error_after":
            raise Refused(500, unsaid, "the result is not known here", kept=False)
        return replace(response, delay_seconds=late)

    def commit(self, *changes: object) -> None:
        """Decide: all of these changes or none."""
        if changes:
            self._journal.append([[type(change).__name__, _values(change)] for change in changes])
            for change in changes:
                self._apply_any(change)

    def next_hook(self) -> int:
        """A number for a new hook."""
        self._last_hook += 1
        return self._last_hook

    def plan(self, at: float, key: str) -> None:
        """Call `_ring(key)` at this instant."""
        heapq.heappush(self._timers, (at, key))
        self.wake.set()

    def _advance(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            self._ring(heapq.heappop(self._timers)[1], now)

    def _replay(self) -> None:
        kinds = {kind.__name__: kind for kind in (Hook, HookDone, FaultsSet, *self.kinds)}
        for record in self._journal.replay():
            for name, values in record:
                self._apply_any(kinds[name](**values))
        self.faults.changed = False

    def _apply_any(self, change: object) -> None:
        if isinstance(change, Hook):
            self.hooks[change.number] = change
            self._last_hook = max(self._last_hook, change.number)
            heapq.heappush(self._outgoing, (change.at, change.number))
            self.wake.set()
        elif isinstance(change, HookDone):
            self.hooks.pop(change.number, None)
        elif isinstance(change, FaultsSet):
            if change.document != self.faults.document():
                self.faults.put(change.document)
        else:
            self._apply(change)

    def _error(self, no: Refused) -> Response:
        return answer(no.status, {"code": no.code, "message": no.message})

    @abstractmethod
    def _answer(self, request: Request) -> Response:
        """Under the lock."""

    @abstractmethod
    def _apply(self, change: object) -> None:
        """Take one change of this peer's own kinds into the state."""

    @abstractmethod
    def _ring(self, key: str, now: float) -> None:
        """A timer has come; it may be out of date."""

    def _sign(self, hook: Hook, now: float) -> Mapping[str, str]:
        """The headers of one try."""
        return {"Content-Type": "application/json; charset=utf-8"}


_NAMES: dict[type, tuple[str, ...]] = {}


def _values(change: Any) -> dict[str, Any]:
    kind = type(change)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(one.name for one in fields(kind))
    return {name: getattr(change, name) for name in names}
