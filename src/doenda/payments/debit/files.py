"""Files out: at a day's cut-off what waits for it is bound into one file, which is built once and sent until it is in.

Until the file is built a debit can be recalled; both happen under the account's lock, so exactly one of them wins.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from django.conf import settings
from django.db import connection

from doenda.billing import accounts
from doenda.kernel import clock, facts, outbox, sweeps
from doenda.kernel.db import durable
from doenda.kernel.ids import inside, outside
from doenda.kernel.models import OutboxRow
from doenda.kernel.sealing import CannotOpen, open_sealed, seal
from doenda.payments.debit import house, mandates, policy
from doenda.payments.debit.formats import cms, sepa
from doenda.payments.debit.formats.words import Head, Order
from doenda.payments.debit.models import DebitFile, DebitItem, Mandate
from doenda.payments.debit.policy import Policy

log = logging.getLogger(__name__)
OUTBOX = "debit_file"
S = DebitItem.State

# What may go: the attempt waits for its debit, and its bills still owe what was instructed.
_STANDS = """
    SELECT i.id FROM payments_debititem i JOIN payments_attempt a ON a.id = i.attempt_id
    WHERE i.id = ANY(%(ids)s) AND i.state = 'waiting' AND (i.kind = 'refund' OR (a.state = 'instructed' AND NOT EXISTS (
        SELECT FROM payments_attemptbill p JOIN billing_bill b ON b.id = p.bill_id
        WHERE p.attempt_id = a.id AND (b.state <> 'open' OR b.amount + b.late_fee - b.paid - b.credited < p.amount))
        AND NOT EXISTS (
        SELECT FROM payments_attemptbill p JOIN payments_attemptbill q ON q.bill_id = p.bill_id
        JOIN payments_attempt o ON o.id = q.attempt_id
        WHERE p.attempt_id = a.id AND o.id <> a.id AND (q.in_flight OR (o.state = 'instructed' AND o.id < a.id)))))
    FOR UPDATE OF i
"""

_FILE = """
    UPDATE payments_debititem i SET state = 'filed', file_id = %(file)s, serial = v.serial
    FROM unnest(%(ids)s::uuid[], %(serials)s::int[]) v (id, serial) WHERE i.id = v.id
"""


@sweeps.sweep("debit files", every=20)
def sweep(limit: int = 100) -> int:
    """Build the file of every day whose cut-off has come."""
    waiting = DebitItem.objects.filter(state=S.WAITING).order_by("scheme", "day")
    done = 0
    for scheme, day in list(waiting.values_list("scheme", "day").distinct()[:limit]):
        terms = policy.of_scheme(scheme, day)
        if clock.now() >= terms.cut_off_at(day):
            try:
                build(terms, day)
            except Exception:
                log.exception("the %s file of %s was not built", scheme, day)
                continue
            done += 1
    return done


def build(terms: Policy, day: date) -> DebitFile | None:
    """Bind what waits for `day` into its file. None if nothing waits, or if it is too late: then nothing is bound."""
    rows = DebitItem.objects.filter(scheme=terms.scheme, day=day, state=S.WAITING)
    waiting = list(rows.select_related("mandate").order_by("kind", "pk"))
    if not waiting:
        return None
    if clock.now() >= terms.house_until_at(day) or DebitFile.objects.filter(scheme=terms.scheme, day=day).exists():
        durable(lambda: _missed(terms, waiting))
        return None
    opened = _opened(waiting)
    return durable(lambda: _bind(terms, day, waiting, opened))


def _missed(terms: Policy, waiting: Sequence[DebitItem]) -> None:
    """Nobody built it in time: certainly nothing is taken, and it is our fault. Refunds go with the next file."""
    ids = [item.pk for item in waiting]
    accounts.lock_many(item.account_id for item in waiting)
    now, next_day = clock.now(), terms.open_day(clock.now())
    rows = DebitItem.objects.filter(pk__in=ids, state=S.WAITING)
    missed = rows.filter(kind="debit").update(state=S.REFUSED, code="CUT_OFF_MISSED", result_at=now)
    rows.filter(kind="refund").update(day=next_day)
    if missed:
        log.error("%s debits missed their cut-off", missed)


def _opened(waiting: Iterable[DebitItem]) -> dict[UUID, tuple[str, str]]:
    """Account number and check field by mandate; one that no key opens is left out."""
    found: dict[UUID, tuple[str, str]] = {}
    for item in waiting:
        if item.mandate_id not in found:
            try:
                found[item.mandate_id] = (mandates.number_of(item.mandate), mandates.check_of(item.mandate))
            except CannotOpen:
                log.error("the number of mandate %s cannot be opened", outside(item.mandate_id))
    return found


def _bind(
    terms: Policy, day: date, waiting: Sequence[DebitItem], opened: dict[UUID, tuple[str, str]]
) -> DebitFile | None:
    """One transaction, under the locks of all accounts: items, file, and the row that sends it."""
    accounts.lock_many(item.account_id for item in waiting)
    ids = [item.pk for item in waiting]
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, {"ids": ids})
        stands = {row[0] for row in cursor.fetchall()}
    now = clock.now()
    gone = [each for each in ids if each not in stands]
    DebitItem.objects.filter(pk__in=gone, state=S.WAITING).update(state=S.RECALLED, code="NOT_DUE", result_at=now)
    by_word: dict[str, list[DebitItem]] = {}
    for item in waiting:
        if item.pk in stands:
            by_word.setdefault(_refused(item, opened), []).append(item)
    bound = by_word.pop("", [])
    for word, shut in by_word.items():
        ids = [item.pk for item in shut]
        DebitItem.objects.filter(pk__in=ids).update(state=S.REFUSED, code=word, result_at=now)
    if not bound:
        return None
    head = Head(_config("institution"), day, 1)
    orders = [_order(serial, item, opened[item.mandate_id]) for serial, item in enumerate(bound, 1)]
    name, content = _written(terms.scheme, head, orders)
    totals = cms.sums(orders)
    made = DebitFile(
        scheme=terms.scheme,
        name=name,
        day=day,
        sequence=head.sequence,
        records=totals.records,
        debits=totals.debits,
        debit_sum=totals.debit_sum,
        refunds=totals.refunds,
        refund_sum=totals.refund_sum,
        sha256=hashlib.sha256(content).hexdigest(),
        sealed=seal(content),
        results_due_at=terms.results_due(day),
    )
    made.insert()
    serials = list(range(1, len(bound) + 1))
    with connection.cursor() as cursor:
        cursor.execute(_FILE, {"file": made.pk, "ids": [item.pk for item in bound], "serials": serials})
    common = {"currency": terms.currency, "day": day.isoformat()}
    told = [
        (item.account_id, {"attempt": str(item.attempt_id), "amount": item.amount, **common})
        for item in bound
        if item.kind == "debit"
    ]
    facts.record_many("payments.debit_due", told)
    outbox.put(OUTBOX, outside(made.pk), {"name": name})
    return made


def _refused(item: DebitItem, opened: dict[UUID, tuple[str, str]]) -> str:
    """Why this one record cannot be written, or "": one that is wrong must not hold up the others."""
    if item.mandate_id not in opened:
        return "CANNOT_OPEN"
    fits = sepa.fits if item.scheme == "sepa" else cms.fits
    return "" if fits(_order(1, item, opened[item.mandate_id])) else "FORM"


def _config(name: str) -> str:
    found = house.config()
    return str((found or {}).get(name, ""))


def _order(serial: int, item: DebitItem, opened: tuple[str, str]) -> Order:
    mandate: Mandate = item.mandate
    return Order(
        serial=serial,
        kind="debit" if item.kind == "debit" else "refund",
        bank=mandate.bank,
        account=opened[0],
        amount=item.amount,
        check=opened[1],
        payer=mandate.payer,
        label=settings.DOENDA_CARRIER["ko"],
        holder=mandate.holder,
        signed_on=clock.local(mandate.consent_at).date(),
    )


def _written(scheme: str, head: Head, orders: Sequence[Order]) -> tuple[str, bytes]:
    found = house.config() or {}
    if scheme == "sepa":
        return sepa.name(head), sepa.write(head, orders, creditor=dict(found["sepa"]), at=clock.local(clock.now()))
    branch, deposit = str(found.get("branch", "")), str(found.get("deposit", ""))
    return cms.name(head), cms.write(head, orders, branch=branch, deposit=deposit, keys=list(found["proofs"]))


@outbox.handles(OUTBOX, lease=60.0)
def send(row: OutboxRow) -> outbox.Outcome:
    """Bring the file to the house until it says what it made of it; the bytes are the same every time."""
    file = DebitFile.objects.get(pk=inside(row.key))
    if file.state != DebitFile.State.BUILT:
        return outbox.Sent()
    try:
        ack = house.send(file.name, open_sealed(file.sealed))
    except house.NotNow as error:
        return outbox.Again(None, str(error))
    except house.Differs as error:
        return outbox.Parked(str(error))
    durable(lambda: _answered(file, ack, row))
    return outbox.Sent()


def _answered(file: DebitFile, ack: house.Ack, row: OutboxRow) -> None:
    now = clock.now()
    state = DebitFile.State.ACCEPTED if ack.accepted else DebitFile.State.REFUSED
    rows = DebitFile.objects.filter(pk=file.pk, state=DebitFile.State.BUILT)
    if rows.update(state=state, answered_at=now, reason=ack.reason) and not ack.accepted:
        log.error("the clearing house refused %s: %s", file.name, ack.reason)
        items = DebitItem.objects.filter(file=file, state=S.FILED)
        terms = policy.of_scheme(file.scheme, file.day)
        items.filter(kind="debit").update(state=S.REFUSED, code="FILE_REFUSED", result_at=now)
        items.filter(kind="refund").update(state=S.WAITING, file=None, serial=None, day=terms.open_day(now))
    outbox.finish(row)
