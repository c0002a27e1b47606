"""What must hold at the end of every run, whatever was played: the peers' books, our ledger and our rows agree."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Sum

from doenda.billing import books
from doenda.billing.models import Bill, ExternalFact, Posting
from doenda.kernel.ids import outside
from doenda.kernel.models import FactRow, OutboxRow
from doenda.payments.models import Attempt, AttemptMove, Refund
from doenda.payments.states import EDGES, State
from doenda.sim.interleaving.engine import Ended
from doenda.sim.interleaving.scene import Scenario, Scene


def of_the_run(played: Scenario, ended: Ended) -> Iterator[str]:
    """What an actor died of, and what the run itself says."""
    if ended.hung:
        yield f"it did not end {ended.hung}"
    if ended.deadlocks:
        yield "a deadlock: two transactions took locks in different orders"
    for name, error in ended.died.items():
        if not isinstance(error, played.dies):
            yield f"{name} died of {type(error).__name__}: {error}"[:300]


def of_the_end(scene: Scene) -> Iterator[str]:
    """The common invariants (I1, I3, I7, I9, I12) over the accounts of this run."""
    for account_id in scene.account_ids:
        yield from _ledger(scene, account_id)
    for attempt in Attempt.objects.filter(account_id__in=scene.account_ids).order_by("pk"):
        yield from _attempt(scene, attempt)
    mine = {"account_id__in": scene.account_ids}
    for row in OutboxRow.objects.filter(done_at=None, **mine).exclude(kind__in=scene.later):
        yield f"the outbox still holds {row.kind}: {row.reason}"
    for fact in FactRow.objects.filter(**mine).exclude(pending=[]):
        yield f"{fact.pending} could not take in {fact.kind}"


def _ledger(scene: Scene, account_id: UUID) -> Iterator[str]:
    bills = list(Bill.objects.filter(account_id=account_id))
    owed = sum(bill.remaining for bill in bills)
    by_book: dict[str, int] = {}
    for each in books.balances(account_id):
        by_book[each.name] = each.amount
    stands = by_book.get(books.RECEIVABLE, 0)
    if owed != stands:
        yield f"the bills owe {owed}, the receivable stands at {stands}"
    if sum(by_book.values()):
        yield f"the account's postings do not sum to zero: {by_book}"
    if by_book.get(books.CREDIT, 0) > 0:
        yield f"the customer's credit is below zero: {by_book[books.CREDIT]}"
    for bill in bills:
        if bill.remaining < 0 or (bill.state == Bill.State.SETTLED and bill.remaining):
            yield f"bill {bill.state} with {bill.remaining} remaining"
    for name, driver in scene.drivers.items():
        mine = Attempt.objects.filter(account_id=account_id, provider=name)
        theirs = sum(driver.taken(outside(one.pk), one.provider_ref or "") for one in mine)
        aside = Refund.objects.filter(attempt__in=mine, of_credit=True, done_at=None, failed_at=None)
        ours = by_book.get(books.clearing(name), 0) + sum(one.amount for one in aside)
        if theirs != ours:
            yield f"{name} holds {theirs}, our ledger says {ours}"


def _attempt(scene: Scene, attempt: Attempt) -> Iterator[str]:
    if attempt.in_flight:
        yield f"an attempt is still {attempt.state}"
    if attempt.person_owns_at is not None:
        yield f"an attempt needs a person: {attempt.reason}"
    for move in AttemptMove.objects.filter(attempt=attempt):
        if (State(move.source), State(move.target)) not in EDGES:
            yield f"an attempt went from {move.source} to {move.target}"
    if attempt.state == State.PAID:
        legs = Posting.objects.filter(fact_kind="payment", fact_id=attempt.fact_id)
        posted = legs.aggregate(sum=Sum("amount"))["sum"] or 0
        if posted != attempt.taken:
            yield f"an attempt took {attempt.taken}, posted was {posted}"
        if ExternalFact.objects.filter(kind="payment", external_id=attempt.fact_id).count() != 1:
            yield "a payment has no fact of its own"
