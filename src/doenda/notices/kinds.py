"""The kinds of notices: what each needs to know, and whether it asks for money. Law about them is in `policies/`.

Parameters are plain: dates and instants in ISO form (date and datetime objects are converted), amounts in minor units
of the account's currency. Understood besides what a kind needs: `currency`, `until` (the due date has moved), `whose`
("customer" or "ours", of a promise), `method` (leave only once a way with this method is proven), `longest_days` (of a
suspension), `fee` with `fee_after` (the late fee that a reminder announces, and the last day before it), `leave_by` (a
day after which it says something untrue: it is cancelled if it has not left by then), `line` (the id of the line that
it is about), `back` ("source" or "asked": where an overpaid sum goes), `failed` (the methods that do
not work), `next` (the day of the next debit), `screen` (the invitation from a call to a screen: its link is asked for
by whoever calls, so it stands in the text even where this carrier's texts have none).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """`needs`: parameters without which the text cannot be written. `asks`: it invites to pay, so it must name proven
    ways and is not sent once nothing is owed. `whole`: the amount is all that is overdue on the account, not one
    bill's. `opens`: it leads to the bill by link or code. `full`: always the full text, never the short one.
    `objection`: it says whom to tell when it is wrong.
    `names`: it names what works, if anything does, and leaves all the same if nothing does.
    """

    needs: tuple[str, ...] = ()
    asks: bool = False
    whole: bool = False
    opens: bool = False
    full: bool = False
    objection: bool = False
    names: bool = False


KINDS: dict[str, Kind] = {
    "reminder_before": Kind(asks=True, opens=True),
    "reminder": Kind(asks=True, opens=True, objection=True),
    "suspension_notice": Kind(needs=("effective",), whole=True, full=True, asks=True, opens=True, objection=True),
    "full_suspension_notice": Kind(needs=("effective",), whole=True, full=True, asks=True, opens=True, objection=True),
    "late_fee": Kind(needs=("fee",), full=True, asks=True, opens=True, objection=True),
    "promise_due": Kind(needs=("until",), asks=True, opens=True),
    "fault_mended": Kind(full=True, asks=True, opens=True),
    "way_back": Kind(full=True, asks=True, opens=True),
    "misled": Kind(needs=("failed",), full=True, names=True, opens=True),
    "receipt": Kind(needs=("amount",)),
    "restored": Kind(),
    "unknown_outcome": Kind(needs=("amount",), full=True),
    "unknown_settled": Kind(needs=("amount",)),
    "refused_later": Kind(needs=("amount",), opens=True, full=True),
    "promise_made": Kind(needs=("until",), full=True),
    "new_link": Kind(opens=True, full=True),
    "screen": Kind(needs=("screen",), full=True),
    "overpaid": Kind(needs=("amount", "back"), full=True),
    "refunded": Kind(needs=("amount",), full=True),
    "payment_undone": Kind(needs=("amount",), opens=True, full=True),
    "debit_due": Kind(needs=("amount", "day"), full=True),
    "debit_failed": Kind(needs=("amount",), opens=True, full=True),
    "ticket": Kind(needs=("answer_by",)),
}


def check(kind: str, params: dict[str, object]) -> Kind:
    """The kind, if it exists and `params` has what it needs. Raises ValueError naming what is wrong."""
    found = KINDS.get(kind)
    if found is None:
        raise ValueError(f"no such kind of notice: {kind!r}")
    missing = [name for name in found.needs if params.get(name) in (None, "")]
    if missing:
        raise ValueError(f"a notice of kind {kind} needs {', '.join(missing)}")
    return found
