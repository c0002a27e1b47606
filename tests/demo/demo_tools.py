"""The world outside for tests of the demo."""

from doenda.kernel import net
from peers.bank import Bank
from peers.handset import Handset
from peers.http import NoAnswer, Request
from peers.switch import Switch

BASE = "http://doenda.test"


class World:
    """The three peers behind the net seam, without HTTP; those in `down` do not answer."""

    def __init__(self) -> None:
        self.bank, self.switch, self.handset = Bank(), Switch(), Handset(delay=0.0)
        self.down: set[str] = set()

    def __call__(self, request: net.Request) -> net.Reply:
        host, _, rest = request.url.removeprefix("http://").partition("/")
        if host in self.down:
            raise net.NotSent(f"{host} is down")
        peer = getattr(self, host)
        try:
            answer = peer.handle(Request(request.method, f"/{rest}", request.headers, request.content))
        except NoAnswer as cut:
            raise net.NoAnswer(str(cut)) from cut
        peer.tick(peer.now())
        return net.Reply(answer.status, answer.headers, answer.body)
