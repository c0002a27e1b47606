"""Do the bank's books, our ledger and the switch agree, to the won? Each keeps its own truth."""

from collections import Counter

from django.db.models import Sum

from doenda.app.stage import Stage
from doenda.billing import books
from doenda.billing.models import Line, Posting
from doenda.kernel import clock
from doenda.kernel.ids import inside, outside
from doenda.kernel.models import OutboxRow
from doenda.payments.models import Attempt
from doenda.payments.states import State


def compare(stage: Stage) -> list[str]:
    """Every disagreement, in words; empty when all agree."""
    found = [*_bank(stage), *_ledger(), *_switch(stage)]
    if stuck := OutboxRow.objects.filter(done_at=None, due_at__lte=clock.now()).count():
        found.append(f"{stuck} effects are not confirmed")
    return found


def _bank(stage: Stage) -> list[str]:
    """What the bank took, order by order, against what we posted for it."""
    taken: dict[str, int] = {k: v for k, v in stage.control("bank", "GET", "books")["by_order"].items() if v}
    ours: Counter[str] = Counter()
    for attempt in Attempt.objects.filter(state=State.PAID, provider="sandbox"):
        posted = Posting.objects.filter(fact_kind="payment", fact_id=attempt.fact_id)
        legs = posted.aggregate(all=Sum("amount"))["all"] or 0
        ours[outside(attempt.pk)] += legs - attempt.given_back
    return [
        f"order {order} (attempt {inside(order)}): the bank took {taken.get(order, 0)}, we posted {ours.get(order, 0)}"
        for order in sorted(taken.keys() | ours.keys())
        if taken.get(order, 0) != ours.get(order, 0)
    ]


def _ledger() -> list[str]:
    trial = books.trial()
    return [] if trial.ok else [f"the ledger does not balance: {trial}"]


def _switch(stage: Stage) -> list[str]:
    truth = stage.control("switch", "GET", "books")["services"]
    lines = Line.objects.exclude(account__probe=True)
    return [
        f"line {outside(line.pk)}: the switch says {truth[outside(line.pk)]['barring']}, we say {line.barring}"
        for line in lines
        if outside(line.pk) in truth and truth[outside(line.pk)]["barring"] != line.barring
    ]


def double_charges(stage: Stage) -> int:
    """Bills for which the bank holds more money than they asked for."""
    taken = stage.control("bank", "GET", "books")["by_order"]
    by_bill: Counter[object] = Counter()
    amounts: dict[object, int] = {}
    for attempt in Attempt.objects.filter(synthetic=False).prefetch_related("bills__bill"):
        for part in attempt.bills.all():
            by_bill[part.bill_id] += min(taken.get(outside(attempt.id), 0), part.amount)
            amounts[part.bill_id] = part.bill.amount + part.bill.late_fee
    return sum(total > amounts[bill_id] for bill_id, total in by_bill.items())
