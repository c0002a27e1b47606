"""I5 of late fees: none in the month in which a bill fell due, none before its reminder, none too high."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from doenda.dunning.cases import policy_now
from doenda.dunning.words import REMINDERS
from doenda.kernel import clock
from doenda.kernel.ids import outside
from doenda.sim.invariants.asking import Violation, rows

if TYPE_CHECKING:
    from doenda.sim.world import World

BASIS_POINTS = 10_000

_FEES = """
    SELECT b.number, b.due_date, b.amount, f.amount, f.created_at, ARRAY(
        SELECT n.id FROM notices_notice n WHERE n.bill_id = b.id AND n.kind = ANY(%s)
        AND n.state IN ('sent', 'delivered', 'failed'))
    FROM dunning_latefee f JOIN billing_bill b ON b.id = f.bill_id WHERE f.reversed_at IS NULL ORDER BY b.number
"""
_TWICE = """
    SELECT b.number, b.late_fee, COUNT(*) FROM billing_bill b JOIN billing_billevent e ON e.bill_id = b.id
    WHERE e.kind = 'late_fee' AND e.fact_id LIKE '%%/step:%%' GROUP BY b.id HAVING COUNT(*) > 1
"""


def fair(world: "World") -> Iterator[Violation]:
    """A bill bears one fee, late enough, when its reminder has lain at the handset for days, and by the tariff."""
    rules = policy_now()
    for number, due, amount, fee, at, reminders in rows(_FEES, [list(REMINDERS)]):
        decided = clock.local(at).date()
        what = f"a late fee of {fee} for bill {number} of {amount}, due on {due}, was decided on {decided}"
        if (decided.year, decided.month) <= (due.year, due.month):
            yield Violation("I5", f"{what}: in the month in which it was due")
        lies = min((day for each in reminders if (day := _arrived(world, each))), default=None)
        if lies is None or lies + timedelta(days=rules.fee_reminded_days) >= decided:
            yield Violation("I5", f"{what}: its reminder has lain at the handset since {lies}")
        if fee * BASIS_POINTS > amount * rules.fee_basis_points:
            yield Violation("I5", f"{what}: more than the tariff allows")
    for number, fee, count in rows(_TWICE):
        yield Violation("I5", f"bill {number} was given {count} late fees: {fee}")


def _arrived(world: "World", notice_id: UUID) -> date | None:
    """When the gateway of the handsets took it in."""
    peer: Any = world.handset
    message = peer.truth.messages.get(outside(notice_id))
    return None if message is None else clock.local(datetime.fromtimestamp(message.accepted, UTC)).date()
