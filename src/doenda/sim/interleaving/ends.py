"""Ends that several scenarios look for: paid once, settled with the excess on its way back, a line that is open."""

from doenda.billing import books
from doenda.billing.models import Bill
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.states import State
from doenda.sim.interleaving.scene import Scene


def settled(scene: Scene, bill: Bill) -> None:
    """Nothing of the bill is owed any more."""
    bill.refresh_from_db()
    scene.expect(bill.state == Bill.State.SETTLED, f"the bill is {bill.state} with {bill.remaining} remaining")


def paid_once(scene: Scene, bill: Bill) -> None:
    """The bill is settled, and nobody paid it twice."""
    settled(scene, bill)
    mine = Attempt.objects.filter(account_id=bill.account_id)
    for attempt in mine.filter(state=State.PAID):
        scene.expect(attempt.times_paid == 1, f"an attempt was paid {attempt.times_paid} times")
    paid = mine.filter(state=State.PAID).count()
    scene.expect(paid == 1, f"{paid} attempts are paid")
    scene.expect(books.credit(bill.account_id) == 0, f"credit of {books.credit(bill.account_id)}: charged twice")


def excess_back(scene: Scene, bill: Bill) -> int:
    """The bill is settled; what came besides is back, or is a case with an owner and as much credit. How much came."""
    settled(scene, bill)
    mine = Attempt.objects.filter(account_id=bill.account_id, state=State.PAID)
    extra = sum(one.taken for one in mine) - bill.amount
    cases = list(RefundCase.objects.filter(account_id=bill.account_id))
    scene.expect(sum(case.amount for case in cases) == max(0, extra), f"{extra} came too much, cases {len(cases)}")
    waits = sum(case.amount for case in cases if case.closed_at is None)
    scene.expect(books.credit(bill.account_id) in {0, waits}, f"credit {books.credit(bill.account_id)}, cases {waits}")
    given = sum(one.given_back for one in mine)
    scene.expect(given + waits == extra, f"{extra} came too much, {given} went back, {waits} waits with an owner")
    return extra
