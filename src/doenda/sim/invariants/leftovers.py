"""I4 and I10: what was begun for bills that are settled by now has an end, here and, at rest, at its provider."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from doenda.kernel import clock
from doenda.kernel.ids import outside
from doenda.payments.inquiry import CLOSES_FOR
from doenda.sim.invariants.asking import Violation, rows

if TYPE_CHECKING:
    from doenda.sim.world import World

# An account into which any amount may be paid may go on waiting for a bill that still owes, not for settled ones.
_NEEDLESS = """
    SELECT a.id, a.provider, a.method, a.state FROM payments_attempt a
    WHERE a.state IN ('created', 'needs_redirect', 'needs_deposit') AND NOT a.synthetic
      AND EXISTS (SELECT FROM payments_attemptbill p WHERE p.attempt_id = a.id)
      AND NOT EXISTS (SELECT FROM payments_attemptbill p JOIN billing_bill b ON b.id = p.bill_id
                      WHERE p.attempt_id = a.id AND b.state = 'open')
"""
_BEGUN = f"""{_NEEDLESS}
      AND EXISTS (SELECT FROM payments_attemptbill p JOIN payments_attemptbill o ON o.bill_id = p.bill_id
                  JOIN payments_attemptmove m ON m.attempt_id = o.attempt_id AND m.target = 'paid'
                  WHERE p.attempt_id = a.id AND o.attempt_id <> a.id AND m.id > a.id)
    ORDER BY a.id
"""


def begun_for_nothing() -> Iterator[Violation]:
    """Nobody is asked to pay what another payment has settled since."""
    for ident, provider, method, state in rows(_BEGUN):
        yield Violation("I4", f"attempt {outside(ident)} ({provider}/{method}) is {state}, and its bills are paid")


def begun_for_nothing_at_rest() -> Iterator[Violation]:
    """At rest nobody is asked to pay what is not owed, whatever settled it: the news has come round."""
    for ident, provider, method, state in rows(_NEEDLESS):
        yield Violation(
            "I4", f"at rest attempt {outside(ident)} ({provider}/{method}) is {state}, and none of its bills is open"
        )


# Of an account that we never heard of, since we died over the answer, nobody knows the number.
_ACCOUNTS = """
    SELECT a.id FROM payments_attempt a WHERE a.state IN ('closed', 'expired', 'refused') AND a.provider = %s
    AND EXISTS (SELECT FROM payments_attemptmove m WHERE m.attempt_id = a.id AND m.target = 'needs_deposit')
"""
# What we tried to close for longer than CLOSES_FOR.
_GIVEN_UP = """
    SELECT 1 FROM kernel_outboxrow WHERE kind = 'close' AND starts_with(key, %s) AND done_at - created_at > %s
"""
_LEASED = """
    SELECT n.number, s.attempt_id FROM payments_depositlease s JOIN payments_depositnumber n ON n.id = s.number_id
    JOIN payments_attempt a ON a.id = s.attempt_id WHERE a.state IN ('closed', 'expired', 'refused')
"""
_WAIT = frozenset({"WAITING_FOR_DEPOSIT", "VIRTUAL_ACCOUNT_ISSUED"})


def accounts_left_open(world: "World") -> Iterator[Violation]:
    """At rest an account whose attempt is over takes no money at its bank, by the bank's own books."""
    now = clock.now().timestamp()
    for name in ("toss", "portone"):
        if name not in world.drivers:
            continue
        peer: Any = world.peer(name)
        waits = {
            payment.order_id if name == "toss" else payment.payment_id
            for payment in peer.truth.state.payments.values()
            if payment.status in _WAIT and (payment.expires is None or payment.expires > now)
        }
        for (ident,) in rows(_ACCOUNTS, [name]) if waits else ():
            if outside(ident) in waits and not rows(_GIVEN_UP, [outside(ident), CLOSES_FOR]):
                yield Violation("I10", f"at rest {name} takes money for {outside(ident)}, which is over here")
    for number, attempt in rows(_LEASED) if "deposit" in world.drivers else ():
        bank: Any = world.peer("deposit")
        there = bank.truth.state.numbers[number]
        if there.open and there.order_id == outside(attempt) and (there.until is None or there.until > now):
            yield Violation("I10", f"at rest number {number} is open for {outside(attempt)}, which is over here")
