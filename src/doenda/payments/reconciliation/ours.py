"""What our ledger has of a provider's orders, as the provider must tell it: payments, refunds, what came undone.

Amounts come from the postings on the provider's book, never from the attempt's own row. A whole payment that went back
after a part of it had (`refund_merged`) is told by the provider as that part and the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import BigIntegerField, Case, F, Min, Q, Sum, When

from doenda.billing import books
from doenda.billing.models import Book, Posting
from doenda.kernel.ids import inside, outside
from doenda.payments import providers
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt, Refund
from doenda.payments.reconciliation.pairing import Fact, Order

PAYMENT, REFUND, GIVEN_BACK, UNDONE = "payment", "refund", "given_back", "undone"
FAILED, MERGED = "refund_failed", "refund_merged"


@dataclass(frozen=True, slots=True)
class Mine:
    """An attempt of ours that a provider's line names."""

    attempt_id: UUID
    account_id: UUID
    probe: bool
    begun: datetime
    order: Order


@dataclass(frozen=True, slots=True)
class _Net:
    amount: int
    at: datetime


def book_ids(provider: str, *, probe: bool | None = None) -> dict[UUID, str]:
    """The provider's books, each with its currency: with the probes' (None: both)."""
    plain = books.clearing(provider)
    names = {None: [plain, books.PROBE + plain], False: [plain], True: [books.PROBE + plain]}[probe]
    return dict(Book.objects.filter(account=None, name__in=names).values_list("pk", "currency"))


def ref_of(provider: str, fact_id: str) -> str:
    """The provider's reference in a payment's fact: "toss:KEY#2" is KEY."""
    return fact_id.removeprefix(f"{provider}:").partition("#")[0]


def attempts_of(provider: str, named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """The attempt that (order id, reference) names: by the order id, or where none is told by the reference."""
    pairs = set(named)
    by_order = {order_id: each for order_id, _ in pairs if (each := _inside(order_id)) is not None}
    known = set(Attempt.objects.filter(pk__in=list(by_order.values()), provider=provider).values_list("pk", flat=True))
    bare = [ref for order_id, ref in pairs if not order_id and ref]
    by_ref: dict[str, UUID] = {}
    if bare:
        rows = Attempt.objects.filter(provider=provider, provider_ref__in=bare).values_list("provider_ref", "pk")
        by_ref = {str(ref): pk for ref, pk in rows}
        if provider == "deposit":  # a number that was paid into again: the attempt has the newer reference
            idents = [ref.partition("-")[2] for ref in bare]
            lines = DepositLine.objects.filter(ident__in=idents, kind="deposit", attempt__isnull=False)
            by_ref |= {line.ref: line.attempt_id for line in lines if line.attempt_id is not None}
    found: dict[tuple[str, str], UUID] = {}
    for order_id, ref in pairs:
        attempt_id = by_order.get(order_id) if order_id else by_ref.get(ref)
        if attempt_id is not None and (attempt_id in known or not order_id):
            found[order_id, ref] = attempt_id
    return found


def _inside(order_id: str) -> UUID | None:
    try:
        return inside(order_id)
    except (ValueError, AttributeError):
        return None


def of(provider: str, wanted: Mapping[UUID, set[str]]) -> dict[UUID, Mine]:
    """The attempts, each with all its facts on the provider's book. `wanted`: by id, references that lines name."""
    rows = list(Attempt.objects.filter(pk__in=list(wanted)).select_related("account"))
    refunds: dict[UUID, list[Refund]] = {}
    for refund in Refund.objects.filter(attempt__in=list(wanted)).order_by("pk"):
        refunds.setdefault(refund.attempt_id, []).append(refund)
    payments = {row.pk: _payment_ids(provider, row, wanted[row.pk]) for row in rows}
    ids = {each for found in payments.values() for each in found}
    ids |= {str(each.pk) for found in refunds.values() for each in found}
    nets = _nets(provider, ids)
    exact = providers.get(provider).exact
    found: dict[UUID, Mine] = {}
    for row in rows:
        facts = [*_payments(provider, payments[row.pk], nets), *_backs(payments[row.pk], refunds.get(row.pk, []), nets)]
        order = Order(outside(row.pk), row.provider_ref or "", row.amount, row.currency, exact, tuple(facts))
        found[row.pk] = Mine(row.pk, row.account_id, row.account.probe, row.created_at, order)
    return found


def _payment_ids(provider: str, attempt: Attempt, refs: set[str]) -> list[str]:
    """Every external id that a payment of it may have been posted under (a deposit may be undone and made again)."""
    known = {attempt.provider_ref or outside(attempt.pk), outside(attempt.pk), *refs} - {""}
    plain = [f"{provider}:{ref}" for ref in sorted(known)]
    return plain + [f"{each}#{number}" for each in plain for number in range(2, attempt.times_paid + 1)]


def _nets(provider: str, fact_ids: set[str]) -> dict[tuple[str, str], _Net]:
    """What each fact put into the provider's books, minor units; negative for what it took out."""
    mine = list(book_ids(provider))
    kinds = [PAYMENT, REFUND, GIVEN_BACK, UNDONE, FAILED, MERGED]
    rows = Posting.objects.filter(fact_kind__in=kinds, fact_id__in=list(fact_ids))
    rows = rows.filter(Q(source_book__in=mine) | Q(target_book__in=mine))
    into = When(target_book__in=mine, then=F("amount"))
    sums = rows.values_list("fact_kind", "fact_id").annotate(
        net=Sum(Case(into, default=-F("amount"), output_field=BigIntegerField())), first=Min("at")
    )
    return {(kind, fact_id): _Net(int(net), first) for kind, fact_id, net, first in sums}


def _payments(provider: str, ids: list[str], nets: Mapping[tuple[str, str], _Net]) -> Iterable[Fact]:
    for fact_id in ids:
        net = nets.get((PAYMENT, fact_id))
        if net is not None and net.amount > 0:
            yield Fact(PAYMENT, fact_id, "in", net.amount, net.at, ref_of(provider, fact_id))


def _backs(ids: list[str], refunds: Iterable[Refund], nets: Mapping[tuple[str, str], _Net]) -> Iterable[Fact]:
    merged = 0
    for refund in refunds:
        net = nets.get((REFUND, str(refund.pk)))
        merged += _amount(nets.get((MERGED, str(refund.pk))))
        if refund.of_credit and net is not None and net.amount + _amount(nets.get((FAILED, str(refund.pk)))) < 0:
            yield Fact(REFUND, str(refund.pk), "out", -net.amount, net.at)
    wholes = [(REFUND, str(each.pk)) for each in refunds if not each.of_credit]
    wholes += [(GIVEN_BACK, each) for each in ids]
    for kind, fact_id in wholes:
        net = nets.get((kind, fact_id))
        if net is not None and -net.amount > merged:
            yield Fact(kind, fact_id, "out", -net.amount - merged, net.at)
    for fact_id in ids:
        net = nets.get((UNDONE, fact_id))
        if net is not None and net.amount < 0:
            yield Fact(UNDONE, fact_id, "out", -net.amount, net.at)


def _amount(net: _Net | None) -> int:
    return 0 if net is None else net.amount


def posted_at(provider: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """When each fact was posted on the provider's books, whenever that was."""
    wanted, mine = set(keys), list(book_ids(provider))
    rows = Posting.objects.filter(fact_kind__in={kind for kind, _ in wanted}, fact_id__in={each for _, each in wanted})
    rows = rows.filter(Q(source_book__in=mine) | Q(target_book__in=mine))
    times = rows.values_list("fact_kind", "fact_id").annotate(first=Min("at"))
    return {(kind, fact_id): first for kind, fact_id, first in times if (kind, fact_id) in wanted}
