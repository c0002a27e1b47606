"""Collections: days on which the real sweeps remind, give notice, and have lines barred and restored."""

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from doenda.billing import accounts, bills
from doenda.billing.models import Bill, Line
from doenda.dunning import promises
from doenda.dunning.models import Case, CaseStep
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.sim import building, work
from doenda.sim.acts import PAGES, Hindered, act
from doenda.sim.acts.customers import pay_whole, some_customer

if TYPE_CHECKING:
    from doenda.sim.world import World

NEWS = ("deposits", "inquiries", "debit answers", "outbox")
LEAVES = ("outbox", "receipts")
SWEEPS = ("facts", "promises", "cases", "outbox", "receipts")
OVERDUE = 91_000
STOPPED, MORNINGS = 0.6, 14
"""How often a world that begins near a bar begins behind it, and the most mornings that this takes."""
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
    building.prove(world)
    for names in ((*news, *SWEEPS), LEAVES):
        for name in names:
            work.sweep(world, name)
        world.now.advance(timedelta(seconds=45))


@act(0.8)
def a_week_of_collections(world: "World") -> None:
    """Some days in which what falls due is done when it does: reminders, notices, bars."""
    world.say(f"time: from {clock.today():%A %Y-%m-%d} on collections worked whenever something fell due")
    for _ in range(5):
        _to_the_next_case(world)
        _work(world)


def _to_the_next_case(world: "World") -> None:
    """To the next morning, or to when a case is next looked at, within nine days."""
    open_cases = Case.objects.filter(closed_at=None, parked_at=None)
    due = open_cases.order_by("next_check_at").values_list("next_check_at", flat=True).first()
    morning = clock.at(clock.today() + timedelta(days=1), 10)
    if due is not None and morning < due < morning + timedelta(days=8):
        morning = clock.at(clock.local(due).date(), 10)
    world.now.set(max(clock.now(), morning))


@act(0)
def a_bar_is_near(world: "World") -> None:
    """Somebody has owed enough for weeks, was told when service stops, and that day has come; or it is stopped. Worlds
    begin so, and nothing goes wrong before."""
    customer = some_customer(world)
    if customer.probe:
        raise Hindered("a probe owes nothing")
    with atomic():
        account = accounts.lock(customer.account_id)
        due = clock.today() - timedelta(days=20)
        made = bills.issue(account, f"R{customer.number[2:]}99", [bills.Item("service", OVERDUE)], due_date=due)
    customer.bill_ids.append(made.pk)
    customer.secrets = (*customer.secrets, made.number)
    world.say(f"{customer.label} has owed {OVERDUE:,} won for 20 days; collections work")
    asleep, world.points.asleep, depth, world.depth = world.points.asleep, True, world.depth, 1
    try:
        come = _is_barred if world.chance.random() < STOPPED else _day_has_come
        for _ in range(MORNINGS):
            if come(customer.account_id):
                break
            _to_the_next_case(world)
            _work(world)
    finally:
        world.points.asleep, world.depth = asleep, depth


def _day_has_come(account_id: UUID) -> bool:
    steps = CaseStep.objects.filter(account_id=account_id, step="notice")
    return any(date.fromisoformat(step.decision["effective"]) <= clock.today() for step in steps)


def _is_barred(account_id: UUID) -> bool:
    return Line.objects.filter(account_id=account_id).exclude(barring="none").exists()


@act(0.5, *PAGES)
def a_barred_customer_pays(world: "World") -> None:
    """Whose line is stopped pays all that is owed, on some page."""
    stopped = set(Line.objects.exclude(barring="none").values_list("account_id", flat=True))
    barred = [each for each in world.customers if each.account_id in stopped]
    pages = [name for name in PAGES if name in world.drivers]
    if not barred or not pages:
        raise Hindered("nobody is barred, or nobody here has a page")
    customer = world.chance.choice(barred)
    for bill in Bill.objects.filter(pk__in=customer.bill_ids, state="open").order_by("pk"):
        pay_whole(world, bill, world.chance.choice(pages))


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
