"""What carries a text to a phone. A gateway is told our own id of the notice, so that a repeat is the same message."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has it; `ref` is its id there."""

    ref: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never take this message."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly does not have the message; try again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have the message; try again with the same id."""

    reason: str


type HandOver = Accepted | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery receipt: `state` is accepted, delivered, failed, or unknown (no answer, or none that makes sense)."""

    state: str
    reason: str = ""


class Gateway(Protocol):
    """Both calls go over the network: never inside a transaction."""

    name: str

    def send(self, ref: str, to: str, text: str, kind: str) -> HandOver:
        """Hand over one text to `to` (E.164); `kind` is SMS or LMS."""

    def receipt(self, ref: str) -> Receipt:
        """What became of the message with our id `ref`."""


def chosen() -> Gateway:
    """The gateway of this installation."""
    from doenda.notices.gateways.handset import Handset

    return Handset()
