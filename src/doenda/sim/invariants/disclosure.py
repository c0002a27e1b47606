"""I6: nothing that is shown or sent to one customer, and no line of the log, holds what is another customer's alone."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from doenda.sim.invariants import memory
from doenda.sim.invariants.asking import Violation, rows

if TYPE_CHECKING:
    from doenda.sim.world import Customer, World

_WON = re.compile(r"(?<![\d,])(\d{1,3}(?:,\d{3})+|\d+) ?원|KRW ?(\d{1,3}(?:,\d{3})+|\d+)(?![\d,])")


def nothing_of_others(world: "World") -> Iterator[Violation]:
    """Pages and answers since the last look, texts at the handset, lines of the log."""
    seen = memory.of(world)
    for account_id, text in world.shown[seen.shown :]:
        yield from _secrets(world, account_id, text, "a page or an answer")
    seen.shown = len(world.shown)
    peer: Any = world.handset
    texts = list(peer.truth.messages.values())
    for message in texts[seen.texts :]:
        owner = next((each for each in world.customers if each.phone == message.to), None)
        yield from _secrets(world, owner.account_id if owner else None, message.text, f"a text to {message.to}")
        if owner is not None:
            yield from _amounts(world, owner, message.text)
    seen.texts = len(texts)


def logged(world: "World", record: str) -> Violation | None:
    """A line of the log holds nobody's data at all."""
    held = [each.label for each in world.customers if any(secret in record for secret in each.secrets)]
    return Violation("I6", f"the log holds what is {held[0]}'s alone: {record[:120]}") if held else None


def _secrets(world: "World", account_id: UUID | None, text: str, what: str) -> Iterator[Violation]:
    for other in world.customers:
        if other.account_id == account_id:
            continue
        if found := next((secret for secret in other.secrets if secret and secret in text), None):
            whose = world.label(account_id) if account_id else "a stranger"
            yield Violation("I6", f"{what}, seen by {whose}, holds {found!r}, which is {other.label}'s alone")


# Every sum of money that has to do with an account: what its customer may be told.
_SUMS = """
    SELECT account_id, amount FROM billing_bill
    UNION SELECT account_id, amount + late_fee FROM billing_bill UNION SELECT account_id, late_fee FROM billing_bill
    UNION SELECT account_id, amount + late_fee - paid - credited FROM billing_bill
    UNION SELECT account_id, SUM(amount + late_fee - paid - credited) FROM billing_bill
        WHERE state = 'open' GROUP BY account_id
    UNION SELECT account_id, amount FROM payments_attempt UNION SELECT account_id, taken FROM payments_attempt
    UNION SELECT account_id, amount FROM billing_posting WHERE account_id IS NOT NULL
    UNION SELECT account_id, amount FROM payments_refundcase
    UNION SELECT a.account_id, r.amount FROM payments_refund r JOIN payments_attempt a ON a.id = r.attempt_id
"""


def _amounts(world: "World", owner: "Customer", text: str) -> Iterator[Violation]:
    """A sum that belongs to others, and has nothing to do with this customer's account."""
    if len(world.customers) < 2:
        return
    said = {int((won or krw).replace(",", "")) for won, krw in _WON.findall(text)}
    by_account: dict[UUID, set[int]] = {}
    for account_id, amount in rows(_SUMS):
        by_account.setdefault(account_id, set()).add(int(amount))
    own = by_account.get(owner.account_id, set())
    mine = own | {abs(one - other) for one in own for other in own}  # what remained before a part was paid
    for amount in sorted(said - mine - {0}):
        for other in world.customers:
            if other is not owner and amount in by_account.get(other.account_id, ()):
                yield Violation("I6", f"a text to {owner.label} speaks of {amount}, a sum of {other.label} alone")
