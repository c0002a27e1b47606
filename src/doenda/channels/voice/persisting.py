"""No passing fault of ours leaves a living caller with nobody: they hear music, and are served on where they stand."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

from doenda.channels.voice.ari import Ari, AriError, Gone
from doenda.channels.voice.ari_line import AriLine
from doenda.channels.voice.line import HungUp

log = logging.getLogger(__name__)

PAUSES = (1.0, 3.0, 8.0)
"""Seconds of music after each fault before the next try; after the last one whoever asked has another way."""
GONE_WITHIN = 2.0
"""How long after the last word, or a "not there", Asterisk's own word that the caller has gone may take."""


class Persisting:
    """`ends`: whoever is there still, by channel."""

    def __init__(self, ari: Ari, ends: Mapping[str, AriLine]) -> None:
        self._ari, self._ends = ari, ends

    async def serve(self, line: AriLine, work: Callable[[], Awaitable[object]]) -> bool:
        """Do it, again after each fault, until the caller is gone. False: they are there still, and nothing helps."""
        for pause in (*PAUSES, 0.0):
            try:
                await work()
            except (Gone, HungUp):
                pass
            except Exception:
                log.exception("call %s", line.id)
                if line.id not in self._ends:
                    return True
            if await self._gone(line):
                return True
            if pause:
                log.warning("call %s is there still: once more in %.0f s", line.id, pause)
                await self._hold(line, pause)
        return False

    async def _hold(self, line: AriLine, pause: float) -> None:
        with contextlib.suppress(AriError):
            await self._ari.music(line.id)
        await asyncio.sleep(pause)
        await self._ari.ready.wait()
        with contextlib.suppress(AriError):
            await self._ari.music_off(line.id)

    async def _gone(self, line: AriLine) -> bool:
        now = asyncio.get_running_loop().time
        until = now() + GONE_WITHIN
        while line.id in self._ends and now() < until:
            await asyncio.sleep(0.05)
        return line.id not in self._ends


async def told(work: Callable[[], Awaitable[object]]) -> None:
    """A note for the rows which must not be lost to a passing fault; given up, and logged, after some tries."""
    for pause in (*PAUSES, 0.0):
        try:
            await work()
        except Exception:
            log.exception("the line was not told; again in %.0f s", pause)
            await asyncio.sleep(pause)
        else:
            return
