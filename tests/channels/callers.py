"""A caller with a script: what is heard is kept, what is pressed comes from the script, one key at a time."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from doenda.channels.voice import desk, exchange, queueing
from doenda.channels.voice.asking import Asking
from doenda.channels.voice.calls import Call
from doenda.channels.voice.desk import Heard
from doenda.channels.voice.line import HungUp, Interruption, Line, Moved
from doenda.journeys.sessions import Standing

type Pressed = str | Callable[[], str | None] | None


class Here:
    """`desk` in this very thread."""

    async def opening(self, lang: str, caller: str) -> tuple[tuple[str, ...], Asking, tuple[tuple[str, ...], ...]]:
        lines, keys, prompts = desk.opening(lang, caller)
        return lines, Asking(keys), prompts

    async def begin(self, lang: str, caller: str, call: str) -> Heard:
        return desk.begin(lang, caller, call)

    async def look(self, address: str, caller: str) -> Heard:
        return desk.look(address, caller)

    @asynccontextmanager
    async def watching(self, line: Line, here: Heard) -> AsyncIterator[None]:
        """Nothing runs beside here: the caller looks by itself, whenever a key is awaited."""
        line.watching = here
        try:
            yield
        finally:
            line.watching = None

    async def page_digits(self, lang: str) -> tuple[Asking, tuple[tuple[str, ...], ...]]:
        keys, prompts = desk.page_digits(lang)
        return Asking(keys), prompts

    async def take_up(self, code: str, caller: str, call: str) -> Heard | None:
        return desk.take_up(code, caller, call)

    async def invite(self, address: str, caller: str, call: str, lang: str) -> str:
        return desk.invite(address, caller, call, lang)

    async def answer(self, here: Heard, outcome: str, values: Mapping[str, str], caller: str, call: str) -> Heard:
        return desk.answer(here, outcome, values, caller, call)

    async def call_back(self, caller: str, lang: str) -> str:
        return desk.call_back(caller, lang)

    async def words(self, message: str, lang: str) -> str:
        return desk.words(message, lang)

    async def open_now(self) -> bool:
        return queueing.open_now()

    async def stand(self, call_id: str, lang: str, caller: str, address: str) -> queueing.Place:
        return queueing.stand(call_id, lang=lang, caller=caller, address=address)

    async def tell(self, call_id: str, ticket: UUID, lang: str) -> queueing.Now:
        return queueing.tell(call_id, ticket, lang)

    async def paid_meanwhile(self, address: str) -> str:
        return desk.paid_meanwhile(address)

    async def place_over(self, call_id: str, lang: str) -> str:
        return queueing.place_over(call_id, lang)

    async def let_go(self, call_id: str, *, dropped: bool) -> None:
        queueing.let_go(call_id, dropped=dropped)

    async def call_me(self, call_id: str, lang: str) -> str:
        return queueing.call_me(call_id, lang)

    async def renew(self, call_ids: Sequence[str]) -> frozenset[str]:
        return queueing.renew(call_ids)

    async def put_back(self, assignment: UUID) -> None:
        exchange.put_back(assignment)


class Stays(Exception):
    """The script is over; the caller is there still."""


class Caller:
    """Presses what the script says next: a key, None (waits until the house speaks again), or what a function says.

    When the script has ended the caller hangs up, or (`hangs_up` off) stays, and is looked at no more.
    """

    hangs_up = True

    def __init__(self, *script: Pressed, number: str = "") -> None:
        self.id, self.caller = "call-1", number
        self.music_on = self.in_line = self.holds = False
        self.talks: UUID | bool = False
        self.watching: Any = None
        self.heard: list[str] = []
        self.joined: list[str] = []
        self.closed = False
        self._script: Iterator[Pressed] = iter(script)

    async def say(self, texts: Sequence[str], lang: str) -> str | None:
        self.heard.append(" ".join(texts))
        return self._next()

    async def key(self, within: float) -> str | None:
        return self._next()

    async def music(self, *, on: bool) -> None:
        self.music_on = on

    async def join(self, bridge: str) -> None:
        self.joined.append(bridge)

    async def gone(self) -> bool:
        return True

    async def close(self) -> None:
        self.closed = True

    def tell(self, what: Interruption) -> None:
        raise what

    def _next(self) -> str | None:
        try:
            pressed = next(self._script)
        except StopIteration:
            raise (HungUp if self.hangs_up else Stays) from None
        key = pressed() if callable(pressed) else pressed
        self._look()
        return key

    def _look(self) -> None:
        """Has a page moved the visit, or joined it?"""
        if (here := self.watching) is None:
            return
        found = desk.standing([here.address]).get(here.address)
        if found != Standing(here.step, here.version, here.screened):
            self.watching = None
            raise Moved


def call(caller: Caller, *, lang: str = "ko", address: str = "", waits: bool = False) -> Call:
    """One whole call."""
    made = Call(caller, Here(), lang=lang)
    drive(made.run(address, waits=waits))
    return made


def drive(walk: Coroutine[Any, Any, None]) -> None:
    """Run it to its end in this thread: nothing in it waits for anything, and the test's transaction is seen."""
    try:
        walk.send(None)
    except (StopIteration, Stays):
        return
    raise AssertionError("the call waits for something outside the script")
