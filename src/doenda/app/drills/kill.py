"""kill -9 of web, worker, banks and PostgreSQL at random moments of many walks: then all books agree to the won."""

import tempfile
import threading
from collections import Counter
from pathlib import Path

from django.db import connection
from django.db.models import Sum

from doenda.app import scenes
from doenda.app.drills import books, customers, killer
from doenda.app.drills.customers import Errand
from doenda.app.result import Result
from doenda.app.stage import Stage
from doenda.assurance import by_hand
from doenda.billing import books as ledger
from doenda.billing.models import Bill
from doenda.kernel import clock
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.states import State

PROVIDERS = ("sandbox", "toss", "deposit")
METHODS = ("transfer", "card", "deposit")
"""By turns. The sandbox bank takes no cards here, so that these are paid by Toss, transfers by the sandbox."""
TWO_AT_ONCE = 8
"""Every so many bills, two customers pay the same one at the same time, each by a method of his own."""
A_DAY = 60
LATE_DAYS = 3
"""Days without kills on which those come back who could not pay before."""
QUIET_SECONDS = 120.0


def run(stage: Stage, *, walks: int = 500, seed: int = 1, barred: int = 20) -> Result:
    """On a durable system that offers PROVIDERS. The plan of kills follows from `seed` and `walks` alone."""
    result = Result()
    begun = clock.monotonic()
    by_hand.retire("web/card/sandbox", who="operator:drill", reason="cards are paid by Toss in this drill")
    bills = scenes.import_bills(stage, walks, overdue_days=3)
    scenes.until_barred(stage, bills[0])
    barred = min(barred, walks)
    before = sum(scenes.barring(stage, bill) != "none" for bill in bills[:barred])
    result.notes.append(f"{before} of the first {barred} lines were barred before")
    errands = [Errand(bill.number, scenes.link(bill), _methods(place)) for place, bill in enumerate(bills)]
    seen, death = customers.Seen(), killer.Killer(stage)
    with tempfile.TemporaryDirectory(prefix="doenda-receipts-") as folder:
        receipts = customers.Acknowledged(Path(folder) / "receipts.jsonl")
        prepared = clock.monotonic()
        came_back = _days(stage, errands, receipts, seen, death, seed)
        walked = clock.monotonic()
        left = books.until_agreed(stage, QUIET_SECONDS, lambda: _open_bills(bills))
        result.failures += left[:20]
        _check(stage, result, bills, receipts.seen(), seen, death)
    still = sum(scenes.barring(stage, bill) != "none" for bill in bills[:barred])
    result.expect(still == 0, f"{still} lines are still barred")
    result.figures |= {
        "mismatches": len(left),
        "came_back_another_day": came_back,
        "seconds": round(clock.monotonic() - begun, 1),
        "seconds_of_walks": round(walked - prepared, 1),
        "seconds_until_rest": round(clock.monotonic() - walked, 1),
    }
    return result


def _days(
    stage: Stage,
    errands: list[Errand],
    receipts: customers.Acknowledged,
    seen: customers.Seen,
    death: killer.Killer,
    seed: int,
) -> int:
    """So many customers a day; who finds that nothing works comes back another day. How many had to.

    Days pass because the house withdraws a way whose bank died again and again, for ever longer: a night ends that.
    """
    days = -(-len(errands) // A_DAY)
    came_back, late = 0, list[Errand]()
    for day in range(days + LATE_DAYS):
        due = errands[day * len(errands) // days : (day + 1) * len(errands) // days]
        if not (due or late):
            break
        if day:
            _night(stage)
        blows = killer.plan(len(due), f"{seed}:{day}") if due else []
        late = _storm(stage, [*due, *late], receipts, seen, death, blows)
        came_back += len(late)
    return came_back


def _night(stage: Stage) -> None:
    """The next morning every way is walked, so that what works may be told again."""
    if not books.until_reached():
        raise RuntimeError("the database did not come back for the night")
    scenes.pass_days(stage, 1)
    connection.close()


def _methods(place: int) -> tuple[str, ...]:
    """Customers take the methods by turns; who is not alone has the next one beside him."""
    mine, other = METHODS[place % len(METHODS)], METHODS[(place + 1) % len(METHODS)]
    return (mine, other) if place % TWO_AT_ONCE == TWO_AT_ONCE - 1 else (mine,)


def _storm(
    stage: Stage,
    errands: list[Errand],
    receipts: customers.Acknowledged,
    seen: customers.Seen,
    death: killer.Killer,
    blows: list[killer.Blow],
) -> list[Errand]:
    connection.close()
    death.begin(blows)
    kills = threading.Thread(target=death.run)
    kills.start()
    unpaid = customers.pay_all(stage, errands, METHODS, receipts, seen, death.may_begin)
    kills.join()
    return unpaid


def _open_bills(bills: list[Bill]) -> list[str]:
    count = _open(bills)
    return [f"{count} bills are open"] if count else []


def _open(bills: list[Bill]) -> int:
    return Bill.objects.filter(pk__in=[bill.pk for bill in bills], state="open").count()


def _check(
    stage: Stage,
    result: Result,
    bills: list[Bill],
    shown: list[str],
    seen: customers.Seen,
    death: killer.Killer,
) -> None:
    doubles = books.charged_twice(stage)
    result.failures += doubles[:20]
    open_still = _open(bills)
    result.expect(open_still == 0, f"{open_still} bills are not paid")
    lost = acknowledged_lost(stage, shown)
    result.failures += [f"bill {number} was shown as paid, and its money is not in the books" for number in lost[:20]]
    result.expect(not seen.bad_pages, f"{len(seen.bad_pages)} pages said too much or nothing: {seen.bad_pages[:3]}")
    result.expect(not death.missed, f"did not come back: {death.missed}")
    excess, uncovered = excess_of(bills)
    result.expect(uncovered == 0, f"of {excess} paid beyond the bills {uncovered} is neither credit nor given back")
    result.notes += [f"{count} × {trouble}" for trouble, count in seen.troubles.most_common(8)]
    result.figures = {
        "walks": len(bills),
        **_paid_by(bills),
        **death.figures(),
        "double_charges": len(doubles),
        "lost": open_still,
        "acknowledged": len(shown),
        "acknowledged_lost": len(lost),
        "excess": excess,
        "walks_begun_again": seen.begun_again,
        "error_pages": seen.error_pages,
        "bad_pages": len(seen.bad_pages),
    }


def _paid_by(bills: list[Bill]) -> dict[str, int]:
    paid = Attempt.objects.filter(account_id__in=[bill.account_id for bill in bills], state=State.PAID)
    by = Counter(paid.values_list("provider", flat=True))
    return {f"paid_by_{provider}": by[provider] for provider in PROVIDERS}


def acknowledged_lost(stage: Stage, shown: list[str]) -> list[str]:
    """Bills whose receipt a customer saw, and that the ledger, or the providers' own books, do not have in full."""
    at_providers = books.taken_by_bill(stage)
    by_number = {bill.number: bill for bill in Bill.objects.filter(number__in=set(shown))}
    lost = []
    for number in shown:
        bill = by_number.get(number)
        posted = bill.postings.filter(fact_kind="payment").aggregate(all=Sum("amount"))["all"] or 0 if bill else 0
        if bill is None or bill.state != "settled" or posted < bill.amount or at_providers[bill.pk] < bill.amount:
            lost.append(number)
    return lost


def excess_of(bills: list[Bill]) -> tuple[int, int]:
    """What was paid beyond the bills, and how much of that is neither the customer's credit with a case nor back."""
    excess = uncovered = 0
    paid: Counter[object] = Counter()
    back: Counter[object] = Counter()
    for attempt in Attempt.objects.filter(account_id__in=[bill.account_id for bill in bills], state=State.PAID):
        paid[attempt.account_id] += attempt.taken
        back[attempt.account_id] += attempt.given_back
    for bill in Bill.objects.filter(pk__in=[bill.pk for bill in bills]):
        over = paid[bill.account_id] - bill.paid
        if over <= 0:
            continue
        excess += over
        cases = RefundCase.objects.filter(account_id=bill.account_id).aggregate(all=Sum("amount"))["all"] or 0
        credit = ledger.credit(bill.account_id)
        uncovered += over - min(cases, credit + back[bill.account_id])
    return excess, uncovered
