"""While a call is at a step: is the visit still there? What a page does interrupts what the call says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from doenda.channels.voice.desk import Heard
from doenda.channels.voice.line import Line, Moved
from doenda.channels.watch import Watch
from doenda.journeys.sessions import Standing


@asynccontextmanager
async def watching(watch: Watch, line: Line, here: Heard) -> AsyncIterator[None]:
    """Raises Moved in the block, from `say` or `key`, once the visit stands elsewhere, or a page has joined it."""
    mine = line.watching = object()
    seen = Standing(here.step, here.version, here.screened)

    async def look() -> None:
        await watch.moved(here.address, seen)
        line.tell(Moved(mine))

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        line.watching = None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
