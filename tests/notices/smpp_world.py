"""A house whose gateway is an SMS centre behind a line, with rows that its threads can see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.notices.smsc import Centre, Line, centre, until

from doenda.assurance import ways
from doenda.kernel import ids
from doenda.notices.gateways import HandOver, Receipt
from doenda.notices.gateways.smpp import Smpp, keeping
from doenda.notices.gateways.smpp.configured import configured

PHONE = "+821012345678"
KOREAN = "[된다통신] 미납 요금 52,300원이 있습니다. 실시간 계좌이체와 카드로 낼 수 있습니다. "


@dataclass
class Behind:
    """The house behind a line to some SMS centre. `send` hands over one text and says what came of it."""

    line: Line
    gateway: Smpp
    keeper: keeping.Keeper

    def send(self, text: str = KOREAN, ref: str = "") -> tuple[str, HandOver]:
        ref = ref or ids.outside(ids.new_id())
        return ref, self.gateway.send(ref, PHONE, text, "SMS")

    def receipt(self, ref: str) -> Receipt:
        return self.gateway.receipt(ref)

    def becomes(self, ref: str, state: str) -> Receipt:
        until(lambda: self.receipt(ref).state == state)
        return self.receipt(ref)


@dataclass
class House(Behind):
    """Its centre is told what to answer."""

    centre: Centre


@contextmanager
def behind(settings: Any, wire: Line, config: dict[str, Any] | None = None) -> Iterator[Behind]:
    """A bind over the line, which is closed at the end."""
    settings.DOENDA_GATEWAY = "smpp"
    settings.DOENDA_SMPP = {
        "host": "127.0.0.1",
        "port": wire.port,
        "system_id": "doenda",
        "password": "hush-hus",
        "source": "0220141023",
        "rate": 500.0,
        "answer": 8.0,
        **(config or {}),
    }
    ways.ensure_ways()
    keeper = keeping.Keeper(configured(), after_cut=(0.2, 0.4))
    keeping.use(keeper)
    try:
        yield Behind(wire, Smpp(), keeper)
    finally:
        keeping.stop()
        wire.close()


@contextmanager
def house(settings: Any, config: dict[str, Any] | None = None, **how: Any) -> Iterator[House]:
    """A centre that answers as `how` says, a line, and a bind over it with `config`."""
    with centre(**how) as made, behind(settings, Line(made.port), config) as found:
        found.keeper.link(8.0)  # on a busy machine a bind takes its time
        yield House(found.line, found.gateway, found.keeper, made)
