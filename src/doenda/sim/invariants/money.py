"""I1, I2 and I4 from the house's own rows: the ledger and the bills say the same, what was paid too much has its case,
and one attempt a bill is in flight. One statement, asked after every step; what the peers hold beside is `peers_money`.
"""

from collections.abc import Iterator

from doenda.kernel.ids import outside
from doenda.payments.states import IN_FLIGHT
from doenda.sim.invariants.asking import Violation, rows

# What moved into and out of the account's receivable for the bill is what remains of it.
_REMAINS = """
    SELECT 'I1', format('of bill %%s there remain %%s, by its postings %%s', b.number,
                        b.amount + b.late_fee - b.paid - b.credited, COALESCE(s.stands, 0))
    FROM billing_bill b LEFT JOIN (
        SELECT bill_id, SUM(CASE WHEN target_book_id = account_id THEN amount ELSE -amount END) AS stands
        FROM billing_posting WHERE bill_id IS NOT NULL AND (target_book_id = account_id OR source_book_id = account_id)
        GROUP BY bill_id
    ) s ON s.bill_id = b.id
    WHERE b.amount + b.late_fee - b.paid - b.credited <> COALESCE(s.stands, 0)
"""

# A correction of a bill with a credit note takes the excess from both: there `paid` alone says nothing.
_PAID = """
    SELECT 'I1', format('bill %%s says that %%s was paid, its postings %%s', b.number, b.paid, COALESCE(s.paid, 0))
    FROM billing_bill b LEFT JOIN (
        SELECT p.bill_id, SUM(CASE WHEN p.source_book_id = p.account_id THEN p.amount ELSE -p.amount END) AS paid
        FROM billing_posting p
        JOIN billing_book o ON o.id = CASE WHEN p.source_book_id = p.account_id THEN p.target_book_id
                                           ELSE p.source_book_id END
        WHERE p.bill_id IS NOT NULL AND (o.name ~ '^(probe:)?(clearing:|elsewhere)' OR o.name = 'customer_credit')
        GROUP BY p.bill_id
    ) s ON s.bill_id = b.id
    WHERE b.paid <> COALESCE(s.paid, 0)
      AND NOT EXISTS (SELECT FROM billing_posting c WHERE c.bill_id = b.id AND c.fact_kind = 'credit_note')
"""

_LOOSE = """
    SELECT 'I1', format('account %%s: %%s moved over its receivable for no bill (%%s %%s)', a.number, p.amount,
                        p.fact_kind, p.fact_id)
    FROM billing_posting p JOIN billing_account a ON a.id = p.account_id
    WHERE p.bill_id IS NULL AND a.id IN (p.source_book_id, p.target_book_id)
"""

_FACT_OF_OTHERS = """
    SELECT 'I1', format('%%s was posted for %%s %%s to another account than the fact''s', p.amount, p.fact_kind,
                        p.fact_id)
    FROM billing_posting p JOIN billing_externalfact f ON f.kind = p.fact_kind AND f.external_id = p.fact_id
    WHERE f.account_id IS DISTINCT FROM p.account_id
"""

# Every payment of ours that left something over: the case that must say where it goes.
_OVER = """
    SELECT 'I2', format('account %%s: payment %%s left %%s over, and its case says %%s', a.number, p.fact_id,
                        SUM(p.amount), COALESCE(MAX(c.amount)::text, 'nothing: there is none'))
    FROM billing_posting p JOIN billing_account a ON a.id = p.account_id
    JOIN billing_book s ON s.id = p.source_book_id AND s.name = 'customer_credit'
    JOIN billing_book t ON t.id = p.target_book_id AND t.name LIKE 'clearing:%%'
    LEFT JOIN payments_refundcase c ON c.fact_id = p.fact_id AND c.account_id = p.account_id
    WHERE p.fact_kind = 'payment' GROUP BY a.number, p.fact_id HAVING SUM(p.amount) <> COALESCE(MAX(c.amount), 0)
"""

_CLOSED = """
    SELECT 'I2', format('the case of %%s over (payment %%s) was closed (%%s), and no money went back', c.amount,
                        c.fact_id, c.outcome)
    FROM payments_refundcase c LEFT JOIN payments_refund r ON r.id = c.refund_id
    WHERE c.closed_at IS NOT NULL AND (c.outcome = '' OR (c.outcome = 'refunded' AND r.done_at IS NULL))
"""

_IN_FLIGHT = """
    SELECT 'I4', format('bill %%s has %%s attempts in flight at once: %%s', b.number, COUNT(*),
                        string_agg(a.id::text, ', ' ORDER BY a.id))
    FROM payments_attemptbill p JOIN payments_attempt a ON a.id = p.attempt_id JOIN billing_bill b ON b.id = p.bill_id
    WHERE a.state = ANY(%s) GROUP BY b.number HAVING COUNT(*) > 1
"""

_ALL = " UNION ALL ".join((_REMAINS, _PAID, _LOOSE, _FACT_OF_OTHERS, _OVER, _CLOSED, _IN_FLIGHT))


def by_our_rows() -> Iterator[Violation]:
    """I1, I2, I4. A posting moves one amount between two books, so it is balanced by itself; this is what is not."""
    yield from (Violation(invariant, words) for invariant, words in rows(_ALL, [sorted(IN_FLIGHT)]))


_PARTS = """
    SELECT b.number, b.amount + GREATEST(b.late_fee, COALESCE((SELECT SUM(e.amount) FROM billing_billevent e
               WHERE e.bill_id = b.id AND e.kind = 'late_fee'), 0))::bigint,
           p.attempt_id, p.amount
    FROM billing_bill b JOIN payments_attemptbill p ON p.bill_id = b.id
    WHERE NOT EXISTS (SELECT FROM billing_billevent e WHERE e.bill_id = b.id
                      AND e.kind IN ('corrected', 'cancelled', 'credited'))
    ORDER BY p.id
"""


def parts() -> list[tuple[str, int, str, int]]:
    """(bill number, the most that it ever asked for, order id, the order's part) of bills that only ever were paid."""
    return [(number, most, outside(attempt), part) for number, most, attempt, part in rows(_PARTS)]
