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

WORKERS = 8


class BesideCalls:
    """The house as calls ask it (`line.House`)."""

    def __init__(self) -> None:
        self._threads = Threads(WORKERS, "voice-desk")
        self._watch = Watch(lambda addresses: self.run(partial(desk.standing, addresses)))

    async def run[T](self, work: Callable[[], T]) -> T:
        """A piece of blocking work."""
        return await self._threads.run(work)

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

    async def answer(self, here: Heard, outcome: str, values: Mapping[str, str], caller: str) -> Heard:
        return await self.run(partial(desk.answer, here, outcome, values, caller))

    async def call_back(self, caller: str, lang: str) -> str:
        return await self.run(partial(desk.call_back, caller, lang))

    async def words(self, message: str, lang: str) -> str:
        return desk.words(message, lang)

    async def open_now(self) -> bool:
        return await self.run(queueing.open_now)

    async def stand(self, call_id: str, lang: str, caller: str, address: str) -> queueing.Place:
        return await self.run(partial(queueing.stand, call_id, lang=lang, caller=caller, address=address))

    async def tell(self, call_id: str, ticket: UUID, lang: str) -> queueing.Now:
        return await self.run(partial(queueing.tell, call_id, ticket, lang))

    async def renew(self, call_ids: Sequence[str]) -> frozenset[str]:
        return await self.run(partial(queueing.renew, call_ids))

    async def waits(self, call_id: str) -> bool:
        return await self.run(partial(queueing.waits, call_id))

    async def paid_meanwhile(self, address: str) -> str:
        return await self.run(partial(desk.paid_meanwhile, address))

    async def place_over(self, call_id: str, lang: str) -> str:
        return await self.run(partial(queueing.place_over, call_id, lang))

    async def let_go(self, call_id: str, *, dropped: bool) -> None:
        await self.run(partial(queueing.let_go, call_id, dropped=dropped))

    async def call_me(self, call_id: str, lang: str) -> str:
        return await self.run(partial(queueing.call_me, call_id, lang))

    async def put_back(self, assignment: UUID) -> None:
        await self.run(partial(exchange.put_back, assignment))

    async def media(self, texts: Sequence[str], lang: str) -> list[str]:
        """Each text's file; spoken now if it has not been yet."""
        return await self.run(lambda: [synthesis.media(text, lang) for text in texts if text])

    def close(self) -> None:
        self._watch.close()
        self._threads.close()
