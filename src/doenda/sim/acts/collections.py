"""Collections: days on which the real sweeps remind, give notice, and have lines barred and restored."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from doenda.dunning import promises
from doenda.kernel import clock
from doenda.kernel.ids import new_id, outside
from doenda.sim import building, work
from doenda.sim.acts import Hindered, act
from doenda.sim.acts.customers import some_customer

if TYPE_CHECKING:
    from doenda.sim.world import World

NEWS = ("deposits", "inquiries", "debit answers", "outbox")
SWEEPS = ("facts", "promises", "cases", "outbox", "receipts")
AHEAD = (1, 1, 2, 4, 7)


@act(1.2)
def a_day_of_collections(world: "World") -> None:
    """Ten in the morning of one of the next days, or of the end of this month: what is due is done."""
    today = clock.today()
    day = today + timedelta(days=world.chance.choice(AHEAD))
    if world.chance.random() < 0.15:
        day = _last_of_month(today)
    morning = clock.at(day, 10)
    if morning > clock.now():
        world.now.set(morning)
    world.say(f"time: it is {day:%A %Y-%m-%d}, ten in the morning; collections work")
    _work(world)


def _work(world: "World") -> None:
    """A morning; mostly the workers that bring news of money home live too."""
    news = [name for name in NEWS if name in work.of(world)] if world.chance.random() < 0.8 else []
    for _ in range(2):
        building.prove(world)
        for name in (*news, *SWEEPS):
            work.sweep(world, name)
        world.now.advance(timedelta(seconds=45))


@act(0.8)
def a_week_of_collections(world: "World") -> None:
    """A week in which each morning what is due is done: reminders, notices, bars."""
    today = clock.today()
    world.say(f"time: the week from {today:%A %Y-%m-%d} passed; collections worked every morning")
    for ahead in range(1, 8):
        world.now.set(max(clock.now(), clock.at(today + timedelta(days=ahead), 10)))
        _work(world)


def _last_of_month(day: date) -> date:
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return first - timedelta(days=1)


@act(0.5)
def promise(world: "World") -> None:
    """A customer says on which day the bill will be paid."""
    customer = some_customer(world)
    if customer.probe:
        raise Hindered("a probe promises nothing")
    day = clock.today() + timedelta(days=world.chance.choice((1, 3, 5)))
    bill_id = world.chance.choice(customer.bill_ids)
    key = outside(new_id())
    made = promises.by_customer(customer.account_id, [bill_id], day=min(day, promises.last_day_allowed()), key=key)
    world.say(f"{customer.label} promised to pay by {day}: {'taken' if made else 'not taken'}")
