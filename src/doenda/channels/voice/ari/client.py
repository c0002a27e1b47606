"""The connection, and the commands that we use. One task reads; it only puts into queues, so no call stalls another."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

from doenda.channels.voice.ari import events
from doenda.channels.voice.ari.events import Channel, Connected, Destroyed, Digit, Ended, Event, Played, Started
from doenda.kernel import net_async
from doenda.kernel.net import NoAnswer, NotSent
from doenda.kernel.randomness import uniform

log = logging.getLogger(__name__)

HEARTBEAT = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
TIMEOUT = 10.0
CONNECTIONS = 64
_TAKEN = 409
NO_SUCH_CHANNEL = 400
"""Where a channel is named beside the path."""


class AriError(RuntimeError):
    """Asterisk refused, or did not answer. `status` 0: no answer, so that nobody knows whether it was done."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status} {said}"[:300])
        self.status = status


class Gone(AriError):
    """What was meant is not there any more: the caller hung up, the playback had ended."""


class Away(AriError):
    """Asterisk was not reached: certainly nothing was done."""


class Replaced(RuntimeError):
    """Another client of the same application took the events over: this one has to stop."""


class Ari:
    """One application's client. `url` without a path; `app` as in the dialplan's `Stasis()`.

    Use it with `async with`; iterate over `events()` once, and never wait for anything in that loop: it also answers
    the heartbeat. `ready` is set while the connection really stands. `epoch` counts connections.
    """

    def __init__(self, url: str, *, user: str, password: str, app: str) -> None:
        self.url, self.app = url.rstrip("/"), app
        word = b64encode(f"{user}:{password}".encode()).decode()
        told = {"Authorization": f"Basic {word}"}
        self._http = net_async.Session("asterisk", self.url, headers=told, connections=CONNECTIONS, timeout=TIMEOUT)
        self._playing: dict[str, str] = {}
        self._trouble = ""
        self.ready = asyncio.Event()
        self.epoch = 0

    async def __aenter__(self) -> "Ari":
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.ready.clear()
        await self._http.__aexit__()

    async def events(self) -> AsyncIterator[Event]:
        """For ever: `Connected` after each connect, then what happens. Raises Replaced."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._http.stream("/ari/events", params={"app": self.app}, heartbeat=HEARTBEAT) as messages:
                    self.epoch += 1
                    found, lost = await self.reconcile(), await self._lost()
                    self._trouble, pause = "", FIRST_PAUSE
                    self.ready.set()
                    yield found
                    for played in lost:
                        yield played
                    async for message in messages:
                        event = self._read(message)
                        if event is not None:
                            yield event
                self._troubled("the connection was closed")  # a clean close is a disconnect as well
            except net_async.Refused as refused:
                wrong = refused.status in (401, 403)
                self._troubled(f"our user or password is refused ({refused})" if wrong else str(refused))
            except (NotSent, NoAnswer, AriError) as error:
                self._troubled(str(error))
            finally:
                self.ready.clear()
            await asyncio.sleep(uniform(0.5, 1.0) * pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _troubled(self, why: str) -> None:
        """Told once, however long it lasts."""
        if why != self._trouble:
            log.warning("no connection to Asterisk: %s", why)
        self._trouble = why

    def _read(self, text: str) -> Event | None:
        try:
            event = events.read(text)
        except events.NotAnEvent as error:
            log.warning("not an event: %s", error)
            return None
        if isinstance(event, events.Unknown) and event.type == "ApplicationReplaced":
            raise Replaced(self.app)
        if isinstance(event, Played):
            self._playing.pop(event.playback, None)
        return event

    async def reconcile(self) -> Connected:
        """What Asterisk holds for the application at this moment. Raises AriError."""
        channels = [events.channel(raw) for raw in await self.ask("GET", "/channels")]
        bridges = await self.ask("GET", "/bridges")
        return Connected(
            self.epoch,
            {each.id: each for each in channels if each.app == self.app},
            {raw["id"]: (raw.get("name", ""), frozenset(raw.get("channels", ()))) for raw in bridges},
        )

    async def _lost(self) -> list[Played]:
        """What ended while nobody listened: else whoever waits for its end would wait for ever."""
        asked = list(self._playing.items())
        there = await asyncio.gather(*(self._plays(playback) for playback, _ in asked))
        lost = [
            Played(playback, channel, "lost")
            for (playback, channel), plays in zip(asked, there, strict=True)
            if not plays
        ]
        for played in lost:
            self._playing.pop(played.playback, None)
        return lost

    async def _plays(self, playback: str) -> bool:
        try:
            await self.ask("GET", f"/playbacks/{playback}")
        except AriError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def ask(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        """One command; its answer as plain values. Raises AriError, Gone, Away."""
        try:
            answer = await self._http.call(method, f"/ari{path}", params=params, json=body)
        except NotSent as error:
            raise Away(0, str(error)) from error
        except NoAnswer as error:
            raise AriError(0, str(error)) from error
        if answer.status in (404, 409) and method != "GET":
            raise Gone(answer.status, answer.body.decode(errors="replace"))
        if answer.status >= 300:
            raise AriError(answer.status, answer.body.decode(errors="replace"))
        try:
            return net_async.decoded(answer)
        except ValueError as error:
            raise AriError(answer.status, "an answer that is no JSON") from error

    async def tell(self, method: str, path: str, body: Any = None, **params: str) -> bool:
        """The same where it does not matter whether what is meant is there still. Returns whether it was."""
        try:
            await self.ask(method, path, body, **params)
        except Gone:
            return False
        return True

    # --- channels

    async def answer(self, channel: str) -> None:
        await self.ask("POST", f"/channels/{channel}/answer")

    async def hang_up(self, channel: str) -> bool:
        return await self.tell("DELETE", f"/channels/{channel}")

    async def play(self, channel: str, playback: str, media: list[str], *, lang: str = "ko") -> None:
        """Play one after the other (`sound:/path/without/suffix`); ends with `Played`. Raises Gone, AriError."""
        self._playing[playback] = channel  # before the command: it may have ended when the answer comes
        try:
            await self.ask("POST", f"/channels/{channel}/play/{playback}", media=",".join(media), lang=lang)
        except AriError:
            self._playing.pop(playback, None)
            raise

    async def stop(self, playback: str) -> bool:
        return await self.tell("DELETE", f"/playbacks/{playback}")

    async def music(self, channel: str) -> None:
        await self.ask("POST", f"/channels/{channel}/moh")

    async def music_off(self, channel: str) -> bool:
        return await self.tell("DELETE", f"/channels/{channel}/moh")

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        await self.ask("POST", f"/channels/{channel}/variable", variable=name, value=value)

    async def originate(self, channel: str, endpoint: str, *args: str, caller: str, timeout: int = 30) -> Channel:
        """Dial; `Started` with these args when it is answered, `Destroyed` when not. Raises AriError.

        The id is ours, so that doing it again after an answer that did not come dials nobody twice.
        """
        told = {"endpoint": endpoint, "app": self.app, "appArgs": ",".join(args), "callerId": caller}
        try:
            made = await self.ask("POST", f"/channels/{channel}", timeout=str(timeout), **told)
        except Gone as error:
            if error.status != _TAKEN:
                raise
            made = await self.ask("GET", f"/channels/{channel}")
        return events.channel(made)

    # --- bridges

    async def bridge(self, bridge: str, kind: str, name: str = "") -> None:
        """Make a bridge ("mixing", "holding") under an id of ours; one that is there is kept."""
        try:
            await self.ask("POST", f"/bridges/{bridge}", type=kind, name=name or bridge)
        except Gone as error:
            if error.status != _TAKEN:
                raise

    async def join(self, bridge: str, channel: str) -> None:
        """Raises Gone, also for a channel that is not there any more."""
        try:
            await self.ask("POST", f"/bridges/{bridge}/addChannel", channel=channel)
        except AriError as error:
            if error.status == NO_SUCH_CHANNEL:
                raise Gone(error.status, str(error)) from error
            raise

    async def leave(self, bridge: str, channel: str) -> bool:
        try:
            return await self.tell("POST", f"/bridges/{bridge}/removeChannel", channel=channel)
        except AriError as error:
            if error.status == 422:  # it is in no bridge
                return False
            raise

    async def end_bridge(self, bridge: str) -> bool:
        return await self.tell("DELETE", f"/bridges/{bridge}")


def of_channel(event: Event) -> str | None:
    """The id of the channel that an event is about."""
    match event:
        case Started(channel=channel) | Ended(channel=channel) | Destroyed(channel=channel) | Digit(channel=channel):
            return channel.id
        case Played(channel_id=channel_id):
            return channel_id
        case _:
            return None
