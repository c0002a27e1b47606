"""What the peers' own books say: the truth that the house is held against. Read from the peers alone, never from us."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doenda.sim.world import World

BY_ORDER = ("sandbox", "toss", "portone")
"""Providers whose peer keeps its books by our order ids."""


@dataclass(slots=True)
class Order:
    """What a provider did for one of our orders, minor units. `hidden`: a charge that it will carry out later; `last`:
    when money moved last."""

    taken: int = 0
    back: int = 0
    hidden: bool = False
    last: datetime | None = None

    @property
    def net(self) -> int:
        return self.taken - self.back


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement at the deposit bank. `kind`: deposit, returned, taken_back; `listed`: the bank tells of it yet."""

    bank: str
    ident: str
    kind: str
    number: str
    amount: int
    of: str
    order_id: str
    at: datetime
    listed: bool


def orders(world: "World") -> dict[str, dict[str, Order]]:
    """By provider and order id, from the rows that the peers' books are sums of."""
    return {name: _orders(_state(world, name)) for name in BY_ORDER if name in world.drivers}


def _state(world: "World", name: str) -> Any:
    peer: Any = world.peer(name)
    return peer.truth.state


def _orders(state: Any) -> dict[str, Order]:
    found: dict[str, Order] = {}
    moved: Iterable[Any] = state.transactions if hasattr(state, "transactions") else state.movements
    for each in moved:
        order = found.setdefault(_order_id(each), Order())
        order.last = datetime.fromtimestamp(each.at, UTC)
        if each.kind == "capture":
            order.taken += each.amount
        else:
            order.back += each.amount
    for payment in state.payments.values():
        if payment.hidden_until is not None:
            found.setdefault(_order_id(payment), Order()).hidden = True
    return found


def _order_id(row: Any) -> str:
    return str(row.order_id if hasattr(row, "order_id") else row.payment_id)


def entries(world: "World") -> list[Entry]:
    """The deposit bank's movements, oldest first; none where there is no such bank."""
    if "deposit" not in world.drivers:
        return []
    return [
        Entry(
            one.bank,
            one.ident,
            one.kind.lower(),
            one.number,
            one.amount,
            one.of,
            one.order_id,
            datetime.fromtimestamp(one.at, UTC),
            one.hidden_until is None,
        )
        for one in _state(world, "deposit").entries
    ]


def net_of_numbers(found: Iterable[Entry]) -> Counter[str]:
    """What stands at the deposit bank, by account number."""
    sums: Counter[str] = Counter()
    for each in found:
        sums[each.number] += each.amount if each.kind == "deposit" else -each.amount
    return sums


@dataclass(frozen=True, slots=True)
class Records:
    """The clearing house's books: what it did of each record of each file; `carrier` is the net it holds for us.

    `paid`: records carried out, `kind` "debit" or "refund"; `returned`: debits that the payer's bank took back.
    """

    paid: Mapping[tuple[str, int], tuple[str, int]]
    returned: frozenset[tuple[str, int]]
    carrier: int


def records(world: "World") -> Records:
    if "debit" not in world.drivers:
        return Records({}, frozenset(), 0)
    state = _state(world, "debit")
    paid: dict[tuple[str, int], tuple[str, int]] = {}
    for ident, codes in state.done.items():
        for serial, code in codes.items():
            order = state.orders[ident][serial]
            if code == "0000":
                paid[ident, serial] = ("debit" if order[1] == "R" else "refund", order[4])
    return Records(paid, frozenset(state.returned), state.carrier)
