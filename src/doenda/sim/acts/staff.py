"""The desk: refunds asked for, approved and refused; money that is nobody's given to somebody or sent back."""

from typing import TYPE_CHECKING

from doenda.kernel.db import atomic
from doenda.payments import desk, refunds
from doenda.payments.deposits import desk as deposits_desk
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.moves import locked
from doenda.payments.providers.contract import BackTo
from doenda.payments.staff import NotAllowed
from doenda.payments.states import State
from doenda.sim.acts import Hindered, act
from doenda.sim.acts.customers import won

if TYPE_CHECKING:
    from doenda.sim.world import World

AGENT, BOSS, OTHER = "agent:han", "operator:park", "collections:seo"


@act(1)
def refund_asked(world: "World") -> None:
    """An agent gives a whole payment back."""
    found = list(Attempt.objects.filter(state=State.PAID).order_by("pk"))
    if not found:
        raise Hindered("nothing was paid")
    attempt = world.chance.choice(found)
    try:
        with atomic():
            _, fresh = locked(attempt.pk)
            refund = refunds.ask(fresh, "goodwill", by=AGENT)
    except refunds.NotAllowed as no:
        raise Hindered(str(no)) from no
    world.say(f"an agent gives {world.label(attempt.account_id)} {won(refund.amount)} back")


@act(0.6)
def desk_works(world: "World") -> None:
    """One thing that waits at the desk is dealt with."""
    for does in world.chance.sample((approve, give_back, lines), k=3):
        if does(world):
            return
    raise Hindered("nothing waits at the desk")


def approve(world: "World", *, always: bool = False) -> int:
    """The second person agrees, or does not. How many were dealt with."""
    waiting = Refund.objects.filter(needs_two=True, approved_by="", failed_at=None, done_at=None).order_by("pk")
    done = 0
    for refund in list(waiting.select_related("attempt")):
        try:
            if always or world.chance.random() < 0.8:
                desk.approve(refund.pk, by=BOSS)
                world.say(f"the desk approved a refund of {won(refund.amount)}")
            else:
                desk.refuse(refund.pk, by=BOSS, words="not this one")
                world.say(f"the desk refused a refund of {won(refund.amount)}")
        except (NotAllowed, refunds.NotAllowed) as no:
            world.say(f"the desk could not approve a refund: {no}")
            continue
        done += 1
    return done


def give_back(world: "World", *, always: bool = False) -> int:
    """Cases that wait for an account: the customer names one, and it goes there."""
    cases = RefundCase.objects.filter(closed_at=None, owner="desk").order_by("pk")
    done = 0
    for case in list(cases.select_related("account", "attempt", "refund")):
        if case.refund is not None and case.refund.failed_at is None:
            continue  # it waits for a second person
        customer = world.customer_of(case.account_id)
        try:
            desk.give_back(case.pk, by=AGENT, to=BackTo("088", "110123456789", customer.name))
            world.say(f"the desk sent {won(case.amount)} that {customer.label} had paid too much to an account")
        except (NotAllowed, refunds.NotAllowed) as no:
            world.say(f"the desk could not send {won(case.amount)} back: {no}")
            continue
        done += 1
    return done


def lines(world: "World", *, always: bool = False) -> int:
    """Deposits that are nobody's: given to a customer who proves it, or sent back."""
    parked = DepositLine.objects.filter(state=DepositLine.State.PARKED, kind="deposit").order_by("pk")
    done = 0
    for line in list(parked):
        customer = world.chance.choice(world.customers)
        try:
            if not always and world.chance.random() < 0.5:
                deposits_desk.assign(line.pk, customer.account_id, by=AGENT)
                world.say(f"the desk gave a deposit of {won(line.amount)} to {customer.label}")
            elif not deposits_desk.send_back(line.pk, by=AGENT):
                deposits_desk.send_back(line.pk, by=OTHER)
        except (NotAllowed, deposits_desk.NotAllowed) as no:
            world.say(f"the desk could not deal with a deposit: {no}")
            continue
        done += 1
    return done
