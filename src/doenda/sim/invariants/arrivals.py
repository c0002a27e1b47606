"""I10: every doorbell, deposit line and debit answer that we took ends posted, or parked with reason, owner, day."""

from collections.abc import Iterator, Sequence

from doenda.kernel import clock
from doenda.sim.invariants.asking import Violation, rows
from doenda.sim.invariants.truth import Entry

_LINES = """
    SELECT bank || '-' || ident, kind, amount, state, reason, owner, due_at IS NOT NULL FROM payments_depositline
    WHERE state IN ('stored', 'parked')
       OR (state = 'sending_back' AND NOT EXISTS (SELECT FROM kernel_outboxrow o WHERE o.kind = 'deposit_return'
           AND o.key = payments_depositline.id::text AND o.done_at IS NULL))
"""

_ANSWERS = "SELECT name, kind FROM payments_debitanswer WHERE accepted AND done_at IS NULL"

_RECORDS = """
    SELECT p.id::text, p.reason, p.owner FROM payments_debitparked p
    WHERE p.closed_at IS NULL AND (p.reason = '' OR p.owner = '' OR p.due_at IS NULL)
"""

# A result that has come has reached its attempt; a debit without one, after its file was answered, has its person.
_ITEMS = """
    SELECT i.id::text, i.kind, i.state, f.name, a.state FROM payments_debititem i
    JOIN payments_attempt a ON a.id = i.attempt_id LEFT JOIN payments_debitfile f ON f.id = i.file_id
    WHERE (i.home_at IS NULL AND i.kind = 'debit' AND i.state NOT IN ('waiting', 'filed') AND a.state = 'instructed')
       OR (i.home_at IS NULL AND i.kind = 'debit' AND i.state IN ('paid', 'returned')
           AND a.state NOT IN ('paid', 'reversed', 'undone') AND a.person_owns_at IS NULL)
       OR (i.state = 'filed' AND f.checked_at IS NOT NULL AND a.person_owns_at IS NULL AND NOT EXISTS (
           SELECT FROM payments_debitparked p WHERE p.item_id = i.id AND p.closed_at IS NULL))
"""

# A doorbell makes us ask; what was asked for has been.
_ASKED = """
    SELECT a.id::text, a.provider, a.state FROM payments_attempt a
    WHERE a.ask_at IS NOT NULL AND a.ask_at < %s AND a.person_owns_at IS NULL
"""

_FACTS = "SELECT kind, pending::text, tries FROM kernel_factrow WHERE pending <> '{}'"


def ended(entries: Sequence[Entry]) -> Iterator[Violation]:
    """At rest."""
    for ref, kind, amount, state, reason, owner, dated in rows(_LINES):
        if state != "parked" or not (reason and owner and dated):
            has = f"parked ({reason or 'no reason'}, {owner or 'no owner'})" if state == "parked" else state
            yield Violation("I10", f"at rest the {kind} {ref} of {amount} is {has}")
    stored = {str(ref) for (ref,) in rows("SELECT bank || '-' || ident FROM payments_depositline")}
    for entry in entries:
        if f"{entry.bank}-{entry.ident}" not in stored:
            yield Violation(
                "I10", f"at rest we know nothing of the bank's {entry.kind} {entry.ident} of {entry.amount}"
            )
    for name, kind in rows(_ANSWERS):
        yield Violation("I10", f"at rest the clearing house's answer {name} ({kind}) is not worked off")
    for ident, reason, owner in rows(_RECORDS):
        yield Violation("I10", f"the parked record {ident} has no {'owner' if reason else 'reason'}: {reason}{owner}")
    for ident, kind, state, name, attempt in rows(_ITEMS):
        yield Violation(
            "I10", f"at rest the {kind} {ident} ({name}) is {state}, its attempt is {attempt}, nobody owns it"
        )
    for kind, pending, tries in rows(_FACTS):
        yield Violation("I10", f"at rest {pending} has not taken in {kind}, after {tries} tries")


def answered() -> Iterator[Violation]:
    """At rest nothing waits to be asked that a doorbell asked for."""
    for ident, provider, state in rows(_ASKED, [clock.now()]):
        yield Violation("I10", f"at rest attempt {ident} ({provider}) is {state}, and was to be asked about")
