"""The blocking work of calls in threads, each with a database connection of its own."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from uuid import UUID

from doenda.channels.threads import Threads
from doenda.channels.voice import desk, exchange, queueing, synthesis
from doenda.channels.voice.asking import Asking
from doenda.channels.voice.desk import Heard
from doenda.channels.voice.line import Line
from doenda.channels.voice.watching import watching
from doenda.channels.watch import Watch

ANSWERS, DESK, LINE = 6, 4, 3
"""Threads: for answers, which may wait long for a provider; for what is to be said; for places in line and agents.
With the lease's own they are fewer than the database's connections (DOENDA_POOL)."""


class BesideCalls:
    """The house as calls ask it (`line.House`). Whatever takes long holds up its own kind of work alone: a provider
    that hangs takes neither the words of other calls, nor the line, nor the lease of the telephone."""

    def __init__(self) -> None:
        self._answers, self._desk = Threads(ANSWERS, "voice-answers"), Threads(DESK, "voice-desk")
        self._line, self._lease = Threads(LINE, "voice-line"), Threads(1, "voice-lease")
        self._watch = Watch(lambda addresses: self.line(partial(desk.standing, addresses)))

    async def run[T](self, work: Callable[[], T]) -> T:
        """A piece of blocking work for what is to be said."""
        return await self._desk.run(work)

    async def line[T](self, work: Callable[[], T]) -> T:
        """A piece of blocking work on places in line, agents and callbacks: short, all of it."""
        return await self._line.run(work)

    async def lease[T](self, work: Callable[[], T]) -> T:
        """Keeping the telephone."""
        return await self._lease.run(work)

    async def opening(self, lang: str, caller: str) -> tuple[tuple[str, ...], Asking, tuple[tuple[str, ...], ...]]:
        lines, keys, prompts = await self.run(partial(desk.opening, lang, caller))
        return lines, Asking(keys), prompts

    async def begin(self, lang: str, caller: str, call: str) -> Heard:
        return await self.run(partial(desk.begin, lang, caller, call))

    async def look(self, address: str, caller: str) -> Heard:
        return await self.run(partial(desk.look, address, caller))

    def watching(self, line: Line, here: Heard) -> AbstractAsyncContextManager[None]:
        return watching(self._watch, line, here)

    async def page_digits(self, lang: str) -> tuple[Asking, tuple[tuple[str, ...], ...]]:
        keys, prompts = desk.page_digits(lang)
        return Asking(keys), prompts

    async def take_up(self, code: str, caller: str, call: str) -> Heard | None:
        return await self.run(partial(desk.take_up, code, caller, call))

    async def invite(self, address: str, caller: str, call: str, lang: str) -> str:
        return await self.run(partial(desk.invite, address, caller, call, lang))

    async def answer(self, here: Heard, outcome: str, values: Mapping[str, str], caller: str, call: str) -> Heard:
        return await self._answers.run(partial(desk.answer, here, outcome, values, caller, call))

    async def call_back(self, caller: str, lang: str) -> str:
        return await self.run(partial(desk.call_back, caller, lang))

    async def words(self, message: str, lang: str) -> str:
        return desk.words(message, lang)

    async def open_now(self) -> bool:
        return await self.line(queueing.open_now)

    async def stand(self, call_id: str, lang: str, caller: str, address: str) -> queueing.Place:
        return await self.line(partial(queueing.stand, call_id, lang=lang, caller=caller, address=address))

    async def tell(self, call_id: str, ticket: UUID, lang: str) -> queueing.Now:
        return await self.line(partial(queueing.tell, call_id, ticket, lang))

    async def renew(self, call_ids: Sequence[str]) -> frozenset[str]:
        return await self.line(partial(queueing.renew, call_ids))

    async def waits(self, call_id: str) -> bool:
        return await self.line(partial(queueing.waits, call_id))

    async def paid_meanwhile(self, address: str) -> str:
        return await self.run(partial(desk.paid_meanwhile, address))

    async def place_over(self, call_id: str, lang: str) -> str:
        return await self.line(partial(queueing.place_over, call_id, lang))

    async def let_go(self, call_id: str, *, dropped: bool) -> None:
        await self.line(partial(queueing.let_go, call_id, dropped=dropped))

    async def call_me(self, call_id: str, lang: str) -> str:
        return await self.line(partial(queueing.call_me, call_id, lang))

    async def put_back(self, assignment: UUID) -> None:
        await self.line(partial(exchange.put_back, assignment))

    async def media(self, texts: Sequence[str], lang: str) -> list[str]:
        """Each text's file; spoken now if it has not been yet."""
        return await self.run(lambda: [synthesis.media(text, lang) for text in texts if text])

    def close(self) -> None:
        self._watch.close()
        for each in (self._answers, self._desk, self._line, self._lease):
            each.close()
