"""Hands: what a synthetic customer must do besides reading pages, by method. Only deposits need one: money paid in.

In production the hand is the carrier's own test account at a bank, behind an address that pays a sum into a virtual
account. Where none is configured a deposit is not walked: it stays unproven until a customer's deposit proves it.
"""

from collections.abc import Callable

from doenda.assurance import ways
from doenda.kernel import net

TIMEOUT = 15.0
_MADE = range(200, 300)

type Pay = Callable[[str, int], None]


class HandFailed(RuntimeError):
    """The money was not paid in, and that is no fault of the way."""


class Hand:
    """Pays `amount` (minor units) into an account `number`; `trouble` says why it could not, "" when it did.

    It never raises: a walker takes what is raised to it for the channel's fault.
    """

    def __init__(self, pay: Pay) -> None:
        self._pay = pay
        self.used, self.trouble = False, ""

    def __call__(self, number: str, amount: int) -> None:
        self.used = True
        try:
            self._pay(number, amount)
        except (HandFailed, net.NotSent, net.NoAnswer) as error:
            self.trouble = f"{type(error).__name__}: {error}"[:200]


def hand(slug: str) -> Hand | None:
    """A fresh hand for one walk of the way, or None where its method needs none or none is configured."""
    _, method, provider = slug.split("/")
    made = _HANDS.get(method)
    pay = made(provider) if made else None
    return Hand(pay) if pay else None


def _deposit(provider: str) -> Pay | None:
    """POST {"number", "amount"} to the provider's address in `DOENDA_DEPOSIT_HAND_URL`; anything but 2xx has failed."""
    address = ways.hand_address(provider)
    if not address:
        return None

    def pay(number: str, amount: int) -> None:
        body = {"number": number, "amount": amount}
        said = net.call("hand", "POST", address, json=body, timeout=TIMEOUT)
        if said.status not in _MADE:
            raise HandFailed(f"the hand answered {said.status}")

    return pay


_HANDS: dict[str, Callable[[str], Pay | None]] = {"deposit": _deposit}
