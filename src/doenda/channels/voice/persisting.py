"""No passing fault of ours leaves a living caller with nobody: they hear music, and are served on where they stand."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from django.db import OperationalError

from doenda.channels.voice.ari import Ari, AriError, Gone
from doenda.channels.voice.ari_line import AriLine
from doenda.channels.voice.line import HungUp

log = logging.getLogger(__name__)

PAUSES = (1.0, 3.0, 8.0)
"""Seconds of music after each fault before the next try; after the last one whoever asked has another way."""
WELL_AFTER = 60.0
"""Seconds of service without a fault after which an earlier one is forgotten."""


class Persisting:
    """Serving callers of one Asterisk."""

    def __init__(self, ari: Ari) -> None:
        self._ari = ari

    async def serve(self, line: AriLine, work: Callable[[], Awaitable[object]]) -> bool:
        """Do it, again after each fault, until the caller is gone. False: they are there still, and nothing helps.

        What has gone well for a while begins its tries anew. A database that is away is waited for: whoever hears music
        meanwhile is better off than whom we send away.
        """
        now = asyncio.get_running_loop().time
        tries = 0
        while True:
            begun, away = now(), False
            try:
                await work()
            except (Gone, HungUp):
                pass
            except Exception as error:
                away = isinstance(error, OperationalError)
                log.exception("call %s", line.id)
            if line.left or await line.gone():
                return True
            tries = 0 if now() - begun > WELL_AFTER else tries
            if tries == len(PAUSES):
                if not away:
                    return False
                tries -= 1
            log.warning("call %s is there still: once more in %.0f s", line.id, PAUSES[tries])
            await self._hold(line, PAUSES[tries])
            tries += 1

    async def _hold(self, line: AriLine, pause: float) -> None:
        with contextlib.suppress(AriError):
            await self._ari.music(line.id)
        await asyncio.sleep(pause)
        await self._ari.ready.wait()
        with contextlib.suppress(AriError):
            await self._ari.music_off(line.id)


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
