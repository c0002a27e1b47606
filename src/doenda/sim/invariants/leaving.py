"""I4: money is asked for only once our rows say so, and never more than the bills owe when they began to say so.

Judged as the request leaves. What a provider has carried out already may be asked for again, under the same key.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from doenda.kernel import clock, net
from doenda.kernel.ids import inside
from doenda.payments.states import State
from doenda.sim.invariants import truth
from doenda.sim.invariants.asking import Violation, rows

if TYPE_CHECKING:
    from doenda.sim.world import World

AT_ONCE = timedelta(seconds=1)
"""So soon after its intent was written a charge leaves, unless its sender died: then it is sent again whatever is owed,
for it may have arrived before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for money."""

    order_id: str
    amount: int


def asked(provider: str, request: net.Request) -> Asked | None:
    """What the request would have the provider take; None if it takes nothing."""
    path = urlsplit(request.url).path
    if request.method != "POST":
        return None
    if provider == "sandbox" and path.endswith("/v1/payments/confirm"):
        body = json.loads(request.content)
        return Asked(body["order_id"], body["amount"])
    if provider == "toss" and (path.endswith("/v1/payments/confirm") or "/v1/billing/" in path):
        body = json.loads(request.content)
        return Asked(body["orderId"], body["amount"]) if "orderId" in body else None
    if provider == "portone" and path.endswith("/confirm"):
        return Asked(unquote(path.split("/")[-2]), json.loads(request.content)["totalAmount"])
    return None


_INTENT = """
    SELECT a.state, a.sent_at, (
        SELECT COALESCE(SUM(LEAST(p.amount, CASE WHEN b.state = 'open'
                            THEN b.amount + b.late_fee - b.paid - b.credited ELSE 0 END)), 0)::bigint
        FROM payments_attemptbill p JOIN billing_bill b ON b.id = p.bill_id WHERE p.attempt_id = a.id)
    FROM payments_attempt a WHERE a.id = %s AND a.provider = %s
"""


def as_it_leaves(world: "World", provider: str, request: net.Request) -> Iterator[Violation]:
    """Call it for every request to a provider just before it is carried there."""
    charge = asked(provider, request) if provider in truth.BY_ORDER else None
    if charge is None:
        return
    for state, sent_at, owed in rows(_INTENT, [inside(charge.order_id), provider]):
        why = ""
        if state not in (State.SENT, State.UNKNOWN):
            why = f"which is {state}: nobody wrote down that it would be"
        elif charge.amount > owed and sent_at is not None and clock.now() - sent_at < AT_ONCE:
            why = f"whose bills owed {owed} when that was decided"
        if why and not _done(world, provider, charge.order_id):
            yield Violation("I4", f"{provider} was asked for {charge.amount} for {charge.order_id}, {why}")


def _done(world: "World", provider: str, order_id: str) -> bool:
    """Has the provider done it, or will it?"""
    order = truth.orders(world)[provider].get(order_id)
    return order is not None and (order.taken > 0 or order.hidden)
