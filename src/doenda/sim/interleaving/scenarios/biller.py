"""The carrier's billing changes a bill while its customer pays: what is owed and what was paid always meet."""

from collections.abc import Callable
from uuid import UUID

from doenda.billing import accounts, bills, books, post
from doenda.billing.models import Account, Bill
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.states import State
from doenda.sim.interleaving.ends import settled
from doenda.sim.interleaving.scene import AMOUNT, Play, Scene, scenario


def changes(bill: Bill, how: Callable[[Account, Bill], object]) -> object:
    """One act of the biller, under the account's lock as an import does it."""
    with atomic():
        account = accounts.lock(bill.account_id)
        return how(account, Bill.objects.get(pk=bill.pk))


def whole(scene: Scene, bill: Bill) -> None:
    """What was paid stands on bills or as credit, to the won."""
    paid = sum(one.taken - one.given_back for one in Attempt.objects.filter(account_id=bill.account_id, state="paid"))
    on_bills = sum(one.paid for one in Bill.objects.filter(account_id=bill.account_id))
    credit = books.credit(bill.account_id)
    credited = sum(one.credited for one in Bill.objects.filter(account_id=bill.account_id))
    owed = sum(one.remaining for one in Bill.objects.filter(account_id=bill.account_id))
    billed = sum(one.amount + one.late_fee for one in Bill.objects.filter(account_id=bill.account_id))
    scene.expect(billed == on_bills + credited + owed, f"billed {billed}, paid {on_bills}, credited {credited}, {owed}")
    scene.expect(paid <= on_bills + credit, f"paid {paid}, on bills {on_bills}, credit {credit}")


@scenario("biller corrects x pays", inside=True)
def corrects(scene: Scene) -> Play:
    """A higher revision halves the bill while its customer confirms the old amount."""
    bill = scene.bill()
    came = scene.coming(bill)
    items = [bills.Item("service", AMOUNT // 2)]

    def correct() -> object:
        return changes(bill, lambda account, one: bills.correct(account, one, 2, items, due_date=one.due_date))

    ended = yield {"biller": correct, "customer": lambda: scene.back(came)}
    scene.rest()
    bill.refresh_from_db()
    scene.expect(bill.amount == AMOUNT // 2, f"the bill is of {bill.amount}")
    if ended.said.get("customer") == "paid":
        settled(scene, bill)
        mine = Attempt.objects.filter(account_id=bill.account_id, state=State.PAID)
        back = books.credit(bill.account_id) + sum(one.given_back for one in mine)
        scene.expect(back == AMOUNT - AMOUNT // 2, f"of what was too much {back} is credit or back")
    else:
        scene.expect(bill.paid == 0, f"nobody paid, and {bill.paid} is paid")
    whole(scene, bill)


@scenario("biller raises x pays")
def raises(scene: Scene) -> Play:
    """A higher revision raises the bill while its customer confirms the old amount."""
    bill = scene.bill()
    came = scene.coming(bill)
    items = [bills.Item("service", AMOUNT + 5_000)]

    def correct() -> object:
        return changes(bill, lambda account, one: bills.correct(account, one, 2, items, due_date=one.due_date))

    ended = yield {"biller": correct, "customer": lambda: scene.back(came)}
    scene.rest()
    bill.refresh_from_db()
    paid = AMOUNT if ended.said.get("customer") == "paid" else 0
    scene.expect(bill.remaining == AMOUNT + 5_000 - paid, f"{bill.remaining} remain, the page said {ended.said}")
    whole(scene, bill)


@scenario("biller cancels x settle", inside=True)
def cancels(scene: Scene) -> Play:
    """The bill is taken back whole while its charge is under way."""
    bill = scene.bill()
    came = scene.coming(bill)

    def cancel() -> object:
        word = outside(new_id())
        return changes(bill, lambda account, one: bills.cancel(account, one, fact_id=word, at=clock.now()))

    ended = yield {"biller": cancel, "customer": lambda: scene.back(came)}
    scene.rest()
    bill.refresh_from_db()
    scene.expect(bill.state == Bill.State.CANCELLED, f"the bill is {bill.state}")
    paid = ended.said.get("customer") == "paid"
    kept = sum(case.amount for case in RefundCase.objects.filter(account_id=bill.account_id))
    given = sum(one.given_back for one in Attempt.objects.filter(account_id=bill.account_id))
    credit = books.credit(bill.account_id)
    scene.expect(credit + given == (AMOUNT if paid else 0), f"paid: {paid}, credit {credit}, back {given}, {kept}")
    whole(scene, bill)


@scenario("credit note x pays")
def credit_note(scene: Scene) -> Play:
    """A credit note takes a part of the bill off while its customer confirms the whole."""
    bill = scene.bill()
    came = scene.coming(bill)

    def credit() -> object:
        word = outside(new_id())
        return changes(bill, lambda account, one: bills.credit(account, 2_300, fact_id=word, at=clock.now(), bill=one))

    ended = yield {"biller": credit, "customer": lambda: scene.back(came)}
    scene.rest()
    bill.refresh_from_db()
    if ended.said.get("customer") == "paid":
        settled(scene, bill)
    else:
        scene.expect(bill.remaining == AMOUNT - 2_300, f"{bill.remaining} remain")
    whole(scene, bill)


@scenario("late fee x payment", inside=True)
def late_fee(scene: Scene) -> Play:
    """Collections adds a late fee while the bill is being paid: never a fee on what is settled."""
    bill = scene.bill(due_in=-3)
    came = scene.coming(bill)

    def fee() -> bool:
        with atomic():
            return post.late_fee(Bill.objects.get(pk=bill.pk), 1_000, f"step:{bill.pk}")

    ended = yield {"collections": fee, "customer": lambda: scene.back(came)}
    scene.rest()
    bill.refresh_from_db()
    added = bool(ended.said.get("collections"))
    paid = AMOUNT if ended.said.get("customer") == "paid" else 0
    scene.expect(bill.late_fee == (1_000 if added else 0), f"the fee is {bill.late_fee}, told was {added}")
    scene.expect(bill.remaining == AMOUNT + bill.late_fee - paid, f"{bill.remaining} remain")
    scene.expect((bill.state == "settled") == (bill.remaining == 0), f"the bill is {bill.state}")
    whole(scene, bill)


@scenario("two channels x biller", actors=3)
def channels_and_biller(scene: Scene) -> Play:
    """Two visits pay one bill by card while billing corrects it."""
    bill = scene.bill()
    laptop, phone = (scene.coming(bill, session=UUID(int=each)) for each in (1, 2))
    items = [bills.Item("service", AMOUNT // 2)]

    def correct() -> object:
        return changes(bill, lambda account, one: bills.correct(account, one, 2, items, due_date=one.due_date))

    yield {"laptop": lambda: scene.back(laptop), "phone": lambda: scene.back(phone), "biller": correct}
    scene.rest()
    paid = Attempt.objects.filter(account_id=bill.account_id, state=State.PAID).count()
    scene.expect(paid <= 1, f"{paid} attempts are paid")
    whole(scene, bill)
