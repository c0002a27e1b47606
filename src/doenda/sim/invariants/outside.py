"""I8, I12: at rest nothing waits to leave the house, and the switch and the handsets have what we believe they have."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from doenda.kernel import clock
from doenda.kernel.ids import inside, outside
from doenda.payments.desk import MONEY
from doenda.sim.invariants.asking import Violation, rows

if TYPE_CHECKING:
    from doenda.sim.world import World

# A notice that waits with its reason (no proven way to name, the night), and money that waits for a person's hand or
# for the next file, are told by rows of their own.
_WAITING = """
    SELECT o.kind, o.key, o.tries, o.reason, o.parked_at IS NOT NULL, COALESCE(n.state, ''), COALESCE(a.provider, '')
    FROM kernel_outboxrow o
    LEFT JOIN notices_notice n ON o.kind = 'notice' AND n.id::text = o.key
    LEFT JOIN payments_refund r ON o.kind = 'refund' AND r.id::text = o.key
    LEFT JOIN payments_attempt a ON a.id = r.attempt_id
    WHERE o.done_at IS NULL ORDER BY o.created_at, o.id
"""


def nothing_waits() -> Iterator[Violation]:
    """I12, at rest: every effect is confirmed, or parked where the desk shows it."""
    for kind, key, tries, reason, parked, notice, provider in rows(_WAITING):
        if parked and kind not in MONEY:
            yield Violation("I12", f"{kind} {key} is parked ({reason}), and no list of the desk shows it")
        elif not parked and notice != "held" and provider not in ("counter", "debit"):
            yield Violation("I12", f"at rest {kind} {key} is not confirmed after {tries} tries: {reason}")


# What was decided and has no effect on its way: nobody will ever send it.
_FORGOTTEN = """
    SELECT w.kind, w.key, w.what FROM (
        SELECT 'refund' AS kind, r.id::text AS key, 'a refund of ' || r.amount AS what FROM payments_refund r
            WHERE r.done_at IS NULL AND r.failed_at IS NULL AND (NOT r.needs_two OR r.approved_by <> '')
        UNION ALL SELECT 'switch', c.id::text, 'a command to the switch: ' || c.wanted FROM dunning_linecommand c
            WHERE c.state IN ('due', 'sent')
        UNION ALL SELECT 'notice', n.id::text, 'a notice: ' || n.kind FROM notices_notice n
            WHERE n.state IN ('due', 'held')
        UNION ALL SELECT 'debit_file', f.id::text, 'the file ' || f.name FROM payments_debitfile f
            WHERE f.state = 'built'
    ) w
    WHERE NOT EXISTS (SELECT FROM kernel_outboxrow o WHERE o.kind = w.kind AND o.done_at IS NULL
        AND (o.key = w.key OR w.kind = 'debit_file'))
"""


def forgotten() -> Iterator[Violation]:
    """I12, at rest: whatever was decided has been carried out, or something still carries it."""
    for _, key, what in rows(_FORGOTTEN):
        yield Violation("I12", f"{what} ({key}) was decided, is not done, and nothing will ever send it")


_LINES = "SELECT id, account_id, barring FROM billing_line ORDER BY id"


def network(world: "World") -> Iterator[Violation]:
    """I12, at rest: what the network does to a line is what we believe it does."""
    peer: Any = world.switch
    for line_id, account_id, barring in rows(_LINES):
        shown = _barring(peer, outside(line_id))
        if shown is not None and shown != barring:
            yield Violation("I12", f"at rest the line of {world.label(account_id)} is {shown} there, {barring} here")


def _barring(peer: Any, ident: str) -> str | None:
    return str(peer.truth.barring(ident)) if ident in peer.truth.services else None


_OWES = "SELECT 1 FROM billing_bill WHERE account_id = %s AND state = 'open' AND due_date < %s LIMIT 1"


_STEPPED_DOWN = """
    SELECT c.account_id, l.id, c.stage FROM dunning_case c JOIN billing_line l ON l.account_id = c.account_id
    WHERE c.closed_at IS NULL AND c.stage IN ('watching', 'reminded', 'noticed')
"""


def restored(world: "World") -> Iterator[Violation]:
    """I8, at rest: whose bills are paid is not barred, in the network's truth too, and is not collected from."""
    peer: Any = world.switch
    today = clock.today()
    for line_id, account_id, _ in rows(_LINES):
        if _barring(peer, outside(line_id)) not in (None, "none") and not rows(_OWES, [account_id, today]):
            yield Violation("I8", f"at rest {world.label(account_id)} owes nothing overdue, and the line is barred")
    for account_id, line_id, stage in rows(_STEPPED_DOWN):
        if _barring(peer, outside(line_id)) not in (None, "none"):
            yield Violation("I8", f"at rest {world.label(account_id)} is but {stage}, and the line is barred")
    for (account_id,) in rows("SELECT account_id FROM dunning_case WHERE closed_at IS NULL"):
        if not rows(_OWES, [account_id, today]):
            yield Violation("I8", f"at rest {world.label(account_id)} owes nothing overdue, and is collected from")


_NOTICES = "SELECT id, kind, state, handed_at IS NOT NULL FROM notices_notice ORDER BY id"


def texts(world: "World") -> Iterator[Violation]:
    """I12, at rest: each notice that counts as sent lies at the handset once, and nothing lies there that is none."""
    peer: Any = world.handset
    there = dict(peer.truth.messages)
    for ident, kind, state, handed in rows(_NOTICES):
        message = there.pop(outside(ident), None)
        if state in ("sent", "delivered") and message is None:
            yield Violation("I12", f"notice {outside(ident)} ({kind}) counts as {state}, and no handset has it")
        if state == "delivered" and message is not None and message.state != "delivered":
            yield Violation(
                "I12", f"notice {outside(ident)} ({kind}) counts as delivered, the network says {message.state}"
            )
        if state in ("due", "held") and message is not None and not handed:
            yield Violation(
                "I12", f"notice {outside(ident)} ({kind}) lies at the handset, and was never handed over here"
            )
    for ident in there:
        yield Violation("I12", f"the handset has a text {ident} that is none of our notices{_a_spelling(ident)}")


def _a_spelling(ident: str) -> str:
    try:
        return f" ({inside(ident)})"
    except ValueError:
        return ""
