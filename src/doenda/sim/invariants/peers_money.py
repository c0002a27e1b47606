"""I2, I3 against the peers: every won that a provider or bank took is in our ledger exactly once, and the reverse.

Between two steps what we call certain must be certain; an answer may still be under way. At rest both sides are equal.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from doenda.payments.states import State
from doenda.sim.invariants import money
from doenda.sim.invariants.asking import Violation
from doenda.sim.invariants.house import House, Tried
from doenda.sim.invariants.truth import Order

if TYPE_CHECKING:
    from doenda.sim.world import World

type Books = dict[str, dict[str, Order]]

NOTHING_MOVED = frozenset(
    {State.CREATED, State.NEEDS_REDIRECT, State.REFUSED, State.OUR_FAULT, State.EXPIRED, State.CLOSED}
)
"""States of a charge in which certainly no money has moved, and none will by itself."""


def charged(tried: Tried) -> bool:
    """Does its money move by a request of ours alone? (Into an account that waits, others bring it when they like.)"""
    return tried.method not in {"deposit", "store", "debit"}


def certain(house: House, books: Books) -> Iterator[Violation]:
    """I3 between steps, of providers that know our order ids."""
    ours = {tried.order_id: tried for tried in house.attempts.values()}
    for provider, orders in books.items():
        for order_id, order in orders.items():
            tried = ours.get(order_id)
            if tried is None or tried.provider != provider:
                if order.taken or order.hidden:
                    yield Violation("I3", f"{provider} took {order.taken} for order {order_id}, which is none of ours")
                continue
            yield from _order(house, tried, order)
    for tried in house.attempts.values():
        if tried.provider in books and tried.order_id not in books[tried.provider] and tried.state == State.PAID:
            yield Violation("I3", f"{tried} is paid here, and {tried.provider} never took anything for it")


def _order(house: House, tried: Tried, order: Order) -> Iterator[Violation]:
    who = tried.provider
    if order.net < 0:
        yield Violation("I3", f"{who} gave back {order.back} of {tried}, and took {order.taken}")
    if order.net > tried.amount:
        yield Violation("I2", f"{who} holds {order.net} for {tried}, which asked for {tried.amount}")
    if tried.undone and not order.back:
        yield Violation("I3", f"{tried} counts as taken back by the payer's bank, and {who} gave nothing back")
    if not charged(tried):
        if tried.state == State.PAID and not order.taken:
            yield Violation("I3", f"{tried} is paid here, and nobody ever deposited anything there")
        return
    if tried.state in NOTHING_MOVED:
        if order.net > 0:
            yield Violation("I3", f"{tried} is {tried.state} here, but {who} took {order.net}")
        if order.hidden:
            yield Violation("I3", f"{tried} is {tried.state} here, but {who} is still taking its money")
    elif tried.state == State.PAID and not tried.owned:
        most = tried.taken - tried.given_back
        least = most - house.on_its_way(tried.id)
        if not least <= order.net <= most:
            told = f"between {least} and {most}" if least < most else str(most)
            yield Violation("I3", f"{tried}: our books say that {who} holds {told}, and it holds {order.net}")
    elif tried.state == State.REVERSED and order.net > house.on_its_way(tried.id):
        yield Violation("I3", f"{tried} was given back whole here, and {who} still holds {order.net}")


def twice(house: House, books: Books) -> Iterator[Violation]:
    """I2, the peers' half: two charges of ours took money for one bill, more than it ever asked for."""
    ours = {tried.order_id: tried for tried in house.attempts.values()}
    took: dict[str, Counter[str]] = {}
    most: dict[str, int] = {}
    for number, asked, order_id, part in money.parts():
        tried = ours[order_id]
        order = books.get(tried.provider, {}).get(order_id)
        if order is None or order.net <= 0 or not charged(tried):
            continue
        most[number] = asked
        took.setdefault(number, Counter())[order_id] += min(part, order.net) - _over(house, tried)
    for number, by_order in took.items():
        if len(by_order) > 1 and sum(by_order.values()) > most[number]:
            orders = ", ".join(f"{order_id} took {part}" for order_id, part in by_order.items())
            yield Violation("I2", f"bill {number} of {most[number]} was charged twice: {orders}")


def _over(house: House, tried: Tried) -> int:
    """What of it is known to be too much, and goes back."""
    return sum(each.amount for each in house.refunds.get(tried.id, ()) if each.of_credit and each.open)


def agree(world: "World", house: House, books: Books) -> Iterator[Violation]:
    """I3 at rest, order by order; what a person owns, with its reason, may differ until they have looked."""
    for tried in house.attempts.values():
        if tried.owned or tried.in_flight or tried.provider not in books:
            continue
        order = books[tried.provider].get(tried.order_id, Order())
        held = tried.taken - tried.given_back if tried.state == State.PAID else 0
        if order.net != held:
            who = tried.provider
            yield Violation("I3", f"at rest {tried} is {tried.state} and holds {held} here, {who} holds {order.net}")
    for tried in house.attempts.values():
        if tried.provider == "counter" and not tried.owned:
            held = tried.taken - tried.given_back if tried.state == State.PAID else 0
            hands = world.drivers["counter"].taken(tried.order_id, tried.ref)
            if hands != held:
                yield Violation("I3", f"at rest {tried} is {tried.state} and holds {held}, the clerk's hands {hands}")
