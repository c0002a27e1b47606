"""What carries a text to a phone. A gateway is told our own id of the notice, so that a repeat is the same message."""

from dataclasses import dataclass
from typing import Protocol

from django.conf import settings


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
    """It certainly does not have the message; try again, in `after` seconds if the gateway knows better than we."""

    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have the message; try again with the same id, in `after` seconds if the gateway knows better than we."""

    reason: str
    after: float | None = None


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
    """The gateway of this installation: DOENDA_GATEWAY."""
    return named(settings.DOENDA_GATEWAY)


def named(name: str) -> Gateway:
    """A gateway by its name; a notice that was handed to one is asked about there. Raises ValueError."""
    if name == "handset":
        from doenda.notices.gateways.handset import Handset

        return Handset()
    if name == "smpp":
        from doenda.notices.gateways.smpp import Smpp

        return Smpp()
    raise ValueError(f"no such gateway: {name!r}")


def attend() -> None:
    """Hold from now on what the chosen gateway reaches us by. The worker calls it, and `leave` at its end."""
    if settings.DOENDA_GATEWAY == "smpp":
        from doenda.notices.gateways.smpp import keeping

        keeping.keeper().start()


def leave() -> None:
    """Let go of it, with a word to the other side."""
    if settings.DOENDA_GATEWAY == "smpp":
        from doenda.notices.gateways.smpp import keeping

        keeping.stop()
