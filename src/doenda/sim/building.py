"""Building a world from its seed: the day it begins on, its providers, its customers and what they owe."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from doenda.access import tokens
from doenda.assurance import evidence, ways
from doenda.assurance.models import Way
from doenda.billing import accounts, bills
from doenda.billing.models import Account, Line, Party
from doenda.kernel import clock, ids, randomness
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.counter import shifts
from doenda.sim import drivers, ground
from doenda.sim import line as lines
from doenda.sim.places import Hall
from doenda.sim.points import Points
from doenda.sim.schedule import Schedule
from doenda.sim.world import Customer, World
from peers.deposits.truth import Deposits

EVERY = ("sandbox", "toss", "portone", "deposit", "debit", "counter")
"""Every provider that runs inside this process (stripe's stand-in is a process that nobody here wrote)."""
SEALING = (base64.urlsafe_b64encode(b"a world of the simulator".ljust(32, b".")).decode(),)
OVERDUE = 0.35
"""The share of worlds that collections have to do with from the first day on."""
WALKED = 1
"""Ways that a round of walks proves."""
FEW_NUMBERS, FEWER = 6, 1
"""Deposit numbers that the bank gave the carrier: so few that they run out, and come back to others."""
DAYS = (
    datetime(2014, 10, 22, 3, tzinfo=UTC),  # a Wednesday noon in Seoul
    datetime(2016, 2, 27, 3, tzinfo=UTC),  # two days before a leap day
    datetime(2014, 12, 30, 23, tzinfo=UTC),  # the morning of the last day of a year
    datetime(2015, 1, 30, 6, tzinfo=UTC),  # a month's end
    datetime(2015, 2, 16, 1, tzinfo=UTC),  # before the lunar new year, when no bank works
    datetime(2014, 10, 24, 7, 25, tzinfo=UTC),  # Friday, five minutes before a file's cut-off
    datetime(2014, 10, 22, 14, 40, tzinfo=UTC),  # ten to midnight
)
DUE, NOT_DUE = (-14, -2, 0, 1, 5, 5, 20, 60), (-20, -14, -14, -5)
"""How many days ago bills fell due."""
NAMES = ("김민수", "이서연", "박지훈", "최유나", "정하늘", "강도윤")
CLERK, SECOND, OPERATOR = "clerk:kim", "clerk:lee", "operator:park"


@dataclass(frozen=True)
class Plan:
    """What a world is made of; by default each seed's own choice."""

    providers: tuple[str, ...]
    begins: datetime
    customers: int
    overdue: bool = True
    """Do people owe what fell due long ago? Else nothing is due yet, and collections have nothing to do for now."""
    numbers: int = 0
    """That the deposit bank gave; else `FEW_NUMBERS`."""

    @staticmethod
    def of(seed: int) -> "Plan":
        chance = randomness.stream(f"plan {seed}")
        count = chance.choice((2, 3, 3, 4, 6))
        chosen = set(chance.sample(EVERY, count)) | ({"sandbox"} if chance.random() < 0.3 else set())
        offered = tuple(name for name in EVERY if name in chosen)
        begins, customers, overdue = chance.choice(DAYS), chance.choice((1, 1, 2, 2, 3)), chance.random() < OVERDUE
        return Plan(offered, begins, customers, overdue, chance.choice((0, 0, FEWER)))


@contextmanager
def world(schedule: Schedule, points: Points, plan: Plan | None = None) -> Iterator[World]:
    """A fresh world on an empty database (`Ground.clear`); this process is its house until the block ends."""
    plan = plan or Plan.of(schedule.seed)
    with ExitStack() as stack:
        now = stack.enter_context(clock.freeze(plan.begins, deadlines=True))
        stack.enter_context(randomness.seeded(f"{schedule.seed}:before"))
        ids.start_over()
        made = World(schedule, now, points)
        points.asleep = True
        stack.enter_context(ground.standing(_open(made, plan), sealing=SEALING))
        stack.enter_context(made.moving())
        _prepare(made, plan)
        points.asleep = False
        yield made


def _open(made: World, plan: Plan) -> dict[str, dict[str, Any]]:
    """The peers, each on a line of its own. Their entries of DOENDA_PROVIDERS."""
    for name in plan.providers:
        line = lines.Line()
        driver = drivers.of(name)(made.hall, line)
        made.drivers[name] = driver
        made.network.connect(name, line, driver.peer.url)
    made.switch = made.hall.peer("switch", "peers.switch.truth.Switch")
    made.handset = made.hall.peer("handset", "peers.handset.truth.Handset")
    for name, peer in (("switch", made.switch), ("handset", made.handset)):
        made.connect(name, peer, lines.Line())
    _few_numbers(made.hall, plan.numbers or FEW_NUMBERS)
    return {name: driver.config() for name, driver in made.drivers.items()}


def _few_numbers(hall: Hall, count: int) -> None:
    bank = hall.truths.get("deposits")
    if isinstance(bank, Deposits):
        some = sorted(number for number, each in bank.state.numbers.items() if each.bank == "088")[:count]
        bank.state.numbers = {number: bank.state.numbers[number] for number in some}


def _prepare(made: World, plan: Plan) -> None:
    with atomic(), connection.cursor() as cursor:  # this installation offers what this world has, and knows no more
        cursor.execute("DELETE FROM assurance_way WHERE provider <> ALL(%s)", [list(plan.providers)])
    for driver in made.drivers.values():
        if driver.name == "deposit":
            driver.prepare()
    if "counter" in made.drivers:
        store = shifts.open_store("SIM1", "표본점", by=OPERATOR)
        made.shift_id = shifts.open_shift(store.pk, "1", clerk=CLERK, float_amount=1_000_000).pk
    for number in range(plan.customers):
        made.customers.append(_customer(made, number, overdue=plan.overdue))
    prove(made)


def _customer(made: World, at: int, *, overdue: bool) -> Customer:
    """An account with a line, a holder and one to three bills: long overdue, lately due, or not due yet."""
    chance, label = made.chance, f"A-{at + 1}"
    number, phone, name = (
        f"77{made.seed % 10**6:06}{at + 1:02}",
        f"+8210{made.seed % 10_000:04}{at + 1:04}",
        NAMES[at % len(NAMES)],
    )
    probe = chance.random() < 0.06
    with atomic():
        party = Party.objects.create(name=name, phone=phone, language=chance.choice(("ko", "ko", "en")))
        account = accounts.open_account(number, "KRW", holder=party, lines=[phone], probe=probe)
        found = Customer(account.pk, label, name, phone, number, probe=probe)
        account = accounts.lock(account.pk)
        count = chance.choice((1, 1, 2, 3))
        numbers = [_bill(made, found, account, each, DUE if overdue else NOT_DUE) for each in range(count)]
        found.tokens = [tokens.issue("bill", found.bill_ids[0], account.pk)]
    ids = [outside(one.pk) for one in Line.objects.filter(account=account)]
    made.switch.control("POST", "services", {"ids": ids})
    found.secrets = (name, phone, number, *numbers, *found.tokens)
    return found


def _bill(made: World, owner: Customer, account: Account, at: int, days: tuple[int, ...]) -> str:
    chance = made.chance
    number = f"R{owner.number[2:]}{at + 1:02}"
    due = clock.today() - timedelta(days=chance.choice(days))
    first = date(due.year, due.month, 1)
    last = first - timedelta(days=1)
    items = [bills.Item("service", chance.choice((900, 52_300, 90_000, 1_200_000)))]
    if chance.random() < 0.3:
        items.append(bills.Item("device", 30_000))
    bill = bills.issue(account, number, items, due_date=due, bill_date=first, period=(last.replace(day=1), last))
    owner.bill_ids.append(bill.pk)
    return number


def prove(made: World) -> None:
    """Walks reached the last step: the ways that notices may name work now, as far as anybody can know."""
    soon = clock.now() + timedelta(hours=2)
    lapsing = Way.objects.filter(channel="web", retired_at=None, provider__in=sorted(set(made.drivers) - made.down))
    lapsing = lapsing.exclude(standing="proven", proven_until__gt=soon)
    found = lapsing.order_by("position").values_list("slug", flat=True)
    for slug in sorted(found, key=lambda each: "scripts" in ways.terms(each).capability)[:WALKED]:
        with atomic():
            evidence.record(slug, "worked", source_kind="walk", source_id=outside(new_id()), synthetic=True)
