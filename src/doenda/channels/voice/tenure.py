"""Who serves the telephone: one process, by a lease; any number stand by.

The holder says every other second that it lives. One that cannot say so stops serving before its lease is over, so that
two never answer one call; what it served goes on in Asterisk, and whoever has the lease next takes it up there.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial

from django.db import Error

from doenda.channels.voice import exchange
from doenda.channels.voice.ari import Ari, Replaced
from doenda.channels.voice.beside import BesideCalls
from doenda.channels.voice.service import Service

log = logging.getLogger(__name__)

ASKED_EVERY, RENEWED_EVERY = 1.0, 2.0
"""Seconds: how often a standby asks, and the holder renews."""


async def taken(holder: str) -> bool:
    """Is the telephone ours now?"""
    house = BesideCalls()
    try:
        return await house.lease(partial(exchange.mine, holder))
    except Error as error:
        log.warning("the lease of the telephone: %s", error)
        return False
    finally:
        house.close()


async def serve(ari: Ari, holder: str, *, ready: Callable[[], None]) -> None:
    """Serve until the lease is lost, or another process has taken the events over."""
    house = BesideCalls()
    async with ari:
        work = [
            asyncio.create_task(Service(ari, house).run()),
            asyncio.create_task(_kept(ari, house, holder)),
            asyncio.create_task(_ready(ari, ready)),
        ]
        try:
            await asyncio.wait(work[:2], return_when="FIRST_COMPLETED")
        finally:
            for task in work:
                task.cancel()
            for task in work:
                with contextlib.suppress(asyncio.CancelledError, Replaced):
                    await task
            house.close()
    log.warning("the telephone is served by us no more")


async def _ready(ari: Ari, ready: Callable[[], None]) -> None:
    await ari.ready.wait()
    ready()


async def _kept(ari: Ari, house: BesideCalls, holder: str) -> None:
    """Until the lease is somebody else's, or could not be renewed for nearly as long as it holds."""
    now = asyncio.get_running_loop().time
    kept = now()
    while now() - kept < exchange.HELD_FOR.total_seconds() - RENEWED_EVERY:
        await asyncio.sleep(RENEWED_EVERY)
        try:
            async with asyncio.timeout(RENEWED_EVERY):
                if not await house.lease(partial(exchange.mine, holder, connected=ari.ready.is_set())):
                    return
            kept = now()
        except (Error, TimeoutError) as error:
            log.warning("the lease of the telephone was not renewed: %s", error)
