"""Calls that we place: an agent's telephone, a customer who asked to be called. Each under an id of ours, so that what
was begun by a process that died is found, and never begun twice."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from doenda.channels.voice.ari import Ari, AriError, Channel
from doenda.channels.voice.ari_line import AriLine
from doenda.channels.voice.beside import BesideCalls

log = logging.getLogger(__name__)

BUSY, REJECTED, SILENT, FAILED = 17, 21, 19, 0
"""Causes of Q.850, and ours for a call that could not be placed."""
GRACE = 5.0
"""Seconds after which a ringing that nobody ended is ended by us."""


class Dialler:
    """`ends`: every channel that is served, for the reader of the events; ours are put there when they answer."""

    def __init__(self, ari: Ari, house: BesideCalls, ends: dict[str, AriLine]) -> None:
        self._ari, self._house, self._ends = ari, house, ends
        self._ringing: dict[str, asyncio.Future[Channel | int]] = {}
        self._answered: dict[str, Channel] = {}

    def found(self, channels: Iterable[Channel]) -> None:
        """After a connect: those of ours that were answered while nobody looked."""
        for channel in channels:
            if channel.id not in self._ends:
                self.answered(channel)

    def answered(self, channel: Channel) -> None:
        ringing = self._ringing.get(channel.id)
        if ringing is None:
            self._answered[channel.id] = channel
        elif not ringing.done():
            ringing.set_result(channel)

    def gone(self, channel_id: str, cause: int) -> None:
        self._answered.pop(channel_id, None)
        ringing = self._ringing.get(channel_id)
        if ringing is not None and not ringing.done():
            ringing.set_result(cause)

    def adopted(self, channel_id: str) -> AriLine | None:
        """The end of a call that was answered before anybody here waited for it."""
        channel = self._answered.pop(channel_id, None)
        return self._line(channel) if channel is not None else None

    async def ring(self, channel_id: str, endpoint: str, *args: str, caller: str, within: int) -> AriLine | int:
        """Ring for so many seconds. The answered end, or the cause (Q.850) why there is none."""
        if (line := self.adopted(channel_id)) is not None:
            return line
        ringing = self._ringing[channel_id] = asyncio.get_running_loop().create_future()
        try:
            await self._ari.originate(channel_id, endpoint, *args, caller=caller, timeout=within)
            answer = await asyncio.wait_for(ringing, within + GRACE)
        except TimeoutError:
            await self._ari.hang_up(channel_id)
            answer = SILENT
        except AriError as error:
            log.warning("%s cannot be rung: %s", endpoint, error)
            with contextlib.suppress(AriError):
                await self._ari.hang_up(channel_id)  # no answer: it may ring all the same
            answer = FAILED
        finally:
            self._ringing.pop(channel_id, None)
        return answer if isinstance(answer, int) else self._line(answer)

    def strays(self, wanted: Iterable[str]) -> list[AriLine]:
        """Who has answered a call that nobody wants any more: its process died, or we gave it up."""
        known = set(wanted) | self._ringing.keys()
        return [line for each in self._answered.keys() - known if (line := self.adopted(each)) is not None]

    async def stop(self, channel_id: str) -> None:
        """Ring no more, if it still rings."""
        if channel_id in self._ringing:
            await self._ari.hang_up(channel_id)

    def _line(self, channel: Channel) -> AriLine:
        line = self._ends[channel.id] = AriLine(self._ari, self._house, channel)
        return line
