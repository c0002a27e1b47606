"""The blocking work of calls in threads, each with a database connection of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from django.db import connection

from doenda.channels.voice import desk, exchange, queueing, synthesis
from doenda.channels.voice.asking import Asking
from doenda.channels.voice.desk import Heard

WORKERS = 8


class BesideCalls:
    """The house as calls ask it (`line.House`)."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="voice-desk")

    async def run[T](self, work: Callable[[], T]) -> T:
        """A piece of blocking work."""

        def do() -> T:
            try:
                return work()
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self._pool, do)

    async def opening(self, lang: str) -> tuple[tuple[str, ...], Asking, tuple[tuple[str, ...], ...]]:
        lines, keys, prompts = await self.run(partial(desk.opening, lang))
        return lines, Asking(keys), prompts

    async def begin(self, lang: str, caller: str) -> Heard:
        return await self.run(partial(desk.begin, lang, caller))

    async def look(self, address: str, caller: str) -> Heard:
        return await self.run(partial(desk.look, address, caller))

    async def stands(self, address: str) -> tuple[str, int]:
        return await self.run(partial(desk.stands, address))

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

    async def tell(self, ticket: UUID, lang: str) -> tuple[str, ...]:
        return await self.run(partial(queueing.tell, ticket, lang))

    async def renew(self, call_ids: Sequence[str]) -> frozenset[str]:
        return await self.run(partial(queueing.renew, call_ids))

    async def waits(self, call_id: str) -> bool:
        return await self.run(partial(queueing.waits, call_id))

    async def let_go(self, call_id: str, *, dropped: bool) -> None:
        await self.run(partial(queueing.let_go, call_id, dropped=dropped))

    async def call_me(self, ticket: UUID, lang: str) -> str:
        return await self.run(partial(queueing.call_me, ticket, lang))

    async def put_back(self, assignment: UUID) -> None:
        await self.run(partial(exchange.put_back, assignment))

    async def media(self, texts: Sequence[str], lang: str) -> list[str]:
        """Each text's file; spoken now if it has not been yet."""
        return await self.run(lambda: [synthesis.media(text, lang) for text in texts if text])

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
