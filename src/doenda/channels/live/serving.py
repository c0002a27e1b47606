"""The HTTP side of `doenda live`: streams for as many pages as are open; one look a second at all their visits, and one
every few seconds at the place in line of each that walks with a call."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web  # noqa: TID251 - it listens; the seam is for what we call
from django.conf import settings

from doenda.channels import beside
from doenda.channels.live.stream import Now, Shown, follow
from doenda.channels.threads import Threads
from doenda.channels.watch import Watch
from doenda.journeys import screens, sessions
from doenda.journeys.sessions import NoSession, Standing
from doenda.kernel import texts

log = logging.getLogger(__name__)

MOST_OPEN = 2_000
"""Pages in one process; who comes later asks by a button, and tries again after `RETRY`."""
MOST_A_VISIT = 4
RETRY = 5_000
"""Milliseconds after which a browser tries again."""
_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Live:
    """All open pages of one process."""

    def __init__(self) -> None:
        self._threads, self._looking = Threads(4, "live"), Threads(1, "live-watch")
        self._watch = Watch(lambda addresses: self._looking.run(partial(_standing, addresses)))
        self._open: dict[str, int] = {}

    async def page(self, request: web.Request) -> web.StreamResponse:
        """One page's stream."""
        shown = _shown(request)
        if shown is None:
            raise web.HTTPBadRequest
        if sum(self._open.values()) >= MOST_OPEN or self._open.get(shown.address, 0) >= MOST_A_VISIT:
            raise web.HTTPServiceUnavailable
        # Counted before anything is waited for: a thousand who come at once are a thousand.
        self._open[shown.address] = self._open.get(shown.address, 0) + 1
        try:
            return await self._followed(request, shown)
        finally:
            self._open[shown.address] -= 1
            if not self._open[shown.address]:
                del self._open[shown.address]

    async def _followed(self, request: web.Request, shown: Shown) -> web.StreamResponse:
        if not await self._threads.run(partial(_known, shown.address)):
            raise web.HTTPNotFound
        answer = web.StreamResponse(headers=_HEADERS | _allowed())
        await answer.prepare(request)
        await answer.write(f"retry: {RETRY}\n\n".encode())
        with contextlib.suppress(ConnectionError):
            await follow(shown, send=partial(_send, answer), watched=self._watch.moved, beside=self._beside)
        return answer

    async def _beside(self, address: str, lang: str) -> Now:
        return await self._threads.run(partial(_beside, address, lang))

    def close(self) -> None:
        self._watch.close()
        self._threads.close()
        self._looking.close()


def _shown(request: web.Request) -> Shown | None:
    step, _, version = request.query.get("at", "").partition("/")
    lang, address = request.query.get("lang", ""), request.match_info["address"]
    if not version.isdecimal() or len(version) > 9 or lang not in texts.LANGUAGES:
        return None
    return Shown(
        address[:64],
        step[:40],
        int(version),
        request.query.get("kind", "")[:40],
        lang,
        request.query.get("joined") != "0",
    )


def _allowed() -> dict[str, str]:
    """Our own pages may listen, wherever this process is reached."""
    parts = urlsplit(settings.DOENDA_BASE_URL)
    return {"Access-Control-Allow-Origin": f"{parts.scheme}://{parts.netloc}"}


async def _send(answer: web.StreamResponse, event: str, data: str) -> None:
    await answer.write((f"event: {event}\ndata: {data}\n\n" if event else ":\n\n").encode())


def _standing(addresses: Iterable[str]) -> Mapping[str, Standing]:
    return sessions.standing(addresses)


def _known(address: str) -> bool:
    try:
        session = sessions.look(address).session
        return bool(session.call) or screens.code_of(session) is not None
    except NoSession:
        return False


def _beside(address: str, lang: str) -> Now:
    try:
        found = beside.of(sessions.look(address).session, lang)
    except NoSession:
        found = None
    return Now(None) if found is None else Now(found.lines, ",".join(found.choices))


async def serve(host: str, port: int, *, ready: Callable[[int], Awaitable[None]]) -> None:
    """Until cancelled. `ready` is told the port."""
    live, app = Live(), web.Application()
    app.router.add_get("/live/health", _health)
    app.router.add_get("/live/{address}", live.page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)  # an address is a secret: it is in no log
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    try:
        await ready(int(runner.addresses[0][1]))
        await asyncio.Event().wait()
    finally:
        live.close()
        await runner.cleanup()


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok")
