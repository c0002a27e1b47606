"""Lines of a bank and of a provider's list: each is one thing once, whoever looks at it at the same moment."""

from datetime import timedelta

from doenda.billing import books
from doenda.billing.models import Bill, Posting
from doenda.kernel import clock
from doenda.kernel.db import durable
from doenda.kernel.ids import new_id, outside
from doenda.payments.models import Attempt
from doenda.payments.reconciliation import feeds, queue, take_in
from doenda.payments.reconciliation.lines import Line
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.queue import NotAllowed
from doenda.payments.states import State
from doenda.sim.interleaving.ends import paid_once, settled
from doenda.sim.interleaving.scene import Play, Scene, scenario

ONE, OTHER = "agent:kim", "agent:lee"
ACCOUNT = "statement:088100200300"


def told(bill: Bill) -> Line:
    """The bank tells of a transfer that names the bill."""
    ident = outside(new_id())
    return Line(ident, "in", bill.amount, "KRW", clock.now(), reference=bill.number, provider_ref=ident)


def take(*lines: Line) -> take_in.Taken:
    return durable(lambda: take_in.take_in(ACCOUNT, lines, run_id=new_id()))


def parked(bill: Bill) -> ReconLine:
    line = told(bill)
    take(line)
    return ReconLine.objects.get(source=ACCOUNT, ident=line.ident)


def posted_once(scene: Scene, line: ReconLine) -> None:
    line.refresh_from_db()
    legs = Posting.objects.filter(fact_kind=line.fact_kind, fact_id=line.fact_id)
    scene.expect(line.state == ReconLine.State.SETTLED_BY_HAND, f"the line is {line.state}")
    scene.expect(sum(each.amount for each in legs) == line.amount, f"{[each.amount for each in legs]} were posted")


@scenario("accept x accept", dies=(NotAllowed,), inside=True)
def accept_twice(scene: Scene) -> Play:
    """Two colleagues accept one line of a statement at the same moment."""
    bill = scene.bill()
    line = parked(bill)
    ended = yield {
        "one": lambda: queue.accept(line.pk, by=ONE).posted,
        "other": lambda: queue.accept(line.pk, by=OTHER).posted,
    }
    scene.expect(list(ended.said.values()) == [bill.amount], f"the colleagues were told {ended.said}")
    settled(scene, bill)
    posted_once(scene, line)
    scene.expect(books.credit(bill.account_id) == 0, "it was posted twice")


@scenario("accept x dismiss", dies=(NotAllowed,))
def accept_dismiss(scene: Scene) -> Play:
    """One accepts a line, the other dismisses it."""
    bill = scene.bill()
    line = parked(bill)
    ended = yield {
        "accepts": lambda: queue.accept(line.pk, by=ONE).done,
        "dismisses": lambda: queue.dismiss(line.pk, by=OTHER, words="not ours").done,
    }
    scene.expect(len(ended.said) == 1, f"both were told that it was done: {ended.said}")
    bill.refresh_from_db()
    scene.expect((bill.remaining == 0) == ("accepts" in ended.said), f"{ended.said}, and {bill.remaining} remains")


@scenario("accept x card", inside=True)
def accept_card(scene: Scene) -> Play:
    """A transfer for a bill is accepted while its customer, who forgot, pays it by card."""
    bill = scene.bill()
    line, came = parked(bill), scene.coming(bill)
    ended = yield {"agent": lambda: queue.accept(line.pk, by=ONE).posted, "card": lambda: scene.back(came)}
    scene.rest()
    settled(scene, bill)
    posted_once(scene, line)
    paid = Attempt.objects.get(pk=came.attempt_id)
    charged = paid.taken - paid.given_back if paid.state == State.PAID else 0
    credit = books.credit(bill.account_id)
    scene.expect(charged + line.amount == bill.amount + credit, f"{charged} charged, credit {credit}: {ended.said}")


@scenario("one statement, two takers")
def taken_twice(scene: Scene) -> Play:
    """Two workers take the same lines of a bank in."""
    lines = [told(scene.bill()), told(scene.bill())]
    ended = yield {"one": lambda: take(*lines).new, "other": lambda: take(*lines).new}
    scene.expect(sorted(ended.said.values(), key=str) == [0, 2], f"new lines: {ended.said}")
    kept = ReconLine.objects.filter(source=ACCOUNT, ident__in=[each.ident for each in lines]).count()
    scene.expect(kept == 2, f"{kept} lines are kept")


def look() -> bool:
    day = timedelta(days=1)
    return feeds.reconcile("sandbox", clock.now() - day, clock.now() + day).ok


def each_line_once(scene: Scene, bill: Bill) -> None:
    order = outside(Attempt.objects.get(account_id=bill.account_id, state=State.PAID).pk)
    rows = ReconLine.objects.filter(source="feed:sandbox", reference=order)
    scene.expect([str(each.state) for each in rows] == ["matched"], f"of its payment: {[str(x.state) for x in rows]}")


@scenario("two looks, one list")
def two_looks(scene: Scene) -> Play:
    """The daily look at a provider's list, and one by hand."""
    bill = scene.bill()
    scene.pay(bill)
    yield {"daily": look, "by hand": look}
    scene.rest()
    paid_once(scene, bill)
    each_line_once(scene, bill)


@scenario("look x return")
def look_return(scene: Scene) -> Play:
    """A provider's list is looked at while a customer comes back from its page."""
    bill = scene.bill()
    came = scene.coming(bill)
    yield {"look": look, "card": lambda: scene.back(came)}
    scene.rest()
    paid_once(scene, bill)
    look()
    each_line_once(scene, bill)
