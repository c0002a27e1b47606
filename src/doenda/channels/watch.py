"""Watching many visits at once: one look a second for all of them, whoever watches, a call or a page."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from doenda.journeys.sessions import Standing

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
type Look = Callable[[Iterable[str]], Awaitable[Mapping[str, Standing]]]


class Watch:
    """`look` tells where visits stand. It runs while anybody watches, and never twice at the same time."""

    def __init__(self, look: Look, *, every: float = LOOK_EVERY) -> None:
        self._look, self._every = look, every
        self._watched: dict[str, list[tuple[Standing | None, asyncio.Future[Standing | None]]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def moved(self, address: str, seen: Standing | None) -> Standing | None:
        """Where the visit stands, as soon as that is not `seen`; None: nobody knows it."""
        told: asyncio.Future[Standing | None] = asyncio.get_running_loop().create_future()
        mine = (seen, told)
        self._watched.setdefault(address, []).append(mine)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            return await told
        finally:
            left = [each for each in self._watched.get(address, []) if each is not mine]
            if left:
                self._watched[address] = left
            else:
                self._watched.pop(address, None)

    async def _run(self) -> None:
        while self._watched:
            await asyncio.sleep(self._every)
            asked = list(self._watched)
            if not asked:
                return
            try:
                found = await self._look(asked)
            except Exception:
                log.exception("where %s visits stand was not learnt", len(asked))
                continue
            for address in asked:
                self._tell(address, found.get(address))

    def _tell(self, address: str, now: Standing | None) -> None:
        for seen, told in self._watched.get(address, []):
            if now != seen and not told.done():
                told.set_result(now)

    def close(self) -> None:
        """Nobody is told anything any more."""
        if self._task is not None:
            self._task.cancel()
