"""An Asterisk that is only its REST interface: as much of it as our client uses, as the real one answers.

The same behaviours are asked of both (ari_behaviours.py), so this one may stand in where milliseconds count.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BasicAuth, WSMsgType, web

PASSWORD = "of-this-test"
SECONDS_OF = {"sound:short": 0.15, "sound:long": 3.0}
RETRY = 0.2
"""As the dialplan asks again for the application."""


@dataclass
class Leg:
    """A channel. `script`: what a phone that we dial does: answer, busy, ring."""

    id: str
    caller: str
    dialled: str
    args: tuple[str, ...] = ()
    state: str = "Ring"
    in_app: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, app: str) -> dict[str, Any]:
        plan = {"app_name": "Stasis", "app_data": ",".join((app, *self.args))} if self.in_app else {}
        return {
            "id": self.id,
            "name": f"PJSIP/trunk-{self.id}",
            "state": self.state,
            "caller": {"number": self.caller, "name": ""},
            "creationtime": "2014-10-23T09:00:00.000+0900",
            "dialplan": {"context": "doenda", "exten": self.dialled, "priority": 1} | plan,
            "channelvars": {"DOENDA_SESSION": ""} | self.variables,
        }


@dataclass
class Playing:
    id: str
    channel: str
    task: "asyncio.Task[None]"


class FakeAri:
    """`phones`: what each endpoint does when it is dialled."""

    def __init__(self, app: str = "doenda") -> None:
        self.app, self.url = app, ""
        self.legs: dict[str, Leg] = {}
        self.bridges: dict[str, tuple[str, str, set[str]]] = {}
        self.playing: dict[str, Playing] = {}
        self.phones: dict[str, str] = {}
        self.moh: list[str] = []
        self._listener: web.WebSocketResponse | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbered = 0

    # --- from outside: callers

    def ring_in(self, dialled: str, caller: str) -> Leg:
        self._numbered += 1
        leg = Leg(f"17.{self._numbered}", caller, dialled, ("inbound", dialled))
        self.legs[leg.id] = leg
        self._spawn(self._dialplan(leg))
        return leg

    async def press(self, leg: Leg, digit: str) -> None:
        await self._tell("ChannelDtmfReceived", leg, digit=digit)

    async def ends(self, leg: Leg, cause: int = 16) -> None:
        """From either side."""
        if self.legs.pop(leg.id, None) is None:
            return
        for playback in [each for each in self.playing.values() if each.channel == leg.id]:
            playback.task.cancel()
        for _, _, members in self.bridges.values():
            members.discard(leg.id)
        if leg.in_app:
            leg.in_app = False
            await self._tell("StasisEnd", leg)
        await self._tell("ChannelDestroyed", leg, cause=cause, cause_txt="")
        leg.hung_up.set()

    async def _dialplan(self, leg: Leg) -> None:
        while leg.id in self.legs:
            if self._listener is not None:
                await self._enters(leg)
                return
            leg.state, leg.args = "Up", ("inbound", leg.dialled, "held")
            await asyncio.sleep(RETRY)

    async def _enters(self, leg: Leg) -> None:
        leg.in_app = True
        await self._tell("StasisStart", leg, args=list(leg.args))

    # --- the events

    async def _tell(self, kind: str, leg: Leg | None = None, **more: Any) -> None:
        """To whoever listens now; nothing is kept for later."""
        event = {"type": kind, "application": self.app} | more
        if leg is not None:
            event["channel"] = leg.told(self.app)
        if self._listener is not None:
            await self._listener.send_str(json.dumps(event))

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self._listener is not None:
            await self._tell("ApplicationReplaced")
        self._listener = socket
        try:
            async for message in socket:
                assert message.type is not WSMsgType.TEXT, "commands come over HTTP"
        finally:
            if self._listener is socket:
                self._listener = None
        return socket

    def _spawn(self, work: Any) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- the commands

    def leg(self, request: web.Request) -> Leg:
        leg = self.legs.get(request.match_info["id"])
        if leg is None:
            raise web.HTTPNotFound(text='{"message":"Channel not found"}')
        if not leg.in_app and request.method != "GET" and request.match_info.get("verb"):
            raise web.HTTPConflict(text='{"message":"Channel not in Stasis application"}')
        return leg

    async def channels(self, request: web.Request) -> web.Response:
        return web.json_response([leg.told(self.app) for leg in self.legs.values()])

    async def channel(self, request: web.Request) -> web.Response:
        return web.json_response(self.leg(request).told(self.app))

    async def originate(self, request: web.Request) -> web.Response:
        endpoint, here = request.query["endpoint"], request.match_info["id"]
        if here in self.legs:
            raise web.HTTPConflict(text='{"message":"Channel with given unique ID already exists"}')
        if endpoint not in self.phones:
            raise web.HTTPInternalServerError(text='{"error":"Allocation failed"}')
        leg = Leg(here, request.query["callerId"], "", tuple(request.query["appArgs"].split(",")), state="Ringing")
        self.legs[leg.id] = leg
        self._spawn(self._dial(leg, self.phones[endpoint]))
        return web.json_response(leg.told(self.app))

    async def _dial(self, leg: Leg, does: str) -> None:
        await asyncio.sleep(0.05)
        if does == "busy":
            await self.ends(leg, 17)
        elif does == "answer" and leg.id in self.legs:
            leg.state = "Up"
            await self._enters(leg)

    async def command(self, request: web.Request) -> web.Response:
        leg, verb = self.leg(request), request.match_info["verb"]
        if verb == "answer":
            leg.state = "Up"
        elif verb == "variable":
            leg.variables[request.query["variable"]] = request.query["value"]
        return web.Response(status=204)

    async def hang_up(self, request: web.Request) -> web.Response:
        await self.ends(self.leg(request))
        return web.Response(status=204)

    async def play(self, request: web.Request) -> web.Response:
        leg, here, media = self.leg(request), request.match_info["playback"], request.query["media"].split(",")
        self.playing[here] = Playing(here, leg.id, self._spawn(self._play(here, leg, media)))
        return web.json_response({"id": here, "state": "queued"}, status=201)

    async def _play(self, here: str, leg: Leg, media: list[str]) -> None:
        state = "done" if any(each in SECONDS_OF for each in media) else "failed"
        try:
            await asyncio.sleep(sum(SECONDS_OF.get(each, 0.0) for each in media))
        except asyncio.CancelledError:
            pass
        finally:
            self.playing.pop(here, None)
        await self._tell("PlaybackFinished", playback={"id": here, "target_uri": f"channel:{leg.id}", "state": state})

    async def playback(self, request: web.Request) -> web.Response:
        found = self.playing.get(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound(text='{"message":"Playback not found"}')
        if request.method == "DELETE":
            found.task.cancel()
            return web.Response(status=204)
        return web.json_response({"id": found.id, "state": "playing"})

    async def bridge(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            made = [
                {"id": each, "name": name, "bridge_type": kind, "channels": sorted(members)}
                for each, (kind, name, members) in self.bridges.items()
            ]
            return web.json_response(made)
        here = request.match_info["id"]
        if request.method == "DELETE":
            if self.bridges.pop(here, None) is None:
                raise web.HTTPNotFound(text='{"message":"Bridge not found"}')
            return web.Response(status=204)
        self.bridges.setdefault(here, (request.query["type"], request.query["name"], set()))
        return web.json_response({"id": here})

    async def in_bridge(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.bridges:
            raise web.HTTPNotFound(text='{"message":"Bridge not found"}')
        _, _, members = self.bridges[request.match_info["id"]]
        verb = request.match_info["verb"]
        if verb == "moh":
            self.moh.append(request.match_info["id"])
            return web.Response(status=204)
        channel = request.query["channel"]
        if channel not in self.legs:
            raise web.HTTPBadRequest(text='{"message":"Channel not found"}')
        if verb == "addChannel":
            for _, _, others in self.bridges.values():
                others.discard(channel)
            members.add(channel)
        elif channel not in members:
            raise web.HTTPUnprocessableEntity(text='{"message":"Channel not in this bridge"}')
        members.discard(channel) if verb == "removeChannel" else None
        return web.Response(status=204)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeAri"]:
        @web.middleware
        async def guarded(request: web.Request, handler: Any) -> web.StreamResponse:
            if BasicAuth.decode(request.headers.get("Authorization", "Basic Og==")).password != PASSWORD:
                raise web.HTTPUnauthorized
            answer: web.StreamResponse = await handler(request)
            return answer

        house = web.Application(middlewares=[guarded])
        house.add_routes(
            [
                web.get("/ari/events", self.listen),
                web.get("/ari/channels", self.channels),
                web.get("/ari/channels/{id}", self.channel),
                web.post("/ari/channels/{id}", self.originate),
                web.delete("/ari/channels/{id}", self.hang_up),
                web.post("/ari/channels/{id}/play/{playback}", self.play),
                web.route("*", "/ari/channels/{id}/{verb:answer|ring|moh|variable}", self.command),
                web.route("*", "/ari/playbacks/{id}", self.playback),
                web.get("/ari/bridges", self.bridge),
                web.route("*", "/ari/bridges/{id}", self.bridge),
                web.post("/ari/bridges/{id}/{verb:addChannel|removeChannel|moh}", self.in_bridge),
            ]
        )
        runner = web.AppRunner(house, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
        try:
            yield self
        finally:
            for task in list(self._tasks):
                task.cancel()
            await runner.cleanup()
