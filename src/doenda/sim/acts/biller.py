"""The biller: bills change while their customers pay."""

from typing import TYPE_CHECKING

from doenda.billing import accounts, bills, post
from doenda.billing.models import Bill
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.sim.acts import Hindered, act
from doenda.sim.acts.customers import some_customer, won

if TYPE_CHECKING:
    from doenda.sim.world import World


@act(0.8)
def biller(world: "World") -> None:
    """Correct, cancel, credit, charge a fee, use up credit, take in a payment made elsewhere."""
    customer, chance = some_customer(world), world.chance
    what = chance.choice(("cancel", "correct", "correct", "credit", "elsewhere", "fee", "use credit"))
    said = what
    with atomic():
        account = accounts.lock(customer.account_id)
        bill = Bill.objects.get(pk=chance.choice(customer.bill_ids))
        now = clock.now()
        match what:
            case "cancel":
                bills.cancel(account, bill, fact_id=outside(new_id()), at=now)
            case "correct" if bill.state != "cancelled":
                amount = chance.choice((0, 100, 60_000))
                items = [bills.Item("service", amount)]
                bills.correct(account, bill, bill.revision + 1, items, due_date=bill.due_date)
                said = f"correct to {won(amount)}"
            case "credit":
                bills.credit(account, 250, fact_id=outside(new_id()), at=now, bill=bill)
            case "elsewhere":
                named = {"provider": "elsewhere", "fact_kind": "deposit", "fact_id": outside(new_id())}
                post.deposit(account, 400, at=now, **named)
            case "fee" if bill.state == "open" and not account.probe:
                post.late_fee(bill, 20, outside(new_id()))
            case "use credit":
                post.use_credit(account)
    world.say(f"the biller: {said} for a bill of {customer.label}")


@act(0.6)
def paid_bill_corrected(world: "World") -> None:
    """What was paid turns out to have been billed too much: a part of it is the customer's again."""
    known = [bill_id for customer in world.customers for bill_id in customer.bill_ids]
    paid = [bill for bill in Bill.objects.filter(pk__in=known, paid__gt=0).order_by("pk") if bill.amount > 1]
    if not paid:
        raise Hindered("nothing was paid")
    bill = world.chance.choice(paid)
    amount = bill.amount // world.chance.choice((2, 3, 10))
    with atomic():
        account = accounts.lock(bill.account_id)
        bill.refresh_from_db()
        items = [bills.Item("service", amount)]
        bills.correct(account, bill, bill.revision + 1, items, due_date=bill.due_date)
    world.say(f"the biller: correct to {won(amount)} for a paid bill of {world.label(bill.account_id)}")


@act(0.3)
def bill_comes(world: "World") -> None:
    """Next month's bill."""
    customer = some_customer(world)
    with atomic():
        account = accounts.lock(customer.account_id)
        number = f"R{customer.number[2:]}{len(customer.bill_ids) + 1:02}"
        due = clock.today()
        items = [bills.Item("service", 33_000)]
        made = bills.issue(account, number, items, due_date=due, bill_date=due.replace(day=1), period=None)
    customer.bill_ids.append(made.pk)
    customer.secrets = (*customer.secrets, number)
    world.say(f"the biller sent {customer.label} a bill of 33,000 won")
