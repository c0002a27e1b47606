"""One open page: it hears at once that its visit has moved on, and what is true now of its place in line.

Server-sent events: `moved` (load the page again), `place` (a JSON list of lines). The page says what it shows (`at`,
`kind`), so nothing that happened between its loading and its listening is missed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from doenda.journeys.sessions import Standing

PLACE_EVERY, CODE_EVERY = 5.0, 60.0
"""Seconds between two looks at a page's place in line; at the digits of a page that no call has joined yet (that a call
joins is heard at once)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows. `kind`: what it lets its customer choose beside the step; `joined`: a call walks with it."""

    address: str
    step: str
    version: int
    kind: str
    lang: str
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Now:
    """What stands beside the page now. None for `lines`: no call walks this visit (any more)."""

    lines: tuple[str, ...] | None
    kind: str = ""


type Send = Callable[[str, str], Awaitable[None]]
type Watched = Callable[[str, Standing], Awaitable[Standing | None]]
type Beside = Callable[[str, str], Awaitable[Now]]


async def follow(shown: Shown, *, send: Send, watched: Watched, beside: Beside, every: float = PLACE_EVERY) -> None:
    """Until the page has to be loaded again, or its reader is gone (`send` raises)."""
    seen = Standing(shown.step, shown.version, shown.joined)
    tasks: set[asyncio.Task[None]] = {
        asyncio.create_task(_place(shown, send, beside, every)),
        asyncio.create_task(_moved(shown.address, seen, watched)),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
        await send("moved", "")
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _moved(address: str, seen: Standing, watched: Watched) -> None:
    await watched(address, seen)


async def _place(shown: Shown, send: Send, beside: Beside, every: float) -> None:
    """Tell what is new of the place; returns once the page offers what cannot be chosen any more, or lacks a choice."""
    said: tuple[str, ...] | None = None
    every = every if shown.joined else max(every, CODE_EVERY)
    while True:
        now = await beside(shown.address, shown.lang)
        if now.lines is None or now.kind != shown.kind:
            return
        if now.lines != said:
            await send("place", json.dumps(now.lines, ensure_ascii=False))
            said = now.lines
        else:
            await send("", "")  # a comment: whether the reader is there still
        await asyncio.sleep(every)
