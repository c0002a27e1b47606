"""What a provider's driver can make its peer do: approve, refuse, deposit, undo, fail, show its books, ring our door.

One class a provider in `drivers/NAME.py`, called `Driver`. What a provider has not by its nature stands in `lacks`,
with the reason that the table then shows; a behaviour that a driver neither shows nor lacks fails.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from doenda.kernel import clock, net
from doenda.payments.providers.contract import PayInto
from doenda.sim.line import Bell, Line, Peer
from doenda.sim.places import Place


@dataclass(frozen=True, slots=True)
class Begun:
    """A charge that its payer goes on with: from an `Answer` to `start`, or from an attempt of the house."""

    order_id: str
    ref: str
    amount: int
    redirect_url: str
    client: Mapping[str, str]
    return_url: str
    number: str = ""
    """Of the account that waits for its deposit."""


class NotShown(NotImplementedError):
    """The driver cannot make its peer do this."""


class Driver(ABC):
    """One provider's peer, moved from outside."""

    name: ClassVar[str]
    method: ClassVar[str] = "card"
    """The method whose money moves by a request of ours, after the payer's act; "" if the provider has none."""
    deposit_method: ClassVar[str] = ""
    debit_method: ClassVar[str] = ""
    bank: ClassVar[str] = ""
    """The bank whose account a payer chooses for a deposit."""
    lacks: ClassVar[Mapping[str, str]] = {}
    peculiar: ClassVar[Mapping[str, str]] = {}
    """Where the stand-in behaves unlike the provider itself: printed, and the behaviour asks for less there. Known:
    "void" (what was voided can be charged all the same), "confirm names no amount", "expires by itself" (by the
    peer's own clock: a drill's process does not see the house's)."""
    own_faults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Faults of the line that the peer has itself, as its control door takes them."""
    own_rows: ClassVar[bool] = False
    """Does the provider answer from rows of ours? Then it is only walked through the house."""
    sweeps: ClassVar[tuple[str, ...]] = ()
    """Its own sweeps, which the worker runs besides those of every provider."""
    rings: ClassVar[bool] = True
    """Does the provider send webhooks by itself?"""
    signs: ClassVar[bool] = True
    """Does it sign them? If not, one is only ever a reason to ask."""
    tells_amount: ClassVar[bool] = True
    """Do they name an amount?"""

    def __init__(self, place: Place, line: Line) -> None:
        self.place, self.line = place, line
        self.peer: Peer = self.open()
        line.connect(self.peer)

    @abstractmethod
    def open(self) -> Peer:
        """Start the peer, with our webhook address."""

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """The provider's entry of DOENDA_PROVIDERS."""

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """What the house needs once before its first attempt, on its database; the provider is configured."""

    def tidy(self) -> None:  # noqa: B027 - most need nothing
        """Undo what `prepare` did to this process."""

    @abstractmethod
    def moves_money(self, request: net.Request) -> bool:
        """Is this the request that takes the money (or brings the file, or fetches the news of it)?"""

    @abstractmethod
    def taken(self, order_id: str, ref: str) -> int:
        """What the peer holds for this order by its own books, minor units: taken less given back."""

    def gives_back(self, request: net.Request) -> bool:
        """Is this the request that gives money back?"""
        return request.method == "POST" and ("cancel" in request.url or "refund" in request.url)

    def approve(self, begun: Begun) -> Mapping[str, str]:
        """The payer does all that is asked of him; what he then brings back in the address."""
        raise NotShown("approve")

    def cancel(self, begun: Begun) -> Mapping[str, str]:
        """The payer turns back."""
        raise NotShown("cancel")

    def will_refuse(self) -> None:
        """The payer's bank will say no to the next charge (called before it is started)."""
        raise NotShown("refuse")

    def deposit(self, into: PayInto, amount: int) -> None:
        """The payer brings money to the account."""
        raise NotShown("deposit")

    def undo(self, order_id: str, ref: str) -> None:
        """The payer's bank takes a payment back."""
        raise NotShown("undo")

    def take_at_once(self, account_id: UUID, bill_id: UUID, amount: int) -> UUID:
        """A clerk takes the money for a bill; the attempt's id."""
        raise NotShown("take_at_once")

    def hand_out(self, order_id: str) -> None:  # noqa: B027 - most need nobody
        """What a person has to do before a refund is out; nothing, with most."""

    def file_out(self, order_id: str) -> None:
        """The cut-off comes: the file goes to the bank, or tries to."""
        raise NotShown("file_out")

    def settle_debit(self, order_id: str) -> None:
        """The day of the debit comes, and its result."""
        raise NotShown("debit")

    def mandate(self, account_id: UUID) -> UUID:
        """A standing authority to debit; its id."""
        raise NotShown("mandate")

    def fault(self, name: str) -> None:
        """From now on the request that takes money meets this fault."""
        if name in self.own_faults:
            self.peer.control("PUT", "faults", {"*": dict(self.own_faults[name])})
        else:
            self.line.breaks(name, self.moves_money)

    def heal(self) -> None:
        """All is well again, and `will_refuse` is forgotten."""
        self.line.heal()

    def release(self) -> None:
        """What was hidden takes effect now."""
        self.line.release()
        if "hidden" in self.own_faults:
            self.place.let_pass(float(self.own_faults["hidden"]["seconds"]) + 0.5)

    def about(self, bell: Bell, begun: Begun) -> bool:
        """Is the webhook about this charge?"""
        return begun.order_id.encode() in bell.body

    def bells(self, begun: Begun, *, seconds: float = 5.0) -> list[Bell]:
        """The webhooks about this charge, waited for."""
        found = list[Bell]()
        deadline = clock.monotonic() + seconds
        while clock.monotonic() < deadline:
            more = [bell for bell in self.peer.bells() if self.about(bell, begun)]
            if found and not more:
                break
            found += more
            if not (found and self.place.inside):
                clock.sleep(0.1 if found else 0.03)
        return found

    def signed(self, bell: Bell, body: bytes, at: datetime) -> Bell:
        """The same webhook with another body, signed as the provider would (who does not sign: as it is)."""
        return Bell(bell.headers, body)

    def other_merchant(self, body: bytes) -> bytes:
        """The body of a webhook as it would be about somebody else's payment."""
        raise NotShown("other_merchant")

    def other_amount(self, body: bytes, amount: int) -> bytes:
        """The body of a webhook that tells of more money."""
        return body.replace(str(amount).encode(), str(amount + 1000).encode())
