"""The post: providers' webhooks between their sender and the house's door, where they are lost, doubled, reordered."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peers.outgoing import Delivery

if TYPE_CHECKING:
    from doenda.sim.world import World

_OF_THE_LINE = {"content-length", "content-type", "host", "connection", "accept-encoding", "accept"}


@dataclass(frozen=True, slots=True)
class Letter:
    """One webhook on its way."""

    provider: str
    headers: dict[str, str]
    body: bytes


class Post:
    """`bag`: what has been collected and not been delivered yet."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.bag: list[Letter] = []

    def collect(self, *, copies: tuple[int, ...] = (1,), statuses: tuple[int | None, ...] = (204,)) -> int:
        """Fetch what the peers send; each counts as received (or not: then it is sent again). How many."""
        count = 0
        for provider, driver in self._world.drivers.items():
            truth: Any = getattr(driver.peer, "truth", None)
            if truth is None:
                continue
            for delivery in truth.tick():
                truth.sent(delivery, self._world.chance.choice(statuses))
                self.bag += [self._letter(provider, delivery)] * self._world.chance.choice(copies)
                count += 1
        return count

    @staticmethod
    def _letter(provider: str, delivery: Delivery) -> Letter:
        return Letter(provider, {name.lower(): value for name, value in delivery.headers.items()}, delivery.body)

    def deliver(self, letter: Letter) -> int:
        """Bring it to the house's own address. The status that its sender gets; 599 if the house died over it."""
        kind = letter.headers.get("content-type", "application/json")
        headers: Any = {name: value for name, value in letter.headers.items() if name not in _OF_THE_LINE}
        path = f"/webhooks/{letter.provider}"
        said = self._world.web.post(path, letter.body, content_type=kind, headers=headers)
        return int(said.status_code)
