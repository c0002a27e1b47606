"""The network between the house and its peers: every call is a place where others act, and where the process can die.

Each peer hangs on a line of its own, which can break in every way that lines do; a peer in `down` is reached by nobody.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.db import connection

from doenda.kernel import net
from doenda.sim import spares
from doenda.sim.line import Line
from doenda.sim.points import Point

if TYPE_CHECKING:
    from doenda.sim.world import World


class Network:
    """A transport of the network seam (`net.using`)."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.lines: dict[str, Line] = {}
        """By the name of who is at the other end: a provider, "switch", "handset"."""
        self._ends: dict[str, str] = {}

    def connect(self, name: str, line: Line, url: str) -> None:
        self.lines[name] = line
        self._ends[url] = name

    def __call__(self, request: net.Request) -> net.Reply:
        world = self._world
        end = self._end(request)
        world.leaves(end, request)  # what happens from here on, the house can no longer look at
        self._point(Point.CALL)
        world.others_act()
        try:
            if end in world.down:
                raise net.NotSent(f"{end} is down")
            reply = self.lines[end](request)
        except (net.NotSent, net.NoAnswer) as silence:
            world.met("unreached" if isinstance(silence, net.NotSent) else "no answer", end)
            world.others_act()
            self._point(Point.ANSWER)
            raise
        if reply.status >= 500:
            world.met("an error for an answer", end)
        world.others_act()
        self._point(Point.ANSWER)
        return reply

    def _end(self, request: net.Request) -> str:
        parts = urlsplit(request.url)
        end = self._ends.get(f"{parts.scheme}://{parts.netloc}")
        if end is None:
            raise net.NotSent(f"nobody is at {parts.netloc}")
        return end

    def _point(self, kind: Point) -> None:
        if self._world.points.strikes(kind, self._world.chance):
            self._world.dies(kind)
            spares.die(connection)
