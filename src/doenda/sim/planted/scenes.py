"""Acts that only hunts know: one fault, one person, one moment, chosen instead of drawn."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from doenda.billing import accounts, bills
from doenda.billing.models import Bill
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.payments import attempts, inquiry
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.sim import building
from doenda.sim.acts import Act, Hindered, customers

if TYPE_CHECKING:
    from doenda.sim.world import World


def ill(end: str, *faults: dict[str, Any]) -> Act:
    """The peer falls ill in these ways."""

    def falls_ill(world: "World") -> None:
        world.peer(end).control("PUT", "faults", {"*": list(faults)})
        world.say(f"{end} fell ill: {', '.join(each['fault'] for each in faults)}")

    return falls_ill


def later(**step: float) -> Act:
    """Time passes."""

    def time_goes_on(world: "World") -> None:
        world.now.advance(timedelta(**step))
        world.say(f"time: {timedelta(**step)} passed")

    return time_goes_on


def runs(*names: str) -> Act:
    """The worker runs these, in this order."""

    def the_worker_runs(world: "World") -> None:
        for name in names:
            world.say(f"the worker ran the sweep {name!r}")
            sweeps.run(name)

    return the_worker_runs


def named(name: str, does: Act) -> Act:
    """The same act under a name of its own."""

    def act(world: "World") -> None:
        does(world)

    act.__name__ = name
    return act


def pays_all(provider: str, *, at: int = 0) -> Act:
    """A customer pays every open bill by card, one after the other."""

    def a_customer_pays_all(world: "World") -> None:
        customer = world.customers[at]
        for bill in Bill.objects.filter(pk__in=customer.bill_ids, state="open").order_by("pk"):
            _pay(world, bill, provider)

    return a_customer_pays_all


def pays_one(provider: str, *, at: int = 0) -> Act:
    """A customer pays the first bill, whole, by card."""

    def a_customer_pays(world: "World") -> None:
        _pay(world, Bill.objects.filter(pk__in=world.customers[at].bill_ids, amount__gt=0).order_by("pk")[0], provider)

    return a_customer_pays


def _pay(world: "World", bill: Bill, provider: str) -> None:
    attempt = _begin(world, bill, provider, "card")
    if attempt.state == State.NEEDS_REDIRECT:
        customers.come_back(world, attempt, customers.at_page(world, attempt, "approve"))


def _begin(world: "World", bill: Bill, provider: str, method: str) -> Attempt:
    seen = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider=provider,
        return_url="http://127.0.0.1:8000/s/return",
        lang="ko",
        bank=world.drivers[provider].bank,
        mandate_id=world.customer_of(bill.account_id).mandate_id,
    )
    label = world.label(bill.account_id)
    world.say(f"the customer of {label} chose {method} with {provider} for {bill.remaining:,} won: {seen.outcome}")
    world.note_attempts()
    if seen.attempt_id is None or seen.outcome == "busy":
        raise Hindered("nothing was begun")
    return Attempt.objects.get(pk=seen.attempt_id)


def asks(provider: str, method: str = "deposit", *, at: int = 0) -> Act:
    """A customer asks for an account number (or for a debit) for the first bill."""

    def a_customer_asks(world: "World") -> None:
        bill = Bill.objects.filter(pk__in=world.customers[at].bill_ids, amount__gt=0).order_by("pk")[0]
        _begin(world, bill, provider, method)

    return a_customer_asks


def brings(more: int = 0, *, late: bool = True) -> Act:
    """Whoever was first given an account number brings what was asked for, and so much more."""

    def somebody_brings_money(world: "World") -> None:
        attempt = Attempt.objects.filter(details__has_key="pay_into").order_by("pk").first()
        into = world.pay_into(attempt) if attempt is not None else None
        if attempt is None or into is None:
            raise Hindered("nobody has an account number")
        amount = attempt.amount + more
        if attempt.provider == "deposit":
            name = world.customer_of(attempt.account_id).name
            asked = {"number": into.number, "amount": amount, "remitter": name, "late": late}
            world.peer("deposit").control("POST", "deposits", asked)
        else:
            try:
                world.drivers[attempt.provider].deposit(into, amount)
            except RuntimeError as no:
                raise Hindered("it has been paid, or is closed") from no
        world.say(f"{world.label(attempt.account_id)} brought {amount:,} won to a number of {attempt.provider}")

    return somebody_brings_money


def asked_about(world: "World") -> None:
    """The worker asks about the first attempt that waits for a deposit."""
    attempt = Attempt.objects.filter(state=State.NEEDS_DEPOSIT).order_by("pk").first()
    if attempt is None:
        raise Hindered("nobody waits")
    said = inquiry.ask(attempt)
    world.say(f"the worker asked about {world.label(attempt.account_id)}'s deposit: {said.outcome}")


def everybody_is_heard(world: "World") -> None:
    """Every letter arrives, and the worker asks."""
    world.post.collect()
    while world.post.bag:
        world.post.deliver(world.post.bag.pop(0))
    sweeps.run("inquiries")


def owes_enough(world: "World") -> None:
    """The customer's bills are long overdue, and are enough to bar a line."""
    for customer in world.customers:
        with atomic():
            account = accounts.lock(customer.account_id)
            due = clock.today() - timedelta(days=20)
            number = f"B-{world.seed}-{customer.label}-9"
            amount = 90_000 + 1_000 * world.customers.index(customer)
            made = bills.issue(account, number, [bills.Item("service", amount)], due_date=due)
        customer.bill_ids.append(made.pk)
        customer.secrets = (*customer.secrets, number)
        world.say(f"{customer.label} has owed {amount:,} won for 20 days")


def mornings(count: int, *, hour: int = 10) -> Act:
    """So many days in a row on which collections work; ways to pay are proven each time."""

    def collections_work(world: "World") -> None:
        for _ in range(count):
            world.now.set(clock.at(clock.today() + timedelta(days=1), hour))
            for _ in range(2):
                building.prove(world)
                for name in ("facts", "promises", "cases", "outbox", "receipts"):
                    sweeps.run(name)
                world.now.advance(timedelta(seconds=45))
        world.say(f"time: {count} mornings of collections have passed, it is {clock.today()}")

    return collections_work


def until(reached: "Callable[[World], bool]", act: Act, *, most: int) -> Act:
    """Again and again, until the world has come so far."""

    def goes_on(world: "World") -> None:
        for _ in range(most):
            if reached(world):
                return
            act(world)

    return goes_on
