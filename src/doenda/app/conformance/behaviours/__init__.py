"""The behaviours, one row each of the table: what every provider must do, by itself and through the whole house.

A row is a pair of functions: `direct` speaks to the provider's class, `house` walks the real attempts, doorbells,
inquiries and refunds. Each makes its own charge, and raises AssertionError for what does not hold.
"""

from collections.abc import Callable
from dataclasses import dataclass

from doenda.app.conformance.behaviours import direct, doorbells, house
from doenda.app.conformance.house import House

type Check = Callable[[House], None]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`needs`: the kind of method without which a provider has no such behaviour ("charge": money moves by a request of
    ours after the payer's act; "asking": a request of ours can be lost; "deposit",
    "debit", "bells"); what it lacks is said of a row or of all that need it."""

    name: str
    direct: Check | None
    house: Check | None
    needs: str = "charge"


ALL = (
    Behaviour("paid", direct.paid, house.paid, needs="any"),
    Behaviour("refused", direct.refused, house.refused, needs="any"),
    Behaviour("redirect", direct.redirect, house.redirect),
    Behaviour("not reached", direct.unreached, house.unreached, needs="asking"),
    Behaviour("unknown: timeout before", direct.lost("timeout_before"), house.lost("timeout_before"), needs="asking"),
    Behaviour(
        "unknown: timeout after",
        direct.taken_unseen("timeout_after"),
        house.taken_unseen("timeout_after"),
        needs="asking",
    ),
    Behaviour("unknown: error before", direct.lost("error_before"), house.lost("error_before"), needs="asking"),
    Behaviour(
        "unknown: error after", direct.taken_unseen("error_after"), house.taken_unseen("error_after"), needs="asking"
    ),
    Behaviour("unknown: too many", direct.lost("busy"), house.lost("busy"), needs="asking"),
    Behaviour("unknown: garbage", direct.taken_unseen("garbage"), house.taken_unseen("garbage"), needs="asking"),
    Behaviour("unknown: hidden", direct.hidden, house.hidden, needs="asking"),
    Behaviour("deposit", direct.deposit, house.deposit, needs="deposit"),
    Behaviour("late deposit", None, house.late_deposit, needs="deposit"),
    Behaviour("any amount", None, house.any_amount, needs="any amount"),
    Behaviour("instructed", None, house.instructed, needs="debit"),
    Behaviour("undone", direct.undone, house.undone, needs="undo"),
    Behaviour("refund whole", direct.refund_whole, house.refund_whole, needs="any"),
    Behaviour("refund part", direct.refund_part, None),
    Behaviour("refund same key twice", direct.refund_twice, house.refund_twice, needs="any"),
    Behaviour("duplicate webhook", None, doorbells.duplicate, needs="bells"),
    Behaviour("reordered webhook", None, doorbells.reordered, needs="bells"),
    Behaviour("late webhook", None, doorbells.late, needs="bells"),
    Behaviour("wrong amount", direct.wrong_amount, house.wrong_amount),
    Behaviour("wrong merchant", direct.wrong_merchant, house.wrong_merchant, needs="any"),
    Behaviour("paid twice over", None, house.paid_twice_over),
    Behaviour("webhook forged", None, doorbells.forged, needs="bells"),
    Behaviour("webhook replayed", None, doorbells.replayed, needs="bells"),
    Behaviour("webhook amount changed", None, doorbells.changed, needs="bells"),
    Behaviour("webhook of another merchant", None, doorbells.of_another, needs="bells"),
)
