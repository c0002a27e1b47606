"""The post: providers' webhooks between their sender and the house's door, where they are lost, doubled, reordered."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from peers.outgoing import Delivery

if TYPE_CHECKING:
    from doenda.sim.world import World

RECEIVED = 204
_OF_THE_LINE = {"content-length", "content-type", "host", "connection", "accept-encoding", "accept"}


@dataclass(frozen=True, slots=True)
class Letter:
    """One webhook on its way. `report`: whose sender waits to hear how it ended; None for a copy, or a forgery."""

    provider: str
    headers: dict[str, str]
    body: bytes
    report: Delivery | None = None


class Post:
    """`bag`: what has been collected and not been delivered yet."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.bag: list[Letter] = []

    def collect(self, *, copies: tuple[int, ...] = (1,), statuses: tuple[int | None, ...] = (204,)) -> int:
        """Fetch what the peers send. How many. A status other than 204 is what its sender hears at once, and so sends
        it again, though it is on its way; 204: what becomes of it is heard when it arrives."""
        count = 0
        for provider, driver in self._world.drivers.items():
            truth: Any = getattr(driver.peer, "truth", None)
            if truth is None:
                continue
            for delivery in truth.tick():
                heard = self._world.chance.choice(statuses)
                headers = {name.lower(): value for name, value in delivery.headers.items()}
                copy = Letter(provider, headers, delivery.body)
                if heard != RECEIVED:
                    truth.sent(delivery, heard)
                self.bag.append(replace(copy, report=delivery) if heard == RECEIVED else copy)
                self.bag += [copy] * (self._world.chance.choice(copies) - 1)
                count += 1
        return count

    def lose(self, letter: Letter) -> None:
        """It never arrives, and its sender believes that it did."""
        self._heard(letter, RECEIVED)

    def deliver(self, letter: Letter) -> int:
        """Bring it to the house's own address. The status that its sender gets; 599 if the house died over it."""
        kind = letter.headers.get("content-type", "application/json")
        headers: Any = {name: value for name, value in letter.headers.items() if name not in _OF_THE_LINE}
        path = f"/webhooks/{letter.provider}"
        said = self._world.web.post(path, letter.body, content_type=kind, headers=headers)
        self._heard(letter, int(said.status_code))
        return int(said.status_code)

    def _heard(self, letter: Letter, status: int) -> None:
        if letter.report is not None:
            peer: Any = self._world.drivers[letter.provider].peer
            peer.truth.sent(letter.report, status)
