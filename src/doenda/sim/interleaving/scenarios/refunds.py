"""Money on its way back: once, to one place, by two persons where the policy says so, whatever else happens."""

from uuid import UUID

from django.db.models import Q

from doenda.billing import accounts, bills, books, post
from doenda.billing.models import Account, Bill
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments import desk, refunds
from doenda.payments.deposits import arrivals
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import State
from doenda.sim.interleaving.ends import excess_back, settled
from doenda.sim.interleaving.scene import Play, Scene, scenario

LARGE = 400_000
"""Minor units: above the limit of two persons."""
AGENT, SECOND, THIRD = "agent:kim", "collections:lee", "operator:park"


def given_back_whole(scene: Scene, attempt: Attempt) -> None:
    """The payment went back once and whole, and its bill is owed again."""
    attempt.refresh_from_db()
    scene.expect(attempt.state == State.REVERSED, f"the payment is {attempt.state}, not given back")
    scene.expect(attempt.given_back == attempt.taken, f"{attempt.given_back} of {attempt.taken} went back")
    done = Refund.objects.filter(attempt=attempt).exclude(done_at=None).count()
    scene.expect(done == 1, f"{done} refunds are done")
    owed = Bill.objects.filter(account_id=attempt.account_id, state="open").count()
    scene.expect(owed == 1, "the bill is not owed again")


def ask(attempt: Attempt, reason: str, by: str = refunds.SYSTEM) -> Refund:
    with atomic():
        accounts.lock(attempt.account_id)
        return refunds.ask(Attempt.objects.get(pk=attempt.pk), reason, by=by)


@scenario("approve x refuse", dies=(NotAllowed,), inside=True)
def approve_refuse(scene: Scene) -> Play:
    """Two colleagues look at one large refund: one approves it, the other refuses."""
    attempt = scene.pay(scene.bill(LARGE))
    refund = ask(attempt, "asked", AGENT)
    ended = yield {
        "approves": lambda: desk.approve(refund.pk, by=SECOND),
        "refuses": lambda: desk.refuse(refund.pk, by=THIRD, words="not so"),
    }
    scene.expect(len(ended.said) == 1, f"both, or neither, were told that it was done: {list(ended.said)}")
    scene.rest()
    refund.refresh_from_db()
    if "approves" in ended.said:
        given_back_whole(scene, attempt)
    else:
        scene.expect(refund.done_at is None and refund.failed_at is not None, "a refused refund went out")


@scenario("approve x approve", dies=(NotAllowed,))
def approve_twice(scene: Scene) -> Play:
    """Two colleagues approve one large refund at the same moment; a worker sends what it finds."""
    attempt = scene.pay(scene.bill(LARGE))
    refund = ask(attempt, "asked", AGENT)

    def approve(by: str) -> None:
        desk.approve(refund.pk, by=by)
        scene.send("refund", str(refund.pk))

    yield {"one": lambda: approve(SECOND), "other": lambda: approve(THIRD)}
    scene.rest()
    given_back_whole(scene, attempt)


@scenario("refund x second refund", dies=(NotAllowed,), inside=True)
def refund_twice(scene: Scene) -> Play:
    """Two agents give the same payment back, each for a reason of their own."""
    attempt = scene.pay(scene.bill())

    def agent(reason: str) -> None:
        made = ask(attempt, reason, AGENT)
        scene.send("refund", str(made.pk))

    yield {"agent": lambda: agent("moved away"), "other agent": lambda: agent("by mistake")}
    scene.rest()
    given_back_whole(scene, attempt)


@scenario("two senders of a refund")
def two_refund_senders(scene: Scene) -> Play:
    """A worker is stopped past its lease with a refund in hand; another sends it; then the first goes on."""
    attempt = scene.pay(scene.bill())
    refund = ask(attempt, "asked", AGENT)
    late = outbox.claim(Q(kind="refund", key=str(refund.pk)))
    assert late is not None
    scene.pass_time(60)
    yield {
        "late worker": lambda: outbox.send_claimed(late),
        "worker": lambda: scene.send("refund", str(refund.pk)),
    }
    scene.rest()
    given_back_whole(scene, attempt)


@scenario("two senders of an excess", providers=("deposit",))
def two_excess_senders(scene: Scene) -> Play:
    """The same with what was overpaid: two workers have its refund in hand, one of them past its lease."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.deposit(waiting, bill.amount + 700)
    arrivals.sweep(100)
    refund = Refund.objects.get(attempt=waiting)
    late = outbox.claim(Q(kind="refund", key=str(refund.pk)))
    assert late is not None
    scene.pass_time(60)
    yield {
        "late worker": lambda: outbox.send_claimed(late),
        "worker": lambda: scene.send("refund", str(refund.pk)),
    }
    scene.rest("deposits")
    scene.expect(excess_back(scene, bill) == 700, "what went back is not what came too much")


@scenario("credit used x given back", providers=("deposit",), dies=(NotAllowed,), inside=True)
def credit_used_or_back(scene: Scene) -> Play:
    """What was overpaid by a large sum waits for approval; the desk refuses that way, then credit pays the next bill
    while an agent decides to give it back."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.deposit(waiting, bill.amount + LARGE)
    arrivals.sweep(100)
    case = RefundCase.objects.get(account_id=bill.account_id)
    assert case.refund_id is not None
    desk.refuse(case.refund_id, by=SECOND, words="the customer wants it used")
    following = scene.bill(account=bill.account)

    def use() -> int:
        with atomic():
            return post.use_credit(accounts.lock(bill.account_id))

    def give() -> object:
        with atomic():
            account: Account = accounts.lock(bill.account_id)
            return refunds.give_credit_back(account, RefundCase.objects.get(pk=case.pk), by=AGENT)

    ended = yield {"billing": use, "agent": give}
    settled(scene, bill)
    following.refresh_from_db()
    credit = books.credit(bill.account_id)
    refund = Refund.objects.filter(attempt=waiting, failed_at=None).first()
    aside = refund.amount if refund else 0
    scene.expect(credit + aside + following.paid == LARGE, f"credit {credit}, aside {aside}, used {following.paid}")
    scene.expect(following.paid == ended.said.get("billing"), "what was used is not what was told")


@scenario("whole refund x credit back", dies=(NotAllowed,))
def whole_or_part(scene: Scene) -> Play:
    """A paid bill was cancelled, its payment is credit: it pays the next bill while an agent gives all of it back."""
    bill = scene.bill()
    first = scene.pay(bill)
    with atomic():
        account = accounts.lock(bill.account_id)
        bills.cancel(account, Bill.objects.get(pk=bill.pk), fact_id=outside(new_id()), at=clock.now())
    following = scene.bill(account=bill.account)

    def use() -> int:
        with atomic():
            return post.use_credit(accounts.lock(bill.account_id))

    def agent() -> None:
        made = ask(first, "asked", AGENT)
        scene.send("refund", str(made.pk))

    yield {"billing": use, "agent": agent}
    scene.rest()
    first.refresh_from_db()
    following.refresh_from_db()
    both = following.paid + first.given_back
    scene.expect(both == first.taken, f"{following.paid} paid the next bill, {first.given_back} went back")
    scene.expect(following.paid in (0, first.taken), f"a part of it, {following.paid}, paid the next bill")


@scenario("excess back x payment", providers=("sandbox", "deposit"))
def excess_and_payment(scene: Scene) -> Play:
    """Too much was deposited for one bill and goes back while the next bill of the account is paid by card."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.deposit(waiting, bill.amount + 700)
    arrivals.sweep(100)
    other = scene.bill(900, account=bill.account)
    came = scene.coming(other, session=UUID(int=3))
    yield {"refund": lambda: scene.send("refund"), "card": lambda: scene.back(came)}
    scene.rest("deposits")
    settled(scene, bill)
    settled(scene, other)
    scene.expect(books.credit(bill.account_id) == 0, "the excess is still credit")
