"""Customers: they start, go to a provider's page, come back (or somebody does in their name), change their mind."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from doenda.billing.models import Bill
from doenda.kernel import net
from doenda.kernel.ids import outside
from doenda.payments import attempts, charge, providers
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Moves
from doenda.payments.states import State
from doenda.sim.acts import PAGES, Hindered, act

if TYPE_CHECKING:
    from doenda.sim.world import Customer, World

SESSIONS = (None, UUID(int=1), UUID(int=2))
KEPT = ("billing",)
"""Methods by a kept key: nobody chooses them on a page."""
ON_A_PAGE = ("card", "card", "transfer")
CHANNELS = ("web", "web", "web", "agent")


def some_customer(world: "World") -> "Customer":
    return world.chance.choice(world.customers)


def won(amount: int) -> str:
    return f"{amount:,} won"


@act(2.5)
def start(world: "World") -> None:
    """A customer chooses a way: whole, a part, or two bills at once."""
    begin(world, some_customer(world))


def begin(world: "World", customer: "Customer", provider: str = "", method: str = "") -> Attempt | None:
    """The customer chooses a way and an amount. The attempt, if one was made. Raises Hindered."""
    found = list(Bill.objects.filter(pk__in=customer.bill_ids).order_by("pk"))
    bill = world.chance.choice(found)
    part = world.chance.choice((bill.amount, bill.amount, max(1, bill.remaining), 300))
    wanted = [(bill.pk, part)]
    if len(found) > 1 and world.chance.random() < 0.2:
        wanted = [(each.pk, each.amount) for each in found if each.amount]
    wanted = [(pk, amount) for pk, amount in wanted if amount > 0]
    if not wanted:
        raise Hindered("there is nothing to pay")
    name = provider or world.chance.choice(sorted(world.drivers))
    methods = sorted(m for m, moves in providers.get(name).methods.items() if moves is not Moves.AT_ONCE)
    if not methods:
        raise Hindered(f"{name} has nothing that a customer starts")
    method = method or world.chance.choice([each for each in methods if each not in KEPT] or methods)
    seen = attempts.start(
        customer.account_id,
        wanted,
        channel=world.chance.choice(CHANNELS),
        method=method,
        provider=name,
        return_url="http://127.0.0.1:8000/s/return",
        lang="ko",
        session_id=world.chance.choice(SESSIONS),
        bank=world.drivers[name].bank,
        mandate_id=customer.mandate_id,
    )
    sum_of = won(sum(amount for _, amount in wanted))
    world.say(f"the customer of {customer.label} chose {method} with {name} for {sum_of}: {seen.outcome}")
    world.note_attempts()
    return None if seen.attempt_id is None else Attempt.objects.get(pk=seen.attempt_id)


def waiting(world: "World") -> list[Attempt]:
    """Attempts whose customer may be on a provider's page, oldest first."""
    states = [State.NEEDS_REDIRECT, State.AT_PROVIDER]
    return list(Attempt.objects.filter(provider__in=PAGES, state__in=states).order_by("pk"))


def at_page(world: "World", attempt: Attempt, decision: str) -> Mapping[str, str]:
    """What the customer does on the provider's page, and brings back. Raises Hindered."""
    driver = world.drivers[attempt.provider]
    label = world.label(attempt.account_id)
    if attempt.provider in world.down:
        raise Hindered(f"the page of {attempt.provider} is down")
    try:
        came = getattr(driver, decision)(world.begun(attempt))
    except (net.NotSent, net.NoAnswer, KeyError, ValueError, AssertionError) as error:
        raise Hindered(f"the page of {attempt.provider} did not work ({type(error).__name__})") from error
    world.say(f"the customer of {label} chose to {decision} on the page of {attempt.provider}")
    return dict(came)


@act(2, *PAGES)
def at_the_page(world: "World") -> None:
    """A customer decides on the provider's page, and does not come back (yet)."""
    found = waiting(world)
    if found:
        at_page(world, world.chance.choice(found), world.chance.choice(("approve", "approve", "approve", "cancel")))


def come_back(world: "World", attempt: Attempt, came: Mapping[str, str]) -> None:
    """The customer stands in front of our page again with these words, and says yes."""
    label = world.label(attempt.account_id)
    said = providers.get(attempt.provider).returned(came)
    if said.failed or said.cancelled:
        world.say(f"the customer of {label} came back without having paid")
        return
    order_id = said.order_id or outside(attempt.pk)
    seen = charge.confirm(attempt.pk, order_id=order_id, ref=said.ref, amount=said.amount, token=said.token)
    world.say(f"the customer of {label} came back from {attempt.provider} and said yes: {seen.outcome}")


@act(8, *PAGES)
def pay(world: "World") -> None:
    """The usual way, without a break of its own."""
    offered = [name for name in PAGES if name in world.drivers]
    if not offered:
        raise Hindered("nobody here has a page")
    attempt = begin(world, some_customer(world), world.chance.choice(offered), world.chance.choice(ON_A_PAGE))
    if attempt is None or attempt.state not in {State.NEEDS_REDIRECT, State.AT_PROVIDER}:
        return
    come_back(world, attempt, at_page(world, attempt, "approve"))


def pay_whole(world: "World", bill: Bill, provider: str, method: str = "card") -> None:
    """The customer pays what is owed of a bill on a provider's page, and comes back. Raises Hindered."""
    seen = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider=provider,
        return_url="http://127.0.0.1:8000/s/return",
        lang="ko",
        bank=world.drivers[provider].bank,
    )
    label = world.label(bill.account_id)
    world.say(f"the customer of {label} chose {method} with {provider} for {won(bill.remaining)}: {seen.outcome}")
    world.note_attempts()
    attempt = Attempt.objects.get(pk=seen.attempt_id) if seen.attempt_id is not None else None
    if attempt is not None and attempt.state == State.NEEDS_REDIRECT:
        come_back(world, attempt, at_page(world, attempt, "approve"))


@act(3, *PAGES)
def start_page(world: "World") -> None:
    """A customer goes to a provider's page, and stays there for now."""
    offered = [name for name in PAGES if name in world.drivers]
    if not offered:
        raise Hindered("nobody here has a page")
    begin(world, some_customer(world), world.chance.choice(offered), world.chance.choice(ON_A_PAGE))


@act(4, *PAGES)
def returns(world: "World") -> None:
    """Whoever is on a page decides there and comes back."""
    found = waiting(world)
    if found:
        attempt = world.chance.choice(found)
        come_back(world, attempt, at_page(world, attempt, world.chance.choice(("approve", "approve", "cancel"))))


@act(1)
def returns_tampered(world: "World") -> None:
    """Somebody comes back with words of their own: another amount, another reference, an order that is over."""
    found = list(Attempt.objects.filter(pk__in=world.attempts).order_by("pk"))
    if not found:
        return
    attempt = world.chance.choice(found)
    amount = str(attempt.amount) if world.chance.random() < 0.6 else world.chance.choice(("1", "", "-1", "1e9"))
    ref = attempt.provider_ref or "" if world.chance.random() < 0.8 else "pay_forged"
    seen = charge.confirm(attempt.pk, order_id=outside(attempt.pk), ref=ref, amount=amount)
    world.say(f"somebody came back for an attempt of {world.label(attempt.account_id)} with {amount!r}: {seen.outcome}")


@act(1.5)
def clear(world: "World") -> None:
    """The customer turns to another way."""
    customer = some_customer(world)
    bill_id = world.chance.choice(customer.bill_ids)
    seen = attempts.clear(customer.account_id, [bill_id], world.chance.choice(SESSIONS[1:]))
    world.say(f"the customer of {customer.label} turned to another way: {seen.outcome}")
