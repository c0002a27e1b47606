"""Deposits: customers bring money to account numbers that are open, closed, or somebody else's by now."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from doenda.billing.models import Bill
from doenda.payments.deposits.models import DepositLease
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.sim import work
from doenda.sim.acts import NUMBERS, Hindered, act, named
from doenda.sim.acts.customers import begin, some_customer, won

if TYPE_CHECKING:
    from doenda.sim.world import World

WEEKS = timedelta(days=32)
ASKED = 52_300
"""Brought to a number that takes any amount."""


@act(3, *NUMBERS)
def deposit(world: "World") -> None:
    """Somebody who was given an account number brings the money: mostly what was asked for."""
    waiting = Attempt.objects.filter(provider__in=NUMBERS, state=State.NEEDS_DEPOSIT).order_by("pk")
    if not waiting:
        asks_for_a_number(world)
    found = list(waiting.all())
    if not found:
        raise Hindered("nobody has an account number")
    _bring(world, world.chance.choice(found), (1.0, 1.0, 1.0, 0.5, 1.3, 1.3))


@act(0.6, *NUMBERS)
def deposit_late(world: "World") -> None:
    """Somebody pays into a number from long ago, or once more; or into any that is open, whoever it was given to."""
    numbers = _open(world)
    if numbers and world.chance.random() < 0.5:
        number, amount = world.chance.choice(numbers)
        name = some_customer(world).name
        world.peer("deposit").control("POST", "deposits", {"number": number, "amount": amount, "remitter": name})
        world.say(f"{won(amount)} came to a number that was open at the deposit bank")
        return
    found = list(Attempt.objects.filter(provider__in=NUMBERS, details__has_key="pay_into").order_by("pk"))
    if not found:
        raise Hindered("nobody has an account number")
    _bring(world, world.chance.choice(found), (1.0, 1.0, 0.3))


def _open(world: "World") -> list[tuple[str, int]]:
    """Numbers that are open at the deposit bank, also where the house does not know so, and what they take."""
    bank: Any = world.hall.truths.get("deposits")
    if bank is None:
        return []
    known = (bank.state.numbers[number] for number in world.numbers())
    takes = ((each, each.amount or ASKED) for each in known)
    return [(each.number, amount) for each, amount in takes if not each.takes(amount, bank.now())]


@act(2, *NUMBERS)
def asks_for_a_number(world: "World") -> None:
    """A customer asks for an account number to pay into."""
    offered = [name for name in NUMBERS if name in world.drivers]
    if not offered:
        raise Hindered("nobody here gives account numbers")
    begin(world, some_customer(world), world.chance.choice(offered), "deposit")


@act(0.8, *NUMBERS)
def deposit_taken_back(world: "World") -> None:
    """The payer's bank takes a deposit back."""
    paid = Attempt.objects.filter(provider__in=NUMBERS, method="deposit", state=State.PAID).order_by("pk")
    if not paid:
        deposit(world)
        for name in ("letter", "worker_money"):
            named(name)(world)
    found = list(paid.all())
    if not found:
        raise Hindered("no deposit has arrived")
    undo(world, world.chance.choice(found))
    if world.chance.random() < 0.5:
        for name in ("letter", "worker_money"):
            named(name)(world)


def undo(world: "World", attempt: Attempt) -> None:
    try:
        if attempt.provider == "deposit":
            ident = (attempt.provider_ref or "").partition("-")[2]
            world.peer("deposit").control("POST", "undo", {"id": ident})
        else:
            world.drivers[attempt.provider].undo(world.begun(attempt).order_id, attempt.provider_ref or "")
    except RuntimeError as no:
        raise Hindered(f"{attempt.provider} takes nothing back ({no})") from no
    world.faults["deposit taken back"] += 1
    world.say(f"the bank took back what {world.label(attempt.account_id)} had paid: {won(attempt.taken)}")


def _bring(world: "World", attempt: Attempt, parts: tuple[float, ...]) -> None:
    into = world.pay_into(attempt)
    if into is None:
        raise Hindered("there is no account number")
    amount = max(1, int(attempt.amount * world.chance.choice(parts)))
    label = world.label(attempt.account_id)
    try:
        if attempt.provider == "deposit":
            late = world.chance.random() < 0.5
            asked = {"number": into.number, "amount": amount, "remitter": world.customer_of(attempt.account_id).name}
            world.peer("deposit").control("POST", "deposits", asked | {"late": late})
        else:
            world.drivers[attempt.provider].deposit(into, amount)
    except RuntimeError as no:
        world.say(f"{label} brought {won(amount)} to a number of {attempt.provider}: the bank said no")
        raise Hindered("the bank did not take it") from no
    world.say(f"{label} brought {won(amount)} to a number of {attempt.provider} (asked for {won(attempt.amount)})")


@act(1, "deposit")
def a_number_comes_back(world: "World") -> None:
    """Whoever has numbers does not pay into them for weeks; they close, rest, and somebody else is given one."""
    live = DepositLease.objects.filter(closed_at=None, attempt__isnull=False)
    if not live.exists():
        begin(world, some_customer(world), "deposit", "deposit")
    for _ in range(2):  # until they are over, and until they have rested
        world.now.advance(WEEKS)
        for name in ("deposits", "inquiries", "deposit numbers"):
            work.sweep(world, name)
    world.say(f"time: {2 * WEEKS.days} days passed; numbers that nobody paid into have rested")
    begin(world, some_customer(world), "deposit", "deposit")


@act(0.2, "deposit")
def deposit_of_a_stranger(world: "World") -> None:
    """Money comes to a number that nobody was given."""
    peer = world.drivers.get("deposit")
    if peer is None:
        raise Hindered("there is no deposit bank here")
    books = world.peer("deposit")
    numbers = world.numbers()
    asked = {"number": world.chance.choice(numbers), "amount": 4_400, "remitter": "모르는사람", "late": True}
    try:
        books.control("POST", "deposits", asked)
    except RuntimeError as no:
        raise Hindered("the bank did not take it") from no
    world.say("a stranger brought 4,400 won to one of the carrier's numbers")


@act(0.3, *NUMBERS)
def bill_after_the_number(world: "World") -> None:
    """A customer who has a number pays in another way meanwhile (and may deposit all the same)."""
    waiting = Attempt.objects.filter(state=State.NEEDS_DEPOSIT).order_by("pk").first()
    if waiting is None:
        raise Hindered("nobody has an account number")
    customer = world.customer_of(waiting.account_id)
    if not Bill.objects.filter(pk__in=customer.bill_ids, state="open").exists():
        raise Hindered("there is nothing to pay")
    begin(world, customer)
