"""The counter: a clerk takes cash for bills and for slips, voids, hands refunds out; presses again until told.

Only "taken" means that the money is kept. A press that nobody answered (the process died over it) stays in `presses`,
and is pressed again with the same key.
"""

from typing import TYPE_CHECKING

from doenda.billing.models import Bill
from doenda.kernel.ids import new_id, outside
from doenda.payments.counter import payouts, receipts, till
from doenda.payments.counter.models import Payout, Receipt, Slip
from doenda.payments.models import Attempt
from doenda.payments.staff import NotAllowed
from doenda.payments.states import NotAMove, State
from doenda.sim.acts import Hindered, act
from doenda.sim.acts.customers import some_customer, won
from doenda.sim.building import CLERK, SECOND
from doenda.sim.drivers.counter import Driver
from doenda.sim.world import Press

if TYPE_CHECKING:
    from doenda.sim.world import World


def hands(world: "World") -> Driver:
    """Raises Hindered where this world has no counter."""
    driver = world.drivers.get("counter")
    if not isinstance(driver, Driver):
        raise Hindered("there is no counter here")
    return driver


@act(1.5, "counter")
def at_the_counter(world: "World") -> None:
    """A customer pays a bill, or a part of it, in cash."""
    hands(world)
    customer = some_customer(world)
    if customer.probe:
        raise Hindered("a probe does not walk to a counter")
    bill = Bill.objects.get(pk=world.chance.choice(customer.bill_ids))
    amount = world.chance.choice((bill.remaining, bill.remaining, 300))
    if amount <= 0:
        raise Hindered("there is nothing to pay")
    _press(world, Press("take", outside(new_id()), amount, customer, bill.pk))


@act(1, "counter")
def slip_at_the_counter(world: "World") -> None:
    """A customer shows a slip."""
    hands(world)
    waiting = Attempt.objects.filter(provider="counter", state=State.NEEDS_DEPOSIT, synthetic=False)
    slips = list(Slip.objects.filter(attempt__in=waiting).select_related("attempt").order_by("pk"))
    if not slips:
        raise Hindered("nobody has a slip")
    slip = world.chance.choice(slips)
    customer = world.customer_of(slip.attempt.account_id)
    _press(world, Press("take", outside(new_id()), slip.attempt.amount, customer, slip=slip.number))


@act(0.5, "counter")
def receipt_voided(world: "World") -> None:
    """The clerk took it by mistake, and gives it back."""
    hands(world)
    taken = Receipt.objects.filter(kind=Receipt.Kind.TAKEN, voided_at=None).order_by("pk")
    found = list(taken)
    if not found:
        raise Hindered("there is no receipt to void")
    receipt = world.chance.choice(found)
    _press(world, Press("void", outside(new_id()), receipt.amount, receipt_id=receipt.pk))


@act(0.5, "counter")
def payout(world: "World") -> None:
    """The clerk hands a refund out."""
    hands(world)
    waiting = payouts.waiting()
    if not waiting:
        raise Hindered("no refund waits at the till")
    hand_out(world, world.chance.choice(waiting))


def hand_out(world: "World", waiting: Payout) -> None:
    """The clerk pays a refund out of the drawer."""
    _press(world, Press("pay out", outside(new_id()), waiting.amount, receipt_id=waiting.pk))


@act(0.7, "counter")
def press_again(world: "World") -> None:
    """The clerk's screen did not answer: the same form once more."""
    if world.presses:
        repeat(world, world.chance.choice(world.presses))


def _press(world: "World", press: Press) -> None:
    press.shift_id = world.shift_id
    world.presses.append(press)
    repeat(world, press)


def repeat(world: "World", press: Press) -> None:
    """Press, and act as told; a press that is answered is over."""
    driver = hands(world)
    assert press.shift_id is not None
    try:
        match press.what:
            case "take":
                _take(world, driver, press)
            case "void":
                _void(world, driver, press)
            case _:
                _pay_out(world, driver, press)
    except NotAMove:
        raise
    except (NotAllowed, ValueError) as no:
        world.say(f"the clerk's screen said no to {press.what} {won(press.amount)}: {no}")
    if press in world.presses:
        world.presses.remove(press)


def _take(world: "World", driver: Driver, press: Press) -> None:
    assert press.shift_id is not None
    assert press.customer is not None
    pressed = till.Pressed(press.shift_id, CLERK, press.key, "cash", press.amount, tendered=press.amount)
    if press.slip:
        told = till.take(pressed, slip=press.slip)
    else:
        assert press.bill_id is not None
        told = till.take(pressed, account_id=press.customer.account_id, bills=[(press.bill_id, press.amount)])
    if told.outcome == "taken" and told.attempt_id is not None and press in world.presses:
        driver.keep(outside(told.attempt_id), told.amount)
    what = "a slip" if press.slip else "a bill"
    world.say(f"{press.customer.label} paid {what} with {won(press.amount)} at the counter: {told.outcome}")


def _void(world: "World", driver: Driver, press: Press) -> None:
    assert press.receipt_id is not None
    receipt = receipts.void(press.receipt_id, by=CLERK, second=SECOND, reason="a slip of the hand")
    if press in world.presses and not _voided_before(world, press):
        driver.keep(outside(receipt.attempt_id), -receipt.amount)
    world.say(f"the clerk voided a receipt of {world.label(receipt.attempt.account_id)}: {won(receipt.amount)} back")


def _voided_before(world: "World", press: Press) -> bool:
    """Two clerks' screens may show the same receipt: the cash is given back once."""
    gone = (press.what, press.receipt_id)
    if gone in world.handed:
        return True
    world.handed.add(gone)
    return False


def _pay_out(world: "World", driver: Driver, press: Press) -> None:
    assert press.receipt_id is not None
    assert press.shift_id is not None
    made = payouts.pay_out(press.receipt_id, press.shift_id, clerk=CLERK, second=SECOND)
    if press in world.presses and not _voided_before(world, press):
        driver.keep(outside(made.attempt_id), -made.amount)
    world.say(f"the clerk handed {won(made.amount)} out to {world.label(made.attempt.account_id)}")
