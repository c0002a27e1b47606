"""Deposits into account numbers: they come when they like, whatever else pays, closes or goes back meanwhile."""

import tempfile
from datetime import timedelta
from pathlib import Path

from doenda.kernel import clock, sweeps
from doenda.payments.deposits import arrivals, leasing, statements, tending
from doenda.payments.deposits.models import DepositLease, DepositLine
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.sim.interleaving.ends import excess_back, paid_once, settled
from doenda.sim.interleaving.scene import AMOUNT, Play, Scene, scenario

SWEEPS = ("deposits", "deposit numbers")
BOTH = ("sandbox", "deposit")


def every_line_has_an_end(scene: Scene) -> None:
    """Posted, noted, or parked with reason, owner and day (the database holds to that): never merely stored (I10)."""
    mine = DepositLine.objects.filter(lease__account_id__in=scene.account_ids, state=DepositLine.State.STORED)
    scene.expect(not mine.exists(), "a deposit line was stored and never brought home")


@scenario("card x deposit", providers=BOTH, inside=True)
def card_deposit(scene: Scene) -> Play:
    """A deposit for the bill is at the bank already; the worker reads its list while the customer pays by card."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.deposit(waiting)
    came = scene.coming(bill)
    yield {"card": lambda: scene.back(came), "worker": lambda: arrivals.sweep(100)}
    scene.rest(*SWEEPS)
    excess_back(scene, bill)
    every_line_has_an_end(scene)


@scenario("card x deposit on its way", providers=BOTH)
def card_deposit_coming(scene: Scene) -> Play:
    """The same, and the deposit is brought only meanwhile: the bank rings, and the list is read."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    came = scene.coming(bill)

    def payer() -> str:
        if not scene.deposit(waiting):
            return "turned away"
        for bell in scene.drivers["deposit"].peer.bells():
            scene.ring("deposit", bell)
        arrivals.sweep(100)
        return "deposited"

    yield {"card": lambda: scene.back(came), "payer": payer}
    scene.rest(*SWEEPS)
    excess_back(scene, bill)
    every_line_has_an_end(scene)


@scenario("two deposit sweepers", providers=("deposit",), inside=True)
def two_sweepers(scene: Scene) -> Play:
    """Two workers read the same list and bring the same lines home."""
    bill, other = scene.bill(), scene.bill(900)
    for one in (bill, other):
        scene.deposit(scene.begin(one, "deposit"), one.amount)
    yield {"worker": lambda: arrivals.sweep(100), "other worker": lambda: arrivals.sweep(100)}
    scene.rest(*SWEEPS)
    paid_once(scene, bill)
    paid_once(scene, other)
    every_line_has_an_end(scene)


@scenario("deposit x close of the number", providers=BOTH)
def deposit_close(scene: Scene) -> Play:
    """A card has paid; its account number is being closed at the bank while the payer brings the money all the same."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.pay(bill)

    def payer() -> str:
        if not scene.deposit(waiting):
            return "turned away"
        arrivals.sweep(100)
        return "deposited"

    def worker() -> None:
        scene.send("close")
        tending.sweep(100)

    ended = yield {"payer": payer, "worker": worker}
    scene.rest(*SWEEPS)
    extra = excess_back(scene, bill)
    scene.expect((extra == 0) == (ended.said.get("payer") == "turned away"), f"{extra} too much, {ended.said}")
    every_line_has_an_end(scene)


@scenario("deposit x release x inquiry", actors=3, providers=("deposit",))
def deposit_release(scene: Scene) -> Play:
    """The number's time is over and the worker gives it up while the payer deposits at the last moment."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    lease = DepositLease.objects.get(attempt=waiting)
    assert lease.until is not None
    scene.deposit(waiting)
    scene.now.set(lease.until + timedelta(seconds=1))

    def ask() -> str:
        return scene.ask(waiting.pk)

    yield {"worker": lambda: tending.sweep(100), "list": lambda: arrivals.sweep(100), "inquiry": ask}
    scene.rest(*SWEEPS)
    paid_once(scene, bill)
    every_line_has_an_end(scene)


@scenario("refund x deposit", providers=("deposit",))
def refund_deposit(scene: Scene) -> Play:
    """Too much was deposited and is on its way back while the same payer deposits once more."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.deposit(waiting, AMOUNT + 700)
    arrivals.sweep(100)
    settled(scene, bill)

    def payer() -> str:
        if not scene.deposit(waiting, 1_000):
            return "turned away"
        arrivals.sweep(100)
        return "deposited"

    yield {"refund": lambda: scene.send("refund"), "payer": payer}
    scene.rest(*SWEEPS)
    excess_back(scene, bill)
    every_line_has_an_end(scene)


HEADER = "거래일자,거래시각,거래번호,거래구분,가상계좌번호,거래금액,입금자명,원거래번호,거래후잔액\n"


@scenario("statement x statement x list", actors=3, providers=("deposit",))
def statement_twice(scene: Scene) -> Play:
    """The bank's statement file is taken in by two people at once; the worker reads the same movement in the list."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.deposit(waiting)
    ident = _last(scene)
    number = Attempt.objects.get(pk=waiting.pk).details["pay_into"]["number"]
    local = clock.local(clock.now())
    text = f'{local:%Y-%m-%d},{local:%H:%M:%S},{ident},입금,{number},"{AMOUNT:,}",김표본,,1\n'
    with tempfile.TemporaryDirectory(prefix="doenda-statement-") as folder:
        path = Path(folder) / "statement.csv"
        path.write_text(HEADER + text, encoding="cp949")
        ended = yield {
            "clerk": lambda: statements.take_in(path, "shinhan"),
            "other clerk": lambda: statements.take_in(path, "shinhan"),
            "worker": lambda: arrivals.sweep(100),
        }
    taken = [said for said in ended.said.values() if isinstance(said, statements.Taken)]
    scene.expect(all(each.ok for each in taken) and len(taken) == 2, "a statement was refused")
    scene.expect(sum(each.again for each in taken) == 1, "the same file counted twice, or never")
    sweeps.run("deposits")
    scene.rest(*SWEEPS)
    paid_once(scene, bill)
    every_line_has_an_end(scene)


def _last(scene: Scene) -> str:
    """The bank's own number of its latest movement."""
    return str(getattr(scene.drivers["deposit"], "_last", ""))


@scenario("undone x paid again", providers=BOTH)
def undone_paid_again(scene: Scene) -> Play:
    """The bank takes a deposit back; the news is read while the customer pays the bill by card."""
    bill = scene.bill()
    waiting = scene.begin(bill, "deposit")
    scene.deposit(waiting)
    arrivals.sweep(100)
    settled(scene, bill)
    scene.drivers["deposit"].undo("", "")

    def card() -> str:
        said = scene.start(bill)
        if said.outcome != "redirect" or said.attempt_id is None:
            return said.outcome
        return scene.walk_on(said.attempt_id)

    ended = yield {"worker": lambda: arrivals.sweep(100), "customer": card}
    scene.rest(*SWEEPS)
    bill.refresh_from_db()
    paid = ended.said.get("customer") == "paid"
    scene.expect((bill.state == "settled") == paid, f"the bill is {bill.state}, the card {ended.said}")
    scene.expect(Attempt.objects.get(pk=waiting.pk).state != State.PAID, "what was taken back is still paid")
    every_line_has_an_end(scene)


@scenario("own number x own number", providers=("deposit",), inside=True)
def own_number(scene: Scene) -> Play:
    """A customer asks twice at the same moment for a deposit account of their own."""
    account = scene.bill().account
    yield {"page": lambda: leasing.own(account), "call": lambda: leasing.own(account)}
    mine = DepositLease.objects.filter(account=account).count()
    scene.expect(mine == 1, f"{mine} numbers of their own")
